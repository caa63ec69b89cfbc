"""DynamoDB as the shared cache: table `gateway-cache`, for when there is no Redis.

An item's life ends at `expiresAt` (epoch milliseconds), by the caller's clock; `ttl` lets DynamoDB remove it
some time after.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lib.ports.cache import RateDecision
from lib.stores.dynamodb_client import ConditionNotMetError, DynamoDB, Item
from lib.stores.fixed_window import decide, window_start
from lib.stores.snapshot_json import decode_object, encode_json

# Two callers claim the same key at once; DynamoDB checks and writes in one step:
#   caller A   put: taken
#   caller B        put: not taken, it exists and lives
_IS_FREE = "attribute_not_exists(pk)"
_IS_OVER = "expiresAt <= :now"
_ABSENT = f"{_IS_FREE} OR {_IS_OVER}"

_IS_FIRST_USE = "attribute_not_exists(uses)"
_IS_WITHIN_LIMIT = "uses < :limit"
_MAY_COUNT = f"{_IS_FIRST_USE} OR {_IS_WITHIN_LIMIT}"


class DynamoDBCache:
    """The `SharedCache` in DynamoDB. All methods raise TierUnavailableError."""

    name = "dynamodb"

    def __init__(self, dynamodb: DynamoDB, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def get(self, key: str, now: datetime) -> Mapping[str, Any] | None:
        """The value, or None if there is none or its life is over."""
        item = self._dynamodb.get_item(self._table, {"pk": {"S": key}})
        if item is None or "value" not in item or int(item["expiresAt"]["N"]) <= _milliseconds(now):
            return None
        return decode_object(item["value"]["S"])

    def put(self, key: str, value: Mapping[str, Any], life_seconds: float, now: datetime) -> None:
        """Keep the value for so long."""
        self._dynamodb.put_item(self._table, _item(key, value, life_seconds, now))

    def put_if_absent(self, key: str, value: Mapping[str, Any], life_seconds: float, now: datetime) -> bool:
        """Keep the value unless the key is there; whether it was kept. Atomic."""
        try:
            self._dynamodb.put_item(
                self._table,
                _item(key, value, life_seconds, now),
                ConditionExpression=_ABSENT,
                ExpressionAttributeValues={":now": {"N": str(_milliseconds(now))}},
            )
        except ConditionNotMetError:
            return False
        return True

    def delete(self, key: str) -> None:
        """Forget the key; nothing happens if it is not there."""
        self._dynamodb.delete_item(self._table, {"pk": {"S": key}})

    def count(self, key: str, limit: int, window_seconds: int, now: datetime) -> RateDecision:
        """Count one use of `key` in the fixed window of `now`; refused uses are not counted. Atomic.

        Each window has an item of its own, so that one conditional update both begins and counts it.
        """
        start = window_start(now, window_seconds)
        try:
            counted = self._dynamodb.update_item(
                self._table,
                {"pk": {"S": f"{key}:{start}"}},
                UpdateExpression="ADD uses :one SET #ttl = :ttl",
                ConditionExpression=_MAY_COUNT,
                ExpressionAttributeNames={"#ttl": "ttl"},
                ExpressionAttributeValues={
                    ":one": {"N": "1"},
                    ":limit": {"N": str(limit)},
                    ":ttl": {"N": str(start + 2 * window_seconds)},
                },
                ReturnValues="UPDATED_NEW",
            )
            allowed, uses = True, int(counted["uses"]["N"])
        except ConditionNotMetError:
            allowed, uses = False, limit
        return decide(allowed=allowed, uses=uses, limit=limit, window_seconds=window_seconds, now=now)


def _item(key: str, value: Mapping[str, Any], life_seconds: float, now: datetime) -> Item:
    ends = _milliseconds(now) + round(life_seconds * 1000)
    return {
        "pk": {"S": key},
        "value": {"S": encode_json(value)},
        "expiresAt": {"N": str(ends)},
        "ttl": {"N": str(ends // 1000 + 1)},
    }


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
