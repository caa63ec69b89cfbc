"""Who may start a job now: a valid key, and not too many requests this hour."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from lib.domain.api_key import CachedKey, hash_key, limit_key
from lib.domain.caller import Caller
from lib.ports.cache import RateDecision
from lib.ports.limiter import Limiter
from lib.ports.tier import TierUnavailableError
from lib.services.authenticate import Authenticator

WINDOW_SECONDS = 3600


class Checked(Protocol):
    """What one round trip tells of a caller; nothing was counted where `decision` is None."""

    @property
    def key(self) -> CachedKey | None:
        """The caller's key as it is cached."""

    @property
    def decision(self) -> RateDecision | None:
        """What the limiter says."""


class FastCheck(Protocol):
    """Asks for the key and counts the request in one round trip."""

    def check_caller(self, key_hash: str, now: datetime) -> Checked:
        """What it knows. Raises TierUnavailableError."""


@dataclass(frozen=True)
class Admission:
    """A known caller and what the limiter says; it is for the caller of this to refuse."""

    caller: Caller
    decision: RateDecision


@dataclass(frozen=True)
class AdmitCaller:
    """Authenticates and counts; `fast` is None where there is no Redis."""

    fast: FastCheck | None
    authenticator: Authenticator
    limiter: Limiter
    default_limit_per_hour: int
    clock: Callable[[], datetime]
    on_outage: Callable[[str], None]

    def admit(self, presented: str | None) -> Admission:
        """The caller and the limiter's decision on this request.

        Raises:
            UnauthenticatedError: no key, or a wrong one.
            RecordUnavailableError: the key is not cached and the record is away.
        """
        checked = self._ask_fast(presented)
        caller = self.authenticator.identify(presented, cached=checked.key if checked else None)
        if checked is not None and checked.decision is not None:
            return Admission(caller, checked.decision)
        limit = caller.rate_limit_per_hour or self.default_limit_per_hour
        return Admission(
            caller, self.limiter.count(limit_key(caller.user_id), limit, WINDOW_SECONDS, self.clock())
        )

    def _ask_fast(self, presented: str | None) -> Checked | None:
        key_hash = hash_key(presented)
        if self.fast is None or key_hash is None:
            return None
        try:
            return self.fast.check_caller(key_hash, self.clock())
        except TierUnavailableError:
            self.on_outage("redis")
            return None
