"""The work queues: at least once, in no order."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class WorkQueue(Protocol):
    """One queue of JSON messages, fair between groups (users)."""

    def send(self, message: Mapping[str, Any], *, group: str, delay_seconds: float = 0) -> None:
        """Enqueue the message, deliverable after the delay (0 to 900 s).

        Raises:
            UnavailableError: the queue is away; nothing was sent, or it is not known whether it was.
        """

    def send_many(self, messages: Sequence[tuple[Mapping[str, Any], str]]) -> int:
        """Enqueue up to ten (message, group) pairs in one round trip; how many of them were not taken.

        Never raises for a queue that is away: then none was taken.
        """
