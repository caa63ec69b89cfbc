"""Several flow stores as one that is never away."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from lib.domain.flow import Circuits, FlowAsk, FlowReport
from lib.ports.flow import FlowStore
from lib.ports.tier import TierUnavailableError

AnswerT = TypeVar("AnswerT")


class FallbackFlowStore:
    """The first of `shared` that answers, else `own`, which is in this process; never raises.

    Those that are away are told to `on_outage` by name. After a change of place buckets are full and circuits are
    closed: a provider is asked a little too often once, which it says itself, rather than not at all.
    """

    name = "flow"

    def __init__(
        self, shared: Sequence[FlowStore], own: FlowStore, *, on_outage: Callable[[str], None]
    ) -> None:
        self._shared = tuple(shared)
        self._own = own
        self._on_outage = on_outage

    def ask(self, ask: FlowAsk, now: int) -> FlowReport:
        """See the port."""
        return self._first(lambda store: store.ask(ask, now))

    def close(self, name: str, until: int) -> None:
        """See the port."""
        self._first(lambda store: store.close(name, until))

    def swap(self, name: str, old: Circuits, new: Circuits) -> tuple[bool, Circuits]:
        """See the port."""
        return self._first(lambda store: store.swap(name, old, new))

    def _first(self, act: Callable[[FlowStore], AnswerT]) -> AnswerT:
        for store in self._shared:
            try:
                return act(store)
            except TierUnavailableError:
                self._on_outage(store.name)
        return act(self._own)
