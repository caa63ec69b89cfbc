"""Request faults that are the same at every provider: which is due, and what has no words of a provider in it."""

import math
from collections.abc import Callable

from starlette.responses import HTMLResponse, Response

from local.simulation.connections import NoAnswer, Reset
from local.simulation.faults import REQUEST_FAULTS, FaultSet

GARBAGE = (
    "<html><head><title>502 Bad Gateway</title></head><body>\n<center><h1>502 Bad Gateway</h1></center>\n"
)
Strike = Callable[[str, str, int | None], bool]


def due_fault(faults: FaultSet, strike: Strike, *, key: str, prefix: str) -> tuple[str, str] | None:
    """The fault that strikes now, by its full name and without ``prefix``; None if none does.

    ``key`` names what is counted for faults that strike a number of times (``503=x2``; a 429 by marker strikes once
    unless told otherwise). ``prefix`` is ``get-`` for reads and ``cancel-`` for cancels.
    """
    for name in faults:
        plain = name.removeprefix(prefix)
        if name != prefix + plain or plain not in REQUEST_FAULTS:
            continue
        once = 1 if plain == "429" and faults.from_markers else None
        if strike(name, key, faults.times(name, once)):
            return name, plain
    return None


def wordless_answer(plain: str, hold_seconds: float) -> Response | None:
    """The answer of a proxy or of nobody; None for a fault that is the provider's own error."""
    match plain:
        case "502-html":
            return HTMLResponse(GARBAGE, 502)
        case "no-answer":
            return NoAnswer(hold_seconds)
        case "reset":
            return Reset()
        case _:
            return None


def whole_seconds(seconds: float) -> int:
    """At least one: ``Retry-After`` knows no fractions."""
    return max(1, math.ceil(seconds))
