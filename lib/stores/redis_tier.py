"""Redis as the first tier of the status: `job:status:{jobId}`."""

from datetime import datetime

from lib.domain.snapshot import JobSnapshot
from lib.ports.tier import TierEntry
from lib.stores.redis_client import RedisClient
from lib.stores.snapshot_json import decode_snapshot, encode_json

FINAL_SECONDS = 3600
NON_FINAL_SECONDS = 5

# Two writers cannot come between GET and SET: Redis runs one script at a time.
#   publisher  v5 --------------------------> SET v5
#   reader         v4 from the record --------------> held is 5 > 4: not taken
_NEWER_ONLY = """
local held = redis.call('GET', KEYS[1])
if held then
  local readable, job = pcall(cjson.decode, held)
  if readable and type(job) == 'table' and (tonumber(job.version) or -1) > tonumber(ARGV[1]) then
    return 0
  end
end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
"""


def status_key(job_id: str) -> str:
    """Where the snapshot of this job is."""
    return f"job:status:{job_id}"


class RedisTier:
    """The `Tier` in Redis: a non-final snapshot lives 5 s, a final one an hour, by Redis's own clock.

    Both methods raise TierUnavailableError.
    """

    name = "redis"

    def __init__(self, client: RedisClient) -> None:
        self._client = client

    def read(self, job_id: str, now: datetime) -> TierEntry | None:  # noqa: ARG002 - Redis keeps the time
        """The entry, or None if there is none or its life is over."""
        snapshot = decode_snapshot(self._client.call("GET", status_key(job_id)))
        return TierEntry(snapshot, fresh=True) if snapshot else None

    def write(self, snapshot: JobSnapshot, now: datetime) -> bool:  # noqa: ARG002 - Redis keeps the time
        """Keep the snapshot unless a newer one is there; whether it was taken."""
        taken = self._client.evaluate(
            _NEWER_ONLY,
            status_key(snapshot.job_id),
            snapshot.version,
            encode_json(snapshot.data),
            FINAL_SECONDS if snapshot.final else NON_FINAL_SECONDS,
        )
        return taken == 1
