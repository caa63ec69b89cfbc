"""SQS event sources: queues of moto feed functions as Lambda's event source mappings do.

Reference: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
A batch is deleted when the function succeeded; a failed one (or the reported items of it) becomes visible again
after the queue's visibility timeout, and goes to the dead-letter queue by the queue's redrive policy.
"""

import asyncio
import json
import time
from typing import Any

from local.aws import REGION
from local.deployment import EventSource
from local.runtime import FunctionError, Runtime
from local.sqs_client import SqsClient, SqsUnavailableError

WAIT_SECONDS = 5
_RETRY_SECONDS = 0.25
_RECEIVE_LIMIT = 10

Message = dict[str, Any]


class QueueSource:
    """Polls one queue until cancelled. Several batches run at once, as many as the function has processes."""

    def __init__(self, source: EventSource, *, sqs: SqsClient, queue_url: str, runtime: Runtime) -> None:
        self._source = source
        self._sqs = sqs
        self._queue_url = queue_url
        self._runtime = runtime
        self._function = runtime.deployment.function_by_arn(source.function_arn)
        at_once = runtime.pool(self._function.name).max_workers
        self._slots = asyncio.Semaphore(min(at_once, source.max_concurrency or at_once))
        self._running: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Receive and deliver for ever; AWS being away is waited out."""
        while True:
            await self._slots.acquire()
            batch = await self._next_batch()
            if not batch:
                self._slots.release()
                continue
            task = asyncio.create_task(self._deliver(batch))
            self._running.add(task)
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._slots.release()

    async def _next_batch(self) -> list[Message]:
        try:
            batch = await self._receive(min(self._source.batch_size, _RECEIVE_LIMIT), WAIT_SECONDS)
            deadline = time.monotonic() + self._source.window_seconds
            while batch and len(batch) < self._source.batch_size and time.monotonic() < deadline:
                room = min(self._source.batch_size - len(batch), _RECEIVE_LIMIT)
                batch += await self._receive(room, 1)
        except SqsUnavailableError:
            await asyncio.sleep(_RETRY_SECONDS)
            return []
        return batch

    async def _receive(self, count: int, wait_seconds: int) -> list[Message]:
        answer = await self._sqs.call(
            "ReceiveMessage",
            seconds=wait_seconds + 5,
            QueueUrl=self._queue_url,
            MaxNumberOfMessages=count,
            WaitTimeSeconds=wait_seconds,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        messages: list[Message] = answer.get("Messages") or []
        return messages

    async def _deliver(self, batch: list[Message]) -> None:
        try:
            answer = await self._runtime.invoke(self._function.name, sqs_event(batch, self._source.queue_arn))
        except FunctionError:
            return  # all of them become visible again
        failed = failed_ids(answer, batch) if self._source.reports_item_failures else set()
        await self._delete([item for item in batch if item["MessageId"] not in failed])

    async def _delete(self, done: list[Message]) -> None:
        for start in range(0, len(done), _RECEIVE_LIMIT):
            entries = [
                {"Id": str(index), "ReceiptHandle": item["ReceiptHandle"]}
                for index, item in enumerate(done[start : start + _RECEIVE_LIMIT])
            ]
            try:
                await self._sqs.call("DeleteMessageBatch", QueueUrl=self._queue_url, Entries=entries)
            except SqsUnavailableError:
                return  # delivered again later: consumers are idempotent


def sqs_event(batch: list[Message], queue_arn: str) -> dict[str, Any]:
    """Lambda's event for a batch of received messages."""
    return {
        "Records": [
            {
                "messageId": item["MessageId"],
                "receiptHandle": item["ReceiptHandle"],
                "body": item["Body"],
                "attributes": item.get("Attributes", {}),
                "messageAttributes": {
                    name: _attribute(value) for name, value in (item.get("MessageAttributes") or {}).items()
                },
                "md5OfBody": item["MD5OfBody"],
                "eventSource": "aws:sqs",
                "eventSourceARN": queue_arn,
                "awsRegion": REGION,
            }
            for item in batch
        ]
    }


def _attribute(value: dict[str, Any]) -> dict[str, Any]:
    names = {"StringValue": "stringValue", "BinaryValue": "binaryValue", "DataType": "dataType"}
    given = {ours: value[theirs] for theirs, ours in names.items() if theirs in value}
    return {**given, "stringListValues": [], "binaryListValues": []}


def failed_ids(answer: bytes, batch: list[Message]) -> set[str]:
    """The message ids that the function reports as failed.

    All of them where the report is not one: bad JSON, a missing or empty identifier, or an unknown one. An empty or
    null answer, or an empty list, means success.
    """
    everything = {str(item["MessageId"]) for item in batch}
    try:
        report = json.loads(answer or b"null")
    except ValueError:
        return everything
    if not report:
        return set()
    if not isinstance(report, dict) or not isinstance(report.get("batchItemFailures") or [], list):
        return everything
    items = report.get("batchItemFailures") or []
    failed = {item.get("itemIdentifier") if isinstance(item, dict) else None for item in items}
    return {str(name) for name in failed} if failed <= everything else everything
