"""API Gateway's payload format 2.0: from an HTTP request to a Lambda event, from a Lambda answer to HTTP.

Reference: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from local.aws import ACCOUNT_ID

_TEXT_TYPES = ("application/json", "application/javascript", "application/xml", "text/")
_TEXT_SUFFIXES = ("+json", "+xml")


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """A request as it came in. `headers` are in their order, names in lower case."""

    method: str
    raw_path: str
    raw_query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    source_ip: str
    protocol: str = "HTTP/1.1"

    def header(self, name: str) -> str:
        """The first header of that (lower-case) name, or ""."""
        return next((value for key, value in self.headers if key == name), "")


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An answer; several headers of one name are allowed (set-cookie)."""

    status: int
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)


def message(status: int, text: str) -> HttpResponse:
    """One of the gateway's own answers: `{"message": text}`."""
    return HttpResponse(
        status, json.dumps({"message": text}).encode(), [("content-type", "application/json")]
    )


def lambda_event(
    request: HttpRequest,
    *,
    route_key: str,
    path_parameters: Mapping[str, str],
    api_id: str,
    request_id: str,
    now: datetime,
) -> dict[str, Any]:
    """The event of format 2.0. Keys that have nothing to hold are absent, as on AWS."""
    host = request.header("host")
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": request.raw_path,
        "rawQueryString": request.raw_query,
        "headers": _headers(request),
        "requestContext": {
            "accountId": ACCOUNT_ID,
            "apiId": api_id,
            "domainName": host,
            "domainPrefix": host.split(".")[0],
            "http": {
                "method": request.method,
                "path": request.raw_path,
                "protocol": request.protocol,
                "sourceIp": request.source_ip,
                "userAgent": request.header("user-agent"),
            },
            "requestId": request_id,
            "routeKey": route_key,
            "stage": "$default",
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(now.timestamp() * 1000),
        },
        "isBase64Encoded": False,
    }
    cookies = [part.strip() for key, value in request.headers if key == "cookie" for part in value.split(";")]
    if cookies:
        event["cookies"] = cookies
    if query := parse_qsl(request.raw_query, keep_blank_values=True):
        event["queryStringParameters"] = _combined(query)
    if path_parameters:
        event["pathParameters"] = dict(path_parameters)
    if request.body:
        event["body"], event["isBase64Encoded"] = _body(request)
    return event


def http_response(answer: bytes) -> HttpResponse:
    """What the gateway answers for a function's JSON `answer`; 500 where its shape is wrong."""
    try:
        given = json.loads(answer)
    except ValueError:
        return message(500, "Internal Server Error")
    if not isinstance(given, dict) or "statusCode" not in given:
        inferred = json.dumps(given).encode() if not isinstance(given, str) else given.encode()
        return HttpResponse(200, inferred, [("content-type", "application/json")])
    try:
        return _explicit(given)
    except (TypeError, ValueError, binascii.Error):
        return message(500, "Internal Server Error")


def _explicit(given: dict[str, Any]) -> HttpResponse:
    status = int(given["statusCode"])
    body = given.get("body")
    if not 100 <= status <= 599 or not isinstance(body, str | None):
        raise ValueError(f"statusCode {status}, body of type {type(body).__name__}")
    headers = [(str(name).lower(), _scalar(value)) for name, value in (given.get("headers") or {}).items()]
    headers = [(name, value) for name, value in headers if name not in {"content-length", "connection"}]
    if not any(name == "content-type" for name, _ in headers):
        headers.append(("content-type", "text/plain;charset=UTF-8"))
    headers += [("set-cookie", str(cookie)) for cookie in given.get("cookies") or []]
    text = body or ""
    raw = base64.b64decode(text, validate=True) if given.get("isBase64Encoded") else text.encode()
    return HttpResponse(status, raw, headers)


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise TypeError(f"a header is a {type(value).__name__}")


def _headers(request: HttpRequest) -> dict[str, str]:
    combined = _combined([pair for pair in request.headers if pair[0] != "cookie"])
    forwarded = {
        "x-forwarded-for": request.source_ip,
        "x-forwarded-port": request.header("host").partition(":")[2] or "80",
        "x-forwarded-proto": "http",
    }
    return {**combined, **forwarded}


def _combined(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Several values of one name are joined by commas."""
    found: dict[str, str] = {}
    for name, value in pairs:
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


def _body(request: HttpRequest) -> tuple[str, bool]:
    content_type = request.header("content-type").split(";")[0].strip().lower()
    if not content_type or content_type.startswith(_TEXT_TYPES) or content_type.endswith(_TEXT_SUFFIXES):
        try:
            return request.body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(request.body).decode(), True
