"""Request faults: what a call is answered with instead of its answer."""

import math
from collections.abc import Callable

from starlette.responses import HTMLResponse, Response

from local.providers.world import World
from local.simulation.connections import NoAnswer, Reset
from local.simulation.faults import REQUEST_FAULTS, FaultSet

GARBAGE = (
    "<html><head><title>502 Bad Gateway</title></head><body>\n<center><h1>502 Bad Gateway</h1></center>\n"
)
ErrorAnswer = Callable[[int, int], Response]


def refuse(
    world: World, faults: FaultSet, error: ErrorAnswer, *, key: str, prefix: str = ""
) -> Response | None:
    """The faulty answer that is due, or None.

    ``error(status, retry_after)`` is the provider's own answer to 401, 402, 422, 429, 500 and 503; ``retry_after`` is
    in whole seconds. ``key`` names what is counted for faults that strike a number of times (``503=x2``; a 429 by
    marker strikes once unless told otherwise): a hash of the input, or the task's id. ``prefix`` is ``get-`` for reads
    and ``cancel-`` for cancels.
    """
    for name in faults:
        plain = name.removeprefix(prefix)
        if name != prefix + plain or plain not in REQUEST_FAULTS:
            continue
        once = 1 if plain == "429" and faults.from_markers else None
        if world.strike(name, key, faults.times(name, once)):
            return _answer(world, faults, error, name, plain)
    return None


def lost_answer(world: World) -> Response:
    """Silence, for ``accept-no-answer``: the task was taken and nobody is told."""
    return NoAnswer(world.settings.hold_seconds)


def _answer(world: World, faults: FaultSet, error: ErrorAnswer, name: str, plain: str) -> Response:
    match plain:
        case "502-html":
            return HTMLResponse(GARBAGE, 502)
        case "no-answer":
            return NoAnswer(world.settings.hold_seconds)
        case "reset":
            return Reset()
        case _:
            return error(int(plain), max(1, math.ceil(faults.seconds(name, 1.0))))
