"""The one connection of the listener: it hears doorbells and reads the record, and never waits without a limit."""

import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from lib.domain.actor import Actor
from lib.stores.postgres.limited_connection import LimitedConnection, connect_within
from lib.stores.postgres.realtime.doorbells import Doorbells
from lib.stores.postgres.realtime.pace import Pace
from lib.stores.postgres.realtime.waker import Waker, ready

KEEPALIVE: dict[str, str | int | None] = {
    "keepalives_idle": 20,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15000,
    "application_name": "vsl-realtime",
}
"""A peer that is gone is noticed also while nothing is sent (libpq, "Parameter Key Words")."""

Row = tuple[Any, ...]
Params = Sequence[Any] | Mapping[str, Any]
Fetch = Callable[[str, Params], list[Row]]
"""Runs a statement and gives its rows."""


class Line:
    """A connection that has said LISTEN. Of one thread, but for `cut`.

    Args:
        url: the connection string; where it sets the limits of TCP itself, those hold.
        doorbells: is told what rings.
        actor: for whom the record is read; None where the login sees what it may see by itself.
        pace: limits of time.

    Raises:
        psycopg.Error, TimeoutError: there is no connection, or no LISTEN: a read-only copy refuses it.
    """

    def __init__(self, url: str, doorbells: Doorbells, actor: Actor | None, pace: Pace) -> None:
        self._doorbells = doorbells
        self._actor = actor
        given = conninfo_to_dict(url)
        limits = {key: value for key, value in KEEPALIVE.items() if key not in given}
        self._connection: LimitedConnection = connect_within(
            make_conninfo(url, **limits), pace.connect_seconds, pace.statement_seconds
        )
        self._connection.add_notify_handler(lambda notify: doorbells.ring(notify.channel, notify.payload))
        self._socket = socket.socket(fileno=os.dup(self._connection.fileno()))
        self._lock = threading.Lock()
        try:
            for channel in Doorbells.CHANNELS:
                self._connection.execute(f"listen {channel}".encode())
        except BaseException:
            self.close()
            raise

    def wait(self, waker: Waker, seconds: float) -> None:
        """Wait for a doorbell or the waker, at most so long.

        Raises psycopg.OperationalError if the connection is dead.
        """
        pgconn = self._connection.pgconn
        found = ready([pgconn.socket, waker.fileno()], seconds)
        if waker.fileno() in found:
            waker.clear()
        if pgconn.socket in found:
            pgconn.consume_input()
            while (notify := pgconn.notifies()) is not None:
                self._doorbells.ring(notify.relname.decode(), notify.extra.decode(errors="replace"))

    @contextmanager
    def reading(self) -> Iterator[Fetch]:
        """All that is fetched in the block is of one snapshot, and what the actor may see."""
        connection = self._connection
        connection.execute("begin isolation level repeatable read read only")
        try:
            if self._actor is not None:
                who = (self._actor.user_id, self._actor.guest_token, self._actor.key_hash)
                connection.execute("select act_as(%s, %s, %s)", who)
            yield self._fetch
        finally:
            if not connection.closed:
                connection.execute("rollback")

    def cut(self) -> None:
        """End, from another thread, whatever it waits for: it finds the connection dead."""
        with self._lock, suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Hang up, also on a server that does not answer."""
        self._connection.pgconn.finish()
        with self._lock:
            self._socket.close()

    def _fetch(self, sql: str, params: Params) -> list[Row]:
        return self._connection.execute(sql.encode(), params).fetchall()
