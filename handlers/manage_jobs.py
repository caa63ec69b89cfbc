"""`/jobs` and `/media`: a user's own jobs, all that is known of one, and what was made."""

from typing import Any
from urllib.parse import unquote

from aws_lambda_powertools.event_handler import Response

from lib import bootstrap
from lib.api import incoming, operations
from lib.api.function import Answered, HttpFunction, json_answer
from lib.api.list_query import read_job_query
from lib.api.list_views import page_view, whole_list_view
from lib.api.views import cancel_status
from lib.domain.caller import Caller
from lib.domain.errors import NotFoundError
from lib.domain.ids import parse_job_id
from lib.ports.correlation import current_request_id

http = HttpFunction(bootstrap.identify, bootstrap.report)


@http.route(operations.LIST_JOBS)
def list_jobs() -> Answered:
    """One page of the caller's jobs."""
    user_id = http.caller(allow_stale=True).user_id
    page = bootstrap.list_jobs().list(user_id, read_job_query(incoming.query(http.event)))
    return json_answer(200, page_view(page, bootstrap.job_view(), bootstrap.clock()))


@http.route(operations.GET_JOB)
def get_job(job_id: str) -> Answered:
    """All that is known of a job."""
    from lib.api.detail_views import details_view  # noqa: PLC0415 - lists and cancels need none of the rows

    found = bootstrap.job_details().details(job_id, user_id=_whose(http.caller()))
    return json_answer(200, details_view(found, bootstrap.job_view(), bootstrap.clock()))


@http.route(operations.GET_TIMELINE)
def get_timeline(job_id: str) -> Answered:
    """The steps of the work on a job."""
    from lib.api.detail_views import step_view  # noqa: PLC0415 - as above

    steps = bootstrap.job_details().timeline(job_id, user_id=_whose(http.caller()))
    return json_answer(200, whole_list_view([step_view(step) for step in steps]))


@http.route(operations.GET_ELEMENTS)
def get_elements(job_id: str) -> Answered:
    """What a composed job is made of."""
    from lib.api.detail_views import element_view  # noqa: PLC0415 - as above

    elements = bootstrap.job_details().elements(job_id, user_id=_whose(http.caller()))
    return json_answer(200, whole_list_view([element_view(element) for element in elements]))


@http.route(operations.GET_STORAGE)
def get_storage(job_id: str) -> Answered:
    """A page of what was moved for a job."""
    from lib.api.detail_queries import read_storage_query  # noqa: PLC0415 - as above
    from lib.api.detail_views import storage_page_view  # noqa: PLC0415 - as above

    caller = http.caller()
    wanted = read_storage_query(incoming.query(http.event))
    page = bootstrap.job_details().storage(job_id, wanted, user_id=_whose(caller))
    return json_answer(200, storage_page_view(page, wanted))


@http.route(operations.FIND_JOB)
def find_job(provider: str, provider_job_id: str) -> Answered:
    """How the caller's job stands that its provider knows by this id."""
    wanted = unquote(provider_job_id).replace("~", "/")
    job = bootstrap.gateway().check_generation_status(http.caller(), provider, wanted)
    return json_answer(200, bootstrap.job_view()(job, None, bootstrap.clock()))


@http.route(operations.CANCEL_JOB)
def cancel_job(job_id: str) -> Answered:
    """Cancel the caller's job, or ask its provider to."""
    caller = http.caller()
    wanted = parse_job_id(job_id)
    if wanted is None:
        raise NotFoundError(f"there is no job {job_id[:100]!r}: a job id is a UUID of 36 characters")
    job = bootstrap.gateway().cancel_generation(caller, wanted)
    return json_answer(cancel_status(job), bootstrap.job_view()(job, None, bootstrap.clock()))


@http.route(operations.GET_MEDIA)
def get_media(output_id: str) -> Answered:
    """Send the caller to what was made."""
    from lib.api.detail_queries import read_media_query  # noqa: PLC0415 - as above
    from lib.services.read_media import Reading  # noqa: PLC0415 - as above

    caller = http.caller()
    thumbnail = read_media_query(incoming.query(http.event))
    wanted = Reading(output_id, thumbnail, incoming.origin(http.event), current_request_id())
    address = bootstrap.read_media().address(caller, wanted)
    return Response(302, headers={"Location": address, "Cache-Control": "no-store"}, body="")


def handler(event: incoming.Event, context: Any) -> dict[str, Any]:
    """The Lambda function."""
    return http(event, context)


def _whose(caller: Caller) -> str | None:
    """Whose jobs the caller may see; None for everybody's, where the record agrees."""
    return None if caller.is_admin else caller.user_id
