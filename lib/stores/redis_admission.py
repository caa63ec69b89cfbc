"""What admitting a caller asks of Redis: one command, which brings news of the providers' traffic along."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from lib.domain.api_key import FRESH_SECONDS, CachedKey, cache_key
from lib.domain.flow import FlowAsk, milliseconds
from lib.domain.snapshot import format_time
from lib.ports.cache import RateDecision
from lib.ports.flow import FlowNews
from lib.stores.fixed_window import HOUR_SECONDS, decide, reset_seconds, window_start
from lib.stores.flow_redis import ASK_FUNCTION, ask_parts, read_report
from lib.stores.redis_cache import COUNT_FUNCTION
from lib.stores.redis_client import RedisClient
from lib.stores.redis_connection import Part, Reply
from lib.stores.redis_status import cached_key

# Reads a cached key and, if it is valid and fresh, counts one request of its user. The counter's name is
# known only after the read, so this is one script, not two commands. Times compare as text: one format, UTC.
# A caller who is let in may start a job: what this process would ask next of the traffic comes in the same reply.
_CHECK_CALLER = (
    COUNT_FUNCTION
    + ASK_FUNCTION
    + """
local raw = redis.call('GET', KEYS[1])
if not raw then return {} end
local readable, key = pcall(cjson.decode, raw)
if not readable or type(key) ~= 'table' or type(key.userId) ~= 'string' then return {raw} end
if type(key.verifiedAt) ~= 'string' or key.verifiedAt < ARGV[1] then return {raw} end
local limit = tonumber(ARGV[2])
if type(key.rateLimit) == 'number' then limit = key.rateLimit end
local allowed, uses = count('ratelimit:user:' .. key.userId .. ':hour', limit, tonumber(ARGV[3]), ARGV[4])
local traffic = {}
if allowed == 1 then
  for at = 6, #ARGV, 4 do
    local rate, capacity, want = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
    traffic[#traffic + 1] = ask_flow(ARGV[at], tonumber(ARGV[5]), rate, capacity, want)
  end
end
return {raw, allowed, uses, limit, traffic}
"""
)


@dataclass(frozen=True)
class CheckedCaller:
    """A cached key and what the limiter says of its user; nothing was counted where `decision` is None."""

    key: CachedKey | None
    decision: RateDecision | None


class AdmissionPath:
    """One round trip where Redis has the caller's key; `news` is told how the traffic that it asks about stands."""

    def __init__(
        self, client: RedisClient, *, default_limit_per_hour: int, news: FlowNews | None = None
    ) -> None:
        self._client = client
        self._default_limit = default_limit_per_hour
        self._news = news

    def check_caller(self, key_hash: str, now: datetime) -> CheckedCaller:
        """The caller's key, with one request counted against its user's hour if it is valid and fresh.

        Raises TierUnavailableError when Redis is away.
        """
        asks = self._news.wanted(now) if self._news else ()
        reply = self._client.evaluate(
            _CHECK_CALLER,
            cache_key(key_hash),
            format_time(now - timedelta(seconds=FRESH_SECONDS)),
            self._default_limit,
            window_start(now, HOUR_SECONDS),
            reset_seconds(now, HOUR_SECONDS),
            milliseconds(now),
            *_parts(asks),
        )
        match reply:
            case [bytes(raw), int(allowed), int(uses), int(limit), list(traffic)]:
                self._tell(asks, traffic, now)
                decision = decide(
                    allowed=bool(allowed), uses=uses, limit=limit, window_seconds=HOUR_SECONDS, now=now
                )
                return CheckedCaller(cached_key(raw), decision)
            case [bytes(raw)]:
                return CheckedCaller(cached_key(raw), None)
            case _:
                return CheckedCaller(None, None)

    def _tell(self, asks: Sequence[FlowAsk], traffic: Sequence[Reply], now: datetime) -> None:
        if self._news is not None:
            for ask, report in zip(asks, traffic, strict=False):
                self._news.told(ask, read_report(report), now)


def _parts(asks: Sequence[FlowAsk]) -> list[Part]:
    return [part for ask in asks for part in ask_parts(ask)]
