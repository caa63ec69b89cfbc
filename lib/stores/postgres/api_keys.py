"""API keys in the record: hashes only."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime

from lib.domain.actor import Actor
from lib.domain.api_key import ApiKey
from lib.domain.caller import AccessRole, UserKind
from lib.domain.errors import RecordUnavailableError
from lib.ports.actor import acting_as
from lib.ports.tier import TierUnavailableError
from lib.stores.outage import Outage
from lib.stores.postgres.statements import Statements

_FIND = """
select k.key_id::text, k.user_id, k.rate_limit_per_hour, u.kind, u.access_role
from api_keys k join users u on u.user_id = k.user_id where k.key_hash = %s and k.revoked_at is null
"""
_CREATE = """
with someone as (
    insert into users (user_id, kind, access_role, created_at) values (%(user)s, %(kind)s, %(role)s, %(now)s)
    on conflict (user_id) do update set access_role = 'admin'
    where excluded.access_role = 'admin'
)
insert into api_keys (key_id, user_id, key_hash, label, rate_limit_per_hour, created_at)
values (%(id)s, %(user)s, %(hash)s, %(label)s, %(rate)s, %(now)s)
on conflict (key_id) do nothing
"""
_REVOKE = (
    "update api_keys set revoked_at = %s where key_id::text = %s and revoked_at is null returning key_hash"
)
_LIST = """
select k.key_id::text, k.user_id, k.label, k.rate_limit_per_hour, k.created_at, k.revoked_at, u.kind, u.access_role
from api_keys k join users u on u.user_id = k.user_id
where %s::text is null or k.user_id = %s order by k.created_at, k.key_id
"""
_USER = "select kind, access_role from users where user_id = %s"


@dataclass(frozen=True)
class KeyListing:
    """One key as its operator may see it."""

    key_id: str
    user_id: str
    label: str
    rate_limit_per_hour: int | None
    created_at: datetime
    revoked_at: datetime | None
    kind: UserKind
    role: AccessRole


class PostgresApiKeys:
    """`lib.ports.api_keys.ApiKeys` in Postgres, with what the operator's command line needs.

    `connection` is called at the first question, so that a cached key never loads a database driver. With an
    `outage`, a record that failed a moment ago is not asked again.
    """

    def __init__(self, connection: Callable[[], Statements], *, outage: Outage | None = None) -> None:
        self._connection = connection
        self._outage = outage

    def find(self, key_hash: str) -> ApiKey | None:
        """The valid key with this hash, found on behalf of whoever presents it; None if there is none, or revoked."""
        try:
            watch = self._outage.watch(RecordUnavailableError) if self._outage else nullcontext()
            with watch, acting_as(Actor.key(key_hash)):
                rows = self._connection().fetch(_FIND, (key_hash,))
        except TierUnavailableError as error:
            msg = "the API key cannot be checked right now; try again shortly"
            raise RecordUnavailableError(msg, retry_after_seconds=2) from error
        if not rows:
            return None
        key_id, user_id, rate, kind, role = rows[0]
        return ApiKey(key_id, user_id, rate, UserKind(kind), AccessRole(role))

    def find_user(self, user_id: str) -> tuple[UserKind, AccessRole] | None:
        """What a user is and may do; None if there is none such."""
        rows = self._connection().fetch(_USER, (user_id,))
        return (UserKind(rows[0][0]), AccessRole(rows[0][1])) if rows else None

    def create(self, key: ApiKey, key_hash: str, label: str, now: datetime) -> None:
        """Record a new key, and its user if there is none; repeating it changes nothing.

        A user who is there stays as it is, but for one thing: an admin's key makes its user an admin.
        """
        self._connection().fetch(
            _CREATE,
            {
                "id": key.key_id,
                "user": key.user_id,
                "kind": key.kind.value,
                "role": key.role.value,
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
        rows = self._connection().fetch(_LIST, (user_id, user_id))
        return [
            KeyListing(key, user, label, rate, created_at, revoked_at, UserKind(kind), AccessRole(role))
            for key, user, label, rate, created_at, revoked_at, kind, role in rows
        ]
