"""Migrations that run statement by statement: concurrent indexes on a table in use, resumed after a failure."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import psycopg
import pytest

from lib.domain.errors import ConfigurationError
from lib.stores.postgres.migrations import Limits, migrate_down, migrate_up
from lib.stores.postgres.migrations.statements import concurrent_index, split_statements
from local.backing import Postgres
from tests.integration.own_database import own_database, rows

INDEXES = """
select c.relname, i.indisvalid from pg_index i join pg_class c on c.oid = i.indexrelid
where not indisprimary and c.relnamespace = 'public'::regnamespace order by 1
"""
LEDGER = "select name from schema_migrations order by name"
FILE = """-- no transaction
create index concurrently things_by_name on things (name); -- a comment; with a semicolon
create unique index concurrently if not exists things_unique on things (name);
comment on index things_unique is 'Names; once each.';
"""


@pytest.fixture
def things(postgres: Postgres, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A database with a table in use, and the file that is to index it."""
    with own_database(postgres) as database:
        (tmp_path / "001_things.sql").write_text("create table things (id int primary key, name text);")
        migrate_up(database.owner_url, tmp_path)
        (tmp_path / "002_indexes.sql").write_text(FILE)
        yield database.owner_url, tmp_path


def test_concurrent_indexes_are_built_outside_a_transaction_and_belong_to_the_owner(
    things: tuple[str, Path],
) -> None:
    url, files = things
    assert migrate_up(url, files) == ["002_indexes"]
    assert rows(url, INDEXES) == [("things_by_name", True), ("things_unique", True)]
    assert rows(
        url, "select distinct pg_get_userbyid(relowner)::text from pg_class where relname like 'things%'"
    ) == [("vsl_owner",)]
    assert migrate_up(url, files) == []


def test_a_file_that_failed_half_way_goes_on_and_drops_the_invalid_index_first(
    things: tuple[str, Path],
) -> None:
    url, files = things
    with psycopg.connect(url, autocommit=True) as writer:
        writer.execute("insert into things values (1, 'twice'), (2, 'twice')")
        with pytest.raises(
            ConfigurationError, match=r"002_indexes failed half way, and goes on .*things_unique"
        ):
            migrate_up(url, files)
        assert rows(url, INDEXES) == [("things_by_name", True), ("things_unique", False)]
        assert rows(url, LEDGER) == [("001_things",)]
        built = rows(url, "select 'things_by_name'::regclass::oid")
        writer.execute("delete from things where id = 2")
    assert migrate_up(url, files) == ["002_indexes"]
    assert rows(url, INDEXES) == [("things_by_name", True), ("things_unique", True)]
    assert rows(url, "select 'things_by_name'::regclass::oid") == built
    assert rows(url, LEDGER) == [("001_things",), ("002_indexes",)]


def test_an_old_transaction_only_delays_the_index_and_writers_go_on(things: tuple[str, Path]) -> None:
    url, files = things
    with psycopg.connect(url) as old, psycopg.connect(url, autocommit=True) as writer:
        old.execute("set transaction isolation level repeatable read")
        old.execute("select 1 from things")

        def write_and_end_the_old_one(_seconds: float) -> None:
            writer.execute("insert into things values (1, 'written meanwhile')")
            old.rollback()

        limits = Limits(concurrent_lock_seconds=0.2, pauses=(0,), sleep=write_and_end_the_old_one)
        assert migrate_up(url, files, limits=limits) == ["002_indexes"]
    assert rows(url, INDEXES) == [("things_by_name", True), ("things_unique", True)]


def test_a_second_migrator_that_waits_does_not_hold_up_the_first(things: tuple[str, Path]) -> None:
    """It has no snapshot while it waits: else the first would wait for it, and it for the first, for ever."""
    url, files = things
    first_is_at_it, second_waits = Event(), Event()
    impatient = Limits(concurrent_lock_seconds=0.1, pauses=(0,) * 1000, sleep=lambda _seconds: None)
    with psycopg.connect(url) as other, ThreadPoolExecutor(2) as threads:
        other.execute("lock table things in access exclusive mode")
        first = threads.submit(
            migrate_up, url, files, limits=impatient, log=lambda _line: first_is_at_it.set()
        )
        assert first_is_at_it.wait(30)
        second = threads.submit(
            migrate_up, url, files, limits=Limits(sleep=lambda _seconds: second_waits.set())
        )
        assert second_waits.wait(30)
        other.rollback()
        assert sorted(first.result(60) + second.result(60)) == ["002_indexes"]


def test_what_was_built_concurrently_is_taken_back_concurrently(things: tuple[str, Path]) -> None:
    url, files = things
    migrate_up(url, files)
    (files / "002_indexes.down.sql").write_text(
        "-- no transaction\n"
        "drop index concurrently if exists things_unique;\ndrop index concurrently if exists things_by_name;\n"
    )
    assert migrate_down(url, 1, files) == ["002_indexes"]
    assert rows(url, INDEXES) == []


def test_a_connection_is_left_as_it_was_though_the_file_fails(things: tuple[str, Path]) -> None:
    url, files = things
    (files / "002_indexes.sql").write_text("-- no transaction\nselect no_such_function();\n")
    with pytest.raises(ConfigurationError, match="no_such_function"):
        migrate_up(url, files)
    (files / "002_indexes.sql").write_text("create table after (id int);\n")
    assert migrate_up(url, files) == ["002_indexes"]


def test_a_file_is_split_where_its_statements_end_and_nowhere_else() -> None:
    text = """-- no transaction
    create index concurrently "a;b" on t (x); /* ; */ -- ;
    select 'it''s; one', E'\\';', $$ ; $$, $tag$ $$ ; $tag$;
    ; -- nothing
    vacuum t"""
    assert [part.splitlines()[-1].strip() for part in split_statements(text)] == [
        'create index concurrently "a;b" on t (x)',
        "select 'it''s; one', E'\\';', $$ ; $$, $tag$ $$ ; $tag$",
        "vacuum t",
    ]


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("create index concurrently A_b on t (x)", "a_b"),
        ('-- why\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS "A b" ON t (x)', "A b"),
        ("create index concurrently on t (x)", None),
        ("create index plain on t (x)", None),
    ],
)
def test_the_index_that_a_statement_builds_is_known_by_its_name(statement: str, name: str | None) -> None:
    assert concurrent_index(statement) == name
