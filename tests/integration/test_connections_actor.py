"""The actor travels with its statement, in one round trip, and nothing of it stays behind."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from lib.domain.actor import Actor
from lib.domain.errors import InvalidError, RecordUnavailableError
from lib.ports.actor import acting_as
from lib.stores.postgres.connection import RecordConnection
from lib.stores.postgres.pool import RecordPool
from lib.stores.postgres.sessions import RecordSessions
from tests.integration.counting_proxy import CountingProxy

ADA, GUEST, KEY = Actor.user("ada"), Actor.guest("guest-1", "token-hash"), Actor.key("key-hash")
WHO = "select actor_user_id(), actor_guest_token(), actor_key_hash()"
NOBODY = [(None, None, None)]
PID = "select pg_backend_pid()"


@pytest.fixture
def connect(api_url: str) -> Iterator[Callable[..., RecordConnection]]:
    """Makes connections of the functions' login, or to another address, and closes them."""
    made: list[RecordConnection] = []

    def connection(url: str = api_url, **options: bool | float) -> RecordConnection:
        made.append(RecordConnection(lambda: url, **options))  # type: ignore[arg-type]  # by name
        return made[-1]

    yield connection
    for each in made:
        each.close()


@pytest.fixture
def record(connect: Callable[..., RecordConnection]) -> RecordConnection:
    return connect()


@pytest.fixture(params=["connection", "pool"])
def sessions(request: pytest.FixtureRequest, api_url: str) -> Iterator[RecordSessions]:
    made: RecordSessions = (
        RecordConnection(lambda: api_url)
        if request.param == "connection"
        else RecordPool(lambda: api_url, max_size=3)
    )
    yield made
    made.close()


@pytest.mark.parametrize(
    ("actor", "row"),
    [
        (ADA, ("ada", None, None)),
        (GUEST, ("guest-1", "token-hash", None)),
        (KEY, (None, None, "key-hash")),
        (None, NOBODY[0]),
    ],
    ids=["user", "guest", "key", "nobody"],
)
def test_a_statement_knows_its_actor_and_the_next_one_does_not(
    sessions: RecordSessions, actor: Actor | None, row: tuple[str | None, ...]
) -> None:
    with acting_as(actor):
        assert sessions.fetch(WHO) == [row]
    assert sessions.fetch(WHO) == NOBODY


@pytest.mark.parametrize("actor", [None, ADA], ids=["nobody", "user"])
@pytest.mark.parametrize("read_only", [False, True])
def test_actor_and_statement_are_one_round_trip(
    connect: Callable[..., RecordConnection], api_url: str, actor: Actor | None, *, read_only: bool
) -> None:
    with CountingProxy(api_url) as proxy, acting_as(actor):
        record = connect(proxy.url, read_only=read_only)
        record.fetch(PID)
        with proxy.round_trips() as trips:
            assert record.fetch("select %s::int", (7,)) == [(7,)]
    assert trips == [1]


def test_nothing_of_the_actor_is_left_after_an_error(record: RecordConnection) -> None:
    pid = record.fetch(PID)
    with acting_as(ADA), pytest.raises(InvalidError):
        record.fetch("select 1 / %s::int", (0,))
    assert record.fetch("select current_setting('vsl.user_id', true) = ''") == [(True,)]
    assert record.fetch(PID) == pid, "the connection was good"


def test_the_statement_is_not_run_if_the_actor_cannot_be_set(record: RecordConnection) -> None:
    for actor in (Actor.user("a\0b"), Actor.user("\ud800"), Actor.guest("a", "\0")):
        with acting_as(actor), pytest.raises(InvalidError):
            record.fetch(PID)
    assert record.fetch(WHO) == NOBODY


def test_sql_in_an_actors_ids_is_just_an_id(record: RecordConnection) -> None:
    strange = "'; drop table jobs; --"
    with acting_as(Actor(strange, strange, strange)):
        assert record.fetch(WHO) == [(strange, strange, strange)]
    assert record.fetch("select count(*) from jobs") == [(0,)]


def test_an_actor_without_rights_is_refused_and_sees_no_row_of_another(
    connect: Callable[..., RecordConnection], worker_url: str, api_url: str
) -> None:
    worker, api = connect(worker_url), connect(api_url)
    worker.fetch("insert into users (user_id, created_at) values ('ada', now()), ('bob', now())")
    mine = "select user_id from users where kind <> 'system'"
    assert api.fetch(mine) == []
    with acting_as(ADA):
        assert api.fetch(mine) == [("ada",)]
    with acting_as(Actor.user("bob")):
        assert api.fetch(mine) == [("bob",)]
    assert api.fetch(mine) == []


def test_a_connection_that_died_while_idle_is_made_anew_for_the_same_actor(
    sessions: RecordSessions, superuser_url: str
) -> None:
    (pid,) = sessions.fetch(PID)[0]
    with psycopg.connect(superuser_url, autocommit=True) as operator:
        operator.execute("select pg_terminate_backend(%s, 5000)", (pid,))
    with acting_as(ADA):
        assert sessions.fetch(WHO) == [("ada", None, None)]


def test_an_answer_that_is_lost_is_asked_for_again_unless_that_could_do_harm(
    connect: Callable[..., RecordConnection], api_url: str
) -> None:
    with CountingProxy(api_url) as proxy, acting_as(ADA):
        record = connect(proxy.url)
        record.fetch(PID)
        proxy.lose_answer_to = b"actor_user_id"
        assert record.fetch(WHO) == [("ada", None, None)]
        proxy.lose_answer_to = b"actor_user_id"
        with pytest.raises(RecordUnavailableError):
            record.fetch(WHO, repeat=False)
        assert record.fetch(WHO) == [("ada", None, None)]


def test_a_wait_is_limited_with_an_actor_too(connect: Callable[..., RecordConnection]) -> None:
    record = connect(statement_seconds=0.2)
    with acting_as(ADA):
        record.fetch(PID)
        with pytest.raises(RecordUnavailableError, match="TimeoutError"):
            record.fetch("select pg_sleep(30)")
        assert record.fetch(WHO) == [("ada", None, None)]


def test_threads_act_for_their_own_actors(sessions: RecordSessions) -> None:
    def ask(name: str) -> None:
        for _ in range(40):
            with acting_as(Actor.user(name)):
                assert sessions.fetch(WHO) == [(name, None, None)]
            assert sessions.fetch(WHO) == NOBODY

    with ThreadPoolExecutor(3) as threads:
        for asked in [threads.submit(ask, name) for name in ("ada", "bob", "eve")]:
            asked.result()


def test_a_connection_for_reading_refuses_to_write_whatever_it_leads_to(
    connect: Callable[..., RecordConnection], worker_url: str
) -> None:
    reader = connect(worker_url, read_only=True)
    with pytest.raises(RecordUnavailableError, match="ReadOnly"):
        reader.fetch("insert into users (user_id, created_at) values ('ada', now())")
    assert reader.fetch("select count(*) from users where user_id = 'ada'") == [(0,)]
    with pytest.raises(RecordUnavailableError, match="ReadOnly"):
        reader.run_in_transaction(lambda transaction: transaction.fetch("delete from jobs"))


def test_nothing_is_prepared_in_the_server(record: RecordConnection) -> None:
    with acting_as(ADA):
        for number in range(20):
            record.fetch("select %s::int", (number,))
    assert record.fetch("select count(*) from pg_prepared_statements") == [(0,)]
