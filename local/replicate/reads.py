"""Reading and canceling predictions, and the account's, hardware's and webhook secret's answers."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from local.replicate.access import account_name, authenticate, own_prediction, world_of
from local.replicate.paging import page
from local.replicate.prediction import Prediction, Status
from local.replicate.problems import bad_request, not_found
from local.replicate.refusals import refuse_read

IDLE_SECONDS = 30
HARDWARE = (
    ("cpu", "CPU"),
    ("gpu-t4", "Nvidia T4 GPU"),
    ("gpu-l40s", "Nvidia L40S GPU"),
    ("gpu-a100-large", "Nvidia A100 (80GB) GPU"),
    ("gpu-h100", "Nvidia H100 GPU"),
)


async def get_prediction(request: Request) -> Response:
    """``GET /predictions/{id}``."""
    prediction, world = own_prediction(request), world_of(request)
    refused = refuse_read(request, world, prediction.faults, prefix="get-")
    return refused or JSONResponse(world.show(prediction))


async def cancel_prediction(request: Request) -> Response:
    """``POST /predictions/{id}/cancel``; one that has ended is shown unchanged."""
    prediction, world = own_prediction(request), world_of(request)
    refused = refuse_read(request, world, prediction.faults, prefix="cancel-")
    if refused is not None:
        return refused
    request.app.state.engine.cancel(prediction)
    return JSONResponse(world.show(prediction))


async def list_predictions(request: Request) -> Response:
    """``GET /predictions``: the account's own, by creation time if asked for."""
    account, world = authenticate(request), world_of(request)
    after, before = (_moment(request, name) for name in ("created_after", "created_before"))
    from_web = request.query_params.get("source") == "web"
    own = [
        p
        for p in world.own(account)
        if not from_web
        and (after is None or p.created_at >= after)
        and (before is None or p.created_at < before)
    ]
    return JSONResponse(page(request, own, lambda p: p.sequence, world.show))


async def get_account(request: Request) -> Response:
    """``GET /account``."""
    name = account_name(authenticate(request))
    return JSONResponse(
        {"type": "user", "username": name, "name": f"Simulated account {name}", "github_url": None}
    )


async def list_hardware(request: Request) -> Response:
    """``GET /hardware``: a bare list."""
    authenticate(request)
    return JSONResponse([{"sku": sku, "name": name} for sku, name in HARDWARE])


async def get_webhook_secret(request: Request) -> Response:
    """``GET /webhooks/default/secret``: the newest one."""
    authenticate(request)
    return JSONResponse({"key": world_of(request).secrets[0]})


async def stream_prediction(request: Request) -> Response:
    """``urls.stream``: tokens as server-sent events; ``Last-Event-ID`` resumes."""
    prediction = world_of(request).predictions.get(request.path_params["id"])
    if prediction is None or not prediction.model.streams:
        raise not_found()
    last = request.headers.get("last-event-id", "").rpartition(":")[2]
    skip = int(last) + 1 if last.isdigit() else 0
    return StreamingResponse(_events(prediction, skip), media_type="text/event-stream")


async def _events(prediction: Prediction, sent: int) -> AsyncIterator[str]:
    stamp = int(prediction.created_at.timestamp())
    while True:
        changed = prediction.changed
        for token in (prediction.output or [])[sent:]:
            yield _event("output", f"{stamp}:{sent}", str(token))
            sent += 1
        if prediction.status.is_final:
            break
        try:
            await asyncio.wait_for(changed.wait(), IDLE_SECONDS)
        except TimeoutError:
            yield ": 408 request timeout\n\n"
            return
    if prediction.status is Status.FAILED:
        yield _event("error", f"{stamp}:{sent}", json.dumps({"detail": prediction.error}))
    reason = {Status.FAILED: "error", Status.SUCCEEDED: None}.get(prediction.status, "canceled")
    yield _event("done", f"{stamp}:{sent + 1}", json.dumps({"reason": reason} if reason else {}))


def _event(kind: str, event_id: str, text: str) -> str:
    lines = "".join(f"data: {line}\n" for line in text.split("\n"))
    return f"event: {kind}\nid: {event_id}\n{lines}\n"


def _moment(request: Request, name: str) -> datetime | None:
    text = request.query_params.get(name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise bad_request(f"{name}={text!r} is no ISO 8601 date and time.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
