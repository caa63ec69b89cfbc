"""A work queue in a list."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lib.domain.errors import UnavailableError


@dataclass(frozen=True)
class SentMessage:
    """One message as it was sent; the body went through JSON."""

    message: Mapping[str, Any]
    group: str
    delay_seconds: float


class FakeQueue:
    """`sent` is its state; set `down` to make it fail."""

    def __init__(self) -> None:
        self.sent: list[SentMessage] = []
        self.down = False

    def send(self, message: Mapping[str, Any], *, group: str, delay_seconds: float = 0) -> None:
        """See the port."""
        if self.down:
            raise UnavailableError("the queue is down")
        self.sent.append(SentMessage(json.loads(json.dumps(message)), group, delay_seconds))

    def send_many(self, messages: Sequence[tuple[Mapping[str, Any], str]]) -> int:
        """See the port."""
        if self.down:
            return len(messages)
        for message, group in messages:
            self.send(message, group=group)
        return 0
