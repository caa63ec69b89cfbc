"""The pinned CDK command line, installed once into .build and run under the pinned Node."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from infra.bundle_paths import BUILD, ROOT
from infra.node import node_path, npm_command

VERSION = "2.1148.1"
_DIRECTORY = BUILD / f"cdk-cli-{VERSION}"
_PROGRAM = _DIRECTORY / "node_modules" / "aws-cdk" / "bin" / "cdk"


class CdkError(RuntimeError):
    """The CDK command line could not be installed, or ended with an error that it has printed itself."""


def install() -> None:
    """Make the command line available; takes seconds the first time. Raises CdkError with npm's words."""
    if _PROGRAM.is_file():
        return
    command = [*npm_command(), "install", "--prefix", str(_DIRECTORY), "--no-audit", "--no-fund", "--no-save"]
    _DIRECTORY.mkdir(parents=True, exist_ok=True)
    result = subprocess.run(
        [*command, f"aws-cdk@{VERSION}"], capture_output=True, text=True, check=False, env=_environment({})
    )
    if result.returncode != 0 or not _PROGRAM.is_file():
        raise CdkError(f"npm could not install aws-cdk@{VERSION}:\n{result.stderr.strip()}")


def bootstrap(account: str, region: str, environment: Mapping[str, str]) -> None:
    """Prepare an account's region for deployments; does nothing where that was done. Raises CdkError."""
    # Outside the project there is no app for it to synthesize.
    _run(["bootstrap", f"aws://{account}/{region}"], environment, BUILD)


def deploy(options: Sequence[str], environment: Mapping[str, str]) -> None:
    """Deploy all stacks, the output going to the terminal. Raises CdkError."""
    _run(["deploy", "--all", "--app", f"{sys.executable} app.py", *options], environment, ROOT)


def _run(arguments: Sequence[str], environment: Mapping[str, str], directory: Path) -> None:
    command = [str(node_path()), str(_PROGRAM), *arguments, "--no-notices", "--ci"]
    result = subprocess.run(command, cwd=directory, check=False, env=_environment(environment))
    if result.returncode != 0:
        raise CdkError(f"`cdk {arguments[0]}` ended with status {result.returncode}")


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    """This process's environment with the pinned Node first, and nothing reported to anybody."""
    return {
        **os.environ,
        "PATH": f"{node_path().parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CDK_DISABLE_VERSION_CHECK": "1",
        **more,
    }
