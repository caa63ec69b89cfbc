"""How the simulated providers behave, from the command line and from the ``SIM_*`` variables of all simulators."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.simulation.environment import COMMON, settings_in


@dataclass(frozen=True)
class Settings:
    """Durations are in seconds. ``ports`` are those of the providers by name; a name that is missing gets a free one.

    ``faults`` is the dial of each provider at the start (``lost-webhook:0.05,429:0.01``).
    """

    host: str = "127.0.0.1"
    ports: Mapping[str, int] = field(default_factory=dict)
    media_port: int = 0
    seed: int = 0
    latency: float = 1.0
    faults: str = ""
    webhook_retry_seconds: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0, 29.0)
    webhook_timeout_seconds: float = 10.0
    hold_seconds: float = 120.0
    render_threads: int = 2


def settings_from(environment: Mapping[str, str], **given: Any) -> Settings:
    """Settings from ``SIM_*`` variables; what is given by keyword wins. Raises ValueError on a value that is none."""
    return settings_in(environment, COMMON, Settings(), given)
