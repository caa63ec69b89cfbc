"""A transaction of several statements: all of them happen, or none."""

from collections.abc import Sequence
from typing import Any

import psycopg

from lib.domain.errors import GatewayError
from lib.stores.postgres.faults import (
    FAULTS,
    commit_unknown,
    is_away,
    raise_fault,
    worth_another_connection,
)
from lib.stores.postgres.lease import Lease
from lib.stores.postgres.one_trip import Command, fetch_rows
from lib.stores.postgres.slow_statements import SlowStatements


class Transaction:
    """Runs statements in one transaction. Its begin, and its actor, travel with the first statement.

    n statements are n + 1 round trips. After one that failed the transaction is lost, also if its error was caught.
    """

    def __init__(self, lease: Lease, opening: Sequence[Command], slow: SlowStatements) -> None:
        self._lease = lease
        self._opening = opening
        self._slow = slow
        self._open = False
        self._failure: Exception | None = None

    def fetch(
        self,
        sql: str,
        params: Any = (),
        *,
        repeat: bool = True,  # noqa: ARG002 - as in `RecordSessions.fetch`; here nothing is done before the end
    ) -> list[tuple[Any, ...]]:
        """The rows of one statement, in one round trip.

        Raises:
            RecordUnavailableError: the record is away, and nothing of the transaction was done.
            InvalidError, TooLargeError, ConflictError, ForbiddenError: see `lib.stores.postgres.faults`.
        """
        if self._failure is not None:
            raise self._failure
        try:
            return self._translated(sql, params)
        except (GatewayError, psycopg.Error) as error:
            self._failure = error
            raise

    def commit(self) -> None:
        """Make it happen. Raises what a statement raised; LostRaceError; CommitUnknownError if there is no answer."""
        if self._failure is not None:
            self.roll_back()
            raise self._failure
        if not self._open:
            return
        try:
            fetch_rows(self._lease.connection, "commit")
        except FAULTS as error:
            self._lease.settle()
            if is_away(error):
                self._lease.spoil()
                raise commit_unknown() from error
            raise_fault(error)

    def roll_back(self) -> None:
        """Undo it. Never raises: a connection that does not answer is closed, which undoes it too."""
        self._lease.settle()

    def _translated(self, sql: str, params: Any) -> list[tuple[Any, ...]]:
        try:
            return self._run(sql, params)
        except FAULTS as error:
            if is_away(error):
                self._lease.spoil()
            raise_fault(error)

    def _run(self, sql: str, params: Any) -> list[tuple[Any, ...]]:
        if self._open:
            return self._timed(sql, params, ())
        try:
            rows = self._timed(sql, params, self._opening)
        except FAULTS as error:
            if not (self._lease.reused and worth_another_connection(error)):
                raise
            self._lease.renew()
            rows = self._timed(sql, params, self._opening)
        self._open = True
        return rows

    def _timed(self, sql: str, params: Any, before: Sequence[Command]) -> list[tuple[Any, ...]]:
        with self._slow.watch(sql, params):
            return fetch_rows(self._lease.connection, sql, params, before=before)
