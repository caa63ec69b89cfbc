"""A simulated Runway: its tasks and its organization's page as the key test.

Source: docs.dev.runwayml.com/api and its OpenAPI document.
"""

import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from local.providers.access import bearer_key, world_of
from local.providers.refusals import lost_answer, refuse
from local.providers.runway_fields import wrong_input
from local.providers.runway_wishes import KINDS, estimated_credits, wish_of
from local.providers.tasks import Status, Task
from local.providers.world import World, fingerprint, hash_of

NAME = "runway"
LOCAL_KEY = "key_local_simulator"
KEY_PREFIX, INVALID_PREFIX = "key_", "key_invalid"
VERSION = "2024-11-06"
AT_ONCE = 5
"""So many tasks of a key run at once; more are shown as THROTTLED while they wait."""

WORDS = {Status.RUNNING: "RUNNING", Status.SUCCEEDED: "SUCCEEDED", Status.FAILED: "FAILED"}
ODD = "HIBERNATING"
REFUSED_CODE, BROKEN_CODE = "SAFETY.INPUT.TEXT", "INTERNAL.BAD_OUTPUT.CODE01"
_ERRORS = {
    401: "You did not provide a valid API key.",
    402: "You do not have enough credits to run this task.",
    422: "Validation of body failed",
    429: "You have exceeded the daily task limit for this model.",
    500: "An unexpected error occurred.",
    503: "The service is temporarily overloaded.",
}


def addresses(url: str) -> dict[str, str]:
    """The adapter has one address."""
    return {"base_url": url}


def routes(_world: World) -> list[BaseRoute]:
    """Runway's paths."""
    return [
        Route("/v1/organization", get_organization),
        Route("/v1/tasks/{id}", get_task),
        Route("/v1/tasks/{id}", delete_task, methods=["DELETE"]),
        Route("/v1/{route}", create_task, methods=["POST"]),
    ]


async def get_organization(request: Request) -> Response:
    """``GET /v1/organization``."""
    if answer := _refused(request):
        return answer
    tier = {"maxMonthlyCreditSpend": 100000, "models": {}}
    return JSONResponse({"creditBalance": 9000, "tier": tier, "usage": {"models": {}}})


async def create_task(request: Request) -> Response:
    """``POST /v1/{route}``: a task of the model in the body, checked field by field."""
    world, route = world_of(request), request.path_params["route"]
    if answer := _refused(request):
        return answer
    if route not in KINDS:
        return JSONResponse({"error": "Not found"}, 404)
    account, values = _account(request), await request.json()
    faults = world.faults(NAME, values)
    if answer := refuse(world, faults, error_answer, key=f"{account}:{hash_of([route, values])}"):
        return answer
    if issues := wrong_input(route, values):
        return JSONResponse({"error": "Validation of body failed", "issues": issues}, 400)
    credits_ = estimated_credits(values)
    facts = {"credits": credits_, "throttled": _running(world, account) >= AT_ONCE}
    task = world.start(provider=NAME, account=account, faults=faults, facts=facts, **wish_of(route, values))
    if "accept-no-answer" in faults:
        return lost_answer(world)
    return JSONResponse({"id": task.id, "estimatedCost": {"credits": credits_}})


async def get_task(request: Request) -> Response:
    """``GET /v1/tasks/{id}``: a deleted or canceled task is not found."""
    world, task = world_of(request), _own(request)
    if answer := _refused(request):
        return answer
    if task is None:
        return _not_found()
    if answer := refuse(world, task.faults, error_answer, key=task.id, prefix="get-"):
        return answer
    return JSONResponse(show(task))


async def delete_task(request: Request) -> Response:
    """``DELETE /v1/tasks/{id}``: ends what waits or runs, removes what has ended; it is gone afterwards."""
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
    """The task object; its addresses are signed anew each time."""
    shown: dict[str, Any] = {
        "id": task.id,
        "createdAt": task.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "status": ODD if task.is_odd else WORDS.get(task.status, _waiting(task)),
    }
    if not task.status.is_final:
        shown["estimatedCost"] = {"credits": task.facts["credits"]}
        return {**shown, "progress": task.progress} if task.status is Status.RUNNING else shown
    if task.status is Status.SUCCEEDED:
        output = [f"{file.url}?_jwt={secrets.token_urlsafe(12)}" for file in task.files]
        return {**shown, "output": output, "cost": {"credits": task.facts["credits"]}}
    code = REFUSED_CODE if task.refused else BROKEN_CODE
    charged = task.facts["credits"] if task.refused else 0
    return {**shown, "failure": task.error, "failureCode": code, "cost": {"credits": charged}}


def error_answer(status: int, retry_after: int) -> Response:
    """An error as Runway words it; no header says when to come back, unless the fault does."""
    headers = {"Retry-After": str(retry_after)} if status == 429 and retry_after > 1 else {}
    body: dict[str, Any] = {"error": _ERRORS[status]}
    if status == 422:
        body["issues"] = [{"code": "custom", "path": ["promptText"], "message": "refused by a fault"}]
    return JSONResponse(body, 400 if status == 422 else status, headers=headers)


def _waiting(task: Task) -> str:
    return "THROTTLED" if task.facts["throttled"] else "PENDING"


def _refused(request: Request) -> Response | None:
    """The key first, then the version's header, which every call needs."""
    key = bearer_key(request)
    if not key.startswith(KEY_PREFIX) or key.startswith(INVALID_PREFIX):
        return JSONResponse({"error": _ERRORS[401]}, 401)
    if request.headers.get("x-runway-version") != VERSION:
        return JSONResponse({"error": "The X-Runway-Version header is missing or not a known version."}, 400)
    return None


def _account(request: Request) -> str:
    return fingerprint(bearer_key(request))


def _own(request: Request) -> Task | None:
    task = world_of(request).own(NAME, _account(request), request.path_params["id"])
    return None if task is None or task.facts.get("deleted") else task


def _running(world: World, account: str) -> int:
    mine = (task for task in world.tasks.values() if (task.provider, task.account) == (NAME, account))
    return sum(not task.status.is_final for task in mine)


def _not_found() -> Response:
    return JSONResponse({"error": "Task not found"}, 404)
