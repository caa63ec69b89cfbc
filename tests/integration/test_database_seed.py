"""The seed: believable, of every kind, the same each time, and once."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from lib.database.seed import seed
from lib.domain.errors import ConfigurationError
from lib.domain.provider import OutputKind, ProviderOutput
from lib.providers.replicate_models import PREDICTION_ID
from lib.stores.postgres.migrations import migrate_up
from local.backing import Postgres
from tests.integration.own_database import own_database, rows, tables_of

NOW = datetime(2026, 11, 20, 18, 4, 2, 118_000, tzinfo=UTC)
BY_MIGRATIONS = {"schema_migrations", "database_options", "health_probe"}


@pytest.fixture
def migrated(postgres: Postgres) -> Iterator[str]:
    with own_database(postgres) as database:
        migrate_up(database.owner_url)
        yield database.owner_url


def everything_in(url: str) -> dict[str, list[tuple[object, ...]]]:
    query = "select t::text from {} t order by 1"
    return {table: rows(url, query.format(table)) for table in tables_of(url)}


def test_every_table_has_rows_and_every_status_of_every_kind_is_there(migrated: str) -> None:
    assert seed(migrated, NOW) == 31
    filled = everything_in(migrated)
    never = {
        "outbox",
        "idempotency_keys",
        "provider_credentials",
    }  # the last are sealed, by a key that no seed has
    assert {table for table, found in filled.items() if not found} == never
    assert rows(migrated, "select distinct status from jobs order by 1") == [
        ("canceled",), ("completed",), ("failed",), ("pending",), ("processing",),
    ]  # fmt: skip
    assert rows(migrated, "select distinct media_type from jobs where status = 'completed' order by 1") == [
        ("audio",), ("image",), ("text",), ("video",),
    ]  # fmt: skip
    assert rows(migrated, "select distinct kind from jobs order by 1") == [("composition",), ("generation",)]
    assert rows(migrated, "select distinct kind || ' ' || access_role from users order by 1") == [
        ("guest user",), ("registered admin",), ("registered test",), ("registered user",),
    ]  # fmt: skip


def test_a_second_run_adds_nothing_also_a_day_later(migrated: str) -> None:
    seed(migrated, NOW)
    before = everything_in(migrated)
    assert seed(migrated, NOW + timedelta(days=1)) == 0
    assert everything_in(migrated) == before


def test_two_databases_seeded_at_the_same_moment_have_the_same_jobs(
    migrated: str, postgres: Postgres
) -> None:
    what = "select job_id, short_id, user_id, status, step, version, created_at, completed_at from jobs order by job_id"
    with own_database(postgres) as other:
        migrate_up(other.owner_url)
        seed(other.owner_url, NOW)
        seed(migrated, NOW)
        assert rows(other.owner_url, what) == rows(migrated, what)


def test_workers_can_read_what_is_in_flight_and_ask_the_provider_for_it(migrated: str) -> None:
    seed(migrated, NOW)
    ids = rows(migrated, "select provider_job_id from attempts where provider_job_id is not null")
    assert len(ids) > 20
    assert all(PREDICTION_ID.fullmatch(str(provider_job_id)) for (provider_job_id,) in ids)
    outputs: Any = rows(
        migrated, "select jsonb_array_elements(outputs) from attempts where outputs is not null"
    )
    assert len(outputs) > 20
    for (output,) in outputs:
        assert ProviderOutput(OutputKind(output["kind"]), output["value"]).value.startswith("https://")


def test_no_key_of_the_seed_opens_anything_and_guests_jobs_have_their_token(migrated: str) -> None:
    seed(migrated, NOW)
    assert rows(migrated, "select count(*) from api_keys where revoked_at is null") == [(0,)]
    assert rows(
        migrated, "select distinct (user_id = 'seed-guest') = (guest_token is not null) from jobs"
    ) == [(True,)]


def test_a_seed_that_fails_leaves_nothing(migrated: str, postgres: Postgres) -> None:
    with psycopg.connect(migrated, autocommit=True) as connection:
        connection.execute("set role vsl_owner")
        connection.execute("alter table security_events add check (kind <> 'forged_webhook')")
    with pytest.raises(psycopg.errors.CheckViolation):
        seed(migrated, NOW)
    assert {table for table, found in everything_in(migrated).items() if found} == BY_MIGRATIONS


def test_a_database_without_the_schema_is_said_so(postgres: Postgres) -> None:
    with own_database(postgres) as empty, pytest.raises(ConfigurationError, match="migrate up"):
        seed(empty.owner_url, NOW)
