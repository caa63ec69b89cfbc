"""Reports for operators: their ranges, how long they are kept, and for whom."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lib.domain.actor import Actor
from lib.domain.errors import InvalidError, RecordUnavailableError
from lib.domain.snapshot import format_time
from lib.domain.time_range import TimeRange
from lib.ports.actor import acting_as
from lib.services.analytics import Analytics
from lib.services.query_cache import QueryCache
from lib.stores.postgres.connection import RecordConnection
from lib.stores.postgres.repositories.analytics import PostgresAnalytics
from local.backing import RecordDatabase
from tests.integration.by_hand import day, made_in
from tests.integration.conftest import FILLED_DAYS, Raw
from tests.integration.filled_record import ADMIN

NOW = datetime.now(UTC)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def epoch(self) -> float:
        return self.now.timestamp()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def analytics(filled: RecordDatabase, clock: Clock) -> Iterator[Analytics]:
    connection = RecordConnection(lambda: filled.api_url)
    cache = QueryCache(clock=clock.epoch)
    yield Analytics(PostgresAnalytics(connection), cache, clock)
    connection.close()


def test_reports_are_json_with_their_range(analytics: Analytics, raw: Raw) -> None:
    with acting_as(Actor.user(ADMIN)):
        report = analytics.processing()
    end = NOW.replace(second=0, microsecond=0) + timedelta(minutes=1)
    assert report["from"] == format_time(end - timedelta(hours=24))
    assert report["to"] == format_time(end)
    made = made_in(raw["jobs"], TimeRange(end - timedelta(hours=24), end))
    assert sum(model["jobs"] for model in report["models"]) == len(made)
    assert {"modelId", "p95Seconds", "completedPerHour", "successRate"} <= report["models"][0].keys()
    assert {"modelId", "step", "p99Seconds", "succeededPerHour"} <= report["steps"][0].keys()


def test_the_days_of_a_report_are_thirty_unless_told_otherwise(analytics: Analytics, raw: Raw) -> None:
    today = day(NOW)
    with acting_as(Actor.user(ADMIN)):
        report = analytics.daily()
        longer = analytics.daily(str(today - timedelta(days=FILLED_DAYS + 5)), str(today))
    made = {day(job["created_at"]) for job in raw["jobs"] if day(job["created_at"]) <= today}
    assert report["from"] == str(today - timedelta(days=29))
    assert report["to"] == str(today)
    assert {row["day"] for row in report["days"]} == {
        str(each) for each in made if each > today - timedelta(days=30)
    }
    assert {row["day"] for row in longer["days"]} == {str(each) for each in made}
    assert len(made) >= FILLED_DAYS


def test_one_model_alone_can_be_asked_for(analytics: Analytics) -> None:
    with acting_as(Actor.user(ADMIN)):
        report = analytics.processing(model_id="model-2")
        none = analytics.processing(model_id="'; drop table jobs; --")
    assert {row["modelId"] for row in [*report["models"], *report["steps"]]} == {"model-2"}
    assert none["models"] == none["steps"] == []


class Broken:
    """A record that is away."""

    def __getattr__(self, name: str) -> Any:
        raise RecordUnavailableError("it is away")


def test_an_answer_is_kept_for_a_while_and_for_its_actor_alone(analytics: Analytics, clock: Clock) -> None:
    with acting_as(Actor.user(ADMIN)):
        first = analytics.system()
    away = Analytics(Broken(), analytics.cache, clock)
    with acting_as(Actor.user(ADMIN)):
        assert away.system() == first
    with acting_as(Actor.user("user-3")), pytest.raises(RecordUnavailableError):
        away.system()
    clock.now += timedelta(seconds=11)
    with acting_as(Actor.user(ADMIN)), pytest.raises(RecordUnavailableError):
        away.system()


def test_a_report_is_kept_for_as_long_as_the_cache_keeps_things(analytics: Analytics, clock: Clock) -> None:
    cache = QueryCache(clock=clock.epoch, ttl_seconds=100)
    wanted = (format_time(NOW - timedelta(days=2)), format_time(NOW - timedelta(days=1)))
    with acting_as(Actor.user(ADMIN)):
        first = Analytics(analytics.queries, cache, clock).storage(*wanted)
        away = Analytics(Broken(), cache, clock)
        clock.now += timedelta(seconds=99)
        assert away.storage(*wanted) == first
        clock.now += timedelta(seconds=2)
        with pytest.raises(RecordUnavailableError):
            away.storage(*wanted)


@pytest.mark.parametrize(
    ("from_", "to", "path", "words"),
    [
        ("yesterday", None, "from", "ISO 8601"),
        (None, "2026-13-01T00:00:00Z", "to", "ISO 8601"),
        ("2026-11-20T12:00:00", None, "from", "ISO 8601"),  # of which time zone?
        ("2026-11-20T12:00:00Z", "2026-11-20T12:00:00Z", "from", "before to"),
        ("2026-11-21T12:00:00Z", "2026-11-20T12:00:00Z", "from", "before to"),
        ("2026-01-01T00:00:00Z", "2026-04-04T00:00:00Z", "from", "92 days"),
        ("0001-01-01T00:00:00+14:00", None, "from", "ISO 8601"),
        ("9999-12-31T23:59:59-14:00", None, "from", "ISO 8601"),
        ("2026-11-20T12:00:00Z" + "0" * 100_000, None, "from", "ISO 8601"),
        ("'; drop table jobs; --", None, "from", "ISO 8601"),
        ("\x00", None, "from", "ISO 8601"),
        ("\ud800", None, "from", "ISO 8601"),
        ("", None, "from", "ISO 8601"),
    ],
)
def test_a_wrong_range_is_refused_with_its_path(
    analytics: Analytics, from_: str | None, to: str | None, path: str, words: str
) -> None:
    for report in (analytics.processing, analytics.storage):
        with pytest.raises(InvalidError) as refused:
            report(from_, to)
        assert [error.path for error in refused.value.errors] == [path]
        assert words in refused.value.errors[0].message


@pytest.mark.parametrize(
    ("from_", "to", "path"),
    [
        ("2026-11-20T12:00:00Z", None, "from"),
        (None, "20th", "to"),
        ("2026-11-21", "2026-11-20", "from"),
        ("2026-01-01", "2026-04-03", "from"),
        ("0000-01-01", None, "from"),
    ],
)
def test_a_wrong_range_of_days_is_refused_with_its_path(
    analytics: Analytics, from_: str | None, to: str | None, path: str
) -> None:
    with pytest.raises(InvalidError) as refused:
        analytics.daily(from_, to)
    assert [error.path for error in refused.value.errors] == [path]


def test_a_range_of_exactly_92_days_is_allowed(analytics: Analytics) -> None:
    with acting_as(Actor.user(ADMIN)):
        assert analytics.storage("2026-01-01T00:00:00Z", "2026-04-03T00:00:00Z")["operations"] == []
        assert analytics.daily("2026-01-01", "2026-04-02")["days"] == []


def test_a_model_id_of_absurd_length_is_refused(analytics: Analytics) -> None:
    for model_id in ("", "m" * 201):
        with pytest.raises(InvalidError, match="modelId"):
            analytics.processing(model_id=model_id)
