"""Buckets and circuits in Redis: one hash for each credential, each change one script."""

from collections.abc import Sequence

from lib.domain.flow import Circuits, FlowAsk, FlowReport
from lib.stores.redis_client import RedisClient
from lib.stores.redis_connection import Part, Reply

LIFE_SECONDS = 90_000
"""Longer than the longest pause that is obeyed, a day; what nobody used for so long is full and closed again."""

# Defines ask_flow(key, now, rate, capacity, want) -> {granted, wait, closed until, circuits}: `Bucket.taken` in Lua.
# Without `want` it writes nothing.
ASK_FUNCTION = f"""
local function ask_flow(key, now, rate, capacity, want)
  local held = redis.call('HMGET', key, 'tokens', 'filledAt', 'closedUntil', 'circuits')
  local closed, granted, wait = tonumber(held[3] or '0'), 0, 0
  if want > 0 then
    if closed > now then
      wait = closed - now
    else
      local tokens, filled = capacity, now
      if held[1] then
        filled = math.max(now, tonumber(held[2]))
        tokens = math.min(capacity, tonumber(held[1]) + (filled - tonumber(held[2])) * rate / 1000)
      end
      granted = math.min(want, math.floor(tokens))
      if granted < 1 then wait = 1 + math.floor((1 - tokens) * 1000 / rate) end
      redis.call('HSET', key, 'tokens', string.format('%.17g', tokens - granted),
        'filledAt', string.format('%.0f', filled))
      redis.call('EXPIRE', key, {LIFE_SECONDS})
    end
  end
  return {{granted, wait, closed, held[4] or ''}}
end
"""
_ASK = (
    ASK_FUNCTION
    + "return ask_flow(KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]))"
)
_CLOSE = f"""
if tonumber(ARGV[1]) <= tonumber(redis.call('HGET', KEYS[1], 'closedUntil') or '0') then return 0 end
redis.call('HSET', KEYS[1], 'closedUntil', ARGV[1], 'tokens', '1', 'filledAt', ARGV[1])
redis.call('EXPIRE', KEYS[1], {LIFE_SECONDS})
return 1
"""
_SWAP = f"""
local held = redis.call('HGET', KEYS[1], 'circuits') or ''
if held ~= ARGV[1] then return {{0, held}} end
redis.call('HSET', KEYS[1], 'circuits', ARGV[2])
redis.call('EXPIRE', KEYS[1], {LIFE_SECONDS})
return {{1, ARGV[2]}}
"""


class RedisFlowStore:
    """The `FlowStore` in Redis. All methods raise TierUnavailableError."""

    name = "redis"

    def __init__(self, client: RedisClient) -> None:
        self._client = client

    def ask(self, ask: FlowAsk, now: int) -> FlowReport:
        """See the port."""
        key, *rest = ask_parts(ask)
        return read_report(self._client.evaluate(_ASK, str(key), now, *rest))

    def close(self, name: str, until: int) -> None:
        """See the port."""
        self._client.evaluate(_CLOSE, flow_key(name), until)

    def swap(self, name: str, old: Circuits, new: Circuits) -> tuple[bool, Circuits]:
        """See the port."""
        match self._client.evaluate(_SWAP, flow_key(name), old.as_text(), new.as_text()):
            case [int(done), bytes(found)]:
                return bool(done), Circuits.from_text(found.decode())
            case reply:
                raise TypeError(f"the swapping script answered {reply!r}")


def flow_key(name: str) -> str:
    """The hash of a credential's traffic."""
    return f"flow:{name}"


def ask_parts(ask: FlowAsk) -> Sequence[Part]:
    """The key, rate, capacity and want of `ask_flow`."""
    if ask.allowance is None:
        return flow_key(ask.name), 0, 0, 0
    return flow_key(ask.name), repr(ask.allowance.per_second), repr(ask.allowance.capacity), ask.want


def read_report(reply: Reply) -> FlowReport:
    """The report from what `ask_flow` returns."""
    match reply:
        case [int(granted), int(wait), int(closed_until), bytes(circuits)]:
            return FlowReport(granted, wait, closed_until, Circuits.from_text(circuits.decode()))
        case _:
            raise TypeError(f"the asking script answered {reply!r}")
