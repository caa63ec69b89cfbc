"""Migrations over a real Postgres: each file once and whole, by one migrator at a time, and down again."""

import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from lib.domain.errors import ConfigurationError
from lib.stores.postgres.migrations import (
    ADVISORY_LOCK,
    MIGRATIONS,
    Limits,
    load_migrations,
    migrate_down,
    migrate_up,
    migration_status,
    what_down_would_do,
)
from local.backing import Postgres
from tests.integration.own_database import catalog_of, dump_of, own_database, rows, tables_of

NAMES = [migration.name for migration in load_migrations()]


@pytest.fixture
def empty(postgres: Postgres) -> Iterator[str]:
    """The migrator's address of a database of its own, with nothing in it."""
    with own_database(postgres) as database:
        yield database.owner_url


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A directory with two small migrations."""
    return write(
        tmp_path / "migrations",
        {
            "001_one": "create table one (id integer primary key);",
            "001_one.down": "drop table one;",
            "002_two": "create table two (id integer references one);",
            "002_two.down": "drop table two;",
        },
    )


def write(directory: Path, files: dict[str, str]) -> Path:
    directory.mkdir(exist_ok=True)
    for name, sql in files.items():
        (directory / f"{name}.sql").write_text(sql + "\n")
    return directory


def applied_in(url: str) -> list[str]:
    return [str(row[0]) for row in rows(url, "select name from schema_migrations order by applied_at, name")]


def test_an_empty_database_gets_every_file_in_order_and_a_second_run_nothing(empty: str) -> None:
    said: list[str] = []
    assert migrate_up(empty, log=said.append) == NAMES
    assert said == [f"applied {name}" for name in NAMES]
    before = catalog_of(empty)
    assert migrate_up(empty) == []
    assert catalog_of(empty) == before
    assert applied_in(empty) == NAMES


def test_up_down_to_zero_and_up_again_give_the_same_schema(empty: str) -> None:
    migrate_up(empty)
    catalog, dump = catalog_of(empty), dump_of(empty)
    assert "CREATE TABLE public.jobs" in dump
    assert migrate_down(empty) == NAMES[::-1]
    assert tables_of(empty) == {"schema_migrations"}
    assert rows(empty, "select proname from pg_proc where pronamespace = 'public'::regnamespace") == []
    assert migrate_up(empty) == NAMES
    assert catalog_of(empty) == catalog
    assert dump_of(empty) == dump


def test_every_down_file_takes_away_what_its_up_file_made_and_nothing_else(empty: str, files: Path) -> None:
    """Up, one by one, and down again: after each down file the schema is as it was before its up file."""
    some = write(files.parent / "some", {"000_nothing": "select 1;", "000_nothing.down": "select 1;"})
    migrate_up(empty, some)
    stages = []
    for name in NAMES:
        stages.append(catalog_of(empty))
        for ending in ("sql", "down.sql"):
            shutil.copy(MIGRATIONS / f"{name}.{ending}", some)
        assert migrate_up(empty, some) == [name]
        assert catalog_of(empty) != stages[-1], f"{name} makes nothing"
    for name, before in zip(reversed(NAMES), reversed(stages), strict=True):
        assert migrate_down(empty, 1, some) == [name]
        assert catalog_of(empty) == before, f"{name}.down.sql"


def test_everything_belongs_to_the_owner_though_a_login_that_is_no_superuser_migrates(empty: str) -> None:
    migrate_up(empty)
    owners = rows(
        empty,
        "select distinct pg_get_userbyid(relowner)::text from pg_class where relnamespace = 'public'::regnamespace"
        " union select distinct pg_get_userbyid(proowner)::text from pg_proc"
        " where pronamespace = 'public'::regnamespace",
    )
    assert owners == [("vsl_owner",)]
    assert rows(empty, "select rolsuper or rolbypassrls from pg_roles where rolname = current_user") == [
        (False,)
    ]


def test_up_and_down_go_as_many_steps_as_they_are_told(empty: str, files: Path) -> None:
    assert migrate_up(empty, files, steps=1) == ["001_one"]
    assert migrate_up(empty, files, steps=5) == ["002_two"]
    assert what_down_would_do(empty, 1) == ["002_two"]
    assert migrate_down(empty, 1, files) == ["002_two"]
    assert applied_in(empty) == ["001_one"]
    assert migrate_down(empty, 0, files) == []


def test_a_file_that_fails_half_way_leaves_nothing_and_those_before_it_stay(empty: str, files: Path) -> None:
    write(files, {"003_half": "create table half (id int); select no_such_function();"})
    with pytest.raises(ConfigurationError, match=r"003_half failed and was undone: .*no_such_function"):
        migrate_up(empty, files)
    assert applied_in(empty) == ["001_one", "002_two"]
    assert "half" not in tables_of(empty)
    write(files, {"003_half": "create table half (id int);"})
    assert migrate_up(empty, files) == ["003_half"]


def test_a_rollback_that_fails_half_way_leaves_everything(empty: str, files: Path) -> None:
    migrate_up(empty, files)
    write(files, {"002_two.down": "drop table two; drop table three;"})
    with pytest.raises(ConfigurationError, match=r'002_two failed and was undone: .*"three" does not exist'):
        migrate_down(empty, 1, files)
    assert tables_of(empty) >= {"one", "two"}
    assert applied_in(empty) == ["001_one", "002_two"]


def test_nothing_is_taken_back_when_one_of_the_files_for_it_is_missing(empty: str, files: Path) -> None:
    migrate_up(empty, files)
    (files / "001_one.down.sql").unlink()
    with pytest.raises(
        ConfigurationError, match=r"001_one cannot be taken back: there is no 001_one\.down\.sql"
    ):
        migrate_down(empty, None, files)
    assert applied_in(empty) == ["001_one", "002_two"]


def test_a_file_that_was_edited_after_it_had_been_applied_is_refused(empty: str, files: Path) -> None:
    migrate_up(empty, files)
    write(files, {"001_one": "create table more (id int);", "003_later": "create table later (id int);"})
    with pytest.raises(ConfigurationError, match="001_one was edited"):
        migrate_up(empty, files)
    assert not {"more", "later"} & tables_of(empty)


def test_a_file_that_is_missing_below_a_later_one_is_refused(empty: str, files: Path) -> None:
    migrate_up(empty, files)
    (files / "001_one.sql").unlink()
    with pytest.raises(
        ConfigurationError, match="001_one was applied, but its file is missing while 002_two is"
    ):
        migrate_up(empty, files)


def test_a_file_that_comes_too_late_is_refused(empty: str, files: Path) -> None:
    migrate_up(empty, files)
    write(files, {"001_other": "create table other (id int);"})
    with pytest.raises(ConfigurationError, match="001_other comes before 002_two, which has been applied"):
        migrate_up(empty, files)
    assert "other" not in tables_of(empty)


def test_older_code_finds_a_newer_schema_and_leaves_it(empty: str, files: Path) -> None:
    migrate_up(empty, files)
    (files / "002_two.sql").unlink()
    assert migrate_up(empty, files) == []
    assert "two" in tables_of(empty)
    assert migration_status(empty, files).newer == ("002_two",)


def test_the_status_tells_what_was_applied_what_waits_and_what_is_wrong(empty: str, files: Path) -> None:
    assert migration_status(empty, files).waiting == ("001_one", "002_two")
    migrate_up(empty, files, steps=1)
    write(files, {"001_one": "select 1;"})
    status = migration_status(empty, files)
    assert (status.applied, status.waiting, status.newer) == (("001_one",), ("002_two",), ())
    assert status.faults == (
        "migration 001_one was edited after it had been applied; write a new one instead",
    )


def test_two_migrators_at_once_apply_each_file_once(empty: str) -> None:
    together = threading.Barrier(2)

    def run() -> list[str]:
        together.wait()
        return migrate_up(empty)

    with ThreadPoolExecutor(2) as threads:
        first, second = (threads.submit(run) for _ in range(2))
        assert sorted(first.result() + second.result()) == NAMES


def test_a_migrator_waits_for_another_without_waiting_inside_the_database(empty: str, files: Path) -> None:
    said: list[str] = []
    with psycopg.connect(empty) as other:
        other.execute("select pg_advisory_xact_lock(%s)", (ADVISORY_LOCK,))

        def the_other_ends(_seconds: float) -> None:
            assert tables_of(empty) == set()
            assert rows(empty, "select 1 from pg_locks where not granted") == []
            other.rollback()

        assert migrate_up(empty, files, limits=Limits(sleep=the_other_ends), log=said.append) != []
    assert said[0] == "another migrator is at work; waiting for it"


def test_a_migrator_that_never_ends_is_not_waited_for_forever(empty: str, files: Path) -> None:
    with psycopg.connect(empty) as other:
        other.execute("select pg_advisory_xact_lock(%s)", (ADVISORY_LOCK,))
        said = (
            "another migrator has been at work for 0 s; try again later, "
            f"or end process {other.info.backend_pid} of the login {other.info.user}"
        )
        with pytest.raises(ConfigurationError, match=said):
            migrate_up(empty, files, limits=Limits(other_migrator_seconds=0))


def test_a_migrator_that_lost_its_guard_stops_before_the_next_file(
    empty: str, files: Path, postgres: Postgres
) -> None:
    def end_the_guard(_line: str) -> None:
        with psycopg.connect(postgres.url) as superuser:
            superuser.execute(
                "select pg_terminate_backend(pid, 10000) from pg_locks"
                " where locktype = 'advisory' and objid = %s"
                " and database = (select oid from pg_database where datname = %s)",
                (ADVISORY_LOCK, empty.rpartition("/")[2]),
            )

    with pytest.raises(ConfigurationError, match="keeps other migrators away was lost"):
        migrate_up(empty, files, log=end_the_guard)
    assert applied_in(empty) == ["001_one"]
    assert migrate_up(empty, files) == ["002_two"]


@pytest.fixture
def locked(empty: str, files: Path) -> Iterator[Callable[[], None]]:
    """Table `one` is being read by a transaction that does not end until it is called."""
    migrate_up(empty, files)
    write(files, {"003_alter": "create table before (id int); alter table one add column name text;"})
    with psycopg.connect(empty) as reader:
        reader.execute("select * from one")
        yield reader.rollback


def test_a_table_that_others_hold_is_tried_for_again(
    empty: str, files: Path, locked: Callable[[], None]
) -> None:
    said: list[str] = []
    limits = Limits(
        lock_seconds=0.05, pauses=(1, 2), sleep=lambda seconds: locked() if seconds == 2 else None
    )
    assert migrate_up(empty, files, limits=limits, log=said.append) == ["003_alter"]
    assert said == [
        "003_alter: others hold what it needs; trying again in 1 s",
        "003_alter: others hold what it needs; trying again in 2 s",
        "applied 003_alter",
    ]


@pytest.mark.usefixtures("locked")
def test_a_table_that_others_never_let_go_fails_the_migration_and_undoes_it(empty: str, files: Path) -> None:
    limits = Limits(lock_seconds=0.05, pauses=(0,), sleep=lambda _seconds: None)
    with pytest.raises(
        ConfigurationError, match=r"003_alter was undone: others held a lock .* in each of 2 tries"
    ):
        migrate_up(empty, files, limits=limits)
    assert "before" not in tables_of(empty)
    assert applied_in(empty) == ["001_one", "002_two"]


def test_a_statement_that_takes_too_long_is_ended(empty: str, tmp_path: Path) -> None:
    slow = write(tmp_path / "slow", {"001_slow": "create table slow (id int); select pg_sleep(60);"})
    with pytest.raises(ConfigurationError, match=r"001_slow failed and was undone: .*statement timeout"):
        migrate_up(empty, slow, limits=Limits(statement_seconds=0.05))
    assert tables_of(empty) == {"schema_migrations"}


def test_a_database_that_is_not_there_is_said_so_and_soon() -> None:
    with pytest.raises(psycopg.OperationalError, match="refused"):
        migrate_up("postgresql://nobody@127.0.0.1:9/none")


@pytest.mark.parametrize(
    "url", ["postgresql//someone:hidden@127.0.0.1/x", "postgresql://someone:hidden@127.0.0.1:port/x"]
)
def test_an_address_that_cannot_be_read_is_not_repeated(url: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        migrate_up(url)
    assert "hidden" not in str(raised.value)
