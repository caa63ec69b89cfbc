"""What the hot paths ask of Redis, each in one command: one network round trip."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from lib.domain.api_key import FRESH_SECONDS, CachedKey, cache_key
from lib.domain.progress import Progress, progress_key
from lib.domain.snapshot import JobSnapshot, format_time
from lib.ports.cache import RateDecision
from lib.stores.fixed_window import HOUR_SECONDS, decide, reset_seconds, window_start
from lib.stores.redis_cache import COUNT_FUNCTION
from lib.stores.redis_client import RedisClient
from lib.stores.redis_tier import status_key
from lib.stores.snapshot_json import decode_object, decode_snapshot

# Reads a cached key and, if it is valid and fresh, counts one request of its user. The counter's name is
# known only after the read, so this is one script, not two commands. Times compare as text: one format, UTC.
_CHECK_CALLER = (
    COUNT_FUNCTION
    + """
local raw = redis.call('GET', KEYS[1])
if not raw then return {} end
local readable, key = pcall(cjson.decode, raw)
if not readable or type(key) ~= 'table' or type(key.userId) ~= 'string' then return {raw} end
if type(key.verifiedAt) ~= 'string' or key.verifiedAt < ARGV[1] then return {raw} end
local limit = tonumber(ARGV[2])
if type(key.rateLimit) == 'number' then limit = key.rateLimit end
local allowed, uses = count('ratelimit:user:' .. key.userId .. ':hour', limit, tonumber(ARGV[3]), ARGV[4])
return {raw, allowed, uses, limit}
"""
)


@dataclass(frozen=True)
class FastStatus:
    """What one MGET found; each part is None where there is nothing."""

    key: CachedKey | None
    snapshot: JobSnapshot | None
    progress: Progress | None


@dataclass(frozen=True)
class CheckedCaller:
    """A cached key and what the limiter says of its user; nothing was counted where `decision` is None."""

    key: CachedKey | None
    decision: RateDecision | None


class StatusFastPath:
    """One round trip where Redis has all that a request needs; what is missing is found the long way.

    Both methods raise TierUnavailableError when Redis is away.
    """

    def __init__(self, client: RedisClient, *, default_limit_per_hour: int) -> None:
        self._client = client
        self._default_limit = default_limit_per_hour

    def read(self, key_hash: str, job_id: str) -> FastStatus:
        """The caller's key, the job's snapshot and its progress, by one MGET."""
        reply = self._client.call("MGET", cache_key(key_hash), status_key(job_id), progress_key(job_id))
        match reply:
            case [bytes() | None as key, bytes() | None as status, bytes() | None as progress]:
                return FastStatus(_cached_key(key), _snapshot(status), _progress(progress))
            case _:
                raise TypeError(f"MGET of three keys answered {reply!r}")

    def check_caller(self, key_hash: str, now: datetime) -> CheckedCaller:
        """The caller's key, with one request counted against its user's hour if it is valid and fresh."""
        reply = self._client.evaluate(
            _CHECK_CALLER,
            cache_key(key_hash),
            format_time(now - timedelta(seconds=FRESH_SECONDS)),
            self._default_limit,
            window_start(now, HOUR_SECONDS),
            reset_seconds(now, HOUR_SECONDS),
        )
        match reply:
            case [bytes(raw), int(allowed), int(uses), int(limit)]:
                decision = decide(
                    allowed=bool(allowed), uses=uses, limit=limit, window_seconds=HOUR_SECONDS, now=now
                )
                return CheckedCaller(_cached_key(raw), decision)
            case [bytes(raw)]:
                return CheckedCaller(_cached_key(raw), None)
            case _:
                return CheckedCaller(None, None)


# A poller is told the same bytes again and again: what they mean is worked out once.


@lru_cache(maxsize=256)
def _cached_key(raw: bytes | None) -> CachedKey | None:
    value = decode_object(raw)
    return CachedKey.from_json(value) if value is not None else None


@lru_cache(maxsize=256)
def _snapshot(raw: bytes | None) -> JobSnapshot | None:
    return decode_snapshot(raw)


@lru_cache(maxsize=256)
def _progress(raw: bytes | None) -> Progress | None:
    return Progress.from_json(decode_object(raw))
