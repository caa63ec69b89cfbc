"""Request faults: what a call is answered with instead of its answer."""

from collections.abc import Callable

from starlette.responses import Response

from local.providers.world import World
from local.simulation.connections import NoAnswer
from local.simulation.faults import FaultSet
from local.simulation.refusals import due_fault, whole_seconds, wordless_answer

ErrorAnswer = Callable[[int, int], Response]


def refuse(
    world: World, faults: FaultSet, error: ErrorAnswer, *, key: str, prefix: str = ""
) -> Response | None:
    """The faulty answer that is due, or None.

    ``error(status, retry_after)`` is the provider's own answer to 401, 402, 422, 429, 500 and 503; ``retry_after`` is
    in whole seconds. ``key`` is a hash of the input, or the task's id; see ``due_fault``.
    """
    due = due_fault(faults, world.strike, key=key, prefix=prefix)
    if due is None:
        return None
    name, plain = due
    wordless = wordless_answer(plain, world.settings.hold_seconds)
    return wordless or error(int(plain), whole_seconds(faults.seconds(name, 1.0)))


def lost_answer(world: World) -> Response:
    """Silence, for ``accept-no-answer``: the task was taken and nobody is told."""
    return NoAnswer(world.settings.hold_seconds)
