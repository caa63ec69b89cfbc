"""Work queues over SQS standard queues, fair between users."""

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from lib.domain.errors import UnavailableError

CONNECT_SECONDS = 1
READ_SECONDS = 2
ATTEMPTS = 2
MAX_DELAY_SECONDS = 900
RETRY_AFTER_SECONDS = 5
_NO_MESSAGE = re.compile("[\ud800-\udfff\ufffe\uffff]")  # what SQS takes only as an escape of JSON
_GROUP = re.compile(r"[A-Za-z0-9!-/:-@\[-`{-~]{1,128}")  # what SQS takes as a MessageGroupId


class SqsQueue:
    """The `WorkQueue` over one SQS queue. A message may arrive twice: consumers are idempotent.

    `MessageGroupId` on a standard queue asks SQS to keep one group's backlog from delaying the others (fair
    queues); it does not put messages in order. boto3 is loaded at the first send.

    A call waits for at most `attempts` times the two limits.
    """

    def __init__(
        self,
        url: str,
        *,
        endpoint_url: str | None = None,
        region: str | None = None,
        connect_seconds: float = CONNECT_SECONDS,
        read_seconds: float = READ_SECONDS,
        attempts: int = ATTEMPTS,
    ) -> None:
        self._url = url
        self._limits = (connect_seconds, read_seconds, attempts)
        self._endpoint_url = endpoint_url
        self._region = region

    def send(self, message: Mapping[str, Any], *, group: str, delay_seconds: float = 0) -> None:
        """Enqueue the message, deliverable after the delay (0 to 900 s; a longer one is cut to that).

        Raises:
            UnavailableError: the queue is away; nothing was sent, or it is not known whether it was.
        """
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - 0.1 s of a cold start

        try:
            self._client.send_message(
                QueueUrl=self._url,
                MessageBody=_body(message),
                MessageGroupId=group_id(group),
                DelaySeconds=min(MAX_DELAY_SECONDS, max(0, math.ceil(delay_seconds))),
            )
        except (BotoCoreError, ClientError) as error:
            msg = f"the queue {self._url.rsplit('/', 1)[-1]} did not take a message: {error}"
            raise UnavailableError(msg, retry_after_seconds=RETRY_AFTER_SECONDS) from error

    def send_many(self, messages: Sequence[tuple[Mapping[str, Any], str]]) -> int:
        """Enqueue up to ten messages, each with its group, in one call; how many of them were not taken."""
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as in send

        entries = [
            {"Id": str(number), "MessageBody": _body(message), "MessageGroupId": group_id(group)}
            for number, (message, group) in enumerate(messages)
        ]
        try:
            answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
        except (BotoCoreError, ClientError):
            return len(messages)
        return len(answer.get("Failed", ()))

    def close(self) -> None:
        """Close all idle connections."""
        if "_client" in self.__dict__:
            self._client.close()

    @cached_property
    def _client(self) -> Any:
        import boto3  # noqa: PLC0415 - as above
        from botocore.config import Config  # noqa: PLC0415 - as above

        connect_seconds, read_seconds, attempts = self._limits
        config = Config(
            connect_timeout=connect_seconds,
            read_timeout=read_seconds,
            retries={"total_max_attempts": attempts, "mode": "standard"},
        )
        return boto3.Session().client(
            "sqs", endpoint_url=self._endpoint_url, region_name=self._region, config=config
        )


def _body(message: Mapping[str, Any]) -> str:
    """Callers choose some of the words: no character of theirs may make SQS refuse the message."""
    text = json.dumps(message, separators=(",", ":"), ensure_ascii=False)
    return json.dumps(message, separators=(",", ":")) if _NO_MESSAGE.search(text) else text


def group_id(group: str) -> str:
    """The group as SQS takes it: user ids are any text, so what does not fit is replaced by its hash."""
    return group if _GROUP.fullmatch(group) else hashlib.sha256(group.encode()).hexdigest()
