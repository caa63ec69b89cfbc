"""What happens to databases: takes no writes, has no connection left, is full of locks. And whether rows changed."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import psycopg
from psycopg import sql

from local.backing import RecordDatabase

LOCK_PATIENCE = "50ms"
_TABLES = """
select c.relname from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
order by 1
"""


class Trouble:
    """Makes trouble for one login of a database, and mends it; `rows` is a fingerprint of everything."""

    def __init__(self, database: RecordDatabase, url: str) -> None:
        self._url = database.superuser_url
        self._login = sql.Identifier(str(psycopg.conninfo.conninfo_to_dict(url)["user"]))

    def rows(self) -> dict[str, tuple[int, str | None]]:
        """The number of rows of each table, and a hash over them."""
        found: dict[str, tuple[int, str | None]] = {}
        with self._operator() as operator:
            for table in _tables(operator):
                query = "select count(*), md5(string_agg(t::text, chr(10) order by t::text)) from {} t"
                ((count, digest),) = operator.execute(sql.SQL(query).format(sql.Identifier(table))).fetchall()
                found[table] = (count, digest)
        return found

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """As an old primary after a failover: it takes connections, and no writes."""
        with self._setting("set default_transaction_read_only = on", "reset default_transaction_read_only"):
            yield

    @contextmanager
    def full(self) -> Iterator[None]:
        """No connection is left."""
        with self._setting("connection limit 0", "connection limit -1"):
            yield

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Somebody holds every table."""
        patience = f"set lock_timeout = '{LOCK_PATIENCE}'"
        with self._setting(patience, "set lock_timeout = '4s'"), self._operator() as holder:
            names = sql.SQL(", ").join(map(sql.Identifier, _tables(holder)))
            with holder.transaction():
                holder.execute(sql.SQL("lock table {} in access exclusive mode").format(names))
                yield

    def cut(self) -> None:
        """All connections of the login are killed."""
        with self._operator() as operator:
            operator.execute(
                sql.SQL(
                    "select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = {}"
                ).format(sql.Literal(self._login.as_string(operator).strip('"')))
            )

    @contextmanager
    def _setting(self, bad: str, good: str) -> Iterator[None]:
        self._alter(bad)
        try:
            yield
        finally:
            self._alter(good)

    def _alter(self, setting: str) -> None:
        with self._operator() as operator:
            operator.execute(sql.SQL("alter role {} {}").format(self._login, sql.SQL(setting)))
        self.cut()

    def _operator(self) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(self._url, autocommit=True)


Make = Callable[[Trouble], AbstractContextManager[None]]
KINDS: dict[str, Make] = {"read-only": Trouble.read_only, "full": Trouble.full, "locked": Trouble.locked}
"""Each kind of trouble by its name."""


def _tables(operator: psycopg.Connection[tuple[Any, ...]]) -> list[str]:
    return [str(name) for (name,) in operator.execute(_TABLES).fetchall()]
