"""Synthesis: what it needs, and what stops it."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from infra.bundle_paths import PLACEHOLDER, ROOT
from infra.synth import SynthesisError, lint, summary
from tests.infra.conftest import bare_environment
from tests.infra.template import Template

WITH_AN_OPEN_QUEUE = """
from aws_cdk import aws_sqs as sqs
from infra.application import build
app = build()
sqs.Queue(app.node.find_child("Vsl-homolog-app"), "Open")
app.synth()
"""


def _run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=bare_environment(**environment),
        capture_output=True,
        text=True,
        check=False,
    )


def test_cfn_lint_has_no_findings(synthesize: Callable[[str], Path]) -> None:
    templates = sorted(synthesize("homolog").glob("*.template.json"))
    assert len(templates) == 3
    lint(templates)


def test_cfn_lint_stops_a_wrong_template(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.template.json"
    wrong.write_text(
        '{"Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeot": 1}}}}'
    )
    with pytest.raises(SynthesisError, match="VisibilityTimeot"):
        lint([wrong])


def test_nag_has_no_finding_that_is_not_acknowledged(synthesize: Callable[[str], Path]) -> None:
    report = synthesize("homolog") / "validation-report.json"
    found = json.loads(report.read_text())["pluginReports"] if report.exists() else []
    assert not [violation for plugin in found for violation in plugin["violations"]]


def test_nag_stops_a_template_with_a_finding(tmp_path: Path) -> None:
    result = _run("-c", WITH_AN_OPEN_QUEUE, VSL_BUNDLE="0", CDK_OUTDIR=str(tmp_path))
    assert result.returncode != 0
    assert "AwsSolutions-SQS" in result.stderr


def test_a_stage_that_makes_no_names_is_refused_with_what_would_be_right(tmp_path: Path) -> None:
    result = _run("app.py", VSL_BUNDLE="0", VSL_STAGE="My Stage", CDK_OUTDIR=str(tmp_path))
    assert result.returncode != 0
    assert "stage 'My Stage': 2 to 20 lower-case letters, digits and dashes" in result.stderr


def test_stacks_know_each_other_by_name_so_that_none_is_locked_by_another(
    templates: Mapping[str, Template],
) -> None:
    text = json.dumps([template.content for template in templates.values()])
    assert "Fn::ImportValue" not in text
    assert '"Export"' not in text


def test_no_template_holds_an_account_a_region_or_a_secret(templates: Mapping[str, Template]) -> None:
    text = json.dumps([template.content for template in templates.values()])
    assert "us-east-1" not in text
    assert "r8_" not in text
    assert "postgres" not in text


def test_without_bundling_the_functions_hold_the_placeholder(synthesize: Callable[[str], Path]) -> None:
    (asset,) = [path for path in synthesize("homolog").iterdir() if path.name.startswith("asset.")]
    assert [path.name for path in asset.iterdir()] == [path.name for path in PLACEHOLDER.iterdir()]


def test_the_summary_counts_resources(synthesize: Callable[[str], Path]) -> None:
    line = summary(synthesize("homolog") / "Vsl-homolog-data.template.json")
    assert line.startswith("Vsl-homolog-data: 7 resources (2 Table, ")
