"""The page about the providers is that of the code."""

import pytest

from lib.domain.capabilities import capabilities_of
from lib.providers.registry import ADAPTERS, load_adapter
from lib.stores.models_source import load_catalogue
from tests.unit.providers_page import PAGE, render, unanswered

CATALOGUE = load_catalogue("config/models")


def test_the_page_is_written_from_the_adapters_and_the_catalogue() -> None:
    written = PAGE.read_text(encoding="utf-8")

    assert written == render(), "run: python -m tests.unit.providers_page"


@pytest.mark.parametrize("name", ADAPTERS)
def test_each_model_of_a_provider_is_on_the_page_with_what_it_does_with_standard_requests(name: str) -> None:
    adapter = load_adapter(name)
    found = capabilities_of(name, name, adapter.traits, adapter.is_synchronous, CATALOGUE)
    page = PAGE.read_text(encoding="utf-8")

    assert [model.model_id for model in found.models] == [m.id for m in CATALOGUE if m.provider == name]
    assert all(f"[`{model.model_id}`]" in page for model in found.models)
    for model in found.models:
        configured = CATALOGUE.get_model_config(model.model_id)
        assert len(model.standard) == len(configured.standard.keys() | configured.replaced)


def test_what_becomes_of_a_submit_without_an_answer_follows_from_the_traits() -> None:
    said = {
        name: unanswered(
            capabilities_of(
                name, name, load_adapter(name).traits, load_adapter(name).is_synchronous, CATALOGUE
            )
        )
        for name in ("replicate", "cog", "runway")
    }

    assert said == {
        "replicate": "claimed by its webhook or found in the list",
        "cog": "sent again: an id of ours",
        "runway": "cannot be claimed: ends at the deadline",
    }
