"""Who is calling: API keys, verified against the record and remembered for a minute."""

from collections.abc import Callable
from datetime import datetime

from lib.domain.api_key import (
    FRESH_SECONDS,
    REFUSAL_SECONDS,
    STALE_SECONDS,
    ApiKey,
    CachedKey,
    cache_key,
    hash_key,
)
from lib.domain.caller import Caller
from lib.domain.errors import RecordUnavailableError, UnauthenticatedError
from lib.ports.api_keys import ApiKeys
from lib.ports.cache import SharedCache
from lib.ports.tier import TierUnavailableError

MOST_KEPT_HERE = 1000


class Authenticator:
    """Verifies API keys; believes its cache for 60 s, which is also how long a revoked key can live.

    A cache that is away costs a question to the record and is told to `on_outage` by its name.
    """

    def __init__(
        self,
        cache: SharedCache,
        keys: ApiKeys,
        clock: Callable[[], datetime],
        *,
        on_outage: Callable[[str], None],
    ) -> None:
        self._cache = cache
        self._keys = keys
        self._clock = clock
        self._on_outage = on_outage
        self._verified_here: dict[str, CachedKey] = {}

    def authenticate(
        self, presented: str | None, *, allow_stale: bool = False, cached: CachedKey | None = None
    ) -> ApiKey:
        """The valid key that was presented.

        `cached` is what the caller has just read from the cache; given and fresh, nothing is asked. With
        `allow_stale` (reads only) a key verified within the last 10 minutes is good while the record is away.

        Raises:
            UnauthenticatedError: no key, no such key, or a revoked one.
            RecordUnavailableError: the record must be asked, and is away.
        """
        key_hash = hash_key(presented)
        if key_hash is None:
            msg = (
                "an API key is needed: `vsl_` and 43 characters, in the header X-Api-Key or as a Bearer token"
            )
            raise UnauthenticatedError(msg)
        now = self._clock()
        cached = cached or self._recall(key_hash, now)
        if cached is not None and (key := self.believe(key_hash, cached)):
            return key
        try:
            return _accept(self._verify(key_hash, cached, now))
        except RecordUnavailableError:
            cached = cached or self._verified_here.get(key_hash)
            if not (allow_stale and cached and cached.key and cached.age_seconds(now) <= STALE_SECONDS):
                raise
            return _accept(cached.key)

    def identify(
        self, presented: str | None, *, allow_stale: bool = False, cached: CachedKey | None = None
    ) -> Caller:
        """Who presented this key; as `authenticate`."""
        key = self.authenticate(presented, allow_stale=allow_stale, cached=cached)
        return key.caller(str(hash_key(presented)))

    def believe(self, key_hash: str, cached: CachedKey) -> ApiKey | None:
        """The key that a cache entry stands for while it is fresh; None for an old entry.

        Raises UnauthenticatedError for a fresh refusal.
        """
        if not is_fresh(cached, self._clock()):
            return None
        self._keep_here(key_hash, cached)
        return _accept(cached.key)

    def learn(self, key_hash: str, key: ApiKey) -> None:
        """Remember a key that was just created, so that an earlier refusal of its hash does not outlive this."""
        self._remember(key_hash, CachedKey(key, self._clock()))

    def forget(self, key_hash: str) -> None:
        """Ask the record at the next use, as after a revocation."""
        try:
            self._cache.delete(cache_key(key_hash))
        except TierUnavailableError:
            self._on_outage(self._cache.name)

    def _recall(self, key_hash: str, now: datetime) -> CachedKey | None:
        try:
            value = self._cache.get(cache_key(key_hash), now)
        except TierUnavailableError:
            self._on_outage(self._cache.name)
            return None
        return CachedKey.from_json(value) if value is not None else None

    def _verify(self, key_hash: str, cached: CachedKey | None, now: datetime) -> ApiKey | None:
        """Ask the record and remember what it says.

        A refusal never replaces what is there, since a key may come into being meanwhile:

        verifier  find: none ------------------------------> refusal: not kept
        creator              commit ---> learn: kept

        Only a key that was good before is deleted first: its hash never comes back.
        """
        key = self._keys.find(key_hash)
        if key is not None:
            self._remember(key_hash, CachedKey(key, now))
            return key
        self._verified_here.pop(key_hash, None)
        if cached is not None and cached.key is not None:
            self.forget(key_hash)
        refusal = CachedKey(None, now).as_json()
        try:
            self._cache.put_if_absent(cache_key(key_hash), refusal, REFUSAL_SECONDS, now)
        except TierUnavailableError:
            self._on_outage(self._cache.name)
        return None

    def _remember(self, key_hash: str, verified: CachedKey) -> None:
        self._keep_here(key_hash, verified)
        try:
            self._cache.put(cache_key(key_hash), verified.as_json(), STALE_SECONDS, verified.verified_at)
        except TierUnavailableError:
            self._on_outage(self._cache.name)

    def _keep_here(self, key_hash: str, verified: CachedKey) -> None:
        """What this process knows itself, for the day when no store answers at all; the oldest goes first."""
        self._verified_here.pop(key_hash, None)
        self._verified_here[key_hash] = verified
        if len(self._verified_here) > MOST_KEPT_HERE:
            del self._verified_here[next(iter(self._verified_here))]


def is_fresh(cached: CachedKey, now: datetime) -> bool:
    """Whether the record need not be asked again."""
    limit = FRESH_SECONDS if cached.key else REFUSAL_SECONDS
    return cached.age_seconds(now) <= limit


def _accept(key: ApiKey | None) -> ApiKey:
    if key is None:
        raise UnauthenticatedError("the API key is not known, or it was revoked")
    return key
