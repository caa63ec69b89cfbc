"""A simulated Luma Dream Machine: its generations, and its credits as the key test.

Source: the official client lumaai 1.21.0 and docs.lumalabs.ai; that errors are ``{"detail": ...}`` and a create
answers 201 is not confirmed there.
"""

from collections.abc import Collection
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from local.providers.access import bearer_key, world_of
from local.providers.courier import Parcel, Seal, deliver, json_body
from local.providers.refusals import lost_answer, refuse
from local.providers.tasks import Status, Task
from local.providers.world import World, fingerprint, hash_of

NAME = "luma"
LOCAL_KEY = "luma-local-simulator"
KEY_PREFIX, INVALID_PREFIX = "luma-", "luma-invalid"
PATH = "/dream-machine/v1"
CALLBACK_WAITS = (0.1, 0.1, 0.1)
"""Any answer but 200 is followed by three more tries."""

STATES = {
    Status.QUEUED: "queued",
    Status.RUNNING: "dreaming",
    Status.SUCCEEDED: "completed",
    Status.FAILED: "failed",
}
ODD = "napping"
MODELS = {"video": ("ray-2", "ray-flash-2"), "image": ("photon-1", "photon-flash-1")}
SIZES = {
    "1:1": (640, 640),
    "16:9": (960, 540),
    "9:16": (540, 960),
    "4:3": (720, 540),
    "3:4": (540, 720),
    "21:9": (1260, 540),
    "9:21": (540, 1260),
}
RESOLUTIONS = ("540p", "720p", "1080p", "4k")
FORMATS = ("jpg", "png")
DURATIONS = {"5s": 5.0, "9s": 9.0}
_ERRORS = {
    401: "Not authenticated",
    402: "Insufficient credits",
    422: "The request is not valid",
    429: "Too many requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


def addresses(url: str) -> dict[str, str]:
    """The ``http`` adapter has one address, with the path that the entry's has."""
    return {"base_url": f"{url}{PATH}"}


def routes(_world: World) -> list[BaseRoute]:
    """Luma's paths."""
    return [
        Route(f"{PATH}/credits", get_credits),
        Route(f"{PATH}/generations/{{kind}}", create, methods=["POST"]),
        Route(f"{PATH}/generations/{{id}}", get_generation),
        Route(f"{PATH}/generations/{{id}}", delete_generation, methods=["DELETE"]),
    ]


async def get_credits(request: Request) -> Response:
    """``GET /credits``: US cents."""
    return _refused(request) or JSONResponse({"credit_balance": 1250.0})


async def create(request: Request) -> Response:
    """``POST /generations/video`` and ``/image``."""
    world, kind = world_of(request), request.path_params["kind"]
    if answer := _refused(request):
        return answer
    if kind not in MODELS:
        return JSONResponse({"detail": "Not Found"}, 404)
    account, values = _account(request), await request.json()
    faults = world.faults(NAME, values)
    if answer := refuse(world, faults, error_answer, key=f"{account}:{hash_of([kind, values])}"):
        return answer
    if fault := _wrong(kind, values):
        return JSONResponse({"detail": fault}, 400)
    width, height = SIZES[values.get("aspect_ratio", "16:9")]
    task = world.start(
        provider=NAME,
        account=account,
        kind=kind,
        prompt=str(values["prompt"]),
        width=width,
        height=height,
        seconds=DURATIONS[values.get("duration", "5s")],
        format=str(values.get("format", "jpg")) if kind == "image" else "",
        faults=faults,
        facts={"kind": kind, "request": values},
        on_change=lambda changed: _call_back(world, changed),
    )
    return lost_answer(world) if "accept-no-answer" in faults else JSONResponse(show(task), 201)


async def get_generation(request: Request) -> Response:
    """``GET /generations/{id}``."""
    world, task = world_of(request), _own(request)
    if answer := _refused(request):
        return answer
    if task is None:
        return _not_found()
    refused = refuse(world, task.faults, error_answer, key=task.id, prefix="get-")
    return refused or JSONResponse(show(task))


async def delete_generation(request: Request) -> Response:
    """``DELETE /generations/{id}``: whatever it did, it is gone afterwards."""
    world, task = world_of(request), _own(request)
    if answer := _refused(request):
        return answer
    if task is None:
        return _not_found()
    if answer := refuse(world, task.faults, error_answer, key=task.id, prefix="cancel-"):
        return answer
    world.cancel(task)
    task.facts["deleted"] = True
    return Response(status_code=204)


def show(task: Task) -> dict[str, Any]:
    """The generation as its owner and the callback see it."""
    file = task.files[0].url if task.status is Status.SUCCEEDED else None
    kind = task.facts["kind"]
    return {
        "id": task.id,
        "generation_type": kind,
        "state": ODD if task.is_odd else STATES.get(task.status, "failed"),
        "failure_reason": task.error,
        "created_at": task.created_at.isoformat(),
        "assets": {"video": None, "image": None, "progress_video": None, kind: file} if file else None,
        "model": task.facts["request"]["model"],
        "request": {"generation_type": kind, **task.facts["request"]},
    }


def error_answer(status: int, retry_after: int) -> Response:
    """An error as Luma words it."""
    headers = {"Retry-After": str(retry_after)} if status == 429 else {}
    return JSONResponse({"detail": _ERRORS[status]}, status, headers=headers)


def _call_back(world: World, task: Task) -> None:
    """The whole object on each change of the state, unsigned."""
    url = task.facts["request"].get("callback_url")
    if not url:
        return
    shown = show(task)

    def pack(seal: Seal, _stamp: int) -> Parcel:
        return Parcel(json_body({**shown, "id": "forged"} if seal is Seal.FORGED else shown), {})

    deliver(world, task, str(url), pack, waits=CALLBACK_WAITS, taken_below=201)


def _wrong(kind: str, values: Any) -> str | None:
    if not isinstance(values, dict) or not isinstance(values.get("prompt"), str) or not values["prompt"]:
        return "prompt: Field required"
    choices: dict[str, Collection[str]] = {"model": MODELS[kind], "aspect_ratio": SIZES}
    choices |= {"duration": DURATIONS, "resolution": RESOLUTIONS} if kind == "video" else {"format": FORMATS}
    for name, taken in choices.items():
        if (name in values or name == "model") and values.get(name) not in taken:
            return f"{name}: Input should be {' or '.join(taken)}"
    return None


def _refused(request: Request) -> Response | None:
    key = bearer_key(request)
    if key.startswith(KEY_PREFIX) and not key.startswith(INVALID_PREFIX):
        return None
    return error_answer(401, 1)


def _account(request: Request) -> str:
    return fingerprint(bearer_key(request))


def _own(request: Request) -> Task | None:
    task = world_of(request).own(NAME, _account(request), request.path_params["id"])
    return None if task is None or task.facts.get("deleted") else task


def _not_found() -> Response:
    return JSONResponse({"detail": "Generation not found"}, 404)
