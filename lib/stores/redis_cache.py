"""Redis as the shared cache: one JSON object per key, counters as a small hash."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lib.ports.cache import RateDecision
from lib.stores.fixed_window import decide, reset_seconds, window_start
from lib.stores.redis_client import RedisClient
from lib.stores.redis_connection import Reply
from lib.stores.snapshot_json import decode_object, encode_json

# Defines count(key, limit, window, life) -> allowed (0 or 1), uses. One atomic step: nobody can come between
# the comparison and the increment, and no counter is ever left without an end of life.
# A caller whose clock is behind counts in the window that is already there.
COUNT_FUNCTION = """
local function count(key, limit, window, life)
  local held = redis.call('HMGET', key, 'window', 'uses')
  local uses = 0
  if held[1] and tonumber(held[1]) >= window then
    window = tonumber(held[1])
    uses = tonumber(held[2])
  end
  if uses >= limit then
    return 0, uses
  end
  redis.call('HSET', key, 'window', string.format('%.0f', window), 'uses', uses + 1)
  redis.call('EXPIRE', key, life)
  return 1, uses + 1
end
"""
_COUNT = (
    COUNT_FUNCTION
    + """
local allowed, uses = count(KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3])
return {allowed, uses}
"""
)


class RedisCache:
    """The `SharedCache` in Redis; lives end by Redis's own clock. All methods raise TierUnavailableError."""

    name = "redis"

    def __init__(self, client: RedisClient) -> None:
        self._client = client

    def get(self, key: str, now: datetime) -> Mapping[str, Any] | None:  # noqa: ARG002 - Redis keeps the time
        """The value, or None if there is none or its life is over."""
        return decode_object(self._client.call("GET", key))

    def put(self, key: str, value: Mapping[str, Any], life_seconds: float, now: datetime) -> None:  # noqa: ARG002 - Redis keeps the time
        """Keep the value for so long."""
        self._client.call("SET", key, encode_json(value), "PX", _milliseconds(life_seconds))

    def put_if_absent(self, key: str, value: Mapping[str, Any], life_seconds: float, now: datetime) -> bool:  # noqa: ARG002 - Redis keeps the time
        """Keep the value unless the key is there; whether it was kept. Atomic."""
        reply = self._client.call("SET", key, encode_json(value), "PX", _milliseconds(life_seconds), "NX")
        return reply is not None

    def delete(self, key: str) -> None:
        """Forget the key; nothing happens if it is not there."""
        self._client.call("DEL", key)

    def count(self, key: str, limit: int, window_seconds: int, now: datetime) -> RateDecision:
        """Count one use of `key` in the fixed window of `now`; refused uses are not counted. Atomic."""
        life = reset_seconds(now, window_seconds)
        reply = self._client.evaluate(_COUNT, key, limit, window_start(now, window_seconds), life)
        allowed, uses = read_count(reply)
        return decide(allowed=allowed, uses=uses, limit=limit, window_seconds=window_seconds, now=now)


def read_count(reply: Reply) -> tuple[bool, int]:
    """`allowed, uses` from a script's `{allowed, uses}`."""
    match reply:
        case [int(allowed), int(uses)]:
            return bool(allowed), uses
        case _:
            raise TypeError(f"a counting script answered {reply!r}")


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
