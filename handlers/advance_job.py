"""The advance queue: submits, polls, applies what providers said."""

from typing import Any

from lib import bootstrap
from lib.api.batch import run_batch


def handler(event: dict[str, Any], context: Any) -> Any:
    """Work through a batch; what failed comes again."""
    return run_batch(event, context, bootstrap.handle_message(), bootstrap.advance_queue)
