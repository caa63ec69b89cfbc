"""A queue whose messages a test hands out itself, when and in the order it likes."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from lib.domain.errors import UnavailableError
from tests.fakes.credentials import leaks

LARGEST_MESSAGE = 1024 * 1024


@dataclass
class Message:
    """One message in a queue, visible from `visible_at`."""

    body: dict[str, Any]
    visible_at: datetime
    receives: int = 0


@dataclass
class MemoryQueue:
    """At least once, in no order. `secret` is a key of which no part may be in any message."""

    clock: Callable[[], datetime]
    secret: str
    messages: list[Message] = field(default_factory=list)

    def send(self, message: Mapping[str, Any], *, group: str, delay_seconds: float = 0) -> None:
        """See the port. As SQS, it takes no message over 1 MiB."""
        text = json.dumps(message)
        if len(text) > LARGEST_MESSAGE:
            raise UnavailableError("One or more parameters are invalid: the message is too long")
        assert not leaks(text, self.secret)
        body = json.loads(text)
        self.messages.append(Message(body, self.clock() + timedelta(seconds=delay_seconds)))

    def send_many(self, messages: Sequence[tuple[Mapping[str, Any], str]]) -> int:
        """See the port."""
        for message, group in messages:
            self.send(message, group=group)
        return 0

    def visible(self) -> list[Message]:
        """What could be received now."""
        return [message for message in self.messages if message.visible_at <= self.clock()]
