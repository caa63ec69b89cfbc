"""Slow statements are logged with their plan, without their parameters, and without costing the next one."""

import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from lib.domain.errors import InvalidError
from lib.stores.postgres import slow_statements
from lib.stores.postgres.connection import RecordConnection
from lib.stores.postgres.slow_queries import PLAN_EVERY_SECONDS, SlowQueryLog, slow_query_log
from lib.stores.postgres.slow_statements import OnSlow
from tests.integration.counting_proxy import CountingProxy

SLOW = "select count(*), pg_sleep(0.06) from jobs where user_id = %s and %s::int > 0"
PARAMS = ("secret-user-4711", 987654)
QUICK = "select 1"
FAILING = "select 1 / case when pg_sleep(0.06) is null then 1 else 0 end"


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def connect(worker_url: str) -> Iterator[Callable[..., RecordConnection]]:
    """Makes connections with a hook, and closes them."""
    made: list[RecordConnection] = []

    def connection(on_slow: OnSlow | None, url: str = worker_url) -> RecordConnection:
        made.append(RecordConnection(lambda: url, on_slow=on_slow))
        made[-1].fetch(QUICK)
        return made[-1]

    yield connection
    for each in made:
        each.close()


@pytest.fixture
def record(connect: Callable[..., RecordConnection], clock: Clock) -> RecordConnection:
    return connect(SlowQueryLog(50, monotonic=clock))


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Callable[[], list[Any]]:
    """The slow statements in the log so far."""
    caplog.set_level(logging.WARNING)
    return lambda: [line for line in caplog.records if getattr(line, "event", "") == "slow_statement"]


def test_a_slow_statement_is_logged_with_its_time_and_plan_and_no_parameter(
    record: RecordConnection, logged: Callable[[], list[Any]]
) -> None:
    record.fetch(SLOW, PARAMS)
    (line,) = logged()
    assert line.statement == SLOW
    assert 60 <= line.durationMs < 5000
    assert "jobs" in line.plan
    assert "$1" in line.plan
    assert not [value for value in PARAMS if str(value) in str(vars(line))]


def test_a_quick_one_is_not(record: RecordConnection, logged: Callable[[], list[Any]]) -> None:
    record.fetch(QUICK)
    assert logged() == []


def test_the_plan_is_asked_for_once_in_ten_minutes_for_each_statement(
    record: RecordConnection, logged: Callable[[], list[Any]], clock: Clock
) -> None:
    for _ in range(2):
        record.fetch(SLOW, PARAMS)
    record.fetch("select pg_sleep(0.06)")
    clock.seconds = PLAN_EVERY_SECONDS
    record.fetch(SLOW, PARAMS)
    assert [line.plan is not None for line in logged()] == [True, False, True, True]


def test_a_statement_that_failed_is_logged_and_its_error_is_what_is_raised(
    record: RecordConnection, logged: Callable[[], list[Any]]
) -> None:
    with pytest.raises(InvalidError):
        record.fetch(FAILING)
    assert [line.statement for line in logged()] == [FAILING]
    assert record.fetch(QUICK)


def test_a_statement_that_cannot_be_explained_is_logged_without_a_plan(
    record: RecordConnection, logged: Callable[[], list[Any]]
) -> None:
    record.fetch("do $$ begin perform pg_sleep(0.06); end $$")
    assert [line.plan for line in logged()] == [None]
    assert record.fetch(QUICK)


def test_there_is_no_plan_before_postgres_16(
    record: RecordConnection, logged: Callable[[], list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow_statements, "GENERIC_PLANS_SINCE", 10**9)
    record.fetch(SLOW, PARAMS)
    assert [line.plan for line in logged()] == [None]


def test_in_a_transaction_the_plan_is_asked_for_after_its_end(
    connect: Callable[..., RecordConnection], superuser_url: str
) -> None:
    open_transactions = """
        select count(*) from pg_stat_activity
        where state like 'idle in transaction%' and backend_type = 'client backend'
    """
    seen: list[tuple[int, str | None]] = []

    class Hook:
        threshold_seconds = 0.05

        def __call__(self, statement: str, seconds: float, plan: Callable[[], str | None]) -> None:
            with psycopg.connect(superuser_url) as operator:
                row = operator.execute(open_transactions).fetchone()
            seen.append((row[0] if row else -1, plan()))

    record = connect(Hook())
    with record.transaction() as transaction:
        transaction.fetch(SLOW, PARAMS)
        assert seen == []
    assert [(count, plan is not None) for count, plan in seen] == [(0, True)]


def test_a_plan_that_has_to_wait_is_given_up(
    connect: Callable[..., RecordConnection], superuser_url: str
) -> None:
    asked: list[tuple[str | None, float]] = []

    class Hook:
        threshold_seconds = 0.05

        def __call__(self, statement: str, seconds: float, plan: Callable[[], str | None]) -> None:
            with psycopg.connect(superuser_url) as operator:
                operator.execute("lock table jobs in access exclusive mode")
                start = time.monotonic()
                asked.append((plan(), time.monotonic() - start))

    record = connect(Hook())
    record.fetch(SLOW, PARAMS)
    ((plan, waited),) = asked
    assert plan is None
    assert waited < slow_statements.PLAN_SECONDS + 0.5
    assert record.fetch(QUICK)


def test_a_quick_statement_costs_no_more_with_the_log_than_without(
    connect: Callable[..., RecordConnection], worker_url: str, clock: Clock
) -> None:
    with CountingProxy(worker_url) as proxy:
        record = connect(SlowQueryLog(5000, monotonic=clock), proxy.url)
        with proxy.round_trips() as trips:
            record.fetch(SLOW, PARAMS)
    assert trips == [1]


def test_zero_milliseconds_watch_nothing(
    connect: Callable[..., RecordConnection], logged: Callable[[], list[Any]]
) -> None:
    log = slow_query_log(500)
    assert slow_query_log(0) is None
    assert log is not None
    assert log.threshold_seconds == 0.5
    connect(slow_query_log(0)).fetch(SLOW, PARAMS)
    assert logged() == []
