"""A user's jobs, page by page, out of the real record."""

from datetime import UTC, datetime, timedelta

import pytest

from lib.domain.cursor import decode_time_and_id
from lib.domain.errors import InvalidError
from lib.services.list_jobs import JobQuery, ListJobs
from lib.stores.postgres.record import PostgresRecord
from tests.fakes.jobs import new_job

START = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)


def add_jobs(record: PostgresRecord, count: int, user_id: str = "u1", media_type: str = "image") -> list[str]:
    """Jobs a millisecond apart, but the last two at the same moment; their ids, newest first."""
    ids = []
    for index in range(count):
        at = START + timedelta(milliseconds=min(index, count - 2))
        job = new_job(at, user_id, media_type=media_type)
        record.create_job(job, at)
        ids.append((at, job.job_id))
    return [job_id for _, job_id in sorted(ids, reverse=True)]


def test_pages_by_number_and_by_cursor_show_the_same_jobs_once(record: PostgresRecord) -> None:
    ids = add_jobs(record, 7)
    service = ListJobs(record)
    by_number = [
        job.job_id for page in (1, 2, 3) for job in service.list("u1", JobQuery(limit=3, page=page)).jobs
    ]
    by_cursor: list[str] = []
    cursor = None
    for _ in range(3):
        page = service.list("u1", JobQuery(limit=3, cursor=cursor))
        by_cursor += [job.job_id for job in page.jobs]
        cursor = page.next_cursor
    assert by_number == by_cursor == ids
    assert cursor is None


def test_a_page_says_where_it_is(record: PostgresRecord) -> None:
    add_jobs(record, 5)
    page = ListJobs(record).list("u1", JobQuery(limit=2, page=2))
    assert (page.total, page.total_pages, page.has_next, page.has_prev) == (5, 3, True, True)
    last = ListJobs(record).list("u1", JobQuery(limit=2, page=3))
    assert (last.has_next, last.next_cursor, len(last.jobs)) == (False, None, 1)


def test_another_users_jobs_are_never_shown(record: PostgresRecord) -> None:
    add_jobs(record, 2, user_id="u2")
    page = ListJobs(record).list("u1", JobQuery())
    assert (list(page.jobs), page.total, page.total_pages) == ([], 0, 0)


def test_filters_narrow_list_and_total(record: PostgresRecord) -> None:
    add_jobs(record, 2)
    videos = add_jobs(record, 3, media_type="video")
    page = ListJobs(record).list("u1", JobQuery(media_type="video", status="pending"))
    assert ([job.job_id for job in page.jobs], page.total) == (videos, 3)
    assert ListJobs(record).list("u1", JobQuery(status="completed")).total == 0


@pytest.mark.parametrize(
    ("query", "paths"),
    [
        (JobQuery(status="done"), ["status"]),
        (JobQuery(media_type="hologram", limit=0), ["mediaType", "limit"]),
        (JobQuery(limit=101), ["limit"]),
        (JobQuery(page=0), ["page"]),
        (JobQuery(limit=100, page=101), ["page"]),
        (JobQuery(page=1, cursor="x"), ["cursor"]),
    ],
)
def test_wrong_queries_are_refused_with_all_their_faults(
    record: PostgresRecord, query: JobQuery, paths: list[str]
) -> None:
    with pytest.raises(InvalidError) as caught:
        ListJobs(record).list("u1", query)
    assert [error.path for error in caught.value.errors] == paths


@pytest.mark.parametrize(
    "cursor",
    ["x", "!!!!", "WyJhIl0", "bnVsbA", "WyIyMDI2IiwgIngiXQ", "W10", "ü", "A" * 5000, "WzEsMl0", "e30"],
)
def test_a_cursor_that_we_did_not_give_out_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidError) as caught:
        decode_time_and_id(cursor)
    assert [error.path for error in caught.value.errors] == ["cursor"]
