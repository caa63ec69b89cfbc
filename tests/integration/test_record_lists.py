"""Lists of jobs in the record: newest first, page by page, without gap or double."""

from datetime import timedelta

from lib.domain.ids import uuid7
from lib.ports.record import JobFilter
from lib.services.list_jobs import JobQuery, ListJobs
from lib.stores.postgres.record import PostgresRecord
from tests.integration.record_calls import NOW, at, create, new_job


def test_the_list_is_newest_first_and_its_cursor_goes_on_where_it_ended(record: PostgresRecord) -> None:
    made = []
    for second in range(5):
        job = new_job(job_id=str(uuid7(at(second))))
        record.create_job(job, at(second))
        made.append(job.job_id)
    first = record.list_jobs(JobFilter("alice", limit=2))
    assert [job.job_id for job in first] == [made[4], made[3], made[2]]
    rest = record.list_jobs(JobFilter("alice", limit=3, before=(at(3), made[3])))
    assert [job.job_id for job in rest] == [made[2], made[1], made[0]]
    assert record.list_jobs(JobFilter("bob")) == []
    assert record.list_jobs(JobFilter("alice", status="completed")) == []


def test_jobs_of_one_millisecond_are_all_listed_page_by_page(record: PostgresRecord) -> None:
    made = {create(record, job_id=str(uuid7(NOW))) for _ in range(2)}
    for microseconds in (100, 200, 900):
        job = new_job(job_id=str(uuid7(NOW)))
        record.create_job(job, NOW + timedelta(microseconds=microseconds))
        made.add(job.job_id)
    jobs, query, listed = ListJobs(record), JobQuery(limit=1), set[str]()
    while True:
        page = jobs.list("alice", query)
        listed |= {job.job_id for job in page.jobs}
        if page.next_cursor is None:
            break
        query = JobQuery(limit=1, cursor=page.next_cursor)
    assert listed == made
