"""The schedule: finds what nobody did in time, whichever provider it is with."""

import logging
from dataclasses import asdict
from typing import Any

from lib import bootstrap
from lib.aws import logging as logs
from lib.ports.correlation import working_for

logger = logging.getLogger(__name__)

STOP_MILLISECONDS = 10_000


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Sweep once; what it raises makes the schedule try again, and then alarms."""
    logs.configure()

    def time_is_up() -> bool:
        return bool(context.get_remaining_time_in_millis() < STOP_MILLISECONDS)

    with working_for(str(event.get("id") or context.aws_request_id)):
        report = asdict(bootstrap.sweep().run(time_is_up))
        logger.info("swept", extra=report)
    return report
