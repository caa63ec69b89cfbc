"""`GET /status/{jobId}`: how a job stands. Imports as little as it can: its cold start is what callers wait for."""

from typing import Any

from lib import bootstrap
from lib.api import incoming, operations
from lib.api.function import Answered, HttpFunction, text_answer

http = HttpFunction(bootstrap.identify, bootstrap.report)


@http.route(operations.GET_STATUS)
def get_status(job_id: str) -> Answered:
    """Look the caller's job up and show it."""
    key = incoming.presented_key(http.event)
    found = bootstrap.look_up_status().look_up(key, job_id, http.act_for)
    return text_answer(200, bootstrap.job_view().text(found.snapshot, found.progress, bootstrap.clock()))


def handler(event: incoming.Event, context: Any) -> dict[str, Any]:
    """The Lambda function."""
    return http(event, context)
