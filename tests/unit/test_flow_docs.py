"""What operators read about limits and circuits is what holds."""

import re
from pathlib import Path

from lib.domain.flow import CircuitRules
from lib.providers.transport import LIMITS
from lib.settings import load
from lib.work_settings import FlowSettings

PAGE = (Path(__file__).parents[2] / "docs" / "operating.md").read_text("utf-8")


def test_the_time_limits_of_calls_are_those_of_the_transport() -> None:
    listed = re.findall(r"^\| (\w+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", PAGE, re.MULTILINE)
    assert {name: tuple(map(float, seconds)) for name, *seconds in listed} == {
        operation.value: (limits.connect, limits.read, limits.total) for operation, limits in LIMITS.items()
    }


def test_the_defaults_of_circuits_are_those_of_the_settings() -> None:
    settings, rules = load(FlowSettings, {"CACHE_TABLE": "t"}), CircuitRules()
    assert (settings.circuit_failures, settings.circuit_open_seconds) == (rules.failures, rules.open_seconds)
    assert f"`CIRCUIT_FAILURES` ({rules.failures})" in PAGE
    assert f"`CIRCUIT_OPEN_SECONDS` ({rules.open_seconds:g})" in PAGE
