"""Request faults: what a create, a get or a cancel is answered with instead of its answer."""

from typing import Never

from starlette.requests import Request
from starlette.responses import Response

from local.replicate.problems import (
    insufficient_credit,
    invalid_input,
    invalid_version,
    server_error,
    throttled,
    unauthenticated,
)
from local.replicate.world import World
from local.simulation.faults import FaultSet
from local.simulation.refusals import due_fault, whole_seconds, wordless_answer


def refuse(world: World, faults: FaultSet, *, prefix: str, key: str) -> Response | None:
    """The faulty answer that is due, or None. Raises ApiProblemError for those that are Replicate's own errors.

    ``key`` is the input's hash or the prediction's id; see ``due_fault``.
    """
    due = due_fault(faults, world.strike, key=key, prefix=prefix)
    if due is None:
        return None
    return wordless_answer(due[1], world.settings.hold_seconds) or _error(faults, *due)


def _error(faults: FaultSet, name: str, plain: str) -> Never:
    match plain:
        case "429":
            raise throttled(whole_seconds(faults.seconds(name, 1.0)))
        case "401":
            raise unauthenticated(passed=True)
        case "402":
            raise insufficient_credit()
        case "422":
            raise (
                invalid_version() if faults.text(name, "") == "version" else invalid_input([SIMULATED_FIELD])
            )
        case _:
            raise server_error(int(plain))


SIMULATED_FIELD = {
    "type": "invalid",
    "field": "input",
    "description": "This input is refused by the simulator's fault",
}


def refuse_read(request: Request, world: World, faults: FaultSet, *, prefix: str) -> Response | None:
    """The same for a request on an existing prediction."""
    return refuse(world, faults, prefix=prefix, key=str(request.path_params["id"]))
