"""Migrations over a real Postgres: each file once and whole, by one migrator at a time, and down again."""

import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from lib.domain.errors import ConfigurationError
from lib.stores.postgres.migrations import ADVISORY_LOCK, MIGRATIONS, load_migrations, migrate_up
from local.backing import Postgres

NAMES = [migration.name for migration in load_migrations()]
CATALOGUE = """
select 'table', c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
from pg_class c join pg_attribute a on a.attrelid = c.oid
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v', 'S') and a.attnum > 0 and not a.attisdropped
union all select 'index', indexdef from pg_indexes where schemaname = 'public'
union all select 'constraint', conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
from pg_constraint where connamespace = 'public'::regnamespace
union all select 'trigger', pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
union all select 'function', pg_get_functiondef(oid) from pg_proc where pronamespace = 'public'::regnamespace
union all select 'type', typname from pg_type where typnamespace = 'public'::regnamespace and typtype in ('d', 'e')
order by 1, 2
"""


@pytest.fixture
def empty(postgres: Postgres) -> Iterator[str]:
    """The address of a database of its own, with nothing in it."""
    name = f"migrations_{uuid4().hex}"
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"create database {name}")
        yield f"{postgres.url.rpartition('/')[0]}/{name}"
        connection.execute(f"drop database {name} with (force)")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A copy of the migrations, to be changed."""
    return Path(shutil.copytree(MIGRATIONS, tmp_path / "migrations"))


def everything_in(url: str) -> list[tuple[str, str]]:
    """All that the schema consists of."""
    with psycopg.connect(url) as connection:
        return [(str(kind), str(text)) for kind, text in connection.execute(CATALOGUE).fetchall()]


def tables_of(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("select tablename from pg_tables where schemaname = 'public'").fetchall()
    return {str(row[0]) for row in rows}


def applied_in(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("select name from schema_migrations order by applied_at, name").fetchall()
    return [str(row[0]) for row in rows]


def test_an_empty_database_gets_every_file_in_order_and_a_second_run_nothing(empty: str) -> None:
    said: list[str] = []
    assert migrate_up(empty, log=said.append) == NAMES
    assert said == [f"applied {name}" for name in NAMES]
    before = everything_in(empty)
    assert migrate_up(empty) == []
    assert everything_in(empty) == before
    assert applied_in(empty) == NAMES


def test_a_file_that_fails_half_way_leaves_nothing_and_those_before_it_stay(empty: str, files: Path) -> None:
    (files / "900_half.sql").write_text("create table half (id int);\nselect no_such_function();\n")
    with pytest.raises(ConfigurationError, match=r"900_half failed and was undone: .*no_such_function"):
        migrate_up(empty, files)
    assert applied_in(empty) == NAMES
    assert "half" not in tables_of(empty)
    (files / "900_half.sql").write_text("create table half (id int);\n")
    assert migrate_up(empty, files) == ["900_half"]


def test_a_file_that_was_edited_after_it_had_been_applied_is_refused(empty: str, files: Path) -> None:
    migrate_up(empty, files)
    first = files / f"{NAMES[0]}.sql"
    first.write_text(first.read_text() + "create table more (id int);\n")
    (files / "900_later.sql").write_text("create table later (id int);\n")
    with pytest.raises(ConfigurationError, match=f"{NAMES[0]} was edited"):
        migrate_up(empty, files)
    assert not {"more", "later"} & tables_of(empty)


def test_older_code_finds_a_newer_schema_and_leaves_it(empty: str, files: Path) -> None:
    (files / "900_newer.sql").write_text("create table newer (id int);\n")
    migrate_up(empty, files)
    assert migrate_up(empty) == []
    assert "newer" in tables_of(empty)


def test_two_migrators_at_once_apply_each_file_once(empty: str) -> None:
    together = threading.Barrier(2)

    def run() -> list[str]:
        together.wait()
        return migrate_up(empty)

    with ThreadPoolExecutor(2) as threads:
        first, second = (threads.submit(run) for _ in range(2))
        assert sorted(first.result() + second.result()) == NAMES


def test_a_migrator_waits_for_another_as_long_as_that_one_works(empty: str) -> None:
    with psycopg.connect(empty) as other, ThreadPoolExecutor(1) as thread:
        other.execute("select pg_advisory_xact_lock(%s)", (ADVISORY_LOCK,))
        waiting = thread.submit(migrate_up, empty)
        with psycopg.connect(empty, autocommit=True) as onlooker:
            while not onlooker.execute("select 1 from pg_locks where not granted").fetchall():
                assert not waiting.done()
        assert tables_of(empty) == set()
        other.rollback()
        assert waiting.result() == NAMES


def test_every_down_file_takes_away_what_its_up_file_made_and_nothing_else(
    empty: str, tmp_path: Path
) -> None:
    """Up, one by one, and down again: after each down file the schema is as it was before its up file."""
    stages, some = [], tmp_path / "some"
    some.mkdir()
    (some / "000_nothing.sql").write_text("select 1;\n")
    migrate_up(empty, some)
    for name in NAMES:
        stages.append(everything_in(empty))
        shutil.copy(MIGRATIONS / f"{name}.sql", some)
        assert migrate_up(empty, some) == [name]
        assert everything_in(empty) != stages[-1], f"{name} makes nothing"
    whole = everything_in(empty)
    with psycopg.connect(empty, autocommit=True) as connection:
        for name, before in zip(reversed(NAMES), reversed(stages), strict=True):
            connection.execute((MIGRATIONS / f"{name}.down.sql").read_bytes())
            assert everything_in(empty) == before, f"{name}.down.sql"
        connection.execute("delete from schema_migrations")
    assert migrate_up(empty) == NAMES
    assert everything_in(empty) == whole


def test_a_database_that_is_not_there_is_said_so_and_soon() -> None:
    with pytest.raises(psycopg.OperationalError, match="refused"):
        migrate_up("postgresql://nobody@127.0.0.1:9/none")
