"""The record: its connections, by what may wait how long, and what is asked over them."""
# ruff: noqa: PLC0415 - see the package

import os
from functools import cache
from typing import TYPE_CHECKING

from lib import bootstrap
from lib import settings as s

if TYPE_CHECKING:
    from lib.domain.actor import Actor
    from lib.ports.record import JobRecord
    from lib.ports.subscriptions import Subscriptions
    from lib.ports.tier import Tier
    from lib.stores.outage import Outage
    from lib.stores.postgres.api_keys import PostgresApiKeys
    from lib.stores.postgres.connection import RecordConnection
    from lib.stores.postgres.roles import Group
    from lib.stores.postgres.slow_queries import SlowQueryLog
    from lib.variables import Secret

READ_CONNECT_SECONDS = 0.5
READ_STATEMENT_SECONDS = 0.4
"""How long a status waits for the record; it answers within a second whatever happens."""

FIGURES_STATEMENT_SECONDS = 12.0
"""Figures over a whole quarter may take this long; an answer needs two of them within the function's 30 s."""


@cache
def record_connection() -> "RecordConnection":
    """The connection of transitions."""
    from lib.stores.postgres.connection import RecordConnection

    return RecordConnection(bootstrap.address_of_record, on_slow=_slow_queries())


@cache
def reading_connection() -> "RecordConnection":
    """The connection of reads that have another answer when the record is slow."""
    from lib.stores.postgres.connection import RecordConnection

    return RecordConnection(
        bootstrap.address_of_record,
        connect_seconds=READ_CONNECT_SECONDS,
        statement_seconds=READ_STATEMENT_SECONDS,
        on_slow=_slow_queries(),
    )


@cache
def replica_connection() -> "RecordConnection":
    """The connection of reads that may be a little old: to the replica, or to the record if there is none."""
    from lib import work_settings as w
    from lib.stores.postgres.connection import RecordConnection

    def address() -> str:
        replica = bootstrap.settings(w.ReplicaSettings).replica
        return _address(replica, read_only=True) if replica else bootstrap.address_of_record()

    return RecordConnection(
        address, read_only=True, on_slow=_slow_queries(), statement_seconds=FIGURES_STATEMENT_SECONDS
    )


def address_of_record() -> str:
    """The connection string of the record, for the login that this function may use."""
    return _address(bootstrap.settings(s.DatabaseSettings).database)


def _address(database: "Secret", *, read_only: bool = False) -> str:
    """The connection string, which asks for TLS off this machine; read anew, as secrets are rotated."""
    from lib.stores.postgres.sources import SecretSource

    source = SecretSource(
        lambda: bootstrap.secrets().text(database), database.name, read_only=read_only, environ=os.environ
    )
    return source.url()


@cache
def _slow_queries() -> "SlowQueryLog | None":
    """Where slow statements are told of."""
    from lib.stores.postgres.slow_queries import slow_query_log

    return slow_query_log(bootstrap.settings(s.DatabaseSettings).slow_query_ms)


@cache
def record() -> "JobRecord":
    """The record of jobs."""
    from lib.stores.postgres.record import PostgresRecord

    return PostgresRecord(bootstrap.record_connection())


def subscriptions(actor: "Actor | None" = None) -> "Subscriptions":
    """Changes of jobs as they happen, for a process that lives long: what this actor, or else the login, may read.

    Whoever asks for it closes it.
    """
    from lib import work_settings as w
    from lib.stores.postgres.realtime import Pace, PostgresSubscriptions

    pace = Pace(events_per_second=bootstrap.settings(w.RealtimeSettings).realtime_events_per_second)
    return PostgresSubscriptions(bootstrap.address_of_record, actor=actor, pace=pace)


@cache
def reading_outage() -> "Outage":
    """What key checks and status reads know of the record's being away."""
    from lib.stores.outage import Outage

    return Outage("postgres")


@cache
def api_keys() -> "PostgresApiKeys":
    """The record of API keys, for creating and listing jobs."""
    from lib.stores.postgres.api_keys import PostgresApiKeys

    return PostgresApiKeys(bootstrap.record_connection)


@cache
def quick_api_keys() -> "PostgresApiKeys":
    """The record of API keys, for reading a status."""
    from lib.stores.postgres.api_keys import PostgresApiKeys

    return PostgresApiKeys(bootstrap.reading_connection, outage=bootstrap.reading_outage())


@cache
def record_tier() -> "Tier":
    """The record as the last tier of the status."""
    from lib.stores.record_tier import RecordTier

    def finder() -> "JobRecord":
        from lib.stores.postgres.record import PostgresRecord

        return PostgresRecord(bootstrap.reading_connection())

    return RecordTier(finder, outage=bootstrap.reading_outage())


def database_url() -> str:
    """Where the record is, for migrations."""
    from lib import work_settings as w

    return _address(bootstrap.settings(w.MigrationSettings).database)


def database_logins() -> "dict[Group, str]":
    """The addresses of the functions' logins by their group, as far as they are given, for migrations."""
    from lib import work_settings as w
    from lib.stores.postgres.roles import Group

    chosen = bootstrap.settings(w.MigrationSettings)
    given = {Group.API: chosen.api_database, Group.WORKER: chosen.worker_database}
    return {group: _address(secret) for group, secret in given.items() if secret is not None}
