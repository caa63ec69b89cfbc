"""Fills a database with small believable data, through the functions that production code uses."""

from datetime import UTC, datetime

from lib.database import seed_data as data
from lib.database.seed_composition import compose
from lib.database.seed_generation import generate
from lib.database.seed_ids import digest, seeded_uuid
from lib.database.seed_logs import log_accesses, log_refusals
from lib.database.seed_writer import SeedWriter
from lib.domain.errors import ConfigurationError
from lib.stores.postgres.migrations.ledger import act_as_owner
from lib.stores.postgres.migrator import Connection, connect

_PATIENCE = "10s"
"""How long it waits for a table that somebody holds."""


def seed(url: str, now: datetime | None = None) -> int:
    """Add users, jobs of every media type and status with all that belongs to them, and logs; how many jobs are new.

    All of it or nothing, in one transaction. Run again it adds nothing: the moment of the first run is found in
    the users, and every id follows from it. Jobs in flight belong to no provider; a sweep ends them in time.

    Raises ConfigurationError where the migrations have not been applied.
    """
    with connect(url) as connection, connection.transaction():
        row = connection.execute("select to_regclass('public.database_options') is not null").fetchone()
        if row is None or not row[0]:
            raise ConfigurationError("there is nothing to fill yet: python -m lib.database migrate up")
        act_as_owner(connection)
        connection.execute(f"set local search_path = public; set local lock_timeout = '{_PATIENCE}'".encode())
        writer = SeedWriter(connection, _moment(connection, now or datetime.now(UTC)))
        _people(writer)
        new = generate(writer) + compose(writer)
        log_accesses(writer)
        log_refusals(writer)
        if new:
            writer.run("select record_system_metrics(%s)", writer.base)
    return new


def _moment(connection: Connection, now: datetime) -> datetime:
    """When this database was seeded first, or now in whole minutes."""
    connection.execute("lock table users in share row exclusive mode")  # two that seed at once
    row = connection.execute(
        "select created_at from users where user_id = %s", (data.USERS[0][0],)
    ).fetchone()
    return row[0] if row is not None else now.replace(second=0, microsecond=0)


def _people(writer: SeedWriter) -> None:
    """Users, and a revoked key for each: nobody can use it."""
    for user_id, kind, role in data.USERS:
        writer.run(
            "insert into users (user_id, kind, access_role, created_at) values (%s, %s, %s, %s) on conflict do nothing",
            *(user_id, kind, role, writer.base),
        )
        writer.run(
            "insert into api_keys (key_id, user_id, key_hash, label, created_at, revoked_at)"
            " values (%s, %s, %s, 'seed, revoked', %s, %s) on conflict do nothing",
            *(seeded_uuid(writer.base, user_id), user_id, digest(f"key {user_id}"), writer.base, writer.base),
        )
