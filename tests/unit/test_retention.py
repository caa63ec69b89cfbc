"""What expires when, and how the sweep removes it: in turns, within its budget, whatever one table does."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from lib.domain.errors import RecordUnavailableError
from lib.domain.retention import Expiring, RetentionPeriods, expiries
from lib.ports.journal import Journal
from lib.ports.record import JobRecord
from lib.services.retention import Retention

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NOTHING_EXPIRES = RetentionPeriods(0, 0, 0, 0, 0, 0)


class AgingRecord:
    """A record with so many expired rows in its tables; `broken` are those that cannot be tidied."""

    def __init__(self, **expired: int) -> None:
        self.expired = expired
        self.asked: list[str] = []
        self.broken: dict[str, Exception] = {}

    def remove_expired(self, what: str, before: datetime, limit: int) -> int:
        self.asked.append(what)
        if what in self.broken:
            raise self.broken[what]
        gone = min(limit, self.expired.get(what, 0))
        self.expired[what] = self.expired.get(what, 0) - gone
        return gone


class Notes:
    """A journal that remembers what it was told of rows and of failures."""

    def __init__(self) -> None:
        self.removed: list[dict[str, object]] = []
        self.failed: list[str] = []
        self.reasons: list[str] = []

    def note(self, event: str, job_id: str | None = None, **facts: object) -> None:
        assert job_id is None
        if event == "retention_failed":
            self.reasons.append(str(facts["reason"]))
        else:
            assert event == "expired_removed"
            self.removed.append(facts)

    def count(self, name: str, **dimensions: str) -> None:
        assert name == "RetentionFailed"
        self.failed.append(dimensions["table"])


def retention(record: AgingRecord, notes: Notes, batches: int = 100) -> Retention:
    return Retention(
        cast("JobRecord", record),
        cast("Journal", notes),
        RetentionPeriods(jobs_days=30),
        rows=10,
        batches=batches,
    )


def before(periods: RetentionPeriods) -> dict[Expiring, timedelta]:
    return {due.table: NOW - due.before for due in expiries(periods, NOW)}


def test_by_default_jobs_are_kept_for_ever_and_all_else_has_its_days() -> None:
    assert before(RetentionPeriods()) == {
        Expiring.IDEMPOTENCY_KEYS: timedelta(0),
        Expiring.PROVIDER_CREDENTIALS: timedelta(0),
        Expiring.PROCESSING_TIMELINE: timedelta(days=90),
        Expiring.JOB_TRANSITIONS: timedelta(days=90),
        Expiring.STORAGE_OPERATIONS: timedelta(days=90),
        Expiring.URL_ACCESS_LOGS: timedelta(days=90),
        Expiring.SYSTEM_METRICS: timedelta(days=30),
        Expiring.SECURITY_EVENTS: timedelta(days=365),
    }


def test_nought_keeps_anything_for_ever_but_keys_that_have_their_own_end() -> None:
    ends = {Expiring.IDEMPOTENCY_KEYS, Expiring.PROVIDER_CREDENTIALS}
    assert before(NOTHING_EXPIRES) == dict.fromkeys(ends, timedelta(0))


def test_every_table_that_expires_has_a_period() -> None:
    assert set(before(RetentionPeriods(jobs_days=1))) == set(Expiring)


def test_the_tables_take_turns_until_nothing_is_left() -> None:
    record, notes = AgingRecord(storage_operations=25, jobs=10, url_access_logs=3), Notes()
    removed = retention(record, notes).remove_expired(NOW)
    assert removed == {"storage_operations": 25, "jobs": 10, "url_access_logs": 3}
    assert record.asked[-4:] == ["jobs", "storage_operations", "jobs", "storage_operations"]
    assert notes.removed == [removed]


def test_what_the_budget_leaves_is_removed_by_the_next_sweep() -> None:
    record, notes = AgingRecord(job_transitions=100), Notes()
    first = retention(record, notes, batches=10).remove_expired(NOW)
    second = retention(record, notes, batches=100).remove_expired(NOW)
    assert (first, second) == ({"job_transitions": 20}, {"job_transitions": 80})


def test_nothing_is_begun_when_the_time_is_up() -> None:
    record, notes = AgingRecord(jobs=100), Notes()
    looks = iter([False, False, True])
    assert retention(record, notes).remove_expired(NOW, lambda: next(looks)) == {}
    assert len(record.asked) == 2
    assert notes.removed == []


def test_a_table_that_cannot_be_tidied_is_counted_and_holds_up_no_other() -> None:
    record, notes = AgingRecord(jobs=5), Notes()
    record.broken["processing_timeline"] = ValueError("no such function")
    assert retention(record, notes).remove_expired(NOW) == {"jobs": 5}
    assert notes.failed == ["processing_timeline"]
    assert notes.reasons == ["ValueError: no such function"]


def test_a_record_that_is_away_ends_it() -> None:
    record, notes = AgingRecord(), Notes()
    record.broken["jobs"] = RecordUnavailableError("away")
    with pytest.raises(RecordUnavailableError):
        retention(record, notes).remove_expired(NOW)


def test_those_who_keep_what_belonged_to_jobs_are_told_when_jobs_went_and_only_then() -> None:
    told: list[str] = []
    for record in (AgingRecord(jobs=5), AgingRecord(system_metrics=5)):
        tidy = replace(retention(record, Notes()), on_jobs_removed=lambda: told.append("forget"))
        tidy.remove_expired(NOW)
    assert told == ["forget"]
