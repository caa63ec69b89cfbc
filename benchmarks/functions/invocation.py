"""A call of one of the gateway's functions outside Lambda: its event and its environment."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import uuid4

from benchmarks.bench import BenchmarkError
from local.backing.moto import REPOSITORY
from local.cloud import LocalCloud
from local.endpoints import Endpoints
from local.payload import HttpRequest, lambda_event
from local.runtime.environment import function_environment
from local.settings import STAGE


def endpoints_of(cloud: LocalCloud) -> Endpoints:
    """Where the started cloud is reached."""
    if cloud.endpoints is None:
        raise BenchmarkError("the local cloud has not started")
    return cloud.endpoints


def environment_of(cloud: LocalCloud, function: str) -> dict[str, str]:
    """The whole environment of a function, by its name without `vsl-local-`, as the template gives it."""
    return function_environment(
        cloud.deployment.functions[f"vsl-{STAGE}-{function}"],
        task_root=REPOSITORY,
        runtime_api="127.0.0.1:1",  # nobody asks it: the handler is called directly
        aws_endpoint_url=endpoints_of(cloud).aws_endpoint_url,
    )


def http_event(
    route: str,
    path: str,
    *,
    headers: Mapping[str, str],
    query: Mapping[str, str] | None = None,
    body: bytes = b"",
) -> dict[str, Any]:
    """The event that API Gateway makes of a request; `route` is its key, such as "GET /status/{jobId}"."""
    method, _, pattern = route.partition(" ")
    names = zip(pattern.split("/"), path.split("/"), strict=True)
    request = HttpRequest(
        method=method,
        raw_path=path,
        raw_query=urlencode(query or {}),
        headers=(("host", "127.0.0.1"), *((name.lower(), value) for name, value in headers.items())),
        body=body,
        source_ip="127.0.0.1",
    )
    return lambda_event(
        request,
        route_key=route,
        path_parameters={name[1:-1]: value for name, value in names if name.startswith("{")},
        api_id="benchmark",
        request_id=str(uuid4()),
        now=datetime.now(UTC),
    )


def query_of(url: str) -> dict[str, str]:
    """The query of an address, decoded."""
    return dict(parse_qsl(url.partition("?")[2], keep_blank_values=True))
