"""API keys in the record: hashes only."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from lib.domain.api_key import ApiKey
from lib.domain.errors import RecordUnavailableError
from lib.ports.tier import TierUnavailableError
from lib.stores.outage import Outage

_FIND = """
select key_id::text, user_id, rate_limit_per_hour from api_keys where key_hash = %s and revoked_at is null
"""
_CREATE = """
with someone as (
    insert into users (user_id, created_at) values (%(user)s, %(now)s) on conflict do nothing
)
insert into api_keys (key_id, user_id, key_hash, label, rate_limit_per_hour, created_at)
values (%(id)s, %(user)s, %(hash)s, %(label)s, %(rate)s, %(now)s)
on conflict (key_id) do nothing
"""
_REVOKE = (
    "update api_keys set revoked_at = %s where key_id::text = %s and revoked_at is null returning key_hash"
)
_LIST = """
select key_id::text, user_id, label, rate_limit_per_hour, created_at, revoked_at from api_keys
where %s::text is null or user_id = %s order by created_at, key_id
"""


class Statements(Protocol):
    """What runs SQL: `lib.stores.postgres.connection.RecordConnection`."""

    def fetch(self, sql: str, params: Any = (), *, repeat: bool = True) -> list[tuple[Any, ...]]:
        """The rows of one statement. Raises RecordUnavailableError."""


@dataclass(frozen=True)
class KeyListing:
    """One key as its operator may see it."""

    key_id: str
    user_id: str
    label: str
    rate_limit_per_hour: int | None
    created_at: datetime
    revoked_at: datetime | None


class PostgresApiKeys:
    """`lib.ports.api_keys.ApiKeys` in Postgres, with what the operator's command line needs.

    `connection` is called at the first question, so that a cached key never loads a database driver. With an
    `outage`, a record that failed a moment ago is not asked again.
    """

    def __init__(self, connection: Callable[[], Statements], *, outage: Outage | None = None) -> None:
        self._connection = connection
        self._outage = outage

    def find(self, key_hash: str) -> ApiKey | None:
        """The valid key with this hash; None if there is none, or it was revoked."""
        try:
            with self._outage.watch(RecordUnavailableError) if self._outage else nullcontext():
                rows = self._connection().fetch(_FIND, (key_hash,))
        except TierUnavailableError as error:
            msg = "the API key cannot be checked right now; try again shortly"
            raise RecordUnavailableError(msg, retry_after_seconds=2) from error
        return ApiKey(*rows[0]) if rows else None

    def create(self, key: ApiKey, key_hash: str, label: str, now: datetime) -> None:
        """Record a new key, and its user if there is none; repeating it changes nothing."""
        self._connection().fetch(
            _CREATE,
            {
                "id": key.key_id,
                "user": key.user_id,
                "hash": key_hash,
                "label": label,
                "rate": key.rate_limit_per_hour,
                "now": now,
            },
        )

    def revoke(self, key_id: str, now: datetime) -> str | None:
        """End the key's life; its hash, or None if no valid key has this id."""
        rows = self._connection().fetch(_REVOKE, (now, key_id), repeat=False)
        return str(rows[0][0]) if rows else None

    def list(self, user_id: str | None = None) -> Sequence[KeyListing]:
        """All keys, or one user's, oldest first."""
        return [KeyListing(*row) for row in self._connection().fetch(_LIST, (user_id, user_id))]
