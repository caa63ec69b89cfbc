"""What the gateway asks of a large record is found by indexes: no question reads a whole table."""

import pytest

from benchmarks.record import measure as measuring
from benchmarks.record.explained import scans
from benchmarks.record.generator import fill
from benchmarks.record.writers import clock
from local.backing import RecordDatabase

JOBS = 30_000


@pytest.fixture
def many_jobs(empty_record: RecordDatabase) -> RecordDatabase:
    """A record whose whole tables are worth not reading."""
    fill(empty_record.superuser_url, JOBS, clock())
    return empty_record


def test_no_question_of_the_gateway_reads_a_whole_table(many_jobs: RecordDatabase) -> None:
    with measuring.Asked(many_jobs, JOBS) as asked:
        before = asked.worker.sequential_scans()
        asked.everything(runs=2)
        after = asked.worker.sequential_scans()
    assert after == before
    for name, explained in asked.found.items():
        assert not [line for line in explained.plan if line.startswith("Seq Scan")], name


def test_every_question_uses_the_index_that_was_made_for_it(many_jobs: RecordDatabase) -> None:
    expected = {
        "job by id": "jobs_pkey",
        "job by provider id": "attempts_by_provider_job",
        "a user's first page": "jobs_by_user",
        "a user's page at row 10,000": "jobs_by_user",
        "active jobs, 50": "jobs_due",
        f"due jobs, {measuring.DUE}": "jobs_due",
        "record a submit": "jobs_pkey",
        "status: generating": "jobs_pkey",
        "status: storing": "jobs_pkey",
        "status: completed": "jobs_pkey",
    }
    with measuring.Asked(many_jobs, JOBS, look=True) as asked:
        asked.everything(runs=1)
    used = {name: explained.indexes for name, explained in asked.found.items()}
    assert {name: index for name, index in expected.items() if index not in used[name]} == {}


def test_a_plan_with_a_whole_table_is_told_as_such() -> None:
    plan = {"Node Type": "Limit", "Plans": [{"Node Type": "Seq Scan", "Relation Name": "jobs"}]}
    assert scans(plan) == ["Seq Scan (jobs)"]
