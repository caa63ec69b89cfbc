"""API keys: their format, their hash, and the form in which a cache holds one.

The key itself is never kept: the record and the caches know only its SHA-256. A key has 256 random bits, so
a plain hash is as good as a slow one.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Self

from lib.domain.caller import AccessRole, Caller, UserKind
from lib.domain.snapshot import format_time, parse_time

KEY_PREFIX = "vsl_"
FRESH_SECONDS = 60  # so long a verified key is believed, and so long a revoked key can live
STALE_SECONDS = 600  # so long it is believed for reads while the record is away
REFUSAL_SECONDS = 10  # so long an unknown key is refused without asking the record again
_FORMAT = re.compile(r"vsl_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class ApiKey:
    """A valid key as the record knows it; `rate_limit_per_hour` None means the operator's default."""

    key_id: str
    user_id: str
    rate_limit_per_hour: int | None = None
    kind: UserKind = UserKind.REGISTERED
    role: AccessRole = AccessRole.USER

    def caller(self, key_hash: str) -> Caller:
        """Who presented this key; a guest's key is also the guest's token."""
        if self.kind is UserKind.GUEST:
            return Caller(self.user_id, self.rate_limit_per_hour, self.kind, self.role, key_hash)
        return self._user

    @cached_property
    def _user(self) -> Caller:
        """Worked out once: a poller's key is asked for it again and again."""
        return Caller(self.user_id, self.rate_limit_per_hour, self.kind, self.role)


@dataclass(frozen=True)
class CachedKey:
    """What the record said of a key hash at `verified_at`; `key` is None if it said: unknown or revoked."""

    key: ApiKey | None
    verified_at: datetime

    def age_seconds(self, now: datetime) -> float:
        """How long ago the record was asked."""
        return (now - self.verified_at).total_seconds()

    def as_json(self) -> dict[str, Any]:
        """`{"userId", "keyId", "rateLimit", "kind", "role", "verifiedAt"}`; all null but the time: unknown."""
        return {
            "userId": self.key.user_id if self.key else None,
            "keyId": self.key.key_id if self.key else None,
            "rateLimit": self.key.rate_limit_per_hour if self.key else None,
            "kind": self.key.kind.value if self.key else None,
            "role": self.key.role.value if self.key else None,
            "verifiedAt": format_time(self.verified_at),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self | None:
        """The reverse of `as_json`; None for what this version cannot read.

        An entry of before there were kinds and roles is that of a registered user with no more than a user's rights.
        """
        try:
            verified_at = parse_time(value["verifiedAt"])
            if value["userId"] is None:
                return cls(None, verified_at)
            kind = UserKind(value.get("kind", UserKind.REGISTERED))
            role = AccessRole(value.get("role", AccessRole.USER))
            return cls(ApiKey(value["keyId"], value["userId"], value["rateLimit"], kind, role), verified_at)
        except (KeyError, TypeError, ValueError):
            return None


def new_key(random_bytes: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """A new key: `vsl_` and 43 characters of base64url, 256 random bits."""
    return KEY_PREFIX + base64.urlsafe_b64encode(random_bytes(32)).rstrip(b"=").decode()


def hash_key(presented: str | None) -> str | None:
    """The SHA-256 of a presented key in hex, or None if it does not look like a key at all."""
    if presented is None or not _FORMAT.fullmatch(presented):
        return None
    return hashlib.sha256(presented.encode()).hexdigest()


def cache_key(key_hash: str) -> str:
    """Under which name a cache holds the `CachedKey` of this hash."""
    return f"apikey:{key_hash}"


def limit_key(user_id: str) -> str:
    """Under which name a cache counts this user's requests of the hour."""
    return f"ratelimit:user:{user_id}:hour"


def credential_limit_key(user_id: str) -> str:
    """Under which name a cache counts how often this user put or tested keys at providers in the hour."""
    return f"ratelimit:user:{user_id}:credentials"
