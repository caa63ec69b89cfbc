"""`GET /models`, `/health`, `/health/details`, `/openapi.json` and `/docs`: what the gateway is and what it can do."""

from typing import Any

from aws_lambda_powertools.event_handler import Response

from lib import bootstrap
from lib.api import incoming, operations
from lib.api.function import Answered, HttpFunction, json_answer
from lib.api.list_views import whole_list_view

http = HttpFunction(bootstrap.identify, bootstrap.report)

FOR_AN_HOUR = {"Cache-Control": "public, max-age=3600"}


@http.route(operations.LIST_MODELS)
def list_models() -> Answered:
    """All models, with the JSON Schema of their parameters."""
    from lib.api.model_list import model_list  # noqa: PLC0415 - the public routes need no catalogue

    http.caller(allow_stale=True)
    models = model_list(bootstrap.catalogue(), incoming.query(http.event))
    return json_answer(200, whole_list_view(models))


@http.route(operations.GET_HEALTH)
def get_health() -> Answered:
    """Whether the gateway works; nothing else is told to the public."""
    health = bootstrap.check_health().check()
    return json_answer(503 if health == "unhealthy" else 200, {"status": health.value})


@http.route(operations.GET_HEALTH_DETAILS)
def get_health_details() -> Answered:
    """How each part does, for admins; also while the record is away, as far as the key was good a moment ago."""
    from lib.domain.wire_json import wire_json  # noqa: PLC0415 - as above

    http.admin(allow_stale=True)
    report = bootstrap.check_details().report()
    return json_answer(503 if report.status == "unhealthy" else 200, wire_json(report))


@http.route(operations.GET_OPENAPI)
def get_openapi() -> Answered:
    """The OpenAPI document."""
    from lib.api.openapi import openapi_json  # noqa: PLC0415 - pydantic and a second of work, for this route alone

    return Response(200, "application/json", openapi_json(), headers=FOR_AN_HOUR)


@http.route(operations.GET_DOCS)
def get_docs() -> Answered:
    """A page to read it."""
    from lib.api.docs_page import docs_page  # noqa: PLC0415 - as above

    return Response(200, "text/html; charset=utf-8", docs_page(), headers=FOR_AN_HOUR)


def handler(event: incoming.Event, context: Any) -> dict[str, Any]:
    """The Lambda function."""
    return http(event, context)
