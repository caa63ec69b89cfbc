"""Each model of the catalogue makes a file: real functions and stores, simulated providers, a real Cog server."""

from collections.abc import Sequence

import pytest

from lib.domain.model_config import ModelConfig
from lib.stores.models_source import load_catalogue
from local.cloud import LocalCloud
from local.every_model import MODELS, Outcome, run, table
from tests.e2e.caller import Caller

ALL: Sequence[ModelConfig] = list(load_catalogue(str(MODELS)))


@pytest.fixture(scope="module")
def outcomes(cloud: LocalCloud) -> list[Outcome]:
    with Caller(cloud) as caller:
        return run(caller.api, ALL)


def test_every_model_completes_with_a_file(outcomes: list[Outcome]) -> None:
    assert len(outcomes) == len(ALL)
    assert [outcome for outcome in outcomes if not outcome.good] == [], table(outcomes)
