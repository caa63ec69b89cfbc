"""A backup of the seeded database, restored into an empty one, is equal; and what can go wrong on the way."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from lib.database import programs
from lib.database.archive import backup, restore
from lib.database.seed import seed
from lib.domain.errors import ConfigurationError
from lib.stores.postgres.migrations import migrate_up, migration_status
from local.backing import Postgres, RecordDatabase
from tests.integration.own_database import catalog_of, dump_of, own_database, tables_of
from tests.integration.own_database import rows as rows_of

NOW = datetime(2026, 11, 20, 18, 4, tzinfo=UTC)


@pytest.fixture(scope="module")
def seeded(postgres: Postgres) -> Iterator[RecordDatabase]:
    with own_database(postgres) as database:
        migrate_up(database.owner_url)
        seed(database.owner_url, NOW)
        yield database


@pytest.fixture
def empty(postgres: Postgres) -> Iterator[RecordDatabase]:
    with own_database(postgres) as database:
        yield database


def hashes_of(database: RecordDatabase) -> dict[str, tuple[int, str | None]]:
    """The number of rows of each table, with a hash over all of them: as the superuser, whom no policy binds."""
    found: dict[str, tuple[int, str | None]] = {}
    with psycopg.connect(database.superuser_url) as connection:
        for table in sorted(tables_of(database.owner_url)):
            query = "select count(*), md5(string_agg(t::text, chr(10) order by t::text)) from {} t"
            ((count, digest),) = connection.execute(sql.SQL(query).format(sql.Identifier(table))).fetchall()
            found[table] = (count, digest)
    return found


def next_ids_of(database: RecordDatabase) -> list[tuple[object, ...]]:
    """Where each identity goes on."""
    return rows_of(database.superuser_url, "select sequencename, last_value from pg_sequences order by 1")


def test_a_restored_backup_equals_the_database_row_for_row(
    seeded: RecordDatabase, empty: RecordDatabase, tmp_path: Path
) -> None:
    file = tmp_path / "record.dump"
    assert backup(seeded.owner_url, file) == file.stat().st_size > 0
    restore(empty.owner_url, file)
    rows = hashes_of(seeded)
    bare = {table for table, (count, _) in rows.items() if not count}
    assert bare == {"outbox", "idempotency_keys", "provider_credentials"}
    assert hashes_of(empty) == rows
    assert next_ids_of(empty) == next_ids_of(seeded) != []
    assert catalog_of(empty.owner_url) == catalog_of(seeded.owner_url)
    assert dump_of(empty.owner_url) == dump_of(seeded.owner_url)
    assert migration_status(empty.owner_url) == migration_status(seeded.owner_url)
    assert migrate_up(empty.owner_url) == []


def test_the_file_is_its_owners_alone_and_nothing_is_left_beside_it(
    seeded: RecordDatabase, tmp_path: Path
) -> None:
    file = tmp_path / "record.dump"
    backup(seeded.owner_url, file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_is_called_like_an_option_is_a_file(
    seeded: RecordDatabase, empty: RecordDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`pg_restore -x` leaves out who may do what."""
    monkeypatch.chdir(tmp_path)
    backup(seeded.owner_url, Path("-x"))
    restore(empty.owner_url, Path("-x"))
    assert catalog_of(empty.owner_url) == catalog_of(seeded.owner_url)


def test_a_large_object_that_any_login_can_make_does_not_end_the_backups(
    seeded: RecordDatabase, tmp_path: Path
) -> None:
    with psycopg.connect(seeded.api_url, autocommit=True) as connection:
        (made,) = connection.execute("select lo_from_bytea(0, 'x')").fetchone() or (0,)
        assert backup(seeded.owner_url, tmp_path / "record.dump") > 0
        connection.execute("select lo_unlink(%s)", (made,))


def test_a_backup_that_fails_leaves_the_one_before_it_and_no_half_file(
    empty: RecordDatabase, tmp_path: Path
) -> None:
    file = tmp_path / "record.dump"
    file.write_text("the one before")
    with psycopg.connect(empty.superuser_url, autocommit=True) as connection:
        connection.execute("create table not_the_owners (id int); insert into not_the_owners values (1)")
    with pytest.raises(
        ConfigurationError, match=r"pg_dump failed: .*permission denied for table not_the_owners"
    ):
        backup(empty.owner_url, file)
    assert file.read_text() == "the one before"
    assert list(tmp_path.iterdir()) == [file]


def test_rows_that_the_owner_may_not_see_would_be_a_difference(
    seeded: RecordDatabase, tmp_path: Path
) -> None:
    """The proof that all rows are in it rests on the owner's policies: each table with row security has one."""
    tables = catalog_of(seeded.owner_url)["tables"]
    for name, table in tables.items():
        if table["row_security"] != "off":
            policies = table["policies"].values()
            assert {"for": "all", "to": ["vsl_owner"], "using": "true", "check": "true"} in policies, name


def test_a_database_that_is_not_empty_is_not_restored_into(seeded: RecordDatabase, tmp_path: Path) -> None:
    file = tmp_path / "record.dump"
    backup(seeded.owner_url, file)
    before = hashes_of(seeded)
    with pytest.raises(ConfigurationError, match=r"is not empty .there is "):
        restore(seeded.owner_url, file)
    assert hashes_of(seeded) == before


def test_a_restore_that_fails_leaves_the_database_empty(
    seeded: RecordDatabase, empty: RecordDatabase, tmp_path: Path
) -> None:
    whole, half = tmp_path / "whole.dump", tmp_path / "half.dump"
    backup(seeded.owner_url, whole)
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(ConfigurationError, match="pg_restore failed"):
        restore(empty.owner_url, half)
    assert tables_of(empty.owner_url) == set()


@pytest.mark.parametrize("content", [None, b"", b"this is no backup"])
def test_a_file_that_is_no_backup_is_said_so(
    empty: RecordDatabase, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "record.dump"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"there is no file|pg_restore failed"):
        restore(empty.owner_url, file)


def test_a_directory_that_is_not_there_is_said_so(seeded: RecordDatabase, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be written to"):
        backup(seeded.owner_url, tmp_path / "none" / "record.dump")


def test_a_password_is_not_among_the_arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "pg_dump"
    program.write_text('#!/bin/sh\necho "pg_dump (PostgreSQL) 18.1 $* [$PGPASSWORD]"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(programs, "server_major", lambda _url: 18)
    said = programs.run_program("pg_dump", "postgresql://someone:hid%20den@127.0.0.1/x", "--format=custom")
    arguments, _, password = said.strip().partition(" [")
    assert (password, "hid" in arguments, "user=someone" in arguments) == ("hid den]", False, True)


def test_a_program_older_than_the_server_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in (15, 17, 19):
        directory = tmp_path / str(version)
        directory.mkdir()
        program = directory / "pg_x"
        program.write_text(f'#!/bin/sh\necho "pg_x (PostgreSQL) {version}.2"\n')
        program.chmod(0o755)
    monkeypatch.setenv("PATH", ":".join(str(tmp_path / str(version)) for version in (15, 19, 17)))
    assert programs.find_program("pg_x", 16) == tmp_path / "17" / "pg_x"
    assert programs.find_program("pg_x", 18) == tmp_path / "19" / "pg_x"
    with pytest.raises(ConfigurationError, match=r"pg_x 20 or later is needed on PATH .*15/pg_x is 15"):
        programs.find_program("pg_x", 20)
    with pytest.raises(ConfigurationError, match="none was found"):
        programs.find_program("pg_y", 16)
