"""Buckets and circuits in DynamoDB, for when there is no Redis: an item of `gateway-cache` for each credential.

Each change is a read and a conditional write. Of two at once one is refused, reads again and does its own:

    process A   read 7   write if 7: 8
    process B   read 7                  write if 7: refused   read 8   write if 8: 9
"""

from dataclasses import dataclass, replace

from lib.domain.flow import BOTH_CLOSED, NEVER_USED, Bucket, Circuits, FlowAsk, FlowReport
from lib.ports.tier import TierUnavailableError
from lib.stores.dynamodb_client import ConditionNotMetError, DynamoDB, Item

LIFE_SECONDS = 90_000
MOST_TRIES = 8

_IS_NEW = "attribute_not_exists(revision)"
_IS_UNCHANGED = "revision = :seen"


@dataclass(frozen=True)
class _Held:
    bucket: Bucket = NEVER_USED
    circuits: Circuits = BOTH_CLOSED
    revision: int = 0


class DynamoDBFlowStore:
    """The `FlowStore` in DynamoDB. All methods raise TierUnavailableError."""

    name = "dynamodb"

    def __init__(self, dynamodb: DynamoDB, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def ask(self, ask: FlowAsk, now: int) -> FlowReport:
        """See the port."""
        for _ in range(MOST_TRIES):
            held = self._read(ask.name)
            if ask.allowance is None or not ask.want:
                return FlowReport(closed_until=held.bucket.closed_until, circuits=held.circuits)
            bucket, granted, wait = held.bucket.taken(ask.allowance, ask.want, now)
            report = FlowReport(granted, wait, bucket.closed_until, held.circuits)
            if bucket == held.bucket or self._write(ask.name, replace(held, bucket=bucket), now):
                return report
        raise self._contended(ask.name)

    def close(self, name: str, until: int) -> None:
        """See the port."""
        for _ in range(MOST_TRIES):
            held = self._read(name)
            bucket = held.bucket.closed(until)
            if bucket == held.bucket or self._write(name, replace(held, bucket=bucket), until):
                return
        raise self._contended(name)

    def swap(self, name: str, old: Circuits, new: Circuits) -> tuple[bool, Circuits]:
        """See the port."""
        for _ in range(MOST_TRIES):
            held = self._read(name)
            if held.circuits != old:
                return False, held.circuits
            latest = max(new.submits.failed_at, new.questions.failed_at, held.bucket.filled_at)
            if self._write(name, replace(held, circuits=new), latest):
                return True, new
        raise self._contended(name)

    def _read(self, name: str) -> _Held:
        item = self._dynamodb.get_item(self._table, _key(name))
        if item is None:
            return _Held()
        bucket = Bucket(float(item["tokens"]["N"]), int(item["filledAt"]["N"]), int(item["closedUntil"]["N"]))
        return _Held(bucket, Circuits.from_text(item["circuits"]["S"]), int(item["revision"]["N"]))

    def _write(self, name: str, held: _Held, now: int) -> bool:
        """Whether nobody came between; the item is removed a day after `now`, or after the pause that it keeps."""
        bucket = held.bucket
        item: Item = {
            **_key(name),
            "tokens": {"N": repr(bucket.tokens)},
            "filledAt": {"N": str(bucket.filled_at)},
            "closedUntil": {"N": str(bucket.closed_until)},
            "circuits": {"S": held.circuits.as_text()},
            "revision": {"N": str(held.revision + 1)},
            "ttl": {"N": str(max(now, bucket.closed_until) // 1000 + LIFE_SECONDS)},
        }
        condition: dict[str, object] = {"ConditionExpression": _IS_NEW}
        if held.revision:
            seen = {":seen": {"N": str(held.revision)}}
            condition = {"ConditionExpression": _IS_UNCHANGED, "ExpressionAttributeValues": seen}
        try:
            self._dynamodb.put_item(self._table, item, **condition)
        except ConditionNotMetError:
            return False
        return True

    @staticmethod
    def _contended(name: str) -> TierUnavailableError:
        return TierUnavailableError(f"the traffic of {name} changes too fast for DynamoDB")


def _key(name: str) -> Item:
    return {"pk": {"S": f"flow:{name}"}}
