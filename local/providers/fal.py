"""A simulated fal: its queue, its prices' page as the key test, and the public keys of its webhooks, on one port.

Source: fal.ai/docs/documentation/model-apis (inference/queue, inference/webhooks, errors, custom-output-storage).
"""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from local.providers.access import world_of
from local.providers.courier import deliver
from local.providers.fal_answers import (
    error_answer,
    failed_result,
    result_of,
    show_status,
    unauthenticated,
)
from local.providers.fal_signing import key_set, pack
from local.providers.fal_upload import PolicyError, read_policy, store_outputs
from local.providers.fal_wishes import wish_of, wrong_input
from local.providers.refusals import lost_answer, refuse
from local.providers.tasks import Status, Task
from local.providers.world import World, fingerprint, hash_of

NAME = "fal"
LOCAL_KEY = "local-simulator:opens-nothing-else"
NAMESPACES = ("workflows", "comfy")
TASK = "/{app:path}/requests/{id}"


def addresses(url: str) -> dict[str, str]:
    """The adapter's three addresses lead to one port."""
    return {"queue_url": url, "platform_url": f"{url}/v1", "rest_url": url}


def routes(_world: World) -> list[BaseRoute]:
    """fal's paths; the queue takes whatever else is posted."""
    return [
        Route("/.well-known/jwks.json", get_keys),
        Route("/v1/models/pricing", get_prices),
        Route(f"{TASK}/status", get_status),
        Route(f"{TASK}/cancel", cancel, methods=["PUT"]),
        Route(TASK, get_result),
        Route("/{endpoint:path}", submit, methods=["POST"]),
    ]


async def get_keys(_request: Request) -> Response:
    """``GET /.well-known/jwks.json``: asks for no key."""
    return JSONResponse(key_set())


async def get_prices(request: Request) -> Response:
    """``GET /v1/models/pricing?endpoint_id=...``."""
    if _account(request) is None:
        body = {"type": "authorization_error", "message": "Invalid or missing authentication"}
        return JSONResponse({"error": body}, 401)
    price = {
        "endpoint_id": request.query_params.get("endpoint_id", ""),
        "unit_price": 0.0,
        "unit": "simulated requests",
        "currency": "USD",
    }
    return JSONResponse({"prices": [price], "next_cursor": None, "has_more": False})


async def submit(request: Request) -> Response:
    """``POST /{owner}/{app}[/{path}]``: takes any input; what is wrong with it, the model says in its result."""
    world, account = world_of(request), _account(request)
    if account is None:
        return unauthenticated()
    values = await request.json()
    faults = world.faults(NAME, values)
    endpoint = request.path_params["endpoint"]
    if answer := refuse(world, faults, error_answer, key=f"{account}:{hash_of([endpoint, values])}"):
        return answer
    try:
        policy = read_policy(request.headers)
    except PolicyError as error:
        return JSONResponse({"detail": str(error)}, 422)
    facts: dict[str, Any] = {
        "endpoint": endpoint,
        "app": _app_of(endpoint),
        "webhook": request.query_params.get("fal_webhook"),
        "policy": policy,
        "wrong": wrong_input(values),
    }
    task = world.start(
        provider=NAME,
        account=account,
        faults=faults,
        facts=facts,
        on_change=lambda changed: _changed(world, changed),
        **wish_of(endpoint, values),
    )
    if "accept-no-answer" in faults:
        return lost_answer(world)
    return JSONResponse(_accepted(request, task), headers={"x-fal-request-id": task.id})


async def get_status(request: Request) -> Response:
    """``GET .../requests/{id}/status[?logs=1]``: 202 until it is completed."""
    return await _read(request, lambda task: show_status(task, logs=_wants_logs(request)))


async def get_result(request: Request) -> Response:
    """``GET .../requests/{id}``: what the model answered, with its own status."""
    return await _read(request, _result)


async def cancel(request: Request) -> Response:
    """``PUT .../requests/{id}/cancel``."""
    world, account = world_of(request), _account(request)
    if account is None:
        return unauthenticated()
    task = world.own(NAME, account, request.path_params["id"])
    if task is None or task.facts["app"] != request.path_params["app"]:
        return JSONResponse({"status": "NOT_FOUND"}, 404)
    if answer := refuse(world, task.faults, error_answer, key=task.id, prefix="cancel-"):
        return answer
    if not world.cancel(task):
        return JSONResponse({"status": "ALREADY_COMPLETED"}, 400)
    return JSONResponse({"status": "CANCELLATION_REQUESTED"}, 202)


async def _read(request: Request, show: Any) -> Response:
    world, account = world_of(request), _account(request)
    if account is None:
        return unauthenticated()
    task = world.own(NAME, account, request.path_params["id"])
    if task is None or task.facts["app"] != request.path_params["app"]:
        return JSONResponse({"detail": f"Request {request.path_params['id']} not found"}, 404)
    if answer := refuse(world, task.faults, error_answer, key=task.id, prefix="get-"):
        return answer
    shown: Response = show(task)
    return shown


def _result(task: Task) -> Response:
    if not task.status.is_final:
        return JSONResponse({"detail": "Request is still in progress"}, 400)
    return failed_result(task) or JSONResponse(result_of(task))


def _changed(world: World, task: Task) -> None:
    """At its end the outputs go into the caller's bucket, if there is a policy, and the webhook is sent."""
    if not task.status.is_final:
        return
    if task.status is Status.SUCCEEDED and not task.facts["wrong"]:
        store_outputs(world, task)
    if task.facts["webhook"]:
        deliver(world, task, task.facts["webhook"], pack(task))


def _accepted(request: Request, task: Task) -> Mapping[str, Any]:
    base = f"{request.url.scheme}://{request.url.netloc}/{task.facts['app']}/requests/{task.id}"
    return {
        "status": "IN_QUEUE",
        "request_id": task.id,
        "gateway_request_id": task.id,
        "response_url": base,
        "status_url": f"{base}/status",
        "cancel_url": f"{base}/cancel",
        "queue_position": 0,
    }


def _account(request: Request) -> str | None:
    """The account of ``Authorization: Key id:secret``; None for what is no key."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "key" or ":" not in key or key.startswith("invalid"):
        return None
    return fingerprint(key)


def _app_of(endpoint: str) -> str:
    parts = endpoint.split("/")
    return "/".join(parts[: 3 if parts[0] in NAMESPACES else 2])


def _wants_logs(request: Request) -> bool:
    return request.query_params.get("logs", "").lower() in ("1", "true")
