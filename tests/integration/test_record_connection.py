"""The connection to the record over a real Postgres that is killed, frozen, full, or in a bad mood."""

import queue
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from lib.domain.errors import RecordUnavailableError
from lib.stores.postgres.connection import RecordConnection
from lib.stores.postgres.sessions import RETRIES_OF_TRANSIENT
from local.backing import Postgres

PID = "select pg_backend_pid()"
COUNT = "select nextval('runs')"
HANGS_THE_FIRST_TIME = "select case when nextval('runs') = 1 then pg_sleep(60) end"
HANGING = "select pid from pg_stat_activity where wait_event = 'PgSleep'"
FLAKY = """
create function fails(times int, code text) returns text language plpgsql as $$
begin
    if nextval('runs') <= times then raise exception 'not now' using errcode = code; end if;
    return 'done';
end $$
"""
CONNECT_SECONDS, STATEMENT_SECONDS, SLACK_SECONDS = 10.0, 10.0, 5.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A Postgres that these tests may maltreat."""
    with Postgres(tmp_path_factory.mktemp("maltreated") / "data") as postgres:
        yield postgres


@pytest.fixture
def operator(server: Postgres) -> Iterator[psycopg.Connection]:
    """A connection beside; `runs` counts from one, also what is undone."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        # what a client gave up on runs on in the server, and would hold the sequence
        for row in connection.execute(HANGING).fetchall():
            connection.execute("select pg_terminate_backend(%s, 5000)", row)
        connection.execute("drop sequence if exists runs cascade; create sequence runs")
        connection.execute("grant usage on sequence runs to public")
        yield connection


@pytest.fixture
def make(server: Postgres) -> Iterator[Callable[..., RecordConnection]]:
    """Makes connections to the record, as any user, and closes them."""
    made: list[RecordConnection] = []

    def connection(user: str = "postgres", **limits: float) -> RecordConnection:
        url = server.url.replace("postgres@", f"{user}:hidden@")
        given: dict[str, Any] = {
            "connect_seconds": CONNECT_SECONDS,
            "statement_seconds": STATEMENT_SECONDS,
            **limits,
        }
        made.append(RecordConnection(lambda: url, **given))
        return made[-1]

    yield connection
    for each in made:
        each.close()


@pytest.fixture
def record(make: Callable[..., RecordConnection]) -> RecordConnection:
    return make()


@pytest.fixture
def thread() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


def kill_when_hanging(operator: psycopg.Connection, waiting: "Future[Any]") -> None:
    """Wait until the statement is in the server, and kill its process there."""
    while not (found := operator.execute(HANGING).fetchall()):
        assert not waiting.done()
    operator.execute("select pg_terminate_backend(%s)", found[0])


def times_run(operator: psycopg.Connection) -> int:
    row = operator.execute(COUNT).fetchone()
    assert row is not None
    return int(row[0]) - 1


def a_user(operator: psycopg.Connection, name: str, rest: str = "") -> str:
    operator.execute(f"drop role if exists {name}")
    operator.execute(f"create role {name} login {rest}")
    return name


def test_all_statements_go_over_one_connection(record: RecordConnection) -> None:
    assert record.fetch(PID) == record.fetch(PID)


def test_a_connection_that_was_killed_while_idle_is_made_anew_and_the_statement_repeated(
    record: RecordConnection, operator: psycopg.Connection
) -> None:
    (pid,) = record.fetch(PID)[0]
    operator.execute("select pg_terminate_backend(%s, 5000)", (pid,))
    assert record.fetch("select pg_backend_pid(), nextval('runs')")[0][1] == 1
    assert record.fetch(PID) != [(pid,)]


def test_a_statement_that_was_killed_is_run_again_once(
    record: RecordConnection, operator: psycopg.Connection, thread: ThreadPoolExecutor
) -> None:
    record.fetch(PID)
    waiting = thread.submit(record.fetch, HANGS_THE_FIRST_TIME)
    kill_when_hanging(operator, waiting)
    assert len(waiting.result()) == 1
    assert times_run(operator) == 2


def test_a_statement_that_may_not_be_repeated_is_not_and_the_next_finds_a_connection(
    record: RecordConnection, operator: psycopg.Connection, thread: ThreadPoolExecutor
) -> None:
    record.fetch(PID)
    waiting = thread.submit(record.fetch, HANGS_THE_FIRST_TIME, repeat=False)
    kill_when_hanging(operator, waiting)
    with pytest.raises(RecordUnavailableError):
        waiting.result()
    assert times_run(operator) == 1
    assert record.fetch(PID)


def test_a_statement_that_takes_too_long_is_given_up_and_not_repeated(
    make: Callable[..., RecordConnection], operator: psycopg.Connection
) -> None:
    record = make(statement_seconds=0.3)
    record.fetch(PID)
    start = time.monotonic()
    with pytest.raises(RecordUnavailableError):
        record.fetch(HANGS_THE_FIRST_TIME)
    assert time.monotonic() - start < 0.3 + SLACK_SECONDS
    assert times_run(operator) == 1
    assert record.fetch(PID)


def test_a_frozen_server_costs_its_limits_and_is_used_again_when_it_thaws(
    make: Callable[..., RecordConnection], server: Postgres
) -> None:
    record = make(connect_seconds=1.0, statement_seconds=0.6)
    record.fetch(PID)
    server.freeze()
    try:
        for limit in (0.6, 1.0):  # over the old connection, then trying to make another
            start = time.monotonic()
            with pytest.raises(RecordUnavailableError):
                record.fetch(PID)
            assert limit <= time.monotonic() - start < limit + SLACK_SECONDS
    finally:
        server.thaw()
    assert record.fetch(PID)


def test_a_server_that_is_stopped_is_said_to_be_away_and_found_again(
    record: RecordConnection, server: Postgres
) -> None:
    record.fetch(PID)
    server.kill()
    try:
        for _ in range(2):
            with pytest.raises(RecordUnavailableError):
                record.fetch(PID)
    finally:
        server.start()
    assert record.fetch(PID)


def test_a_server_that_restarted_between_two_statements_goes_unnoticed(
    record: RecordConnection, server: Postgres
) -> None:
    record.fetch(PID)
    server.stop()
    server.start()
    assert record.fetch(PID)


def test_a_server_without_a_free_connection_is_away_until_there_is_one(
    make: Callable[..., RecordConnection], operator: psycopg.Connection
) -> None:
    user = a_user(operator, "crowded", "connection limit 1")
    first, second = make(user), make(user)
    first.fetch(PID)
    with pytest.raises(RecordUnavailableError):
        second.fetch(PID)
    (pid,) = first.fetch(PID)[0]
    first.close()
    operator.execute("select pg_terminate_backend(%s, 5000)", (pid,))
    assert second.fetch(PID)


def test_a_read_only_server_is_away_and_is_left_for_a_new_connection(
    make: Callable[..., RecordConnection], operator: psycopg.Connection
) -> None:
    """As after a failover: the old primary still takes connections."""
    user = a_user(operator, "reader")
    operator.execute("alter role reader set default_transaction_read_only = on")
    record = make(user)
    with pytest.raises(RecordUnavailableError, match="ReadOnly"):
        record.fetch(COUNT)
    operator.execute("alter role reader reset default_transaction_read_only")
    assert record.fetch(COUNT) == [(1,)]


@pytest.mark.parametrize("code", ["40001", "40P01"], ids=["serialization", "deadlock"])
def test_a_statement_that_lost_against_another_is_run_again(
    record: RecordConnection, operator: psycopg.Connection, code: str
) -> None:
    operator.execute("drop function if exists fails")
    operator.execute(FLAKY)
    assert record.fetch("select fails(%s, %s)", (RETRIES_OF_TRANSIENT - 1, code)) == [("done",)]
    assert times_run(operator) == RETRIES_OF_TRANSIENT


@pytest.mark.parametrize("repeat", [True, False])
def test_a_statement_that_always_loses_is_given_up(
    record: RecordConnection, operator: psycopg.Connection, *, repeat: bool
) -> None:
    operator.execute("drop function if exists fails")
    operator.execute(FLAKY)
    pid = record.fetch(PID)
    with pytest.raises(RecordUnavailableError, match="DeadlockDetected"):
        record.fetch("select fails(1000, '40P01')", repeat=repeat)
    assert times_run(operator) == RETRIES_OF_TRANSIENT
    assert record.fetch(PID) == pid, "the connection was good"


def test_a_fault_of_our_own_is_no_outage(record: RecordConnection) -> None:
    with pytest.raises(psycopg.errors.UndefinedColumn):
        record.fetch("select nothing_of_that_name")
    assert record.fetch(PID)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1:9/none",
        "127.0.0.1:1/none?connect_timeout=1",
        "no-such-host.invalid/none",
        "127.0.0.1:notaport/none",
    ],
)
def test_an_outage_is_told_without_address_user_and_password(address: str) -> None:
    record = RecordConnection(lambda: f"postgresql://owner:hidden@{address}", connect_seconds=5)
    with pytest.raises(RecordUnavailableError) as caught:
        record.fetch(PID)
    assert caught.value.retry_after_seconds
    for word in ("owner", "hidden", "127.0.0.1", "invalid", "none"):
        assert word not in str(caught.value)


def test_the_address_is_asked_for_again_with_each_new_connection(server: Postgres) -> None:
    addresses = iter(["postgresql://127.0.0.1:9/moved-away", server.url])
    record = RecordConnection(lambda: next(addresses))
    with pytest.raises(RecordUnavailableError):
        record.fetch(PID)
    assert record.fetch(PID)
    record.close()


def test_threads_get_their_own_answers_while_connections_die(
    record: RecordConnection, operator: psycopg.Connection
) -> None:
    answered: queue.SimpleQueue[int] = queue.SimpleQueue()

    def ask(name: int) -> None:
        for number in range(50):
            ((got, counted, pid),) = record.fetch("select %s::int, %s::int, pg_backend_pid()", (name, number))
            assert (got, counted) == (name, number)
            answered.put(pid)

    record.fetch(PID)
    with ThreadPoolExecutor(4) as threads:
        asking = [threads.submit(ask, name) for name in range(4)]
        for _ in range(4):
            pid = [answered.get(timeout=10) for _ in range(20)][-1]
            operator.execute("select pg_terminate_backend(%s)", (pid,))
        for each in asking:
            each.result()


def test_statements_are_not_prepared_so_that_pools_of_connections_can_be_used(
    record: RecordConnection,
) -> None:
    for _ in range(20):
        record.fetch("select %s::int", (1,))
    assert record.fetch("select count(*) from pg_prepared_statements") == [(0,)]


def test_a_closed_connection_is_made_anew(record: RecordConnection) -> None:
    record.fetch(PID)
    record.close()
    assert record.fetch(PID)
