"""A user's jobs, page by page: pages by number as far as 10,000 rows, by cursor as far as you like."""

from collections.abc import Sequence
from dataclasses import dataclass

from lib.domain.cursor import decode_time_and_id, encode_time_and_id
from lib.domain.errors import FieldError, InvalidError
from lib.domain.job import JobStatus
from lib.domain.media_type import MediaType
from lib.domain.page import LARGEST_PAGE
from lib.domain.snapshot import JobSnapshot, parse_time
from lib.ports.record import JobFilter, JobRecord

DEEPEST_ROW = 10_000


@dataclass(frozen=True)
class JobQuery:
    """What to list; a cursor and a page number exclude each other."""

    status: str | None = None
    media_type: str | None = None
    limit: int = 20
    page: int | None = None
    cursor: str | None = None


@dataclass(frozen=True)
class JobPage:
    """One page, newest first; `total` is counted to 10,000, `page` is None where a cursor was given."""

    jobs: Sequence[JobSnapshot]
    limit: int
    page: int | None
    total: int
    has_next: bool
    has_prev: bool
    next_cursor: str | None

    @property
    def total_pages(self) -> int:
        """How many pages `total` fills."""
        return -(-self.total // self.limit)


@dataclass(frozen=True)
class ListJobs:
    """The use case of `GET /jobs`."""

    record: JobRecord

    def list(self, user_id: str, query: JobQuery) -> JobPage:
        """One page of the user's jobs.

        Raises:
            InvalidError: every wrong parameter at once.
            RecordUnavailableError: the record is away.
        """
        _check(query)
        page = None if query.cursor else query.page or 1
        wanted = JobFilter(
            user_id=user_id,
            status=query.status,
            media_type=query.media_type,
            before=decode_time_and_id(query.cursor) if query.cursor else None,
            offset=(page - 1) * query.limit if page else 0,
            limit=query.limit,
        )
        rows = self.record.list_jobs(wanted)
        jobs, has_next = rows[: query.limit], len(rows) > query.limit
        return JobPage(
            jobs=jobs,
            limit=query.limit,
            page=page,
            total=self.record.count_jobs(wanted, DEEPEST_ROW),
            has_next=has_next,
            has_prev=page is None or page > 1,
            next_cursor=_after(jobs[-1]) if has_next else None,
        )


def _after(last: JobSnapshot) -> str:
    return encode_time_and_id(parse_time(last.data["createdAt"]), last.job_id)


def _check(query: JobQuery) -> None:
    errors = []
    if query.status is not None and query.status not in [*JobStatus]:
        errors.append(FieldError("status", f"must be one of {', '.join(JobStatus)}"))
    if query.media_type is not None and query.media_type not in [*MediaType]:
        errors.append(FieldError("mediaType", f"must be one of {', '.join(MediaType)}"))
    if not 1 <= query.limit <= LARGEST_PAGE:
        errors.append(FieldError("limit", f"must be 1 to {LARGEST_PAGE}"))
    elif query.page is not None and not 1 <= query.page <= DEEPEST_ROW // query.limit:
        deepest = DEEPEST_ROW // query.limit
        errors.append(FieldError("page", f"must be 1 to {deepest}; a cursor goes deeper"))
    if query.cursor is not None and query.page is not None:
        errors.append(FieldError("cursor", "cannot be combined with page"))
    if errors:
        raise InvalidError("the query is wrong", errors=errors)
