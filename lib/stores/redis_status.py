"""What the hot paths ask of Redis, each in one command: one network round trip."""

from dataclasses import dataclass
from functools import lru_cache

from lib.domain.api_key import CachedKey, cache_key
from lib.domain.progress import Progress, progress_key
from lib.domain.snapshot import JobSnapshot
from lib.stores.redis_client import RedisClient
from lib.stores.redis_tier import status_key
from lib.stores.snapshot_json import decode_object, decode_snapshot


@dataclass(frozen=True)
class FastStatus:
    """What one MGET found; each part is None where there is nothing."""

    key: CachedKey | None
    snapshot: JobSnapshot | None
    progress: Progress | None


class StatusFastPath:
    """One round trip where Redis has all that a request needs; what is missing is found the long way."""

    def __init__(self, client: RedisClient) -> None:
        self._client = client

    def read(self, key_hash: str, job_id: str) -> FastStatus:
        """The caller's key, the job's snapshot and its progress, by one MGET.

        Raises TierUnavailableError when Redis is away.
        """
        reply = self._client.call("MGET", cache_key(key_hash), status_key(job_id), progress_key(job_id))
        match reply:
            case [bytes() | None as key, bytes() | None as status, bytes() | None as progress]:
                return FastStatus(cached_key(key), _snapshot(status), _progress(progress))
            case _:
                raise TypeError(f"MGET of three keys answered {reply!r}")


# A poller is told the same bytes again and again: what they mean is worked out once.


@lru_cache(maxsize=256)
def cached_key(raw: bytes | None) -> CachedKey | None:
    """The cached key that these bytes are; None for none."""
    value = decode_object(raw)
    return CachedKey.from_json(value) if value is not None else None


@lru_cache(maxsize=256)
def _snapshot(raw: bytes | None) -> JobSnapshot | None:
    return decode_snapshot(raw)


@lru_cache(maxsize=256)
def _progress(raw: bytes | None) -> Progress | None:
    return Progress.from_json(decode_object(raw))
