"""`GET /analytics/...`: how the gateway does, for its admins."""

from typing import Any

from lib import bootstrap
from lib.api import incoming, operations
from lib.api.detail_queries import read_report_query, refuse_query
from lib.api.function import Answered, HttpFunction, json_answer

http = HttpFunction(bootstrap.identify, bootstrap.report)


@http.route(operations.GET_SYSTEM_ANALYTICS)
def get_system() -> Answered:
    """How it does now."""
    http.admin()
    refuse_query(incoming.query(http.event))
    return json_answer(200, bootstrap.analytics().system())


@http.route(operations.GET_PROCESSING_ANALYTICS)
def get_processing() -> Answered:
    """How long the work took, by model and step."""
    http.admin()
    wanted = read_report_query(incoming.query(http.event), bootstrap.clock(), of_model=True)
    report = bootstrap.analytics().processing(wanted.from_, wanted.to, model_id=wanted.model_id)
    return json_answer(200, report)


@http.route(operations.GET_STORAGE_ANALYTICS)
def get_storage() -> Answered:
    """What was moved to and from the bucket."""
    http.admin()
    wanted = read_report_query(incoming.query(http.event), bootstrap.clock())
    return json_answer(200, bootstrap.analytics().storage(wanted.from_, wanted.to))


@http.route(operations.GET_DAILY_ANALYTICS)
def get_daily() -> Answered:
    """What became of the jobs of each day."""
    http.admin()
    wanted = read_report_query(incoming.query(http.event), bootstrap.clock(), days=True)
    return json_answer(200, bootstrap.analytics().daily(wanted.from_, wanted.to))


def handler(event: incoming.Event, context: Any) -> dict[str, Any]:
    """The Lambda function."""
    return http(event, context)
