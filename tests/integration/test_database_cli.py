"""`python -m lib.database`: what it prints, and how it ends."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from lib.database import docs, schema_file
from lib.database.__main__ import main
from lib.stores.postgres.migrations import load_migrations
from local.backing import Postgres, RecordDatabase
from tests.fakes.wired import forget_everything
from tests.integration.own_database import own_database, rows, tables_of

NAMES = [migration.name for migration in load_migrations()]

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def database(postgres: Postgres) -> Iterator[RecordDatabase]:
    with own_database(postgres) as made:
        yield made


@pytest.fixture
def run(
    database: RecordDatabase, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    """Runs a command against the database; its exit code, what it printed, and what it complained."""
    for name in ("API_DATABASE", "WORKER_DATABASE"):
        monkeypatch.delenv(f"{name}_URL", raising=False)
        monkeypatch.delenv(f"{name}_SECRET_NAME", raising=False)

    def command(*words: str, url: str = database.owner_url) -> tuple[int, str, str]:
        forget_everything()
        monkeypatch.setenv("DATABASE_URL", url)
        code = main(words)
        return code, *capsys.readouterr()

    yield command
    forget_everything()


def test_up_status_verify_and_down_with_or_without_the_word_migrate(run: Run) -> None:
    assert run("migrate", "status")[1].splitlines() == [f"waiting  {name}" for name in NAMES]
    assert run("migrate", "up", "1") == (0, f"applied {NAMES[0]}\n1 applied\n", "")
    assert run("up")[1].splitlines()[-1] == f"{len(NAMES) - 1} applied"
    assert run("migrate", "up") == (0, "nothing to apply\n", "")
    assert run("status")[1].splitlines() == [f"applied  {name}" for name in NAMES]
    assert run("migrate", "verify") == (0, "the database is as the migrations make it\n", "")
    assert run("down", "--yes") == (0, f"took back {NAMES[-1]}\n", "")
    code, said, _ = run("verify")
    assert (code, said.splitlines()[0]) == (1, f"migration {NAMES[-1]} has not been applied")


def test_down_says_what_it_would_do_and_does_it_only_when_told(run: Run, database: RecordDatabase) -> None:
    run("up")
    code, said, complained = run("migrate", "down", "all")
    assert (code, complained) == (1, "say --yes to do it\n")
    assert said.splitlines()[1:] == [f"  {name}" for name in NAMES[::-1]]
    assert "jobs" in tables_of(database.owner_url)
    assert run("migrate", "down", "all", "--yes")[0] == 0
    assert tables_of(database.owner_url) == {"schema_migrations"}
    assert run("migrate", "down", "2") == (0, "nothing to take back\n", "")


def test_what_was_removed_by_hand_is_named_and_the_exit_code_says_so(
    run: Run, database: RecordDatabase
) -> None:
    run("up")
    with psycopg.connect(database.superuser_url, autocommit=True) as connection:
        connection.execute("alter table security_events drop column user_agent")
    code, said, _ = run("verify")
    assert (code, "table security_events: column user_agent is missing\n" in said) == (1, True)


def test_an_edited_file_is_named_by_status_and_refused_by_up(run: Run, tmp_path: Path) -> None:
    (tmp_path / "001_a.sql").write_text("select 1;")
    run("up", "--directory", str(tmp_path))
    (tmp_path / "001_a.sql").write_text("select 2;")
    reason = "migration 001_a was edited after it had been applied; write a new one instead\n"
    assert run("status", "--directory", str(tmp_path)) == (1, f"applied  001_a\n{reason}", "")
    assert run("up", "--directory", str(tmp_path)) == (1, "", reason)


def test_a_backup_of_the_seeded_database_is_restored_into_an_empty_one(
    run: Run, database: RecordDatabase, postgres: Postgres, tmp_path: Path
) -> None:
    file = str(tmp_path / "record.dump")
    run("up")
    assert run("seed") == (0, "31 jobs added\n", "")
    assert run("seed") == (0, "0 jobs added\n", "")
    code, said, _ = run("backup", file)
    assert (code, said.endswith(f" bytes in {file}\n")) == (0, True)
    code, _, complained = run("restore", file)
    assert (code, "is not empty" in complained, complained.count("\n")) == (1, True, 1)
    with own_database(postgres) as other:
        assert run("restore", file, url=other.owner_url) == (0, f"restored from {file}\n", "")
        assert run("verify", url=other.owner_url)[0] == 0
        assert rows(other.owner_url, "select count(*) from jobs") == [(31,)]


def test_describe_prints_the_schema_or_writes_it(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema, page = tmp_path / "schema.json", tmp_path / "database.md"
    page.write_text(f"{docs.BEGIN}\n")
    monkeypatch.setattr(schema_file, "SCHEMA_FILE", schema)
    monkeypatch.setattr(docs, "DOCS_FILE", page)
    run("up")
    code, said, _ = run("describe")
    assert (code, "jobs" in json.loads(said)["tables"], schema.exists()) == (0, True, False)
    assert run("describe", "--write", "--docs") == (0, "", "")
    assert schema.read_text() == said
    assert "### `jobs`" in page.read_text()


def test_notify_is_switched_off_and_on(run: Run, database: RecordDatabase) -> None:
    assert run("notify", "off") == (
        1,
        "",
        "this database has no options yet: python -m lib.database migrate up\n",
    )
    run("up")
    assert run("notify", "off") == (0, "notify is off\n", "")
    assert rows(database.owner_url, "select notify from database_options") == [(False,)]
    assert run("notify", "on") == (0, "notify is on\n", "")
    assert rows(database.owner_url, "select notify from database_options") == [(True,)]


def test_logins_are_made_from_arguments_and_from_the_environment(
    run: Run, database: RecordDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("up")
    assert run("logins") == (0, "nothing to do\n", "")
    api, worker = (
        database.owner_url.replace("vsl_test_migrator", f"vsl_cli_{name}:secret")
        for name in ("api", "worker")
    )
    monkeypatch.setenv("WORKER_DATABASE_URL", worker)
    code, said, complained = run("logins", "--api-url", api)
    assert (code, complained, "secret" in said) == (0, "", False)
    assert {"made vsl_cli_api a member of vsl_api", "made vsl_cli_worker a member of vsl_worker"} < set(
        said.splitlines()
    )
    assert run("logins", "--api-url", api) == (0, "nothing to do\n", "")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://someone:hidden@127.0.0.1:9/none",
        "postgresql://someone:hidden@127.0.0.1:x/none",
        "hidden",
        "",
    ],
)
@pytest.mark.parametrize(
    "command",
    [["up"], ["status"], ["verify"], ["seed"], ["backup", "/x"], ["restore", "/"], ["watch"]],
)
def test_what_went_wrong_is_one_line_without_a_password_or_a_traceback(
    run: Run, url: str, command: list[str]
) -> None:
    code, said, complained = run(*command, url=url)
    assert (code, said, complained.count("\n")) == (1, "", 1)
    assert "hidden" not in complained
    assert "Traceback" not in complained


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["migrate"],
        ["up", "0"],
        ["down", "-1"],
        ["down", "many"],
        ["notify", "maybe"],
        ["backup"],
        ["watch", "x"],
    ],
)
def test_words_that_it_does_not_know_are_refused(run: Run, words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(*words)
    assert ended.value.code == 2
