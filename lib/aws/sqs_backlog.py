"""How many messages wait in the work queues, and how many nobody could process."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from lib.ports.health import Backlog

CONNECT_SECONDS = 1
READ_SECONDS = 1
WAITING = "ApproximateNumberOfMessages"


class SqsBacklog:
    """Counts the messages that can be taken now; SQS's figures are approximate, by seconds.

    boto3 is loaded at the first use. Needs `sqs:GetQueueAttributes` on every queue.
    """

    def __init__(
        self,
        queue_urls: Sequence[str],
        dead_letter_urls: Sequence[str],
        *,
        endpoint_url: str | None = None,
        region: str | None = None,
    ) -> None:
        self._queue_urls = tuple(queue_urls)
        self._dead_letter_urls = tuple(dead_letter_urls)
        self._endpoint_url = endpoint_url
        self._region = region

    def measure(self) -> Backlog:
        """The figures now. Raises botocore's errors: a queue is away, or not there."""
        return Backlog(
            waiting=sum(map(self._waiting, self._queue_urls)),
            dead_letters=sum(map(self._waiting, self._dead_letter_urls)),
        )

    def close(self) -> None:
        """Close all idle connections."""
        if "_client" in self.__dict__:
            self._client.close()

    def _waiting(self, url: str) -> int:
        answer = self._client.get_queue_attributes(QueueUrl=url, AttributeNames=[WAITING])
        return int(answer["Attributes"][WAITING])

    @cached_property
    def _client(self) -> Any:
        import boto3  # noqa: PLC0415 - 0.1 s of a cold start
        from botocore.config import Config  # noqa: PLC0415 - as above

        config = Config(
            connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries={"total_max_attempts": 1}
        )
        return boto3.Session().client(
            "sqs", endpoint_url=self._endpoint_url, region_name=self._region, config=config
        )
