"""Simulates Stability's v2beta: forms only, bytes or JSON as asked for, results that belong to their key, a lock-out.

``[sim:nsfw]`` is an output that was filtered (200, CONTENT_FILTERED), ``[sim:nsfw=prompt]`` a prompt that is refused
(403). ``[sim:purged]`` is a result that is not kept any more (404).
"""

import base64
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from local.providers.inline import file_bytes, silence_or_end
from local.providers.refusals import lost_answer, refuse
from local.providers.request_log import form_parts
from local.providers.stability_fields import OPERATIONS, File, Operation, problems_of, size_of
from local.providers.tasks import Status, Task
from local.providers.world import World, fingerprint, hash_of
from local.replicate.catalogue import Kind
from local.simulation.faults import FaultSet

NAME = "stability"
LOCAL_KEY = "sk-simulated-stability"
KEY_PREFIX, INVALID_PREFIX = "sk-", "sk-invalid"
MAX_BODY_BYTES = 10 * 1024 * 1024
REQUESTS, WINDOW_SECONDS, LOCK_SECONDS = 150, 10.0, 60.0
NAMES = {
    400: "bad_request",
    401: "unauthorized",
    402: "payment_required",
    403: "content_moderation",
    404: "not_found",
    413: "payload_too_large",
    422: "invalid_language",
    429: "rate_limit_exceeded",
    500: "internal_error",
    503: "service_unavailable",
}
LOCKED_OUT = (
    f"You have exceeded the rate limit of {REQUESTS} requests within a {WINDOW_SECONDS:.0f} second period, "
    f"and have been timed out for {LOCK_SECONDS:.0f} seconds."
)
FLAGGED = (
    "Your request was flagged by our content moderation system, as a result your request was denied "
    "and you were not charged."
)
ONE_FORMAT = {Kind.AUDIO: ("audio/wav", "audio/mpeg")}
Answer = Callable[[Request, World, str], Awaitable[Response]]


def routes(world: World) -> list[BaseRoute]:
    """Stability's paths over this state."""
    gate = Gate(world)
    posts = [
        Route(f"/v2beta/{path}", gate.guarded(partial(_submit, operation)), methods=["POST"])
        for path, operation in OPERATIONS.items()
    ]
    return [
        *posts,
        Route("/v2beta/results/{id}", gate.guarded(partial(_result, Kind.IMAGE))),
        Route("/v2beta/audio/results/{id}", gate.guarded(partial(_result, Kind.AUDIO))),
        Route("/v1/user/balance", gate.guarded(_balance)),
    ]


def addresses(url: str) -> dict[str, str]:
    """The adapter's address for a simulator at ``url``."""
    return {"base_url": url}


def _is_key(key: str) -> bool:
    return key.startswith(KEY_PREFIX) and not key.startswith(INVALID_PREFIX)


def problem(status: int, *errors: str) -> Response:
    """Stability's error body."""
    body = {"id": fingerprint(f"{time.monotonic_ns()}"), "name": NAMES[status], "errors": list(errors)}
    return JSONResponse(body, status)


class Gate:
    """Who may ask: keys of Stability's form, and not more than 150 times in ten seconds."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._asked: dict[str, deque[float]] = {}
        self._locked_until: dict[str, float] = {}

    def guarded(self, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
        """The route's answer for keys that are let in."""

        async def guarded(request: Request) -> Response:
            scheme, _, key = request.headers.get("authorization", "").partition(" ")
            if scheme.lower() != "bearer" or not _is_key(key):
                return problem(401, "authorization: missing or invalid key")
            account = fingerprint(key)
            if self._locks_out(account):
                return problem(429, LOCKED_OUT)
            return await answer(request, self._world, account)

        return guarded

    def _locks_out(self, account: str) -> bool:
        now = time.monotonic()
        if now < self._locked_until.get(account, 0.0):
            return True
        asked = self._asked.setdefault(account, deque())
        while asked and asked[0] <= now - WINDOW_SECONDS:
            asked.popleft()
        asked.append(now)
        if len(asked) <= REQUESTS:
            return False
        self._locked_until[account] = now + LOCK_SECONDS
        return True


async def _submit(operation: Operation, request: Request, world: World, account: str) -> Response:
    content_type, body = request.headers.get("content-type", ""), await request.body()
    if not content_type.startswith("multipart/form-data"):
        return problem(400, "content-type: must be multipart/form-data")
    if len(body) > MAX_BODY_BYTES:
        return problem(413, "body: may not be larger than 10MiB")
    fields: dict[str, str] = {}
    files: dict[str, File] = {}
    for part, content in form_parts(content_type, body):
        if part["filename"]:
            files[part["name"]] = File(part["contentType"], content)
        else:
            fields[part["name"]] = content.decode(errors="replace")
    faults = world.faults(NAME, fields)
    refusal = _judged(operation, fields, files, request) or _flagged(faults)
    refusal = refusal or refuse(world, faults, _refused, key=hash_of(fields))
    return refusal or await _taken(
        operation, request, world, _start(world, account, operation, fields, faults)
    )


async def _taken(operation: Operation, request: Request, world: World, task: Task) -> Response:
    if operation.waits:
        return await silence_or_end(world, task) or await _finished(world, task, _accept(request))
    if "accept-no-answer" in task.faults:
        return lost_answer(world)
    return JSONResponse({"id": _shown(task)}, operation.accepted_status)


def _judged(
    operation: Operation, fields: Mapping[str, str], files: Mapping[str, File], request: Request
) -> Response | None:
    errors = problems_of(operation, fields, files)
    if operation.waits:
        errors += _wrong_accept(operation.kind, request)
    return problem(400, *errors) if errors else None


def _wrong_accept(kind: Kind, request: Request) -> list[str]:
    media = f"{kind.value}/*"
    taken = ("*/*", "application/json", media, *ONE_FORMAT.get(kind, ()))
    return [] if _accept(request) in taken else [f"accept: must be {media} or application/json"]


def _flagged(faults: FaultSet) -> Response | None:
    return problem(403, FLAGGED) if faults.text("nsfw", "") == "prompt" else None


def _accept(request: Request) -> str:
    return request.headers.get("accept", "*/*")


def _start(
    world: World, account: str, operation: Operation, fields: Mapping[str, str], faults: FaultSet
) -> Task:
    seed = int(fields.get("seed") or 0)
    width, height = size_of(fields.get("aspect_ratio"))
    task = world.start(
        provider=NAME,
        account=account,
        kind=operation.kind.value,
        prompt=fields.get("prompt") or "an image",
        seed=seed or None,
        width=width,
        height=height,
        seconds=float(fields.get("duration") or operation.seconds),
        format=fields.get("output_format") or operation.formats[0],
        faults=faults,
    )
    world.facts[_shown(task)] = task.id
    return task


def _shown(task: Task) -> str:
    """64 hex digits, as Stability's ids have."""
    return task.id.replace("-", "") * 2


async def _result(kind: Kind, request: Request, world: World, account: str) -> Response:
    identity = request.path_params["id"]
    task = world.own(NAME, account, world.facts.get(identity, ""))
    if task is None or task.wish.kind is not kind or "purged" in task.faults:
        return problem(404, "The resource was not found.")
    if wrong := _wrong_accept(kind, request):
        return problem(400, *wrong)
    if refusal := refuse(world, task.faults, _refused, key=task.id, prefix="get-"):
        return refusal
    if not task.status.is_final:
        word = "pondering" if task.is_odd else "in-progress"
        return JSONResponse({"id": identity, "status": word}, 202)
    return await _finished(world, task, _accept(request))


async def _finished(world: World, task: Task, accept: str) -> Response:
    """The file with its headers, or as JSON; a filtered one is made anew, of nothing that was asked for."""
    if task.status is not Status.SUCCEEDED and not task.refused:
        return problem(500, task.error or "An unexpected server error has occurred.")
    shown, reason = task, "SUCCESS"
    if task.refused:
        shown = world.start(
            provider=NAME,
            account=task.account,
            kind=task.wish.kind.value,
            prompt="filtered",
            seconds=1.0,
            format=task.wish.format,
            faults=FaultSet(),
        )
        reason = "CONTENT_FILTERED"
        await shown.done()
    item = shown.files[0]
    headers = {"x-request-id": fingerprint(task.id + accept), "x-simulated": task.id}
    if accept == "application/json":
        made = base64.b64encode(item.bytes()).decode()
        body = {task.wish.kind.value: made, "finish_reason": reason, "seed": task.wish.seed}
        return JSONResponse(body, headers=headers, media_type=f"application/json; type={item.content_type}")
    return file_bytes(item, {**headers, "finish-reason": reason, "seed": str(task.wish.seed)})


async def _balance(_request: Request, _world: World, _account: str) -> Response:
    return JSONResponse({"credits": 1000.0})


def _refused(status: int, _retry_after: int) -> Response:
    """Stability says in no header how long to wait."""
    return problem(status, LOCKED_OUT if status == 429 else f"simulated {status}")
