"""The control routes under ``/_sim`` on each provider's port: its log, its dial, its tasks. They ask for no key."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.providers.access import provider_of, world_of
from local.simulation.faults import KNOWN, UnknownFaultError, parse_dial


async def get_log(request: Request) -> Response:
    """``GET /_sim/log``: every request, oldest first. Query parameters filter by a part of a field."""
    wanted = dict(request.query_params)
    entries = [
        entry
        for entry in world_of(request).entries(provider_of(request))
        if all(part in str(entry.get(name)) for name, part in wanted.items())
    ]
    return JSONResponse({"requests": entries})


async def get_faults(request: Request) -> Response:
    """``GET /_sim/faults``: the shares that are set, and every fault there is with its stage."""
    dial = world_of(request).dial(provider_of(request))
    return JSONResponse({"faults": dial.described(), "known": KNOWN})


async def put_faults(request: Request) -> Response:
    """``PUT /_sim/faults``: ``{"faults": {"503": 1.0}}``, or the text of ``SIM_FAULTS``; replaces this provider's."""
    try:
        world_of(request).dials[provider_of(request)] = parse_dial((await _body(request))["faults"])
    except (UnknownFaultError, KeyError, TypeError, AttributeError) as error:
        return JSONResponse({"error": f"faults: {error}"}, 400)
    return await get_faults(request)


async def put_latency(request: Request) -> Response:
    """``PUT /_sim/latency``: ``{"scale": 2}`` makes all providers twice as slow from the next task on."""
    scale = (await _body(request)).get("scale")
    if isinstance(scale, bool) or not isinstance(scale, int | float) or scale < 0:
        return JSONResponse({"error": f"scale must be a number that is not negative, not {scale!r}"}, 400)
    world_of(request).latency = float(scale)
    return JSONResponse({"scale": scale})


async def get_task(request: Request) -> Response:
    """``GET /_sim/tasks/{id}``: a task from inside, with its webhook deliveries, of any account."""
    task = world_of(request).tasks.get(request.path_params["id"])
    return JSONResponse(task.show()) if task else JSONResponse({"error": "no such task"}, 404)


async def get_media(request: Request) -> Response:
    """``GET /_sim/media``: every request to the media host, and those that brought a key along."""
    log = world_of(request).media_log
    return JSONResponse({"requests": log, "leaks": [entry for entry in log if entry["credentials"]]})


async def reset(request: Request) -> Response:
    """``POST /_sim/reset``: this provider's tasks, files, log and dial are as at the start."""
    world_of(request).reset(provider_of(request))
    return Response(status_code=204)


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


CONTROL_ROUTES = [
    Route("/_sim/log", get_log),
    Route("/_sim/faults", get_faults),
    Route("/_sim/faults", put_faults, methods=["PUT"]),
    Route("/_sim/latency", put_latency, methods=["PUT"]),
    Route("/_sim/tasks/{id}", get_task),
    Route("/_sim/media", get_media),
    Route("/_sim/reset", reset, methods=["POST"]),
]
