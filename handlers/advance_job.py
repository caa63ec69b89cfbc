"""The advance queue: submits, polls, applies what providers said."""

from typing import Any

from lib import bootstrap
from lib.api.batch import run_batch

MESSAGE_MILLISECONDS = 52_000
"""What the slowest message may take: a poll of a provider that answers slowly, with its result, and the record."""

ASKS_NO_PROVIDER = ("event", "heal", "url_access", "security_event")
"""Kinds of message that wait for no call to a provider, and so are not to wait behind one that hangs."""


def handler(event: dict[str, Any], context: Any) -> Any:
    """Work through a batch; what failed comes again, and so does what could not be begun in time."""
    return run_batch(
        event,
        context,
        bootstrap.handle_message(),
        bootstrap.advance_queue,
        message_milliseconds=MESSAGE_MILLISECONDS,
        first=ASKS_NO_PROVIDER,
    )
