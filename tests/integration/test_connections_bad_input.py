"""What callers send and a database cannot hold: a clear error without SQL or data, no row, and a good connection."""

import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from lib.domain.actor import Actor
from lib.domain.errors import ConflictError, ForbiddenError, GatewayError, InvalidError, TooLargeError
from lib.ports.actor import acting_as
from lib.stores.postgres.connection import RecordConnection
from local.backing import Postgres

PID = "select pg_backend_pid()"
MARK = "only-in-the-data"
SCHEMA = """
drop table if exists small;
create table small (name text primary key, word varchar(20), number int check (number > 0) default 1 not null,
                    data jsonb, of_whom text references small);
insert into small (name) values ('taken');
create or replace function act_as(text, text, text) returns boolean language sql as
    $$ select set_config('vsl.user_id', coalesce($1, ''), true) is not null $$;
"""
SQL_IN_STRINGS = [
    "'; drop table small; --",
    "') on conflict do nothing; delete from small; --",
    "$1 %s %(name)s {name} \\' \\\\ \" E'\\x27'",
    "/* */ union select null -- \n ; $$ begin $$",
    "\u02bc\uff07 ' or 1=1",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with Postgres(tmp_path_factory.mktemp("bad-input") / "data") as postgres:
        yield postgres


@pytest.fixture
def operator(server: Postgres) -> Iterator[psycopg.Connection]:
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(SCHEMA)
        yield connection


@pytest.fixture(params=[None, Actor.user("ada")], ids=["nobody", "actor"])
def record(
    request: pytest.FixtureRequest, server: Postgres, operator: psycopg.Connection
) -> Iterator[RecordConnection]:
    """A connection, used by nobody and by somebody."""
    connection = RecordConnection(lambda: server.url)
    with acting_as(request.param):
        yield connection
    connection.close()


def rows(operator: psycopg.Connection) -> int:
    found = operator.execute("select count(*) from small").fetchone()
    assert found is not None
    return int(found[0])


@pytest.mark.parametrize(
    ("column", "value", "error", "says"),
    [
        ("word", MARK * 9, InvalidError, "StringDataRightTruncation"),
        ("word", "a\0b", InvalidError, "NUL"),
        ("data", Jsonb({"a": MARK + "\0"}), InvalidError, "UntranslatableCharacter"),
        ("word", "half \ud800 of a pair", InvalidError, "surrogate"),
        ("data", Jsonb({"a": math.nan}), InvalidError, "InvalidTextRepresentation"),
        ("data", '{"' + MARK, InvalidError, "InvalidTextRepresentation"),
        ("number", 0, InvalidError, "small_number_check"),
        ("number", None, InvalidError, "number"),
        ("number", 1 << 40, InvalidError, "NumericValueOutOfRange"),
        ("number", "three " + MARK, InvalidError, "InvalidTextRepresentation"),
        ("data", "[" * 100_000, TooLargeError, "nested"),
        ("name", "taken", ConflictError, "small_pkey"),
        ("of_whom", MARK, ConflictError, "small_of_whom_fkey"),
    ],
)
def test_what_cannot_be_held_is_refused_with_the_reason_and_nothing_else(
    record: RecordConnection,
    operator: psycopg.Connection,
    column: str,
    value: Any,
    error: type[GatewayError],
    says: str,
) -> None:
    pid = record.fetch(PID)
    names = "name" if column == "name" else f"name, {column}"
    params, marks = ((value,), "%s") if column == "name" else (("new", value), "%s, %s")
    with pytest.raises(error, match=says) as caught:
        record.fetch(f"insert into small ({names}) values ({marks})", params)  # noqa: S608 - names of this test
    told = caught.value
    assert not told.retryable
    assert not {"insert", "values", MARK, "taken"} & set(told.message.lower().replace("(", " ").split())
    assert MARK not in told.message
    assert told.__cause__ is None
    assert told.__suppress_context__
    assert rows(operator) == 1
    assert record.fetch(PID) == pid, "the connection was good"


def test_what_one_may_not_touch_is_forbidden(server: Postgres, operator: psycopg.Connection) -> None:
    operator.execute("drop role if exists stranger; create role stranger login")
    operator.execute("create table if not exists walled (owner text); grant all on walled to public")
    operator.execute("alter table walled enable row level security")
    record = RecordConnection(lambda: server.url.replace("postgres@", "stranger@"))
    for statement, params in (("select * from small", ()), ("insert into walled values (%s)", (MARK,))):
        with pytest.raises(ForbiddenError) as caught:
            record.fetch(statement, params)
        assert "walled" not in caught.value.message
    assert record.fetch("select * from walled") == []
    record.close()


def test_ten_megabytes_of_json_are_kept_whole(record: RecordConnection) -> None:
    big = {"text": "ä" * 5_000_000, "list": list(range(50_000))}
    assert len(json.dumps(big, ensure_ascii=False).encode()) > 10_000_000
    record.fetch("insert into small (name, data) values ('big', %s)", (Jsonb(big),))
    assert record.fetch("select data from small where name = 'big'") == [(big,)]


@pytest.mark.parametrize("text", SQL_IN_STRINGS)
def test_sql_in_a_string_is_a_string(record: RecordConnection, text: str) -> None:
    record.fetch("insert into small (name, data) values (%s, %s)", (text, Jsonb({text: text})))
    found = record.fetch("select name, data from small where name = %(name)s", {"name": text})
    assert found == [(text, {text: text})]
    assert record.fetch("select count(*) from small") == [(2,)]


def test_a_time_out_of_range_is_the_callers(record: RecordConnection) -> None:
    with pytest.raises(InvalidError, match="DatetimeFieldOverflow"):
        record.fetch("select %s::timestamptz", ("2026-13-40T00:00:00Z",))
    assert record.fetch("select %s", (datetime(1, 1, 1, tzinfo=UTC),))
