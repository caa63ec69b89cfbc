"""Calls the function behind a custom resource, as CloudFormation does when a stack is created.

Reference: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html
"""

import asyncio
import json
import uuid
from typing import Any

from local.aws import PSEUDO_PARAMETERS
from local.resources.kind import Resource
from local.runtime import FunctionError, Runtime
from local.runtime.http_server import LoopbackServer, Request, Response
from local.template import ResourceState

_GRACE_SECONDS = 5.0  # from the end of the function to its answer at the ResponseURL


async def call_custom_resource(resource: Resource, runtime: Runtime) -> ResourceState:
    """Send a Create event and wait for the answer at its ResponseURL.

    TemplateError with the function's reason if it answers FAILED, fails itself, or ends without an answer.
    """
    answered: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()

    async def take(request: Request) -> Response:
        if request.method == "PUT" and not answered.done():
            answered.set_result(json.loads(request.body))
        return Response(200)

    server = LoopbackServer(take)
    await server.start()
    try:
        answer = await _answer(resource, runtime, f"http://127.0.0.1:{server.port}/response", answered)
    finally:
        await server.close()
    if answer.get("Status") != "SUCCESS":
        raise resource.error(str(answer.get("Reason") or "the function answered FAILED without a reason"))
    physical_id = str(answer.get("PhysicalResourceId") or resource.logical_id)
    return ResourceState(ref=physical_id, attributes=answer.get("Data") or {})


async def _answer(
    resource: Resource, runtime: Runtime, url: str, answered: "asyncio.Future[dict[str, Any]]"
) -> dict[str, Any]:
    function = runtime.deployment.function_by_arn(str(resource.properties["ServiceToken"]))
    call = asyncio.create_task(runtime.invoke(function.name, _event(resource, url)))
    try:
        first_of: set[asyncio.Future[Any]] = {call, answered}
        await asyncio.wait(first_of, return_when=asyncio.FIRST_COMPLETED)
        if answered.done():
            await call
            return answered.result()
        await call
        return await asyncio.wait_for(answered, _GRACE_SECONDS)
    except FunctionError as error:
        raise resource.error(f"{function.name} failed: {error}") from error
    except TimeoutError:
        raise resource.error(f"{function.name} ended without an answer to its ResponseURL") from None


def _event(resource: Resource, url: str) -> dict[str, Any]:
    return {
        "RequestType": "Create",
        "RequestId": str(uuid.uuid4()),
        "ResponseURL": url,
        "StackId": PSEUDO_PARAMETERS["AWS::StackId"],
        "ResourceType": resource.type,
        "LogicalResourceId": resource.logical_id,
        "ServiceToken": resource.properties["ServiceToken"],
        "ResourceProperties": _as_text(resource.properties),
    }


def _as_text(value: Any) -> Any:
    """CloudFormation gives every scalar to custom resources as text."""
    if isinstance(value, dict):
        return {key: _as_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_text(item) for item in value]
    return str(value).lower() if isinstance(value, bool) else str(value)
