"""The shared side of the query cache as its owner wants it: it never raises, and it forgets no invalidation."""

import threading
from collections.abc import Callable, Collection
from typing import TypeVar

from lib.domain.cache_keys import EVERYTHING, Target
from lib.ports.query_store import Look, QueryStore
from lib.ports.tier import TierUnavailableError
from lib.services.cache_tally import CacheTally

MOST_OWED = 1000  # invalidations to be caught up with; beyond that everything is forgotten
AnswerT = TypeVar("AnswerT")


class SharedValues:
    """A `QueryStore` whose failures are counted and become None or False.

    What could not be forgotten is owed: it is forgotten before the next use of the store by this process, so that
    this process never reads from the store what it has invalidated itself. (Should the process end before, the
    store's own lives are the bound, as for a writer that dies between its commit and its invalidation.)
    """

    def __init__(self, store: QueryStore, tally: CacheTally, on_outage: Callable[[str], None]) -> None:
        self._store = store
        self._tally = tally
        self._on_outage = on_outage
        self._owed: dict[Target, int] = {}
        self._debts = 0
        self._lock = threading.Lock()

    def read(self, key: str) -> Look | None:
        """What the store holds; None if it is away."""
        return self._run(lambda: self._store.read(key))

    def begin(self, key: str, *, token: str, lock_seconds: float, life_seconds: float) -> Look | None:
        """See `QueryStore.begin`; None if it is away."""
        return self._run(
            lambda: self._store.begin(key, token=token, lock_seconds=lock_seconds, life_seconds=life_seconds)
        )

    def keep(self, key: str, value: str, life_seconds: float, *, stamp: str, token: str) -> bool | None:
        """See `QueryStore.keep`; None if it is away."""
        return self._run(lambda: self._store.keep(key, value, life_seconds, stamp=stamp, token=token))

    def release(self, key: str, token: str) -> None:
        """See `QueryStore.release`; a lead that could not be given up ends by itself."""
        self._run(lambda: self._store.release(key, token))

    def forget(self, targets: Collection[Target]) -> bool:
        """Whether the store forgot them now; otherwise it is owed."""
        self._owe(targets)
        return self._run(lambda: True) is True

    def _run(self, action: Callable[[], AnswerT]) -> AnswerT | None:
        try:
            self._pay()
            return action()
        except TierUnavailableError:
            self._tally.count("errors")
            self._on_outage(self._store.name)
            return None

    def _owe(self, targets: Collection[Target]) -> None:
        with self._lock:
            self._debts += 1
            self._owed.update(dict.fromkeys(targets, self._debts))
            if len(self._owed) > MOST_OWED:
                self._owed = {EVERYTHING: self._debts}

    def _pay(self) -> None:
        """Forget what is owed. It is owed until that has succeeded: no thread reads past another's payment.

        thread A   pays debt 1 of job:1 ....... done: strikes out job:1 only if it is still debt 1
        thread B          owes job:1 again: debt 2
        """
        if not self._owed:
            return
        with self._lock:
            owed = dict(self._owed)
        if not owed:
            return
        self._store.forget(owed)
        with self._lock:
            for target, debt in owed.items():
                if self._owed.get(target) == debt:
                    del self._owed[target]
