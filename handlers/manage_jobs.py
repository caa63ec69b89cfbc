"""`GET /jobs` and `POST /jobs/{jobId}/cancel`: a user's own jobs."""

from typing import Any

from lib import bootstrap
from lib.api import incoming, operations
from lib.api.function import Answered, HttpFunction, json_answer
from lib.api.list_query import read_job_query
from lib.api.list_views import page_view
from lib.api.views import cancel_status
from lib.domain.errors import NotFoundError
from lib.domain.ids import parse_job_id

http = HttpFunction(bootstrap.identify, bootstrap.report)


@http.route(operations.LIST_JOBS)
def list_jobs() -> Answered:
    """One page of the caller's jobs."""
    user_id = http.caller(allow_stale=True).user_id
    page = bootstrap.list_jobs().list(user_id, read_job_query(incoming.query(http.event)))
    return json_answer(200, page_view(page, bootstrap.job_view(), bootstrap.clock()))


@http.route(operations.CANCEL_JOB)
def cancel_job(job_id: str) -> Answered:
    """Cancel the caller's job, or ask its provider to."""
    user_id = http.caller().user_id
    wanted = parse_job_id(job_id)
    if wanted is None:
        raise NotFoundError(f"there is no job {job_id[:100]!r}: a job id is a UUID of 36 characters")
    job = bootstrap.cancel_job().cancel(user_id, wanted)
    return json_answer(cancel_status(job), bootstrap.job_view()(job, None, bootstrap.clock()))


def handler(event: incoming.Event, context: Any) -> dict[str, Any]:
    """The Lambda function."""
    return http(event, context)
