"""The operator's commands over a database in trouble, or cut off half way: one line says why, nothing is half done."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from lib.database import archive, seed
from lib.database.__main__ import main
from lib.stores.postgres.migrations import migrate_up
from local.backing import Postgres, RecordDatabase
from tests.fakes.wired import forget_everything
from tests.integration.own_database import own_database, tables_of
from tests.integration.record_trouble import Trouble

ROLE = "vsl_test_migrator"
WAITING = """
select pid from pg_stat_activity
where datname = current_database() and wait_event_type = 'Lock' and pid <> pg_backend_pid()
"""
PATIENCE_SECONDS = 30.0


class Operator:
    """Runs commands against one database, and looks at what they said and did."""

    def __init__(self, database: RecordDatabase, patch: pytest.MonkeyPatch, said: Any) -> None:
        self.database = database
        self._patch = patch
        self._said = said

    def run(self, *words: str) -> tuple[int, str]:
        """The exit code, and what was complained of."""
        forget_everything()
        self._patch.setenv("DATABASE_URL", self.database.owner_url)
        self._said.readouterr()
        code = main(words)
        return code, self._said.readouterr().err

    def refused(self, *words: str) -> str:
        """The one line that says why it was not done."""
        code, complaint = self.run(*words)
        assert (code, complaint.count("\n")) == (1, 1), complaint
        assert not any(word in complaint for word in ("Traceback", "127.0.0.1:", "postgresql://"))
        return complaint

    @contextmanager
    def interrupted(self, *words: str, by: Callable[[int], None]) -> Iterator[list[tuple[int, str]]]:
        """Runs the command beside the block, which holds something; once the command waits for it, `by(pid)`."""
        result: list[tuple[int, str]] = []
        thread = threading.Thread(target=lambda: result.append(self.run(*words)))
        thread.start()
        with psycopg.connect(self.database.superuser_url, autocommit=True) as look:
            found: list[tuple[Any, ...]] = []
            while not found:
                assert thread.is_alive(), result
                found = look.execute(WAITING).fetchall()
            by(int(found[0][0]))
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()
        yield result

    def terminate(self, pid: int) -> None:
        """The server ends the command's connection."""
        with psycopg.connect(self.database.superuser_url, autocommit=True) as connection:
            connection.execute("select pg_terminate_backend(%s, 5000)", (pid,))


@pytest.fixture
def operator(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Operator]:
    for name in ("API_DATABASE", "WORKER_DATABASE"):
        monkeypatch.delenv(f"{name}_URL", raising=False)
        monkeypatch.delenv(f"{name}_SECRET_NAME", raising=False)
    with own_database(postgres) as database:
        yield Operator(database, monkeypatch, capsys)
    forget_everything()


@pytest.fixture
def schema(operator: Operator) -> Operator:
    """With all migrations."""
    migrate_up(operator.database.owner_url)
    return operator


@pytest.fixture(scope="module")
def archived(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The backup of a seeded database."""
    file = tmp_path_factory.mktemp("archived") / "record.dump"
    with own_database(postgres) as database:
        migrate_up(database.owner_url)
        seed.seed(database.owner_url)
        archive.backup(database.owner_url, file)
    return file


@contextmanager
def holding(operator: Operator, *statements: str) -> Iterator[None]:
    """Somebody's transaction that has done this, and waits; undone at the end."""
    with psycopg.connect(operator.database.superuser_url) as holder:
        for statement in statements:
            holder.execute(statement.encode())
        yield
        holder.rollback()


def trouble_of(operator: Operator) -> Trouble:
    return Trouble(operator.database, operator.database.owner_url)


def test_nothing_is_written_to_a_database_that_takes_no_writes(schema: Operator, archived: Path) -> None:
    trouble = trouble_of(schema)
    before = trouble.rows()
    with trouble.read_only():
        for words in (["seed"], ["notify", "off"], ["down", "--yes"]):
            assert "read-only" in schema.refused(*words), words
    assert trouble.rows() == before
    assert schema.run("seed")[0] == 0


def test_an_empty_database_that_takes_no_writes_is_neither_migrated_nor_restored_into(
    operator: Operator, archived: Path
) -> None:
    with trouble_of(operator).read_only():
        assert "read-only" in operator.refused("up")
        assert "read-only" in operator.refused("restore", str(archived))
    assert tables_of(operator.database.owner_url) == set()
    assert operator.run("restore", str(archived)) == (0, "")


def test_a_backup_is_made_of_a_database_that_takes_no_writes(schema: Operator, tmp_path: Path) -> None:
    with trouble_of(schema).read_only():
        assert schema.run("backup", str(tmp_path / "file")) == (0, "")


def test_a_database_without_a_free_connection_is_said_to_be_so(
    schema: Operator, archived: Path, tmp_path: Path
) -> None:
    trouble = trouble_of(schema)
    before = trouble.rows()
    with trouble.full():
        for words in (["up"], ["status"], ["verify"], ["seed"], ["restore", str(archived)]):
            assert "too many connections" in schema.refused(*words), words
        assert "too many connections" in schema.refused("backup", str(tmp_path / "file"))
    assert (trouble.rows(), list(tmp_path.iterdir())) == (before, [])


def test_a_seed_that_is_cut_off_half_way_leaves_nothing(schema: Operator) -> None:
    trouble = trouble_of(schema)
    before = trouble.rows()
    with (
        holding(schema, "lock table url_access_logs in access exclusive mode"),
        schema.interrupted("seed", by=schema.terminate) as result,
    ):
        ((code, complaint),) = result
    assert (code, complaint.count("\n")) == (1, 1), complaint
    assert trouble.rows() == before
    assert schema.run("seed")[0] == 0


def test_a_seed_that_waits_in_vain_says_so_and_leaves_nothing(
    schema: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seed, "_PATIENCE", "100ms")
    trouble = trouble_of(schema)
    before = trouble.rows()
    with holding(schema, "lock table url_access_logs in access exclusive mode"):
        assert "lock timeout" in schema.refused("seed")
    assert trouble.rows() == before


def killed(program: str) -> Callable[[int], None]:
    """Ends the program on our side, whatever the server thinks of it."""

    def kill(_pid: int) -> None:
        listed = subprocess.run(
            ["ps", "-axo", "pid=,ppid=,comm="], capture_output=True, text=True, check=True
        )
        found = [line.split(None, 2) for line in listed.stdout.splitlines()]
        mine = [
            int(pid) for pid, parent, name in found if parent == str(os.getpid()) and name.endswith(program)
        ]
        assert len(mine) == 1, "one such child"
        os.kill(mine[0], signal.SIGKILL)

    return kill


@pytest.mark.parametrize("how", ["the server ends it", "the program is killed"])
def test_a_restore_that_is_cut_off_half_way_leaves_an_empty_database(
    operator: Operator, archived: Path, how: str
) -> None:
    by = operator.terminate if how == "the server ends it" else killed("pg_restore")
    with (
        holding(operator, "create table url_access_logs (taken int)"),  # pg_restore waits for the name
        operator.interrupted("restore", str(archived), by=by) as result,
    ):
        ((code, complaint),) = result
    assert (code, complaint.count("\n")) == (1, 1), complaint
    assert "pg_restore failed: " in complaint
    until_idle(operator)
    assert tables_of(operator.database.owner_url) == set()
    assert operator.run("restore", str(archived)) == (0, "")
    assert operator.run("verify") == (0, "")


def until_idle(operator: Operator) -> None:
    """The server has noticed that the program is gone."""
    with psycopg.connect(operator.database.superuser_url, autocommit=True) as look:
        while look.execute(
            "select 1 from pg_stat_activity where datname = current_database() and usename = %s", (ROLE,)
        ).fetchall():
            pass


@pytest.mark.parametrize("how", ["the server ends it", "the program is killed"])
def test_a_backup_that_is_cut_off_half_way_leaves_the_one_before_it(
    schema: Operator, tmp_path: Path, how: str
) -> None:
    by = schema.terminate if how == "the server ends it" else killed("pg_dump")
    file = tmp_path / "record.dump"
    file.write_text("the one before")
    with (
        holding(schema, "lock table jobs in access exclusive mode"),
        schema.interrupted("backup", str(file), by=by) as result,
    ):
        ((code, complaint),) = result
    assert (code, complaint.count("\n"), "pg_dump failed: " in complaint) == (1, 1, True)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["the one before"]


def test_a_backup_that_waits_in_vain_says_so(
    schema: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "_PATIENCE", "100ms")
    with holding(schema, "lock table jobs in access exclusive mode"):
        assert "timeout" in schema.refused("backup", str(tmp_path / "file"))
    assert list(tmp_path.iterdir()) == []


def test_a_backup_that_finds_no_room_leaves_the_one_before_it(
    schema: Operator, archived: Path, tmp_path: Path
) -> None:
    """A limit on the size of files stands for the full disk: the write fails half way through the file."""
    seed.seed(schema.database.owner_url)
    file = tmp_path / "record.dump"
    file.write_text("the one before")
    command = 'trap "" XFSZ; ulimit -f 16; exec "$0" -m lib.database backup "$1"'
    environment = {**os.environ, "DATABASE_URL": schema.database.owner_url}
    done = subprocess.run(
        ["bash", "-c", command, sys.executable, str(file)],
        cwd=Path(__file__).parents[2],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.count("\n"), "pg_dump failed: " in done.stderr) == (1, 1, True)
    assert archived.stat().st_size > 16 * 1024
    assert [path.read_text() for path in tmp_path.iterdir()] == ["the one before"]


def test_a_path_that_cannot_be_written_to_is_said_so_before_anything_is_asked(
    schema: Operator, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "directory").mkdir()
    assert "cannot be written to" in schema.refused("backup", str(tmp_path / "file" / "record.dump"))
    assert "directory" in schema.refused("backup", str(tmp_path / "directory"))
    assert {path.name for path in tmp_path.iterdir()} == {"file", "directory"}
    assert list((tmp_path / "directory").iterdir()) == []
