"""The pool of long-lived processes: a limit, a wait, restarts, and nobody gets another's settings."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from lib.domain.errors import ConfigurationError, RecordUnavailableError
from lib.stores.postgres.pool import RecordPool
from lib.stores.postgres.transactions import Transaction
from local.backing import Postgres

PID = "select pg_backend_pid()"
OTHERS = "select pid from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()"
KILL_OTHERS = OTHERS.replace("select pid", "select pg_terminate_backend(pid, 1000)")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A Postgres that these tests may maltreat."""
    with Postgres(tmp_path_factory.mktemp("pooled") / "data") as postgres:
        yield postgres


@pytest.fixture
def make(server: Postgres) -> Iterator[Callable[..., RecordPool]]:
    made: list[RecordPool] = []

    def pool(url: Callable[[], str] = lambda: server.url, **options: float) -> RecordPool:
        made.append(RecordPool(url, **options))  # type: ignore[arg-type]  # by name
        return made[-1]

    yield pool
    for each in made:
        each.close()


def hold(pool: RecordPool, threads: int) -> set[int]:
    """The servers' processes behind a pool whose connections are all in use at once."""
    meeting = threading.Barrier(threads, timeout=10)

    def work(transaction: Transaction) -> int:
        (pid,) = transaction.fetch(PID)[0]
        meeting.wait()
        return int(pid)

    with ThreadPoolExecutor(threads) as executor:
        return {
            each.result() for each in [executor.submit(pool.run_in_transaction, work) for _ in range(threads)]
        }


def test_threads_have_a_connection_each_up_to_the_limit(make: Callable[..., RecordPool]) -> None:
    assert len(hold(make(max_size=4), 4)) == 4


def test_who_waits_too_long_for_a_connection_is_told(make: Callable[..., RecordPool]) -> None:
    pool = make(max_size=1, wait_seconds=0.3)
    with pool.transaction() as transaction:
        transaction.fetch(PID)
        start = time.monotonic()
        with pytest.raises(RecordUnavailableError, match="PoolTimeout"):
            pool.fetch(PID)
        assert 0.3 <= time.monotonic() - start < 2
    assert pool.fetch(PID)


def test_settings_that_were_left_on_a_connection_are_never_given_to_the_next(
    make: Callable[..., RecordPool],
) -> None:
    pool = make(max_size=1)
    for name in ("user_id", "guest_token", "key_hash"):
        before = pool.fetch(PID)
        pool.fetch(f"select set_config('vsl.{name}', 'ada', false)")
        assert pool.fetch(f"select coalesce(current_setting('vsl.{name}', true), '')") == [("",)]
        assert pool.fetch(PID) != before


def test_a_restart_goes_unnoticed_however_many_connections_died(
    make: Callable[..., RecordPool], server: Postgres
) -> None:
    pool = make(min_size=3, max_size=3)
    before = hold(pool, 3)
    server.stop()
    server.start()
    assert not hold(pool, 3) & before


def test_connections_that_are_killed_are_replaced_while_threads_go_on(
    make: Callable[..., RecordPool], server: Postgres
) -> None:
    pool, done = make(max_size=3), threading.Event()

    def ask(number: int) -> int:
        asked = 0
        while not done.is_set():
            assert pool.fetch("select %s::int", (number,)) == [(number,)]
            asked += 1
        return asked

    with ThreadPoolExecutor(3) as threads:
        asking = [threads.submit(ask, number) for number in range(3)]
        with psycopg.connect(server.url, autocommit=True) as operator:
            for _ in range(4):
                operator.execute(KILL_OTHERS)
                while not operator.execute(OTHERS).fetchall():
                    assert not any(each.done() for each in asking)
        done.set()
        assert all(each.result() for each in asking)


def test_a_frozen_server_costs_its_limit(make: Callable[..., RecordPool], server: Postgres) -> None:
    pool = make(max_size=1, wait_seconds=1.0, statement_seconds=0.3)
    pool.fetch(PID)
    server.freeze()
    try:
        start = time.monotonic()
        with pytest.raises(RecordUnavailableError):
            pool.fetch(PID)
        assert time.monotonic() - start < 2
    finally:
        server.thaw()


def test_a_closed_pool_leaves_no_connection_and_opens_anew(
    make: Callable[..., RecordPool], server: Postgres
) -> None:
    with make(min_size=2) as pool:
        pids = hold(pool, 2)
    with psycopg.connect(server.url, autocommit=True) as operator:
        while pids & {pid for (pid,) in operator.execute(OTHERS).fetchall()}:
            pass
    assert pool.fetch(PID)


def test_a_wrong_address_is_told_as_such_and_not_as_an_outage(make: Callable[..., RecordPool]) -> None:
    def wrong() -> str:
        raise ConfigurationError("the address is wrong")

    with pytest.raises(ConfigurationError, match="the address is wrong"):
        make(wrong).fetch(PID)
