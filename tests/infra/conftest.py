"""One synthesis per stage and test process: it takes seconds, and needs neither credentials nor network."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from infra.bundle_paths import ROOT
from tests.infra.template import Template

Synthesize = Callable[[str], Path]


def bare_environment(**more: str) -> dict[str, str]:
    """This process's environment without anything that names an account or a stage."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "VSL_", "CDK_"))
    }
    return {**kept, "AWS_EC2_METADATA_DISABLED": "true", **more}


@pytest.fixture(scope="session")
def synthesize(tmp_path_factory: pytest.TempPathFactory) -> Synthesize:
    """Synthesizes a stage once; returns the cloud assembly's directory."""
    done: dict[str, Path] = {}

    def run(stage: str) -> Path:
        if stage not in done:
            output = tmp_path_factory.mktemp(f"synth-{stage}")
            environment = bare_environment(
                VSL_STAGE=stage, VSL_BUNDLE="0", VSL_ALARM_EMAIL="ops@example.com", CDK_OUTDIR=str(output)
            )
            result = subprocess.run(
                [sys.executable, "app.py"],
                cwd=ROOT,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert result.returncode == 0, result.stderr
            assert result.stderr == "", "synthesis has something to say"
            done[stage] = output
        return done[stage]

    return run


@pytest.fixture(scope="session")
def templates(synthesize: Synthesize) -> Mapping[str, Template]:
    """The templates of the default stage by stack: `data`, `app`, `observability`."""
    output = synthesize("homolog")
    return {
        name: Template.read(output / f"Vsl-homolog-{name}.template.json")
        for name in ("data", "app", "observability")
    }


@pytest.fixture
def app(templates: Mapping[str, Template]) -> Template:
    return templates["app"]


@pytest.fixture
def data(templates: Mapping[str, Template]) -> Template:
    return templates["data"]


@pytest.fixture
def observability(templates: Mapping[str, Template]) -> Template:
    return templates["observability"]
