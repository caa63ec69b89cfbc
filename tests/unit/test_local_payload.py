"""API Gateway's payload format 2.0, routes and CORS, without a server."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from local.cors import is_preflight, preflight_response, with_cors
from local.deployment import Cors, Integration, Route
from local.payload import HttpRequest, HttpResponse, http_response, lambda_event
from local.routing import RouteTable

NOW = datetime(2026, 3, 12, 19, 3, 58, 123000, tzinfo=UTC)


def make_request(body: bytes = b"", **headers: str) -> HttpRequest:
    given = [
        ("host", "127.0.0.1:8787"),
        *((name.replace("_", "-"), value) for name, value in headers.items()),
    ]
    return HttpRequest(
        method="POST", raw_path="/x", raw_query="", headers=tuple(given), body=body, source_ip="127.0.0.1"
    )


def event_of(request: HttpRequest) -> dict[str, Any]:
    return lambda_event(
        request, route_key="POST /x", path_parameters={}, api_id="abc", request_id="id-1", now=NOW
    )


def test_the_request_context_has_what_functions_rely_on() -> None:
    context = event_of(make_request(user_agent="curl"))["requestContext"]
    assert context == {
        "accountId": "123456789012",
        "apiId": "abc",
        "domainName": "127.0.0.1:8787",
        "domainPrefix": "127",
        "http": {
            "method": "POST",
            "path": "/x",
            "protocol": "HTTP/1.1",
            "sourceIp": "127.0.0.1",
            "userAgent": "curl",
        },
        "requestId": "id-1",
        "routeKey": "POST /x",
        "stage": "$default",
        "time": "12/Mar/2026:19:03:58 +0000",
        "timeEpoch": 1773342238123,
    }


def test_what_a_request_does_not_have_is_absent_from_its_event() -> None:
    event = event_of(make_request())
    absent = {"body", "cookies", "queryStringParameters", "pathParameters"}
    assert not absent & event.keys()
    assert event["isBase64Encoded"] is False
    assert event["rawQueryString"] == ""


def test_several_headers_of_one_name_are_joined_by_a_comma() -> None:
    request = HttpRequest(
        method="GET",
        raw_path="/",
        raw_query="",
        headers=(("host", "h"), ("x-a", "1"), ("x-a", "2")),
        body=b"",
        source_ip="::1",
    )
    assert event_of(request)["headers"]["x-a"] == "1,2"


@pytest.mark.parametrize(
    ("content_type", "body", "is_binary"),
    [
        ("application/json; charset=utf-8", b"{}", False),
        ("application/problem+json", b"{}", False),
        ("text/plain", "grüß".encode(), False),
        ("text/plain", b"\xff\xfe", True),
        ("application/octet-stream", b"plain", True),
        ("application/x-www-form-urlencoded", b"a=1", True),
        ("image/png", b"\x89PNG", True),
    ],
)
def test_a_body_is_text_or_base64_by_its_content_type(
    content_type: str, body: bytes, is_binary: bool
) -> None:
    event = event_of(make_request(body, content_type=content_type))
    assert event["isBase64Encoded"] is is_binary
    assert event["body"] == (base64.b64encode(body).decode() if is_binary else body.decode())


def test_an_answer_with_a_status_gives_status_headers_cookies_and_body() -> None:
    answer = {
        "statusCode": 201,
        "headers": {"X-A": 1, "Content-Type": "text/html", "Content-Length": "999"},
        "cookies": ["a=1", "b=2"],
        "body": "<p>",
    }
    assert http_response(json.dumps(answer).encode()) == HttpResponse(
        201,
        b"<p>",
        [("x-a", "1"), ("content-type", "text/html"), ("set-cookie", "a=1"), ("set-cookie", "b=2")],
    )


def test_a_base64_answer_is_decoded() -> None:
    answer = {"statusCode": "200", "isBase64Encoded": True, "body": base64.b64encode(b"\x00\xff").decode()}
    assert http_response(json.dumps(answer).encode()).body == b"\x00\xff"


@pytest.mark.parametrize(
    ("answer", "body"), [({"a": 1}, b'{"a": 1}'), ([1], b"[1]"), (None, b"null"), ("text", b"text")]
)
def test_an_answer_without_a_status_is_200_json(answer: Any, body: bytes) -> None:
    response = http_response(json.dumps(answer).encode())
    assert (response.status, response.body) == (200, body)
    assert ("content-type", "application/json") in response.headers


@pytest.mark.parametrize(
    "answer",
    [
        b"no json",
        b'{"statusCode": "many"}',
        b'{"statusCode": 99}',
        b'{"statusCode": 200, "body": {"not": "text"}}',
        b'{"statusCode": 200, "headers": {"a": ["list"]}}',
        b'{"statusCode": 200, "isBase64Encoded": true, "body": "%%%"}',
    ],
)
def test_an_answer_of_a_wrong_shape_is_a_500(answer: bytes) -> None:
    response = http_response(answer)
    assert (response.status, json.loads(response.body)) == (500, {"message": "Internal Server Error"})


def make_table(*keys: str) -> RouteTable:
    integration = Integration(function_arn="arn", timeout_seconds=30)
    return RouteTable(Route(api_id="a", key=key, integration=integration) for key in keys)


@pytest.mark.parametrize(
    ("method", "path", "key", "parameters"),
    [
        ("GET", "/jobs", "GET /jobs", {}),
        ("DELETE", "/jobs", "ANY /jobs", {}),
        ("GET", "/jobs/a%2Fb", "GET /jobs/{jobId}", {"jobId": "a/b"}),
        ("GET", "/jobs/latest", "GET /jobs/latest", {}),
        (
            "GET",
            "/jobs/a/files/x/y.png",
            "GET /jobs/{jobId}/{rest+}",
            {"jobId": "a", "rest": "files/x/y.png"},
        ),
        ("POST", "/anything", "$default", {}),
    ],
)
def test_the_most_specific_route_wins(method: str, path: str, key: str, parameters: dict[str, str]) -> None:
    table = make_table(
        "$default",
        "GET /jobs/{jobId}/{rest+}",
        "GET /jobs/{jobId}",
        "GET /jobs/latest",
        "ANY /jobs",
        "GET /jobs",
    )
    match = table.match(method, path)
    assert match is not None
    assert (match.route.key, match.path_parameters) == (key, parameters)


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/jobs"), ("GET", "/jobs/"), ("GET", "/Jobs"), ("GET", "/")]
)
def test_a_wrong_method_or_path_has_no_route(method: str, path: str) -> None:
    assert make_table("GET /jobs").match(method, path) is None


CORS = Cors(allow_origins=("https://a.example",), allow_methods=("GET",), allow_headers=("x-a",), max_age=9)


def test_a_preflight_needs_an_origin_and_a_requested_method() -> None:
    asks = make_request(origin="https://a.example", access_control_request_method="GET")
    options = HttpRequest(
        method="OPTIONS", raw_path="/x", raw_query="", headers=asks.headers, body=b"", source_ip="::1"
    )
    assert is_preflight(options)
    assert not is_preflight(asks)
    assert preflight_response(CORS, options).headers == [
        ("access-control-allow-origin", "https://a.example"),
        ("vary", "origin"),
        ("access-control-allow-methods", "GET"),
        ("access-control-allow-headers", "x-a"),
        ("access-control-max-age", "9"),
    ]


def test_the_gateways_cors_headers_replace_the_functions() -> None:
    response = HttpResponse(200, b"", [("access-control-allow-origin", "*"), ("x-b", "1")])
    assert with_cors(CORS, make_request(origin="https://b.example"), response).headers == [("x-b", "1")]
    assert with_cors(None, make_request(origin="https://b.example"), response) is response
    everyone = Cors(allow_origins=("*",))
    assert with_cors(everyone, make_request(origin="https://b.example"), response).headers == [
        ("x-b", "1"),
        ("access-control-allow-origin", "*"),
    ]
