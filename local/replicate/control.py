"""The control API under ``/_sim``: the dials, the logs and the secret's rotation. It asks for no token."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.replicate.access import json_body, world_of
from local.replicate.problems import bad_request, not_found
from local.simulation.faults import KNOWN, UnknownFaultError, parse_dial


async def get_faults(request: Request) -> Response:
    """``GET /_sim/faults``: the shares that are set, and every fault there is with its stage."""
    return JSONResponse({"faults": world_of(request).dial.described(), "known": KNOWN})


async def put_faults(request: Request) -> Response:
    """``PUT /_sim/faults``: ``{"faults": {"lost-webhook": 0.05}}``, or the text of ``SIM_FAULTS``; replaces all."""
    body = await json_body(request)
    try:
        world_of(request).dial = parse_dial(body["faults"])
    except (UnknownFaultError, KeyError, TypeError, AttributeError) as error:
        raise bad_request(f"faults: {error}") from error
    return await get_faults(request)


async def get_log(request: Request) -> Response:
    """``GET /_sim/log``: every create request, oldest first. Query parameters filter by a part of a field."""
    wanted = dict(request.query_params)
    entries = [
        entry
        for entry in world_of(request).submit_log
        if all(part in str(entry.get(name)) for name, part in wanted.items())
    ]
    return JSONResponse({"creates": entries})


async def get_prediction_inside(request: Request) -> Response:
    """``GET /_sim/predictions/{id}``: the prediction with its faults and every webhook delivery, of any account."""
    world = world_of(request)
    prediction = world.predictions.get(request.path_params["id"])
    if prediction is None:
        raise not_found()
    inside = {"faults": prediction.faults.described(), "deliveries": prediction.deliveries}
    return JSONResponse({"prediction": world.show(prediction), **inside})


async def get_leaks(request: Request) -> Response:
    """``GET /_sim/leaks``: the requests to the media host that brought a token along."""
    log = world_of(request).media_log
    return JSONResponse({"requests": len(log), "leaks": [entry for entry in log if entry["authorization"]]})


async def get_media_log(request: Request) -> Response:
    """``GET /_sim/media``: every request to the media host."""
    return JSONResponse({"requests": world_of(request).media_log})


async def put_latency(request: Request) -> Response:
    """``PUT /_sim/latency``: ``{"scale": 2}`` makes everything twice as slow from the next prediction on."""
    world_of(request).latency = await _number(request, "scale")
    return JSONResponse({"scale": world_of(request).latency})


async def put_retention(request: Request) -> Response:
    """``PUT /_sim/retention``: ``{"seconds": 2}`` is the hour after which data is removed, for past predictions too."""
    world_of(request).retention_seconds = await _number(request, "seconds")
    return JSONResponse({"seconds": world_of(request).retention_seconds})


async def rotate_secret(request: Request) -> Response:
    """``POST /_sim/secret/rotate``: a new signing secret; both sign until it is retired."""
    return JSONResponse({"key": world_of(request).rotate_secret()})


async def retire_secret(request: Request) -> Response:
    """``POST /_sim/secret/retire``: the older secrets stop signing."""
    world_of(request).retire_secret()
    return JSONResponse({"key": world_of(request).secrets[0]})


async def reset(request: Request) -> Response:
    """``POST /_sim/reset``: predictions, files and logs are gone, the dials as at the start."""
    await world_of(request).reset()
    return Response(status_code=204)


async def _number(request: Request, name: str) -> float:
    value = (await json_body(request)).get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise bad_request(f"{name} must be a number that is not negative, not {value!r}")
    return float(value)


CONTROL_ROUTES = [
    Route("/_sim/faults", get_faults),
    Route("/_sim/faults", put_faults, methods=["PUT"]),
    Route("/_sim/log", get_log),
    Route("/_sim/predictions/{id}", get_prediction_inside),
    Route("/_sim/leaks", get_leaks),
    Route("/_sim/media", get_media_log),
    Route("/_sim/latency", put_latency, methods=["PUT"]),
    Route("/_sim/retention", put_retention, methods=["PUT"]),
    Route("/_sim/secret/rotate", rotate_secret, methods=["POST"]),
    Route("/_sim/secret/retire", retire_secret, methods=["POST"]),
    Route("/_sim/reset", reset, methods=["POST"]),
]
