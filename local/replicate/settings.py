"""The simulator's settings, from the command line and from ``SIM_*`` variables."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from local.replicate.signing import derive_secret
from local.simulation.environment import COMMON, Variables, settings_in

DEFAULT_TOKEN = "r8_local_simulator"  # noqa: S105 - opens nothing but this simulator
DEFAULT_SECRET = derive_secret("simulated replicate")


class WaitOutputs(StrEnum):
    """How files appear in the answer of a create with ``Prefer: wait``."""

    DATA = "data"
    URL = "url"


@dataclass(frozen=True)
class Settings:
    """How one simulator behaves; durations are in seconds."""

    host: str = "127.0.0.1"
    port: int = 0
    media_port: int = 0
    secret: str = DEFAULT_SECRET
    seed: int = 0
    latency: float = 1.0
    faults: str = ""
    retention_seconds: float = 3600.0
    webhook_retry_seconds: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0, 29.0)
    webhook_timeout_seconds: float = 10.0
    hold_seconds: float = 120.0
    wait_outputs: WaitOutputs = WaitOutputs.DATA
    render_threads: int = 2


def settings_from(environment: Mapping[str, str], **given: Any) -> Settings:
    """Settings from ``SIM_*`` variables; what is given by keyword wins. Raises ValueError on a value that is none."""
    return settings_in(environment, _VARIABLES, Settings(), given)


_VARIABLES: Variables = {
    **COMMON,
    "secret": ("SIM_WEBHOOK_SECRET", str),
    "retention_seconds": ("SIM_RETENTION", float),
    "wait_outputs": ("SIM_WAIT_OUTPUTS", WaitOutputs),
}
