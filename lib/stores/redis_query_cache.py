"""Redis as the shared side of the query cache. Nothing is ever searched for: forgetting is a DEL of generations.

Each target (a key, or a prefix) has a generation: a random word that exists only while somebody needs it. A value
carries the words of all targets that cover it (its stamp), and is good only while every one of them is unchanged.
To forget is to delete the word. The next computation writes a new one, which equals none before it; so a generation
that Redis evicted, or that ended its life, costs a miss and never revives an old value.

All names share the hash tag `{query}`: the scripts' keys are on one node where there are several.
"""

from collections.abc import Collection
from uuid import uuid4

from lib.domain.cache_keys import Target, targets_covering
from lib.ports.query_store import Look
from lib.stores.redis_client import RedisClient
from lib.stores.redis_connection import Reply

SPARE_SECONDS = 60.0  # generations outlive their values by this, for computations that are under way

# KEYS: value, lead, generations. ARGV: new generation ('' to read only), token, life of the lead (ms),
# life of a generation (ms). Answers stamp, value, its life (ms), leads.
# Whoever leads with a stamp that has passed computes what nobody may keep: then another may lead at once.
_LOOK = """
local words = {}
for i = 3, #KEYS do
  local word = redis.call('GET', KEYS[i])
  if not word then
    if ARGV[1] == '' then return {'', false, 0, 0} end
    word = ARGV[1]
    redis.call('SET', KEYS[i], word, 'PX', ARGV[4])
  end
  words[#words + 1] = word
end
local stamp = table.concat(words, ' ')
local entry = redis.call('GET', KEYS[1])
if entry and string.sub(entry, 1, #stamp + 1) == stamp .. '\\n' then
  return {stamp, string.sub(entry, #stamp + 2), redis.call('PTTL', KEYS[1]), 0}
end
if ARGV[2] == '' then return {stamp, false, 0, 0} end
local lead = redis.call('GET', KEYS[2])
if lead and string.sub(lead, -#stamp) == stamp then return {stamp, false, 0, 0} end
redis.call('SET', KEYS[2], ARGV[2] .. '\\n' .. stamp, 'PX', ARGV[3])
return {stamp, false, 0, 1}
"""

_RELEASE = """
local lead = redis.call('GET', KEYS[2])
if lead and string.sub(lead, 1, #ARGV[1] + 1) == ARGV[1] .. '\\n' then redis.call('DEL', KEYS[2]) end
"""

# KEYS as above. ARGV: token, stamp, value, its life (ms), life of a generation (ms). Answers whether it was kept.
_KEEP = (
    _RELEASE
    + """
local words = {}
for i = 3, #KEYS do
  local word = redis.call('GET', KEYS[i])
  if not word then return 0 end
  words[#words + 1] = word
end
if table.concat(words, ' ') ~= ARGV[2] then return 0 end
for i = 3, #KEYS do
  if redis.call('PTTL', KEYS[i]) < tonumber(ARGV[5]) then redis.call('PEXPIRE', KEYS[i], ARGV[5]) end
end
redis.call('SET', KEYS[1], ARGV[2] .. '\\n' .. ARGV[3], 'PX', ARGV[4])
return 1
"""
)


class RedisQueryStore:
    """The `QueryStore` in Redis; lives end by Redis's own clock. All methods raise TierUnavailableError."""

    name = "redis"

    def __init__(self, client: RedisClient) -> None:
        self._client = client

    def read(self, key: str) -> Look:
        """The value if there is a good one; writes nothing."""
        return self._look(key, "", "", 0.0, 0.0)

    def begin(self, key: str, *, token: str, lock_seconds: float, life_seconds: float) -> Look:
        """The value if there is a good one; otherwise a stamp for `keep`, and who computes."""
        # A word must never come back, so each call has a new one, also those of the same caller who waits.
        return self._look(key, uuid4().hex, token, lock_seconds, life_seconds)

    def keep(self, key: str, value: str, life_seconds: float, *, stamp: str, token: str) -> bool:
        """Keep the value unless something that covers the key was forgotten since the stamp.

        process A   begin: stamp a    computes from the old row .............. keep with a: refused
        process B                     commits a new row, forgets: no stamp
        process C                                        begin: stamp c ..................... keep with c: kept
        """
        life = _milliseconds(life_seconds)
        words_life = _milliseconds(life_seconds + SPARE_SECONDS)
        return self._run(_KEEP, key, token, stamp, value, life, words_life) == 1

    def release(self, key: str, token: str) -> None:
        """The caller with this token leads no longer."""
        self._run(_RELEASE, key, token)

    def forget(self, targets: Collection[Target]) -> None:
        """Delete the generations of these, and the values that they name."""
        values = [_value_name(target.text) for target in targets if target.exact]
        self._client.call("DEL", *map(_word_name, targets), *values)

    def _look(self, key: str, word: str, token: str, lock_seconds: float, life_seconds: float) -> Look:
        words_life = _milliseconds(life_seconds + SPARE_SECONDS)
        match self._run(_LOOK, key, word, token, _milliseconds(lock_seconds), words_life):
            case [bytes(stamp), None, _, int(leads)]:
                return Look(None, stamp=stamp.decode(), leads=leads == 1)
            case [bytes(stamp), bytes(value), int(life), _]:
                return Look(value.decode(), life_seconds=life / 1000, stamp=stamp.decode())
            case reply:
                raise TypeError(f"a script of the query cache answered {reply!r}")

    def _run(self, script: str, key: str, *arguments: str | int) -> Reply:
        names = [_value_name(key), _name("lead", key), *map(_word_name, targets_covering(key))]
        return self._client.call("EVAL", script, len(names), *names, *arguments)


def _value_name(key: str) -> bytes:
    return _name("value", key)


def _word_name(target: Target) -> bytes:
    return _name("key" if target.exact else "prefix", target.text)


def _name(kind: str, text: str) -> bytes:
    """Any text has a name, also half of a surrogate pair, which JSON may bring from a caller."""
    return f"query:{{query}}:{kind}:{text}".encode(errors="surrogatepass")


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
