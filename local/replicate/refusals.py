"""Request faults: what a create, a get or a cancel is answered with instead of its answer."""

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from local.replicate.problems import (
    insufficient_credit,
    invalid_input,
    invalid_version,
    server_error,
    throttled,
    unauthenticated,
)
from local.replicate.world import World, whole_seconds
from local.simulation.connections import NoAnswer, Reset
from local.simulation.faults import REQUEST_FAULTS, FaultSet

GARBAGE = (
    "<html><head><title>502 Bad Gateway</title></head><body>\n<center><h1>502 Bad Gateway</h1></center>\n"
)


def refuse(world: World, faults: FaultSet, *, prefix: str, key: str) -> Response | None:
    """The faulty answer that is due, or None. Raises ApiProblemError for those that are Replicate's own errors.

    ``key`` names what is counted for faults that strike a number of times: the input's hash or the prediction's id.
    """
    for name in faults:
        plain = name.removeprefix(prefix)
        if name != prefix + plain or plain not in REQUEST_FAULTS:
            continue
        only_once = 1 if plain == "429" and faults.from_markers else None
        if world.strike(name, key, faults.times(name, only_once)):
            return _answer(world, faults, name, plain)
    return None


def _answer(world: World, faults: FaultSet, name: str, plain: str) -> Response:
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
        case "502-html":
            return HTMLResponse(GARBAGE, 502)
        case "no-answer":
            return NoAnswer(world.settings.hold_seconds)
        case "reset":
            return Reset()
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
