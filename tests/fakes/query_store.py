"""The shared side of the query cache in dicts."""

from collections.abc import Callable, Collection
from itertools import count
from threading import RLock

from lib.domain.cache_keys import Target, targets_covering
from lib.ports.query_store import Look
from lib.ports.tier import TierUnavailableError


class FakeQueryStore:
    """Set `down` to make it fail; `on_call` hears the name of each call before it is done. `clock` is in seconds."""

    name = "fake"

    def __init__(self, clock: Callable[[], float]) -> None:
        self.down = False
        self.on_call: Callable[[str], None] = lambda _name: None
        self._clock = clock
        self._values: dict[str, tuple[str, str, float]] = {}  # stamp, value, end of life
        self._leads: dict[str, tuple[str, str, float]] = {}  # stamp, token, end of life
        self._words: dict[Target, str] = {}
        self._numbers = count()
        self._lock = RLock()

    def read(self, key: str) -> Look:
        """See the port."""
        self._must_be_up("read")
        with self._lock:
            return self._good(key, self._stamp(key)) or Look(None)

    def begin(self, key: str, *, token: str, lock_seconds: float, life_seconds: float) -> Look:
        """See the port."""
        self._must_be_up("begin")
        with self._lock:
            for target in targets_covering(key):
                self._words.setdefault(target, str(next(self._numbers)))
            stamp, now = self._stamp(key), self._clock()
            held = self._leads.get(key)
            leads = bool(token) and not (held and held[0] == stamp and held[2] > now)
            good = self._good(key, stamp)
            if leads and good is None:
                self._leads[key] = (stamp, token, now + lock_seconds)
            return good or Look(None, stamp=stamp, leads=leads)

    def keep(self, key: str, value: str, life_seconds: float, *, stamp: str, token: str) -> bool:
        """See the port."""
        self._must_be_up("keep")
        with self._lock:
            self._give_up(key, token)
            if self._stamp(key) != stamp:
                return False
            self._values[key] = (stamp, value, self._clock() + life_seconds)
            return True

    def release(self, key: str, token: str) -> None:
        """See the port."""
        self._must_be_up("release")
        with self._lock:
            self._give_up(key, token)

    def forget(self, targets: Collection[Target]) -> None:
        """See the port."""
        self._must_be_up("forget")
        with self._lock:
            for target in targets:
                self._words.pop(target, None)

    def _stamp(self, key: str) -> str:
        return " ".join(self._words.get(target, "-") for target in targets_covering(key))

    def _good(self, key: str, stamp: str) -> Look | None:
        held = self._values.get(key)
        if held is None or held[0] != stamp or held[2] <= self._clock():
            return None
        return Look(held[1], life_seconds=held[2] - self._clock(), stamp=stamp)

    def _give_up(self, key: str, token: str) -> None:
        if key in self._leads and self._leads[key][1] == token:
            del self._leads[key]

    def _must_be_up(self, call: str) -> None:
        self.on_call(call)
        if self.down:
            raise TierUnavailableError(f"{self.name} is down")
