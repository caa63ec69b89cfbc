"""The store queue: copies outputs to the bucket and completes jobs."""

from collections.abc import Mapping
from typing import Any

from lib import bootstrap
from lib.api.batch import run_batch

STOP_MILLISECONDS = 60_000
"""What was begun when the time was up may still take: the longest wait for a source, then for the bucket."""


def handler(event: dict[str, Any], context: Any) -> Any:
    """Store, as long as there is time: with less than a minute left the message goes back with its checkpoint."""

    def time_is_up() -> bool:
        return bool(context.get_remaining_time_in_millis() < STOP_MILLISECONDS)

    def store(message: Mapping[str, Any]) -> None:
        bootstrap.store_result().handle(message, time_is_up)

    return run_batch(event, context, store, bootstrap.store_queue)
