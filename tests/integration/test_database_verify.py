"""`verify` names what differs between a live database and the migrations."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from lib.database.differences import differences
from lib.database.schema_file import SCHEMA_FILE, as_json, committed_catalog
from lib.database.verify import verify
from lib.domain.errors import ConfigurationError
from lib.stores.postgres.migrations import MIGRATIONS, load_migrations, migrate_up
from local.backing import Postgres, RecordDatabase
from tests.integration.own_database import catalog_of, own_database

NAMES = [migration.name for migration in load_migrations()]


@pytest.fixture
def database(postgres: Postgres) -> Iterator[RecordDatabase]:
    """Migrated, and to be spoilt."""
    with own_database(postgres) as made:
        migrate_up(made.owner_url)
        yield made


def spoil(database: RecordDatabase, sql: str) -> list[str]:
    with psycopg.connect(database.superuser_url, autocommit=True) as connection:
        connection.execute(sql.encode())
    return verify(database.owner_url)


def test_the_committed_schema_is_that_of_a_fresh_migration(database: RecordDatabase) -> None:
    """If this fails: make database-docs."""
    assert SCHEMA_FILE.read_text(encoding="utf-8") == as_json(catalog_of(database.owner_url))
    assert verify(database.owner_url) == []


def test_a_column_that_was_removed_by_hand_is_named(database: RecordDatabase) -> None:
    found = spoil(database, "alter table security_events drop column user_agent")
    assert "table security_events: column user_agent is missing" in found
    assert all("security_events" in line for line in found)


DRIFT = {
    "alter table jobs add column extra int": "table jobs: column extra should not be there",
    "alter table jobs alter user_id drop not null": "table jobs: column user_id: null is True and should",
    "alter table users alter kind set default 'guest'": "table users: column kind: default is 'guest'::text",
    "alter table elements alter volume type real": "table elements: column volume: type is real and should be",
    "alter table users drop constraint users_guests_are_no_admins": "table users: constraint users_guests",
    "drop index jobs_due": "table jobs: index jobs_due is missing",
    "drop trigger jobs_guard on jobs": "table jobs: trigger jobs_guard is missing",
    "alter table jobs disable trigger jobs_guard": "table jobs: trigger jobs_guard: enabled is D and should be",
    "drop policy jobs_api on jobs": "table jobs: policy jobs_api is missing",
    "alter policy jobs_api_admin on jobs using (true)": "table jobs: policy jobs_api_admin: using is true and",
    "alter table jobs no force row level security": "table jobs: row_security is on and should be forced",
    "grant select on api_keys to vsl_analyst": "table api_keys: grant to vsl_analyst should not be there",
    "grant update (label) on api_keys to vsl_api": "table api_keys: column label: grant to vsl_api should not be",
    "revoke insert on outputs from vsl_worker": "table outputs: grant to vsl_worker is select and should be",
    "alter table outputs owner to postgres": "table outputs: owner is postgres and should be vsl_owner",
    "comment on table outputs is 'x'": "table outputs: comment is x and should be What was stored of a completed",
    "drop view generations": "view generations is missing",
    "alter view active_jobs set (security_invoker = false)": "view active_jobs: options is security_invoker=false and",
    "alter function find_job(uuid) security definer": "function find_job(uuid): security is definer and should be",
    "alter function ring reset search_path": "function ring(text,uuid): settings is nothing and should be search_path",
    "grant execute on function find_job(uuid) to public": "function find_job(uuid): grant to public should not be",
    "create or replace function ring(p_channel text, p_job_id uuid) returns void language plpgsql"
    " set search_path = public, pg_temp as 'begin end'": "function ring(text,uuid): its definition differs",
    "create or replace function day_of(p_at timestamptz) returns date language sql immutable strict parallel safe"
    " return p_at::text::date": "function day_of(timestamp with time zone): its definition differs",
    "create function more() returns int language sql return 1": "function more() should not be there",
}
"""What somebody does by hand, and how what is said of it begins."""


@pytest.mark.parametrize(("sql", "said"), DRIFT.items(), ids=range(len(DRIFT)))
def test_whatever_was_changed_by_hand_is_named(database: RecordDatabase, sql: str, said: str) -> None:
    found = spoil(database, sql)
    assert any(line.startswith(said) for line in found), found


def test_a_view_with_another_definition_is_named(database: RecordDatabase) -> None:
    found = spoil(
        database,
        "create or replace view job_status_realtime with (security_invoker = true) as"
        " select job_id, user_id, status, step, version, attempt, cancel_requested, updated_at, due_at,"
        " null::text as current_step, null::timestamptz as current_step_started_at, null::numeric(5, 2) as progress,"
        " error_code from jobs",
    )
    assert found == ["view job_status_realtime: its definition differs"]


def test_files_that_were_edited_or_are_missing_or_wait_are_named(
    database: RecordDatabase, tmp_path: Path
) -> None:
    files = Path(shutil.copytree(MIGRATIONS, tmp_path / "migrations"))
    (files / f"{NAMES[0]}.sql").write_text("select 1;\n")
    (files / f"{NAMES[1]}.sql").unlink()
    (files / "900_waits.sql").write_text("select 1;\n")
    assert verify(database.owner_url, directory=files) == [
        f"migration {NAMES[0]} was edited after it had been applied; write a new one instead",
        f"migration {NAMES[1]} was applied, but its file is missing while 900_waits is there",
        "migration 900_waits has not been applied",
    ]


def test_an_empty_database_lacks_everything(postgres: Postgres) -> None:
    with own_database(postgres) as empty:
        found = verify(empty.owner_url)
    assert found[: len(NAMES)] == [f"migration {name} has not been applied" for name in NAMES]
    assert "table jobs is missing" in found


def test_what_postgres_writes_itself_is_not_compared_between_two_major_versions() -> None:
    expected = committed_catalog()
    other = json.loads(as_json(expected))
    other["postgres"] = expected["postgres"] - 1
    other["views"]["job_summary"]["deparsed"] = "written otherwise"
    assert differences(expected, other) == []
    other["postgres"] = expected["postgres"]
    assert differences(expected, other) == ["view job_summary: its definition differs"]


def test_a_schema_file_that_cannot_be_read_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "schema.json").write_text("{")
    for path in (tmp_path / "schema.json", tmp_path / "none.json"):
        with pytest.raises(ConfigurationError, match="cannot be read"):
            committed_catalog(path)
