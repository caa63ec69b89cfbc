"""The memory of one process: the most recently used texts, each with a life."""

from collections import OrderedDict
from collections.abc import Callable


class RecentValues:
    """At most `max_size` texts; the least recently used one makes room. Its owner keeps threads apart.

    Times are seconds of one clock. A clock that was set back ends the lives of what was written "later".
    """

    def __init__(self, max_size: int) -> None:
        self.max_size = max_size
        self._values: OrderedDict[str, tuple[str, float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: str, now: float) -> str | None:
        """The text, or None if there is none or its life is over."""
        held = self._values.get(key)
        if held is None:
            return None
        text, since, until = held
        if not since <= now < until:
            del self._values[key]
            return None
        self._values.move_to_end(key)
        return text

    def put(self, key: str, text: str, *, since: float, until: float) -> int:
        """Keep the text from `since` until then; how many others made room for it."""
        self._values[key] = (text, since, until)
        self._values.move_to_end(key)
        evicted = 0
        while len(self._values) > self.max_size:
            self._values.popitem(last=False)
            evicted += 1
        return evicted

    def drop(self, covered: Callable[[str], bool]) -> None:
        """Forget every key that is covered."""
        for key in [key for key in self._values if covered(key)]:
            del self._values[key]
