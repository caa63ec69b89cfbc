"""Asynchronous calls, as EventBridge makes them: tried again when they fail, then given to a dead-letter queue.

Reference: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

from local.deployment import Function
from local.runtime.invocation import FunctionError
from local.runtime.runtime import Runtime
from local.sqs_client import SqsClient, SqsUnavailableError

RETRY_SECONDS = (1.0, 2.0)  # AWS waits one and two minutes; nobody wants to watch that on a laptop
_DEFAULT_RETRIES = 2


class AsynchronousCalls:
    """Calls functions without an answer."""

    def __init__(
        self, runtime: Runtime, sqs: SqsClient, retry_seconds: tuple[float, float] = RETRY_SECONDS
    ) -> None:
        self._runtime = runtime
        self._sqs = sqs
        self._retry_seconds = retry_seconds

    async def call(self, name: str, event: Any) -> None:
        """Call until it succeeds or its retries are used up; then its dead-letter queue gets the event."""
        config = self._runtime.deployment.asynchronous.get(name)
        retries = config.max_retries if config else _DEFAULT_RETRIES
        for delay in (*self._retry_seconds[:retries], None):
            try:
                await self._runtime.invoke(name, event)
            except FunctionError as error:
                last = error
                if delay is not None:
                    await asyncio.sleep(delay)
            else:
                return
        await self._bury(self._runtime.deployment.functions[name], event, last, retries + 1)

    async def _bury(self, function: Function, event: Any, error: FunctionError, attempts: int) -> None:
        config = self._runtime.deployment.asynchronous.get(function.name)
        if config and config.on_failure_arn:
            await self._send(config.on_failure_arn, _failure_record(function, event, error, attempts))
        if function.dead_letter_arn:
            attributes = {"ErrorMessage": error.message[:1024] or error.error_type, "ErrorCode": "200"}
            await self._send(function.dead_letter_arn, event, attributes)

    async def _send(self, queue_arn: str, body: Any, attributes: dict[str, str] | None = None) -> None:
        try:
            name = queue_arn.rpartition(":")[2]
            url = (await self._sqs.call("GetQueueUrl", QueueName=name))["QueueUrl"]
            given = {
                key: {"DataType": "String", "StringValue": value} for key, value in (attributes or {}).items()
            }
            await self._sqs.call(
                "SendMessage", QueueUrl=url, MessageBody=json.dumps(body), MessageAttributes=given
            )
        except SqsUnavailableError:
            return  # as on AWS: the event is dropped when its dead-letter queue cannot be reached


def _failure_record(function: Function, event: Any, error: FunctionError, attempts: int) -> dict[str, Any]:
    return {
        "version": "1.0",
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "requestContext": {
            "functionArn": f"{function.arn}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": attempts,
        },
        "requestPayload": event,
        "responseContext": {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": "Unhandled",
        },
        "responsePayload": error.as_json(),
    }
