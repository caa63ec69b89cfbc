"""SQS batches: one message at a time, partial failures, and waiting that wears nothing out."""

import json
import logging
from collections.abc import Callable, Collection, Mapping
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from lib.aws import logging as logs
from lib.ports.correlation import FIELD, working_for
from lib.ports.queue import WorkQueue
from lib.services.waiting import TryLaterError

logger = logging.getLogger(__name__)

Handle = Callable[[Mapping[str, Any]], None]


def run_batch(
    event: dict[str, Any],
    context: Any,
    handle: Handle,
    queue: Callable[[], WorkQueue],
    *,
    message_milliseconds: int = 0,
    first: Collection[str] = (),
) -> Any:
    """Handle each message, and tell SQS which ones failed: only those come again.

    A message that must wait is sent again to `queue` with its delay and counts as done, so waiting never brings
    it nearer to the dead letters. If it cannot be sent again it fails, and SQS keeps it. So is a message for
    which less than `message_milliseconds` are left: an invocation that runs out of time fails all of its batch,
    and a provider that answers slowly would wear out messages that have nothing to do with it. For the same reason
    the kinds of message in `first`, which ask no provider, are handled before the others of the batch.
    """
    logs.configure()
    begun = False

    def in_time(message: Mapping[str, Any]) -> None:
        nonlocal begun
        if begun and context.get_remaining_time_in_millis() < message_milliseconds:
            raise TryLaterError(0, "too little time is left of this invocation")
        begun = True
        handle(message)

    def handle_record(record: SQSRecord) -> None:
        message: dict[str, Any] = json.loads(record.body)
        with working_for(message.get(FIELD)):
            _handle_one(message, record, in_time, queue)

    records = sorted(event["Records"], key=lambda record: _kind(record) not in first)
    return process_partial_response(
        event={**event, "Records": records},
        record_handler=handle_record,
        processor=BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False),
        context=context,
    )


def _kind(record: Mapping[str, Any]) -> Any:
    """The kind of a message; None for what is none of ours."""
    try:
        return json.loads(record["body"])["kind"]
    except (ValueError, LookupError, TypeError):
        return None


def _handle_one(
    message: Mapping[str, Any], record: SQSRecord, handle: Handle, queue: Callable[[], WorkQueue]
) -> None:
    facts = {"jobId": message.get("jobId"), "kind": message.get("kind")}
    try:
        handle(message)
    except TryLaterError as later:
        logger.info(
            "later", extra={**facts, "reason": str(later), "delaySeconds": round(later.delay_seconds, 1)}
        )
        group = record.raw_event.get("attributes", {}).get("MessageGroupId") or str(message.get("jobId"))
        queue().send(later.message or message, group=group, delay_seconds=later.delay_seconds)
    except Exception:
        logger.exception("a message failed", extra=facts)
        raise
