"""DynamoDB with short limits of time; boto3 is loaded at the first call, not at import."""

from functools import cached_property
from typing import Any

from lib.stores.outage import Outage

CONNECT_SECONDS = 0.2
READ_SECONDS = 0.3
WRITE_SECONDS = 0.6

Item = dict[str, dict[str, str]]


class ConditionNotMetError(Exception):
    """The condition of a write does not hold; the item is as it was."""


class DynamoDB:
    """Runs single calls; one per process, shared by all that uses DynamoDB, safe between threads.

    Reads are on the way of an answer to a caller and get less time than writes. Nothing is repeated: the next
    tier is asked instead. A failed call marks DynamoDB as down for a moment (`Outage`). `timeout_seconds` takes the
    place of all limits, for those whom no caller waits for.
    """

    def __init__(
        self,
        *,
        endpoint_url: str | None = None,
        region: str | None = None,
        timeout_seconds: float | None = None,
        outage: Outage | None = None,
    ) -> None:
        self._timeout_seconds = timeout_seconds
        self._endpoint_url = endpoint_url
        self._region = region
        self.outage = outage or Outage("dynamodb")

    def get_item(self, table: str, key: Item) -> Item | None:
        """The item as it now is (a consistent read), or None. Raises TierUnavailableError."""
        answer = self._run("_reads", "get_item", TableName=table, Key=key, ConsistentRead=True)
        item: Item | None = answer.get("Item")
        return item

    def query(self, table: str, **arguments: Any) -> list[Item]:
        """The first page of a query's items. Raises TierUnavailableError."""
        items: list[Item] = self._run("_reads", "query", TableName=table, **arguments)["Items"]
        return items

    def put_item(self, table: str, item: Item, **arguments: Any) -> None:
        """Write the item. Raises ConditionNotMetError, TierUnavailableError."""
        self._run("_writes", "put_item", TableName=table, Item=item, **arguments)

    def update_item(self, table: str, key: Item, **arguments: Any) -> Item:
        """Change the item; the attributes that `ReturnValues` asks for.

        Raises ConditionNotMetError, TierUnavailableError.
        """
        answer = self._run("_writes", "update_item", TableName=table, Key=key, **arguments)
        attributes: Item = answer.get("Attributes", {})
        return attributes

    def delete_item(self, table: str, key: Item) -> None:
        """Delete the item, if it is there. Raises TierUnavailableError."""
        self._run("_writes", "delete_item", TableName=table, Key=key)

    def close(self) -> None:
        """Close all idle connections."""
        for name in ("_reads", "_writes"):
            if name in self.__dict__:
                self.__dict__[name].close()

    def _run(self, client_name: str, operation: str, **arguments: Any) -> dict[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - see the module's docstring

        with self.outage.watch(BotoCoreError, ClientError):
            client = getattr(self, client_name)
            try:
                answer: dict[str, Any] = getattr(client, operation)(**arguments)
            except client.exceptions.ConditionalCheckFailedException as error:
                raise ConditionNotMetError(operation) from error
        return answer

    @cached_property
    def _reads(self) -> Any:
        return self._client(READ_SECONDS)

    @cached_property
    def _writes(self) -> Any:
        return self._client(WRITE_SECONDS)

    def _client(self, read_seconds: float) -> Any:
        import boto3  # noqa: PLC0415 - a status answered by Redis never pays for it
        from botocore.config import Config  # noqa: PLC0415 - as above

        config = Config(
            connect_timeout=self._timeout_seconds or CONNECT_SECONDS,
            read_timeout=self._timeout_seconds or read_seconds,
            retries={"total_max_attempts": 1, "mode": "standard"},
        )
        return boto3.Session().client(
            "dynamodb", endpoint_url=self._endpoint_url, region_name=self._region, config=config
        )
