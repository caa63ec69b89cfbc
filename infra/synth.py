"""`make synth`: writes the templates of the configured stage to cdk.out, through nag and cfn-lint."""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

from infra import bundle, settings
from infra.bundle_paths import ROOT

OUTPUT = ROOT / "cdk.out"
# CDK itself repeats the dependency that a reference makes anyway.
_IGNORED_LINT = "W3005"


class SynthesisError(RuntimeError):
    """The templates could not be made, or nag or cfn-lint found something; the message holds what they said."""


def synthesize(output: Path) -> list[Path]:
    """Write the cloud assembly to `output` in a process of its own; returns its templates.

    Raises SynthesisError with the findings of nag and of CDK's own validation.
    """
    shutil.rmtree(output, ignore_errors=True)
    result = subprocess.run(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env={**os.environ, "CDK_OUTDIR": str(output)},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        said, failure, trace = result.stderr.partition("jsii.errors.JavaScriptError")
        raise SynthesisError((said if failure and said.strip() else said + failure + trace).strip())
    return sorted(output.glob("*.template.json"))


def lint(templates: list[Path]) -> None:
    """Hold the templates against cfn-lint's schemas and rules; raises SynthesisError with its findings."""
    program = str(Path(sys.executable).parent / "cfn-lint")
    command = [program, "--ignore-checks", _IGNORED_LINT, "--format", "parseable", "-t"]
    result = subprocess.run(
        [*command, *map(str, templates)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        raise SynthesisError(f"cfn-lint:\n{result.stdout}{result.stderr}".strip())


def summary(template: Path) -> str:
    """One line: the stack, how many resources of which kinds."""
    resources = json.loads(template.read_text())["Resources"].values()
    kinds = Counter(resource["Type"].rpartition("::")[2] for resource in resources)
    listed = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(6))
    return f"{template.name.removesuffix('.template.json')}: {len(resources)} resources ({listed}, ...)"


def main() -> int:
    """Bundle, synthesize, check and summarize; returns 1 where anything is wrong."""
    try:
        bundled = settings.load().bundle
        if bundled and bundle.main() != 0:
            return 1
        templates = synthesize(OUTPUT)
        lint(templates)
    except (SynthesisError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    for template in templates:
        print(summary(template))
    print(f"nag and cfn-lint have no findings; templates are in {OUTPUT.relative_to(ROOT)}/")
    if not bundled:
        print("The functions hold placeholder code (VSL_BUNDLE=0): these templates are not to be deployed.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
