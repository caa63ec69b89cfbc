"""CORS as an HTTP API does it: the gateway answers preflights itself and overrides the functions' headers.

Reference: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
"""

from local.deployment import Cors
from local.payload import HttpRequest, HttpResponse

_PREFIX = "access-control-"


def is_preflight(request: HttpRequest) -> bool:
    """True for a browser's question whether it may send a request."""
    asks = request.header("origin") and request.header("access-control-request-method")
    return request.method == "OPTIONS" and bool(asks)


def preflight_response(cors: Cors, request: HttpRequest) -> HttpResponse:
    """204, with the permissions if the origin has any."""
    headers = _origin_headers(cors, request)
    if headers:
        if cors.allow_methods:
            headers.append(("access-control-allow-methods", ",".join(cors.allow_methods)))
        if cors.allow_headers:
            headers.append(("access-control-allow-headers", ",".join(cors.allow_headers)))
        if cors.max_age is not None:
            headers.append(("access-control-max-age", str(cors.max_age)))
    return HttpResponse(204, b"", headers)


def with_cors(cors: Cors | None, request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The response with the gateway's CORS headers instead of the function's; unchanged without a configuration."""
    if cors is None:
        return response
    kept = [(name, value) for name, value in response.headers if not name.startswith(_PREFIX)]
    headers = _origin_headers(cors, request)
    if headers and cors.expose_headers:
        headers.append(("access-control-expose-headers", ",".join(cors.expose_headers)))
    return HttpResponse(response.status, response.body, kept + headers)


def _origin_headers(cors: Cors, request: HttpRequest) -> list[tuple[str, str]]:
    origin = request.header("origin")
    if not origin or not _allows(cors, origin):
        return []
    headers = [("access-control-allow-origin", "*" if "*" in cors.allow_origins else origin)]
    if "*" not in cors.allow_origins:
        headers.append(("vary", "origin"))
    if cors.allow_credentials:
        headers.append(("access-control-allow-credentials", "true"))
    return headers


def _allows(cors: Cors, origin: str) -> bool:
    schemes = {f"{origin.partition('://')[0]}://*", "*", origin}
    return bool(schemes & set(cors.allow_origins))
