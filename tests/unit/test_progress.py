"""Progress is a hint: it never falls within an attempt, and it never fails a request."""

from datetime import UTC, datetime

import pytest

from lib.domain.progress import Progress, merge_progress, percent_of
from lib.services.progress import ProgressStore
from tests.fakes.cache import FakeCache
from tests.fakes.snapshots import completed, snapshot

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
JOB = "0196888a-1111-7000-8000-000000000001"


def _store(cache: FakeCache) -> tuple[ProgressStore, list[str]]:
    outages: list[str] = []
    return ProgressStore(cache, on_outage=outages.append), outages


def test_what_the_provider_said_last_is_read_back() -> None:
    store, _ = _store(FakeCache())
    store.record(JOB, 1, 0.25, NOW)
    store.record(JOB, 1, 0.5, NOW)
    assert store.read(JOB, NOW) == Progress(1, 50, NOW)


def test_a_late_word_does_not_turn_progress_back() -> None:
    store, _ = _store(FakeCache())
    store.record(JOB, 1, 0.5, NOW)
    store.record(JOB, 1, 0.25, NOW)
    assert store.read(JOB, NOW) == Progress(1, 50, NOW)


def test_a_new_attempt_begins_anew_and_the_old_one_is_heard_no_more() -> None:
    store, _ = _store(FakeCache())
    store.record(JOB, 1, 0.9, NOW)
    store.record(JOB, 2, 0.1, NOW)
    store.record(JOB, 1, 0.95, NOW)
    assert store.read(JOB, NOW) == Progress(2, 10, NOW)


def test_with_the_cache_away_there_is_no_progress_and_no_failure() -> None:
    cache = FakeCache("redis")
    cache.down = True
    store, outages = _store(cache)
    store.record(JOB, 1, 0.5, NOW)
    assert store.read(JOB, NOW) is None
    assert outages == ["redis", "redis"]


@pytest.mark.parametrize(("fraction", "percent"), [(-1, 0), (0, 0), (0.299, 29), (1, 99), (7, 99)])
def test_only_a_completed_job_shows_a_hundred_percent(fraction: float, percent: int) -> None:
    assert percent_of(fraction) == percent


def test_progress_is_merged_into_a_running_job_of_the_same_attempt() -> None:
    job = snapshot(JOB, status="processing", step="generating")
    assert merge_progress(job, Progress(1, 40, NOW)) == {**job.data, "progress": 40}
    assert merge_progress(job, Progress(2, 40, NOW))["progress"] is None
    assert merge_progress(job, None)["progress"] is None


def test_a_final_job_shows_its_end_and_not_its_last_progress() -> None:
    assert merge_progress(completed(JOB), Progress(1, 40, NOW))["progress"] == 100
    failed = snapshot(JOB, status="failed")
    assert merge_progress(failed, Progress(1, 40, NOW))["progress"] is None
