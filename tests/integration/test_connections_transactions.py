"""Transactions over a server that kills, restarts, refuses and loses answers: all of them happen, or none."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import psycopg
import pytest

from lib.domain.actor import Actor
from lib.domain.errors import CommitUnknownError, ConflictError, InvalidError, RecordUnavailableError
from lib.ports.actor import acting_as
from lib.stores.postgres.connection import RecordConnection
from lib.stores.postgres.faults import LostRaceError
from lib.stores.postgres.pool import RecordPool
from lib.stores.postgres.sessions import RecordSessions
from lib.stores.postgres.transactions import Transaction
from local.backing import Postgres
from tests.integration.counting_proxy import CountingProxy

PID = "select pg_backend_pid()"
PUT = "insert into things (name, number) values (%s, %s)"
WHO = "select current_setting('vsl.user_id', true)"
SCHEMA = """
drop table if exists things; drop sequence if exists runs cascade; create sequence runs;
create table things (name text primary key, number int not null check (number >= 0));
create or replace function act_as(text, text, text) returns boolean language sql as
    $$ select set_config('vsl.user_id', coalesce($1, ''), true) is not null $$;
create or replace function fails(times int, code text) returns text language plpgsql as $$
begin
    if nextval('runs') <= times then raise exception 'not now' using errcode = code; end if;
    return 'done';
end $$;
create or replace function fails_once() returns trigger language plpgsql as
    $$ begin perform fails(1, '40001'); return null; end $$;
alter role postgres set deadlock_timeout = '20ms';
alter role postgres reset default_transaction_read_only;
"""
Make = Callable[..., RecordSessions]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A Postgres that these tests may maltreat."""
    with Postgres(tmp_path_factory.mktemp("maltreated") / "data") as postgres:
        yield postgres


@pytest.fixture
def operator(server: Postgres) -> Iterator[psycopg.Connection]:
    """A connection beside, to a database with one empty table."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(SCHEMA)
        yield connection


@pytest.fixture(params=["connection", "pool"])
def make(request: pytest.FixtureRequest, server: Postgres, operator: psycopg.Connection) -> Iterator[Make]:
    """Makes a connection or a pool of them, to the server or another address, and closes it."""
    made: list[RecordSessions] = []

    def sessions(url: str = server.url) -> RecordSessions:
        if request.param == "connection":
            made.append(RecordConnection(lambda: url))
        else:
            made.append(RecordPool(lambda: url, max_size=1, wait_seconds=1.0))
        return made[-1]

    yield sessions
    for each in made:
        each.close()


@pytest.fixture
def sessions(make: Make) -> RecordSessions:
    return make()


def things(operator: psycopg.Connection) -> list[str]:
    return [name for (name,) in operator.execute("select name from things order by name").fetchall()]


def kill(operator: psycopg.Connection, pid: int) -> None:
    operator.execute("select pg_terminate_backend(%s, 5000)", (pid,))


def failing(error: Exception) -> Callable[[Transaction], None]:
    """Work that puts a row and raises."""

    def work(transaction: Transaction) -> None:
        transaction.fetch(PUT, ("a", 1))
        raise error

    return work


class Work:
    """Puts one row after the statement that is given; `calls` counts."""

    def __init__(self, statement: str = PID) -> None:
        self.statement = statement
        self.calls = 0

    def __call__(self, transaction: Transaction) -> str:
        self.calls += 1
        transaction.fetch(PUT, ("a", self.calls))
        transaction.fetch(self.statement)
        return "done"


def test_all_statements_happen_together(sessions: RecordSessions, operator: psycopg.Connection) -> None:
    with sessions.transaction() as transaction:
        transaction.fetch(PUT, ("a", 1))
        transaction.fetch(PUT, ("b", 2))
        assert things(operator) == []
        assert transaction.fetch("select count(*) from things") == [(2,)]
    assert things(operator) == ["a", "b"]


def test_statements_and_the_end_are_a_round_trip_each_and_the_beginning_is_none(
    make: Make, server: Postgres
) -> None:
    with CountingProxy(server.url) as proxy:
        sessions = make(proxy.url)
        sessions.fetch(PID)
        check = isinstance(sessions, RecordPool)  # it looks at a connection before it gives it out
        with proxy.round_trips() as trips, sessions.transaction(actor=Actor.user("ada")) as transaction:
            transaction.fetch(PUT, ("a", 1))
            transaction.fetch(PUT, ("b", 1))
    assert trips == [3 + check]


def test_without_a_statement_nothing_is_sent(sessions: RecordSessions, operator: psycopg.Connection) -> None:
    with sessions.transaction():
        pass
    assert sessions.fetch("select count(*) from things") == [(0,)]


def test_an_error_of_the_block_undoes_it_and_the_connection_is_good(
    sessions: RecordSessions, operator: psycopg.Connection
) -> None:
    pid = sessions.fetch(PID)
    with pytest.raises(ZeroDivisionError):
        sessions.run_in_transaction(failing(ZeroDivisionError()))
    assert things(operator) == []
    assert sessions.fetch(PID) == pid


def test_a_time_out_in_the_block_is_not_taken_for_one_of_the_record(sessions: RecordSessions) -> None:
    with pytest.raises(TimeoutError, match="of somebody else"):
        sessions.run_in_transaction(failing(TimeoutError("of somebody else")))


def test_a_failed_statement_loses_the_transaction_also_if_its_error_was_caught(
    sessions: RecordSessions, operator: psycopg.Connection
) -> None:
    def careless(transaction: Transaction) -> None:
        transaction.fetch(PUT, ("a", 1))
        for _ in range(2):
            with pytest.raises(InvalidError, match="things_number_check"):
                transaction.fetch(PUT, ("b", -1))

    with pytest.raises(InvalidError, match="things_number_check"):
        sessions.run_in_transaction(careless)
    assert things(operator) == []
    assert sessions.fetch(PID)


def test_the_actor_is_that_of_the_transaction_and_is_gone_after_it(sessions: RecordSessions) -> None:
    with acting_as(Actor.user("ada")):
        with sessions.transaction() as transaction:
            assert transaction.fetch(WHO) == [("ada",)]
            assert transaction.fetch(WHO) == [("ada",)]
        with sessions.transaction(actor=Actor.user("bob")) as transaction:
            assert transaction.fetch(WHO) == [("bob",)]
    assert sessions.fetch(WHO) in ([("",)], [(None,)])
    with pytest.raises(ZeroDivisionError):
        sessions.run_in_transaction(failing(ZeroDivisionError()), actor=Actor.user("eve"))
    assert sessions.fetch(WHO) in ([("",)], [(None,)])


def test_a_connection_killed_in_a_transaction_leaves_no_row_and_is_made_anew(
    sessions: RecordSessions, operator: psycopg.Connection
) -> None:
    work = Work()

    def killed(transaction: Transaction) -> None:
        work(transaction)
        kill(operator, transaction.fetch(PID)[0][0])
        transaction.fetch(PUT, ("b", 1))

    with pytest.raises(RecordUnavailableError) as caught:
        sessions.run_in_transaction(killed)
    assert caught.value.retry_after_seconds
    assert (work.calls, things(operator)) == (1, [])
    assert sessions.run_in_transaction(work) == "done"
    assert things(operator) == ["a"]


def test_a_connection_killed_before_the_transaction_goes_unnoticed(
    sessions: RecordSessions, operator: psycopg.Connection
) -> None:
    kill(operator, sessions.fetch(PID)[0][0])
    with sessions.transaction(actor=Actor.user("ada")) as transaction:
        transaction.fetch(PUT, ("a", 1))
        assert transaction.fetch(WHO) == [("ada",)]
    assert things(operator) == ["a"]


def test_a_server_that_restarts_in_a_transaction_loses_all_of_it_and_one_between_two_nothing(
    make: Make, server: Postgres
) -> None:
    def interrupted(transaction: Transaction) -> None:
        transaction.fetch(PUT, ("half", 1))
        server.stop()
        server.start()
        transaction.fetch(PUT, ("written", 1))

    sessions = make()
    with pytest.raises(RecordUnavailableError):
        sessions.run_in_transaction(interrupted)
    sessions.run_in_transaction(Work())
    server.stop()
    server.start()
    with sessions.transaction() as transaction:
        transaction.fetch(PUT, ("b", 1))
    assert sessions.fetch("select name from things order by name") == [("a",), ("b",)]


@pytest.mark.parametrize("lost", [b"commit", b"insert into things"], ids=["of the commit", "of a statement"])
def test_a_lost_answer_is_told_and_never_tried_again(
    make: Make, server: Postgres, operator: psycopg.Connection, lost: bytes
) -> None:
    work = Work()

    def losing(transaction: Transaction) -> None:
        transaction.fetch(PID)
        proxy.lose_answer_to = lost
        work(transaction)

    with CountingProxy(server.url) as proxy, pytest.raises(RecordUnavailableError) as caught:
        make(proxy.url).run_in_transaction(losing)
    assert work.calls == 1
    assert isinstance(caught.value, CommitUnknownError) == (lost == b"commit")
    if lost != b"commit":
        assert things(operator) == []


@pytest.mark.parametrize("code", ["40001", "40P01"], ids=["serialization", "deadlock"])
def test_a_transaction_that_lost_against_another_is_run_again_as_a_whole(
    sessions: RecordSessions, operator: psycopg.Connection, code: str
) -> None:
    work = Work(f"select fails(2, '{code}')")
    assert sessions.run_in_transaction(work) == "done"
    assert work.calls == 3
    assert sessions.fetch("select name, number from things") == [("a", 3)]


def test_one_that_lost_at_its_commit_is_run_again_too(
    sessions: RecordSessions, operator: psycopg.Connection
) -> None:
    operator.execute(
        "create constraint trigger late after insert on things deferrable initially deferred"
        " for each row execute function fails_once()"
    )
    work = Work()
    assert sessions.run_in_transaction(work) == "done"
    assert (work.calls, things(operator)) == (2, ["a"])


def test_one_that_always_loses_is_given_up(sessions: RecordSessions, operator: psycopg.Connection) -> None:
    work = Work("select fails(1000, '40001')")
    with pytest.raises(LostRaceError):
        sessions.run_in_transaction(work, attempts=2)
    assert (work.calls, things(operator)) == (2, [])
    assert sessions.fetch(PID)


def test_two_that_wait_for_each_other_both_happen(make: Make, operator: psycopg.Connection) -> None:
    operator.execute("insert into things values ('x', 0), ('y', 0)")
    meeting, calls = threading.Barrier(2, timeout=10), [0, 0]

    def add(one: str, other: str, number: int) -> Callable[[Transaction], None]:
        def work(transaction: Transaction) -> None:
            calls[number] += 1
            transaction.fetch("update things set number = number + 1 where name = %s", (one,))
            if calls[number] == 1:
                meeting.wait()
            transaction.fetch("update things set number = number + 1 where name = %s", (other,))

        return work

    with ThreadPoolExecutor(2) as threads:
        both = [
            threads.submit(make().run_in_transaction, add("x", "y", 0)),
            threads.submit(make().run_in_transaction, add("y", "x", 1)),
        ]
        for each in both:
            each.result()
    assert sorted(calls) == [1, 2]
    assert operator.execute("select number from things").fetchall() == [(2,), (2,)]


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("insert into things values ('b', -1)", InvalidError),
        ("insert into things values ('a', 1)", ConflictError),
        ("select fails(1000, '57014')", RecordUnavailableError),
        ("select nothing_of_that_name", psycopg.errors.UndefinedColumn),
    ],
    ids=["invalid", "conflict", "cancelled", "our own fault"],
)
def test_after_any_other_error_nothing_is_run_again(
    sessions: RecordSessions, operator: psycopg.Connection, statement: str, error: type[Exception]
) -> None:
    work, pid = Work(statement), sessions.fetch(PID)
    with pytest.raises(error):
        sessions.run_in_transaction(work)
    assert (work.calls, things(operator)) == (1, [])
    assert sessions.fetch(PID) == pid, "the connection was good"


def test_a_read_only_server_takes_no_part_of_it(make: Make, operator: psycopg.Connection) -> None:
    operator.execute("alter role postgres set default_transaction_read_only = on")
    sessions = make()
    with pytest.raises(RecordUnavailableError, match="ReadOnly"):
        sessions.run_in_transaction(Work())
    operator.execute("alter role postgres reset default_transaction_read_only")
    with suppress(RecordUnavailableError):  # a pool may have replaced its connections before that
        sessions.run_in_transaction(lambda transaction: transaction.fetch(PUT, ("first", 1)))
    assert sessions.run_in_transaction(Work()) == "done"


def test_a_server_that_is_away_is_said_to_be(make: Make) -> None:
    with pytest.raises(RecordUnavailableError) as caught:
        make("postgresql://postgres:hidden@127.0.0.1:9/none").run_in_transaction(Work())
    assert caught.value.retry_after_seconds
    assert "hidden" not in str(caught.value)


def test_a_statement_beside_the_transaction_of_the_same_thread_is_a_mistake_and_does_not_hang(
    server: Postgres, operator: psycopg.Connection
) -> None:
    record = RecordConnection(lambda: server.url)
    with pytest.raises(RuntimeError, match="transaction's own fetch"):
        record.run_in_transaction(lambda _: record.fetch(PID))
    assert record.fetch(PID)
    record.close()
