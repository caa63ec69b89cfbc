"""Which providers are simulated: one module each, with a line here.

A module has ``NAME``, ``LOCAL_KEY`` (what the local cloud's secret ``providers/{NAME}`` holds), ``routes(world)`` and
``addresses(url)``: the fields of the adapter that lead to the simulator at ``url``.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from local.providers.world import World

MODULES: Mapping[str, str] = {
    "fal": "local.providers.fal",
    "runway": "local.providers.runway",
    "stability": "local.providers.stability",
    "elevenlabs": "local.providers.elevenlabs",
    "google_veo": "local.providers.google_veo",
    "gemini": "local.providers.gemini",
    "openai": "local.providers.openai",
    "luma": "local.providers.luma",
}


class SimulatedProvider(Protocol):
    """What such a module offers."""

    NAME: str
    LOCAL_KEY: str

    def routes(self, world: "World") -> "list[BaseRoute]":
        """The provider's paths over this state."""

    def addresses(self, url: str) -> dict[str, str]:
        """The adapter's address fields, for a simulator at ``url``."""


def load(name: str) -> SimulatedProvider:
    """The module of a provider; KeyError for one that is not simulated."""
    return cast("SimulatedProvider", import_module(MODULES[name]))
