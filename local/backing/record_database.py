"""The record's database on an embedded server, with the logins that an operator's has: none is a superuser."""

import psycopg
from psycopg import sql

from local.backing.ports import LOOPBACK
from local.backing.postgres import Postgres


class RecordDatabase:
    """A database `name` on `server`, owned by the login `vsl_{stage}_migrator`, which may create roles.

    `make` makes both; the logins `vsl_{stage}_api` and `vsl_{stage}_worker` come with the migrations. Addresses are
    known once the server has started.
    """

    def __init__(self, server: Postgres, *, name: str, stage: str) -> None:
        self.server = server
        self.name = name
        self._stage = stage

    @property
    def owner_url(self) -> str:
        """As the migrator: whose the tables are, for migrations, keys and care."""
        return self._url("migrator")

    @property
    def api_url(self) -> str:
        """As the functions that answer callers: it sees what the actor of the transaction may see."""
        return self._url("api")

    @property
    def worker_url(self) -> str:
        """As the workers and the sweep."""
        return self._url("worker")

    @property
    def superuser_url(self) -> str:
        """As the server's superuser, whom no policy binds."""
        return f"postgresql://postgres@{LOOPBACK}:{self.server.port}/{self.name}"

    def make(self) -> None:
        """Make the migrator and the database where they are missing."""
        migrator = self._login("migrator")
        with psycopg.connect(self.server.url, autocommit=True) as connection:
            if not connection.execute("select from pg_roles where rolname = %s", [migrator]).fetchall():
                connection.execute(
                    sql.SQL("create role {} login createrole").format(sql.Identifier(migrator))
                )
            if not connection.execute("select from pg_database where datname = %s", [self.name]).fetchall():
                connection.execute(
                    sql.SQL("create database {} owner {}").format(
                        sql.Identifier(self.name), sql.Identifier(migrator)
                    )
                )

    def drop(self) -> None:
        """Remove the database, whoever is connected to it; the logins stay."""
        with psycopg.connect(self.server.url, autocommit=True) as connection:
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(self.name)))

    def _url(self, ending: str) -> str:
        return f"postgresql://{self._login(ending)}@{LOOPBACK}:{self.server.port}/{self.name}"

    def _login(self, ending: str) -> str:
        return f"vsl_{self._stage}_{ending}"
