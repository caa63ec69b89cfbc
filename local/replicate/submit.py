"""Creating a prediction: the two routes, the two headers, the log of every attempt."""

import asyncio
import contextlib
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local.replicate.access import authenticate, base_of, json_body, token_fingerprint, world_of
from local.replicate.catalogue import Model
from local.replicate.engine import Engine
from local.replicate.prediction import Prediction, iso
from local.replicate.problems import ApiProblemError, bad_request, invalid_input, invalid_version, not_found
from local.replicate.refusals import refuse
from local.replicate.settings import WaitOutputs
from local.replicate.validation import check_body, check_input
from local.replicate.world import World, hash_input
from local.simulation.connections import NoAnswer
from local.simulation.faults import KNOWN, FaultSet, Stage, UnknownFaultError, from_input
from local.simulation.media_items import MediaItem

PREFER = re.compile(r"wait(=([1-9]|[1-9][0-9]|60))?")
CANCEL_AFTER = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?")
LONGEST_WAIT_SECONDS = 60
SHORTEST_LIFETIME = timedelta(seconds=5)
LARGEST_INLINE_BYTES = 5 * 1000**2
SECRET_QUERY = re.compile(r"token|secret|key|signature", re.IGNORECASE)
HIDDEN_VERSION = "hidden"


async def create_prediction(request: Request) -> Response:
    """``POST /predictions``: by version, in any of the three spellings."""
    return await _logged(request, None)


async def create_model_prediction(request: Request) -> Response:
    """``POST /models/{owner}/{name}/predictions``: official models only; others are not found."""
    slug = f"{request.path_params['owner']}/{request.path_params['name']}"
    return await _logged(request, slug)


async def _logged(request: Request, slug: str | None) -> Response:
    """Every attempt is in the log before anything else happens, also those that are refused."""
    world = world_of(request)
    entry: dict[str, Any] = {
        "number": world.next_number(),
        "at": iso(world.now()),
        "path": request.url.path,
        "auth": token_fingerprint(request),
        "accepted": False,
        "status": None,
    }
    world.submit_log.append(entry)
    try:
        answer = await _create(request, slug, entry)
    except ApiProblemError as error:
        entry["status"] = error.status
        raise
    if isinstance(answer, JSONResponse) or answer.status_code >= 400:
        entry["status"] = answer.status_code
    return answer


async def _create(request: Request, slug: str | None, entry: dict[str, Any]) -> Response:
    world = world_of(request)
    account = authenticate(request)
    body = await json_body(request)
    given = body.get("input")
    values: dict[str, Any] = given if isinstance(given, dict) else {}
    faults = _faults(world, values, entry["number"])
    named = slug or str(body.get("version"))
    key = hash_input(named, values)
    webhook = str(body["webhook"]) if body.get("webhook") else None
    entry |= {
        "model": named,
        "inputHash": key,
        "webhook": mask_webhook(webhook),
        "faults": faults.described(),
    }
    refused = refuse(world, faults, prefix="", key=f"{account}:{key}")
    if refused is not None:
        return refused
    wait_seconds = _wait_seconds(request.headers)
    prediction = _accept(request, body, slug, account, faults)
    entry |= {"accepted": True, "predictionId": prediction.id, "model": prediction.model.slug}
    _engine(request).begin(prediction)
    if "accept-no-answer" in faults:
        return NoAnswer(world.settings.hold_seconds)
    return await _answer(world, prediction, wait_seconds)


def _accept(
    request: Request, body: Mapping[str, Any], slug: str | None, account: str, faults: FaultSet
) -> Prediction:
    """A prediction from a request in order; raises what Replicate answers to one that is not."""
    world = world_of(request)
    cancel_after = _cancel_after(request.headers)
    wrong = check_body(body, version_required=slug is None)
    if wrong:
        raise invalid_input(wrong)
    model = world.catalogue.resolve(slug or body["version"])
    if model is None:
        raise not_found() if slug else invalid_version()
    wrong = check_input(model, body["input"])
    if wrong:
        raise invalid_input(wrong)
    events = body.get("webhook_events_filter")
    return Prediction(
        model=model,
        version=_version_shown(model, slug or body["version"]),
        input=body["input"],
        account=account,
        api_base=base_of(request),
        sequence=world.next_sequence(),
        faults=faults,
        created_at=world.now(),
        cancel_after=cancel_after,
        webhook=body.get("webhook") or body.get("webhook_completed"),
        webhook_events=tuple(events) if events is not None else None,
    )


async def _answer(world: World, prediction: Prediction, wait_seconds: int | None) -> Response:
    """201 at once or with all outputs, 202 when the wait ran out: then it says ``starting``, as Replicate does."""
    if wait_seconds is None:
        return JSONResponse(world.show(prediction), 201)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(wait_seconds):
            await prediction.answered.wait()
    if not prediction.answered.is_set():
        return JSONResponse({**world.show(prediction), "status": "starting"}, 202)
    return JSONResponse(world.show(prediction, inline=_may_inline(world, prediction)), 201)


def mask_webhook(url: str | None) -> str | None:
    """The URL with the value of every query parameter that may be a secret replaced by ``***``."""
    if url is None:
        return None
    parts = urlsplit(url)
    query = [(name, "***" if SECRET_QUERY.search(name) else value) for name, value in parse_qsl(parts.query)]
    return urlunsplit(parts._replace(query=urlencode(query, safe="*")))


def _faults(world: World, values: Any, number: int) -> FaultSet:
    try:
        marked = from_input(values)
    except UnknownFaultError as error:
        raise invalid_input(
            [{"type": "unknown_fault", "field": "input", "description": str(error)}]
        ) from error
    return marked if marked.from_markers else world.draw_faults(number)


def _version_shown(model: Model, asked: str) -> str:
    version = asked.rpartition(":")[2]
    return HIDDEN_VERSION if model.is_official and version not in model.versions else version


def _may_inline(world: World, prediction: Prediction) -> bool:
    if world.settings.wait_outputs is WaitOutputs.URL:
        return False
    if any(KNOWN[name] is Stage.OUTPUT for name in prediction.faults):
        return False
    files = [item for item in prediction.output or () if isinstance(item, MediaItem)]
    return sum(item.size for item in files) <= LARGEST_INLINE_BYTES


def _wait_seconds(headers: Mapping[str, str]) -> int | None:
    prefer = headers.get("prefer")
    if prefer is None:
        return None
    found = PREFER.fullmatch(prefer.strip())
    if found is None:
        raise bad_request(f"The Prefer header {prefer!r} is not wait or wait=n with n from 1 to 60.")
    return min(int(found[2] or LONGEST_WAIT_SECONDS), LONGEST_WAIT_SECONDS)


def _cancel_after(headers: Mapping[str, str]) -> timedelta | None:
    text = headers.get("cancel-after")
    if text is None:
        return None
    found = CANCEL_AFTER.fullmatch(text.strip())
    hours, minutes, seconds = (int(part or 0) for part in (found.groups() if found else (0, 0, 0)))
    lifetime = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    if lifetime < SHORTEST_LIFETIME:
        raise bad_request(
            f"The Cancel-After header {text!r} is no duration of at least 5 seconds, such as 90s or 5m."
        )
    return lifetime


def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine
