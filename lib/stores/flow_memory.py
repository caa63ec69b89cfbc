"""Buckets and circuits of this process alone, for when the shared stores are away."""

import threading

from lib.domain.flow import BOTH_CLOSED, NEVER_USED, Bucket, Circuits, FlowAsk, FlowReport

_MAX_NAMES = 10_000


class MemoryFlowStore:
    """The `FlowStore` that is never away. Each process counts for itself; threads may share it."""

    name = "memory"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[str, tuple[Bucket, Circuits]] = {}

    def ask(self, ask: FlowAsk, now: int) -> FlowReport:
        """See the port."""
        with self._lock:
            bucket, circuits = self._of(ask.name)
            if ask.allowance is None or not ask.want:
                return FlowReport(closed_until=bucket.closed_until, circuits=circuits)
            bucket, granted, wait = bucket.taken(ask.allowance, ask.want, now)
            self._keep(ask.name, bucket, circuits)
            return FlowReport(granted, wait, bucket.closed_until, circuits)

    def close(self, name: str, until: int) -> None:
        """See the port."""
        with self._lock:
            bucket, circuits = self._of(name)
            self._keep(name, bucket.closed(until), circuits)

    def swap(self, name: str, old: Circuits, new: Circuits) -> tuple[bool, Circuits]:
        """See the port."""
        with self._lock:
            bucket, circuits = self._of(name)
            if circuits != old:
                return False, circuits
            self._keep(name, bucket, new)
            return True, new

    def _of(self, name: str) -> tuple[Bucket, Circuits]:
        return self._held.get(name, (NEVER_USED, BOTH_CLOSED))

    def _keep(self, name: str, bucket: Bucket, circuits: Circuits) -> None:
        """The name last used goes to the end; the one that was not used longest makes room."""
        self._held.pop(name, None)
        self._held[name] = (bucket, circuits)
        if len(self._held) > _MAX_NAMES:
            del self._held[next(iter(self._held))]
