"""DynamoDB as the second tier of the status: table `realtime-jobs`, one item per job, newest version wins."""

import math
import zlib
from datetime import datetime, timedelta

from lib.domain.snapshot import JobSnapshot, format_time, parse_time
from lib.ports.tier import TierEntry
from lib.stores.dynamodb_client import ConditionNotMetError, DynamoDB, Item
from lib.stores.snapshot_json import decode_snapshot, encode_json

FRESH_SECONDS = 30
NON_FINAL_DAYS = 7
FINAL_DAYS = 30
SHARDS = tuple(str(number) for number in range(8))

# Many write the same job: publishers after a transition, readers that heal. The order of arrival is not that
# of the versions:
#
#   publisher A   v4 ------------------------------> put v4: not taken, 5 > 4
#   publisher B        v5 ----------> put v5: taken
#   reader                 v5 from the record -----------> put v5: taken, it is only younger
#   late reader        v5 ------------------------------------> put v5: not taken, older than what is there
_IS_NEW = "attribute_not_exists(jobId)"
_IS_NEWER = "#version < :version"
_IS_THE_SAME_BUT_NOT_OLDER = "(#version = :version AND updatedAt <= :now)"
_CONDITION = f"{_IS_NEW} OR {_IS_NEWER} OR {_IS_THE_SAME_BUT_NOT_OLDER}"


class DynamoDBTier:
    """The `Tier` in DynamoDB; also finds jobs by provider job id and tells whether any is due.

    A non-final entry is fresh for 30 s from when it was written here. All methods raise TierUnavailableError.
    """

    name = "dynamodb"

    def __init__(self, dynamodb: DynamoDB, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def read(self, job_id: str, now: datetime) -> TierEntry | None:
        """The entry, or None if there is none."""
        item = self._dynamodb.get_item(self._table, {"jobId": {"S": job_id}})
        snapshot = decode_snapshot(item["snapshot"]["S"]) if item else None
        if item is None or snapshot is None:
            return None
        age = now - parse_time(item["updatedAt"]["S"])
        return TierEntry(snapshot, fresh=snapshot.final or age <= timedelta(seconds=FRESH_SECONDS))

    def write(self, snapshot: JobSnapshot, now: datetime) -> bool:
        """Keep the snapshot unless a newer one is there; whether it was taken."""
        item = to_item(snapshot, now)
        try:
            self._dynamodb.put_item(
                self._table,
                item,
                ConditionExpression=_CONDITION,
                ExpressionAttributeNames={"#version": "version"},
                ExpressionAttributeValues={":version": item["version"], ":now": item["updatedAt"]},
            )
        except ConditionNotMetError:
            return False
        return True

    def find_by_provider(self, provider_key: str) -> JobSnapshot | None:
        """The job that the provider knows as `{provider}:{providerJobId}`, or None if none is mirrored."""
        found = self._dynamodb.query(
            self._table,
            IndexName="ReplicateIdIndex",
            KeyConditionExpression="providerKey = :key",
            ExpressionAttributeValues={":key": {"S": provider_key}},
            Limit=1,
        )
        if not found:
            return None
        item = self._dynamodb.get_item(self._table, {"jobId": found[0]["jobId"]})
        return decode_snapshot(item["snapshot"]["S"]) if item else None

    def any_due(self, now: datetime) -> bool:
        """Whether a mirrored job that is not final was due by `now`: at most one small query per shard.

        False is not proof: a job whose mirroring failed is not here. Only the record knows all.
        """
        return any(self._due_in_shard(shard, now, limit=1) for shard in SHARDS)

    def due_jobs(self, now: datetime, *, limit_per_shard: int = 10) -> list[str]:
        """Ids of mirrored jobs that are not final and were due by `now`, the longest overdue of each shard."""
        return [job_id for shard in SHARDS for job_id in self._due_in_shard(shard, now, limit_per_shard)]

    def _due_in_shard(self, shard: str, now: datetime, limit: int) -> list[str]:
        due = self._dynamodb.query(
            self._table,
            IndexName="InFlightIndex",
            KeyConditionExpression="pollShard = :shard AND nextPollAt <= :now",
            ExpressionAttributeValues={":shard": {"S": shard}, ":now": {"N": str(int(now.timestamp()))}},
            Limit=limit,
        )
        return [item["jobId"]["S"] for item in due]


def to_item(snapshot: JobSnapshot, now: datetime) -> Item:
    """The item of a snapshot written at `now`; a final one is in no in-flight index."""
    days = FINAL_DAYS if snapshot.final else NON_FINAL_DAYS
    item = {
        "jobId": {"S": snapshot.job_id},
        "userId": {"S": snapshot.user_id},
        "createdAt": {"S": str(snapshot.data["createdAt"])},
        "version": {"N": str(snapshot.version)},
        "updatedAt": {"S": format_time(now)},
        "ttl": {"N": str(int((now + timedelta(days=days)).timestamp()))},
        "snapshot": {"S": encode_json(snapshot.data)},
    }
    if snapshot.provider_key is not None:
        item["providerKey"] = {"S": snapshot.provider_key}
    if not snapshot.final:
        item["pollShard"] = {"S": poll_shard(snapshot.job_id)}
        item["nextPollAt"] = {"N": str(math.ceil((snapshot.due_at or now).timestamp()))}
    return item


def poll_shard(job_id: str) -> str:
    """Which of the eight partitions of the in-flight index a job is in, the same for ever."""
    return SHARDS[zlib.crc32(job_id.encode()) % len(SHARDS)]
