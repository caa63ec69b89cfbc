"""A simulated Gemini API: interactions that make videos, the files that these come in, and models as the key test.

Source: ai.google.dev/gemini-api/docs (interactions, omni, files) and google-genai 3.4.0.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from local.providers.access import world_of
from local.providers.google_answers import base64_of, error_answer, google_error
from local.providers.inline import file_bytes
from local.providers.refusals import lost_answer, refuse
from local.providers.tasks import Status, Task
from local.providers.world import World, fingerprint, hash_of

NAME = "gemini"
LOCAL_KEY = "AIzaSimulatedGeminiKey0123456789abcdefg"
KEY_PREFIX, INVALID_PREFIX = "AIza", "AIzaInvalid"
MODELS = ("gemini-omni-1.1-flash",)
SHORT_SIDES = {"360p": 360, "720p": 720, "1080p": 1080, "4k": 2160}
TASKS = ("text_to_video", "image_to_video", "reference_to_video", "edit", "extend", "upscale")
PROCESSING_SECONDS = 0.1
WORDS = {
    Status.QUEUED: "queued",
    Status.RUNNING: "in_progress",
    Status.SUCCEEDED: "completed",
    Status.FAILED: "failed",
    Status.CANCELED: "cancelled",
}
ODD = "daydreaming"
_ID, _FILE = "v1_", "sim-"


def addresses(url: str) -> dict[str, str]:
    """The adapter has one address."""
    return {"base_url": url}


def routes(_world: World) -> list[BaseRoute]:
    """The Gemini API's paths."""
    return [
        Route("/v1beta/models", get_models),
        Route("/v1beta/interactions", create, methods=["POST"]),
        Route("/v1beta/interactions/{id}", get_interaction),
        Route("/v1beta/interactions/{id}", delete_interaction, methods=["DELETE"]),
        Route("/v1beta/interactions/{id}/cancel", cancel, methods=["POST"]),
        Route("/v1beta/files/{id}:download", redirect),
        Route("/v1beta/files/{id}", get_file),
        Route("/download/v1beta/files/{id}:download", download),
    ]


async def get_models(request: Request) -> Response:
    """``GET /v1beta/models``."""
    if answer := _refused(request):
        return answer
    return JSONResponse({"models": [{"name": f"models/{model}", "displayName": model} for model in MODELS]})


async def create(request: Request) -> Response:
    """``POST /v1beta/interactions``: answered at once with ``background``, else when it is done."""
    world = world_of(request)
    if answer := _refused(request):
        return answer
    body = await request.json()
    faults, account = world.faults(NAME, body), fingerprint(_key(request))
    if answer := refuse(world, faults, error_answer, key=f"{account}:{hash_of(body)}"):
        return answer
    if wrong := wrong_input(body):
        return _invalid(wrong)
    wanted = body["response_format"]
    short = SHORT_SIDES[wanted.get("resolution", "720p")]
    width, height = short * 16 // 9, short
    task = world.start(
        provider=NAME,
        account=account,
        kind="video",
        prompt=_prompt(body["input"]),
        seed=body.get("generation_config", {}).get("seed"),
        width=height if wanted.get("aspect_ratio") == "9:16" else width,
        height=width if wanted.get("aspect_ratio") == "9:16" else height,
        seconds=_seconds(wanted),
        faults=faults,
        facts={"model": body["model"], "delivery": wanted.get("delivery", "inline")},
    )
    if "accept-no-answer" in faults:
        return lost_answer(world)
    if not body.get("background"):
        await task.done()
    return JSONResponse(show(request, task))


async def get_interaction(request: Request) -> Response:
    """``GET /v1beta/interactions/{id}``."""
    world, task = world_of(request), _own(request)
    if answer := _refused(request):
        return answer
    if task is None:
        return _missing()
    if answer := refuse(world, task.faults, error_answer, key=task.id, prefix="get-"):
        return answer
    return JSONResponse(show(request, task))


async def cancel(request: Request) -> Response:
    """``POST /v1beta/interactions/{id}/cancel``: one that has ended stays as it is."""
    world, task = world_of(request), _own(request)
    if answer := _refused(request):
        return answer
    if task is None:
        return _missing()
    if answer := refuse(world, task.faults, error_answer, key=task.id, prefix="cancel-"):
        return answer
    world.cancel(task)
    return JSONResponse(show(request, task))


async def delete_interaction(request: Request) -> Response:
    """``DELETE /v1beta/interactions/{id}``."""
    world, task = world_of(request), _own(request)
    if answer := _refused(request):
        return answer
    if task is None:
        return _missing()
    world.cancel(task)
    task.facts["deleted"] = True
    return JSONResponse({})


async def get_file(request: Request) -> Response:
    """``GET /v1beta/files/{id}``: PROCESSING for a moment, then ACTIVE."""
    task = _file_task(request)
    if answer := _refused(request):
        return answer
    if task is None or "purged" in task.faults:
        return google_error(404)
    name = request.path_params["id"]
    state = "ACTIVE" if _is_active(world_of(request), task) else "PROCESSING"
    uri = f"{_base(request)}/v1beta/files/{name}"
    shown = {"name": f"files/{name}", "mimeType": "video/mp4", "state": state, "uri": uri}
    return JSONResponse({**shown, "downloadUri": f"{uri}:download?alt=media", "source": "GENERATED"})


async def redirect(request: Request) -> Response:
    """``GET /v1beta/files/{id}:download``: the bytes are at another path."""
    if answer := _refused(request):
        return answer
    return RedirectResponse(f"{_base(request)}/download{request.url.path}?alt=media", 302)


async def download(request: Request) -> Response:
    """``GET /download/v1beta/files/{id}:download?alt=media``: the bytes, for the key that made them."""
    world, task = world_of(request), _file_task(request)
    if answer := _refused(request):
        return answer
    if task is None or "purged" in task.faults:
        return google_error(404)
    if not _is_active(world, task):
        words = f"File {request.path_params['id']} is not in an ACTIVE state and usage is not allowed."
        return google_error(400, words, word="FAILED_PRECONDITION")
    return file_bytes(task.files[0], {})


def show(request: Request, task: Task) -> dict[str, Any]:
    """The interaction, its steps once it has some."""
    shown: dict[str, Any] = {
        "object": "interaction",
        "id": f"{_ID}{task.id}",
        "model": task.facts["model"],
        "status": ODD if task.is_odd else WORDS[task.status],
        "created": task.created_at.isoformat().replace("+00:00", "Z"),
        "updated": (task.completed_at or task.created_at).isoformat().replace("+00:00", "Z"),
    }
    if task.status is Status.FAILED:
        code = "safety" if task.refused else "internal"
        return {**shown, "errors": [{"code": code, "message": task.error}]}
    if task.status is not Status.SUCCEEDED:
        return shown
    video: dict[str, Any] = {"type": "video", "mime_type": "video/mp4"}
    if task.facts["delivery"] == "uri":
        video["uri"] = f"{_base(request)}/v1beta/files/{_FILE}{task.id}:download?alt=media"
    else:
        video["data"] = base64_of(task.files[0])
    asked = {"type": "user_input", "content": [{"type": "text", "text": task.wish.prompt}]}
    return {**shown, "steps": [asked, {"type": "model_output", "content": [video]}]}


def _refused(request: Request) -> Response | None:
    key = _key(request)
    if not key:
        return google_error(403, "Method doesn't allow unregistered callers. Please use API Key.")
    if not key.startswith(KEY_PREFIX) or key.startswith(INVALID_PREFIX):
        words = "API key not valid. Please pass a valid API key."
        return google_error(400, words, reason="API_KEY_INVALID")
    return None


def wrong_input(body: dict[str, Any]) -> str:
    """The first thing that is wrong with an input; empty if nothing is."""
    wanted, config = body.get("response_format"), body.get("generation_config", {})
    wanted = wanted if isinstance(wanted, dict) else {}
    task = config.get("video_config", {}).get("task", TASKS[0])
    checks = (
        (body.get("model") in MODELS, f"Model {body.get('model')} is not supported."),
        (bool(body.get("input")), "input is required."),
        (wanted.get("type") == "video", "response_format must be of the type video."),
        (wanted.get("aspect_ratio", "16:9") in ("16:9", "9:16"), "Unsupported aspect ratio."),
        (wanted.get("resolution", "720p") in SHORT_SIDES, "Unsupported resolution."),
        (3 <= _seconds(wanted) <= 10, "duration must be between 3s and 10s."),
        (wanted.get("delivery", "inline") in ("inline", "uri"), "Unsupported delivery."),
        (task in TASKS, f"Unsupported task {task}."),
        (type(config.get("seed", 0)) is int, "seed must be an integer."),
    )
    return next((words for right, words in checks if not right), "")


def _seconds(wanted: dict[str, Any]) -> float:
    try:
        return float(str(wanted.get("duration", "8s")).removesuffix("s"))
    except ValueError:
        return 0.0


def _prompt(given: Any) -> str:
    """The words of an input, which is a text or a list with media among them."""
    if isinstance(given, str):
        return given
    steps = [step for step in given if isinstance(step, dict)]
    parts = [part for step in steps for part in step.get("content", [step])]
    return " ".join(str(part.get("text", "")) for part in parts).strip()


def _key(request: Request) -> str:
    return request.headers.get("x-goog-api-key", "") or request.query_params.get("key", "")


def _own(request: Request) -> Task | None:
    name = request.path_params["id"].removeprefix(_ID)
    task = world_of(request).own(NAME, fingerprint(_key(request)), name)
    return None if task is None or task.facts.get("deleted") else task


def _file_task(request: Request) -> Task | None:
    name = request.path_params["id"].removeprefix(_FILE)
    task = world_of(request).own(NAME, fingerprint(_key(request)), name)
    return task if task is not None and task.files else None


def _is_active(world: World, task: Task) -> bool:
    since = (world.now() - task.completed_at).total_seconds() if task.completed_at else 0.0
    return since >= PROCESSING_SECONDS * world.latency


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/")


def _invalid(message: str) -> Response:
    """The Interactions API's own form of an error."""
    return JSONResponse({"error": {"message": message, "code": "invalid_request"}}, 400)


def _missing() -> Response:
    return JSONResponse({"error": {"message": "Interaction not found.", "code": "not_found"}}, 404)
