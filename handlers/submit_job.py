"""The submit queue: asks synchronous providers, whose answer is the result, and waits for it."""

from typing import Any

from lib import bootstrap
from lib.api.batch import run_batch


def handler(event: dict[str, Any], context: Any) -> Any:
    """Send one attempt, keep what comes back, and record it."""
    return run_batch(event, context, bootstrap.handle_message(), bootstrap.submit_queue)
