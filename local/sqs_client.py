"""The few SQS calls of the event sources, on asyncio: cancellable, and much lighter than boto3's.

Wire format: AWS JSON 1.0, https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/
"""

import asyncio
import contextlib
import json
from typing import Any
from urllib.parse import urlsplit

from local.aws import REGION

_SCOPE = f"local/20200101/{REGION}/sqs/aws4_request"  # moto reads the service from it and checks nothing
_AUTHORIZATION = f"AWS4-HMAC-SHA256 Credential={_SCOPE}, SignedHeaders=host, Signature=0"


class SqsUnavailableError(Exception):
    """The queue service did not answer, or not with success."""


class SqsClient:
    """Calls against moto's endpoint; one connection per call."""

    def __init__(self, endpoint_url: str) -> None:
        parts = urlsplit(endpoint_url)
        self._host = parts.hostname or "127.0.0.1"
        self._port = parts.port or 80

    async def call(self, action: str, seconds: float = 10, **parameters: Any) -> dict[str, Any]:
        """The answer of an SQS action within `seconds`; SqsUnavailableError if there is none."""
        try:
            async with asyncio.timeout(seconds):
                status, body = await self._exchange(action, json.dumps(parameters).encode())
        except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError) as error:
            raise SqsUnavailableError(f"{action}: {error!r}") from error
        if status != 200:
            raise SqsUnavailableError(f"{action}: {status} {body[:300].decode(errors='replace')}")
        answer: dict[str, Any] = json.loads(body or b"{}")
        return answer

    async def _exchange(self, action: str, body: bytes) -> tuple[int, bytes]:
        reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            head = (
                f"POST / HTTP/1.1\r\nHost: {self._host}:{self._port}\r\nConnection: close\r\n"
                f"X-Amz-Target: AmazonSQS.{action}\r\nContent-Type: application/x-amz-json-1.0\r\n"
                f"Authorization: {_AUTHORIZATION}\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            writer.write(head.encode() + body)
            answer = await reader.read()
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        first, end, rest = answer.partition(b"\r\n\r\n")
        if not end:
            raise ConnectionResetError("the connection was closed before the answer")
        return int(first.split(b" ", 2)[1]), rest
