"""Runs statements and transactions over leased connections: what one connection and a pool have in common."""

import random
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

from lib.domain.actor import Actor
from lib.domain.errors import RecordUnavailableError
from lib.ports.actor import current_actor
from lib.stores.postgres.faults import (
    AWAY,
    FAULTS,
    LOST_RACES,
    LostRaceError,
    commit_unknown,
    is_away,
    raise_fault_of_statement,
    worth_another_connection,
)
from lib.stores.postgres.lease import Lease
from lib.stores.postgres.one_trip import BEGIN, BEGIN_READ_ONLY, COMMIT, Command, act_as, fetch_rows
from lib.stores.postgres.slow_statements import OnSlow, SlowStatements
from lib.stores.postgres.transactions import Transaction

RETRIES_OF_TRANSIENT = 3
PAUSE_SECONDS = 0.02

ResultT = TypeVar("ResultT")


class RecordSessions(ABC):
    """Statements, each its own transaction, and transactions of several, on behalf of the current actor.

    Nothing of one stays in the server for the next, neither settings nor prepared statements.
    """

    def __init__(self, *, read_only: bool, on_slow: OnSlow | None) -> None:
        self._read_only = read_only
        self._on_slow = on_slow

    @abstractmethod
    def _leased(self) -> AbstractContextManager[Lease]:
        """A connection for the block. Raises RecordUnavailableError if there is none."""

    @abstractmethod
    def close(self) -> None:
        """Close what is open; the next statement opens anew."""

    def fetch(self, sql: str, params: Any = (), *, repeat: bool = True) -> list[tuple[Any, ...]]:
        """The rows of one statement, in one round trip.

        With a current actor (`lib.ports.actor`) it runs on the actor's behalf. A statement whose connection dies
        is sent once more over another, which may run it twice: pass `repeat=False` where that is not harmless.
        One that lost a race is run again anyway: nothing of it was done.

        Raises:
            RecordUnavailableError: the record is away, read-only or full, and nothing was done.
            CommitUnknownError: the record went away, or was too slow, with an answer still to come.
            InvalidError, TooLargeError, ConflictError, ForbiddenError: see `lib.stores.postgres.faults`.
        """
        before, after = self._around(current_actor())
        with self._leased() as lease:
            slow = SlowStatements(self._on_slow)

            def run() -> list[tuple[Any, ...]]:
                with slow.watch(sql, params):
                    return fetch_rows(lease.connection, sql, params, before=before, after=after)

            lease.refresh()
            try:
                return _reconnecting(run, lease, repeat=repeat)
            except FAULTS as error:
                if is_away(error):
                    lease.spoil()
                raise_fault_of_statement(error)
            finally:
                slow.tell(lease)

    @contextmanager
    def transaction(self, *, actor: Actor | None = None) -> Iterator[Transaction]:
        """Statements that all happen at the end of the block, or none, if it raises; for `actor`, else the current.

        Within the block, use the `fetch` of what it gives. Raises as `fetch` does; CommitUnknownError where
        nobody can say whether it happened.
        """
        opening = self._opening(actor or current_actor())
        with self._leased() as lease:
            slow = SlowStatements(self._on_slow)
            transaction = Transaction(lease, opening, slow)
            try:
                yield transaction
                transaction.commit()
            finally:
                transaction.roll_back()
                slow.tell(lease)

    def run_in_transaction(
        self, work: Callable[[Transaction], ResultT], *, actor: Actor | None = None, attempts: int = 3
    ) -> ResultT:
        """What `work` gives, whose statements all happened, in one transaction.

        One that lost against another is undone, and `work` is called again, up to `attempts` times in all; after
        any other error it is not. Raises as `transaction` does, and what `work` raises.
        """
        for attempt in range(1, attempts + 1):
            try:
                with self.transaction(actor=actor) as transaction:
                    return work(transaction)
            except LostRaceError:
                if attempt == attempts:
                    raise
                time.sleep(random.uniform(0, PAUSE_SECONDS * 2**attempt))  # noqa: S311 - so that two do not meet again
        raise ValueError(f"attempts must be at least 1, not {attempts}")

    def _opening(self, actor: Actor | None) -> list[Command]:
        begin = BEGIN_READ_ONLY if self._read_only else BEGIN
        return [begin, act_as(actor)] if actor else [begin]

    def _around(self, actor: Actor | None) -> tuple[Sequence[Command], Sequence[Command]]:
        """What is sent before and after one statement: none of it without need."""
        if self._read_only:
            return self._opening(actor), (COMMIT,)
        return ((act_as(actor),) if actor else ()), ()


def _reconnecting(run: Callable[[], ResultT], lease: Lease, *, repeat: bool) -> ResultT:
    try:
        return _racing(run, lease)
    except FAULTS as error:
        if not (repeat and worth_another_connection(error)):
            raise
    try:
        lease.renew()
        return _racing(run, lease)
    except (
        RecordUnavailableError,
        *AWAY,
    ) as error:  # whatever became of this one, the first may have been done
        if is_away(error):
            lease.spoil()
        raise commit_unknown() from error


def _racing(run: Callable[[], ResultT], lease: Lease) -> ResultT:
    for _ in range(RETRIES_OF_TRANSIENT - 1):
        try:
            return run()
        except LOST_RACES:
            lease.settle()
        except FAULTS:
            lease.settle()
            raise
    try:
        return run()
    finally:
        lease.settle()
