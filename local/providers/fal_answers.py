"""What fal answers: statuses, results and errors in its own shapes."""

from typing import Any

from starlette.responses import JSONResponse, Response

from local.providers.tasks import Status, Task
from local.replicate.catalogue import Kind
from local.simulation.media_items import MediaItem

COMPLETED = "COMPLETED"
ODD = "HIBERNATING"
CANCELED = {"error": "Request was cancelled by the client", "error_type": "client_cancelled"}
BROKEN_TYPE = "runner_server_error"
_WORDS = {
    401: "Authentication is required to access this application",
    402: "Payment required",
    422: "This input is refused by the simulator's fault",
    429: "Too many requests",
    500: "Internal server error",
    503: "Service unavailable",
}


def unauthenticated() -> Response:
    """401 for a key that is missing or none."""
    return JSONResponse({"detail": _WORDS[401]}, 401)


def error_answer(status: int, retry_after: int) -> Response:
    """An error of the queue or of the platform before it."""
    headers = {"Retry-After": str(retry_after)} if status == 429 else {}
    if status == 422:
        return JSONResponse({"detail": [_detail("prompt", _WORDS[422], "value_error")]}, 422)
    body: dict[str, Any] = {"detail": _WORDS[status]}
    if status >= 500:
        body["error_type"] = "internal_error" if status == 500 else "runner_scheduling_failure"
    return JSONResponse(body, status, headers=headers)


def show_status(task: Task, *, logs: bool) -> Response:
    """A status: 202 while it waits or runs, 200 once it is completed, whatever came of it."""
    lines = [_log(task)] if logs else None
    if task.status is Status.QUEUED:
        return JSONResponse({"status": "IN_QUEUE", "queue_position": 0}, 202)
    if task.status is Status.RUNNING:
        word = ODD if task.is_odd else "IN_PROGRESS"
        return JSONResponse({"status": word, "logs": lines}, 202)
    body: dict[str, Any] = {
        "status": COMPLETED,
        "logs": lines,
        "metrics": {"inference_time": round(task.run_seconds, 3)},
    }
    if task.status is Status.CANCELED:
        body |= CANCELED
    elif task.status is Status.FAILED and not task.refused:
        body |= {"error": task.error, "error_type": BROKEN_TYPE}
    return JSONResponse(body)


def failed_result(task: Task) -> Response | None:
    """The model's own answer of a task that made nothing; None for one that did."""
    if task.facts["wrong"]:
        return JSONResponse({"detail": task.facts["wrong"]}, 422)
    if task.status is Status.CANCELED:
        return JSONResponse({"detail": CANCELED["error"], "error_type": CANCELED["error_type"]}, 499)
    if task.refused:
        return JSONResponse({"detail": [refusal(task)]}, 422)
    if task.status is Status.FAILED:
        return JSONResponse({"detail": task.error, "error_type": BROKEN_TYPE}, 500)
    return None


def refusal(task: Task) -> dict[str, Any]:
    """The detail of a prompt that fal's moderation refused."""
    return _detail("prompt", str(task.error), "content_policy_violation")


def result_of(task: Task) -> dict[str, Any]:
    """The model's output: the files under the name that such models use."""
    files = [_file(task, number, item) for number, item in enumerate(task.files)]
    seed = {"seed": task.wish.seed, "prompt": task.wish.prompt}
    match task.wish.kind:
        case Kind.IMAGE:
            sized = [{**file, "width": task.wish.width, "height": task.wish.height} for file in files]
            return {"images": sized, **seed, "has_nsfw_concepts": [False] * len(files), "timings": {}}
        case Kind.VIDEO:
            return {"video": files[0], **seed}
        case Kind.AUDIO:
            return {"audio": files[0], **seed}
        case Kind.TEXT:
            return {"output": task.text}


def missing(name: str) -> dict[str, Any]:
    """The detail of a field that a model needs."""
    return _detail(name, "Field required", "missing")


def _file(task: Task, number: int, item: MediaItem) -> dict[str, Any]:
    stored: list[str] = task.facts.get("stored", [])
    return {
        "url": stored[number] if stored else item.url,
        "content_type": item.content_type,
        "file_name": item.name,
        "file_size": item.size,
    }


def _log(task: Task) -> dict[str, str]:
    return {
        "timestamp": task.created_at.isoformat(),
        "level": "INFO",
        "message": f"{task.progress:.0%} simulated",
    }


def _detail(name: str, words: str, kind: str) -> dict[str, Any]:
    return {"loc": ["body", name], "msg": words, "type": kind, "url": f"https://docs.fal.ai/errors#{kind}"}
