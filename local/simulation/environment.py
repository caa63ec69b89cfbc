"""Reading a simulator's settings from ``SIM_*`` variables, which are the same for all simulators."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

SettingsT = TypeVar("SettingsT", bound="DataclassInstance")
Variables = Mapping[str, tuple[str, Callable[[str], Any]]]
"""A field's name -> the variable that sets it and how its text is read."""


def seconds_list(text: str) -> tuple[float, ...]:
    """``1,2,4`` as seconds. Raises ValueError."""
    return tuple(float(part) for part in text.split(","))


COMMON: Variables = {
    "seed": ("SIM_SEED", int),
    "latency": ("SIM_LATENCY", float),
    "faults": ("SIM_FAULTS", str),
    "webhook_retry_seconds": ("SIM_WEBHOOK_RETRIES", seconds_list),
    "webhook_timeout_seconds": ("SIM_WEBHOOK_TIMEOUT", float),
    "render_threads": ("SIM_RENDER_THREADS", int),
}


def settings_in(
    environment: Mapping[str, str], variables: Variables, default: SettingsT, given: Mapping[str, Any]
) -> SettingsT:
    """``default`` with what the variables say; what is ``given`` and not None wins. Raises ValueError, naming one."""
    read: dict[str, Any] = {}
    for name, (variable, parse) in variables.items():
        if environment.get(variable):
            try:
                read[name] = parse(environment[variable])
            except ValueError as error:
                raise ValueError(f"{variable}={environment[variable]!r}: {error}") from error
    return replace(default, **read | {name: value for name, value in given.items() if value is not None})
