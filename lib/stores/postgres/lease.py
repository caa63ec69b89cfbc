"""A connection for as long as one statement or one transaction needs it."""

from collections.abc import Callable
from contextlib import suppress

from lib.stores.postgres.faults import FAULTS
from lib.stores.postgres.limited_connection import LimitedConnection
from lib.stores.postgres.one_trip import fetch_rows


class Lease:
    """One connection, held by one thread; `reused` says that it was made for an earlier statement.

    `spoiled` says that the server behind it was away, or would not write.
    """

    def __init__(
        self,
        connection: LimitedConnection,
        renew: Callable[[LimitedConnection], LimitedConnection],
        *,
        reused: bool,
    ) -> None:
        self.connection = connection
        self.reused = reused
        self._renew = renew
        self.spoiled = False

    @property
    def good(self) -> bool:
        """Whether the next one may have the connection: it is there, and in no transaction."""
        return self.connection.idle and not self.spoiled

    def spoil(self) -> None:
        """Let nobody have this connection after us."""
        self.spoiled = True

    def renew(self) -> None:
        """Give up this connection for another one. Raises RecordUnavailableError if there is none."""
        self.connection = self._renew(self.connection)
        self.reused = self.spoiled = False

    def refresh(self) -> None:
        """Give up a connection that the server ended since it was used last. Raises as `renew` does."""
        if self.reused and self.connection.was_ended():
            self.renew()

    def settle(self) -> None:
        """Leave no transaction open; a connection that cannot be brought to it is closed."""
        if self.connection.idle or self.connection.closed:
            return
        with suppress(*FAULTS):
            fetch_rows(self.connection, "rollback")
        if not self.connection.idle:
            self.connection.pgconn.finish()
