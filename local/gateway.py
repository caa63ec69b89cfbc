"""The HTTP API of the deployment as an ASGI app: routes, payload format 2.0, CORS, limits and errors of AWS."""

import asyncio
import base64
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any

from local.cors import is_preflight, preflight_response, with_cors
from local.deployment import Api, Deployment, Route
from local.payload import HttpRequest, HttpResponse, http_response, lambda_event, message
from local.routing import RouteTable
from local.runtime import FunctionError, Runtime

MAX_BODY_BYTES = 10 * 1024 * 1024
CONTROL_PREFIX = "/_local/"

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Control = Callable[[HttpRequest], Awaitable[HttpResponse]]
OnRequest = Callable[[str, str, int, float], None]


class Gateway:
    """Serves the deployment's one HTTP API. Paths under `/_local/` go to `control` and never to a function.

    `on_request` gets method, path (without the query: it may hold a token), status and milliseconds.
    """

    def __init__(
        self,
        deployment: Deployment,
        runtime: Runtime,
        *,
        control: Control,
        on_request: OnRequest = lambda _method, _path, _status, _ms: None,
    ) -> None:
        self._deployment = deployment
        self._runtime = runtime
        self._control = control
        self._on_request = on_request
        self._routes = RouteTable(deployment.routes)
        self._api = next(iter(deployment.apis.values()), Api(api_id="none", name="", cors=None))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry."""
        started = time.monotonic()
        request = await _request(scope, receive)
        request_id = base64.b64encode(secrets.token_bytes(11)).decode()
        if request is None:
            response = message(413, "Request Entity Too Large")
        elif request.raw_path.startswith(CONTROL_PREFIX):
            response = await self._control(request)
        else:
            response = await self.answer(request, request_id)
        response.headers.append(("apigw-requestid", request_id))
        await _send(response, send)
        elapsed_ms = (time.monotonic() - started) * 1000
        self._on_request(scope["method"], scope["path"], response.status, elapsed_ms)

    async def answer(self, request: HttpRequest, request_id: str) -> HttpResponse:
        """What API Gateway would answer."""
        cors = self._api.cors
        if cors is not None and is_preflight(request):
            return preflight_response(cors, request)
        match = self._routes.match(request.method, request.raw_path)
        if match is None:
            return with_cors(cors, request, message(404, "Not Found"))
        event = lambda_event(
            request,
            route_key=match.route.key,
            path_parameters=match.path_parameters,
            api_id=self._api.api_id,
            request_id=request_id,
            now=datetime.now(UTC),
        )
        return with_cors(cors, request, await self._invoke(match.route, event))

    async def _invoke(self, route: Route, event: dict[str, Any]) -> HttpResponse:
        integration = route.integration
        function = self._deployment.function_by_arn(integration.function_arn)
        call = asyncio.ensure_future(self._runtime.invoke(function.name, event))
        call.add_done_callback(
            lambda done: done.cancelled() or done.exception()
        )  # nobody may be waiting then
        try:
            answer = await asyncio.wait_for(asyncio.shield(call), integration.timeout_seconds)
        except TimeoutError:
            return message(503, "Service Unavailable")
        except FunctionError as error:
            too_large = error.error_type == "RequestTooLargeException"
            return message(413, "Request Too Long") if too_large else message(500, "Internal Server Error")
        return http_response(answer)


async def _request(scope: Scope, receive: Receive) -> HttpRequest | None:
    """The whole request, or None if its body is over the limit."""
    body = bytearray()
    more = True
    while more:
        part = await receive()
        body += part.get("body", b"")
        more = part.get("more_body", False)
        if len(body) > MAX_BODY_BYTES:
            return None
    client = scope.get("client") or ("127.0.0.1", 0)
    return HttpRequest(
        method=scope["method"],
        raw_path=scope.get("raw_path", scope["path"].encode()).decode("latin-1"),
        raw_query=scope["query_string"].decode("latin-1"),
        headers=tuple(
            (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]
        ),
        body=bytes(body),
        source_ip=client[0],
        protocol=f"HTTP/{scope.get('http_version', '1.1')}",
    )


async def _send(response: HttpResponse, send: Send) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    if response.status != 204:
        headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
