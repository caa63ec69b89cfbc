"""Users' keys in the record."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from lib.domain.credential import StoredCredential
from lib.domain.envelope import Sealed
from lib.domain.errors import ForbiddenError
from lib.stores.postgres.holdable import holdable
from lib.stores.postgres.statements import Statements

_BY_KEY = """
select key_id, count(*) from provider_credentials where wiped_at is null group by key_id order by key_id
"""
_CURRENT = """
select credential_view(c), sealed_credential(c) from provider_credentials c
where c.user_id = %s and c.provider = %s and c.replaced_at is null and c.deleted_at is null
"""
_WRAPPED_OTHERWISE = """
select sealed_credential(c) from provider_credentials c
where c.wiped_at is null and c.key_id <> %(key_id)s
  and (%(after)s::uuid is null or c.credential_id > %(after)s::uuid)
order by c.credential_id limit %(limit)s
"""


class PostgresCredentials:
    """`lib.ports.credentials.Credentials`, and `Rewrapping` for the owner's login."""

    def __init__(self, connection: Statements) -> None:
        self._connection = connection

    def next_version(self, user_id: str, provider: str) -> int:
        """See the port."""
        rows = self._connection.fetch("select next_credential_version(%s, %s)", (user_id, provider))
        return int(rows[0][0])

    def put(self, sealed: Sealed, masked: Mapping[str, str], now: datetime) -> StoredCredential | None:
        """See the port."""
        given = {**sealed.as_json(), "masked": dict(masked)}
        answer = self._connection.fetch("select put_credential(%s, %s)", (Jsonb(given), now))[0][0]
        match answer["outcome"]:
            case "stored":
                return _stored(answer["credential"])
            case "guest":
                raise ForbiddenError("guests have no keys of their own: this takes a registered user")
            case _:
                return None

    def list(self, user_id: str) -> Sequence[StoredCredential]:
        """See the port."""
        found = self._connection.fetch("select list_credentials(%s)", (user_id,))[0][0]
        return [_stored(each) for each in found]

    def current(self, user_id: str, provider: str) -> tuple[StoredCredential, Sealed] | None:
        """See the port."""
        rows = self._connection.fetch(_CURRENT, (user_id, provider))
        return (_stored(rows[0][0]), Sealed.from_json(rows[0][1])) if rows else None

    def delete(self, user_id: str, provider: str, now: datetime) -> StoredCredential | None:
        """See the port."""
        sql = "select delete_credential(%s, %s, %s)"
        found = self._connection.fetch(sql, (user_id, provider, now), repeat=False)[0][0]
        return _stored(found) if found else None

    def find(self, credential_id: str) -> Sealed | None:
        """See the port."""
        found = self._connection.fetch("select find_credential(%s::uuid)", (credential_id,))
        value = found[0][0] if found else None
        return Sealed.from_json(value) if value else None

    def mark(
        self, credential_id: str, *, is_valid: bool, code: str | None, account: str | None, now: datetime
    ) -> bool:
        """See the port."""
        words = holdable(account) if account is not None else None
        sql = "select mark_credential(%s::uuid, %s, %s, %s, %s)"
        return bool(self._connection.fetch(sql, (credential_id, is_valid, code, words, now))[0][0])

    def by_key(self) -> Sequence[tuple[str, int]]:
        """See the port."""
        return [(str(key_id), int(count)) for key_id, count in self._connection.fetch(_BY_KEY)]

    def wrapped_otherwise(self, key_id: str, after: str | None, limit: int) -> Sequence[Sealed]:
        """See the port."""
        params = {"key_id": key_id, "after": after, "limit": limit}
        return [Sealed.from_json(row[0]) for row in self._connection.fetch(_WRAPPED_OTHERWISE, params)]

    def rewrap(self, sealed: Sealed, key_id: str, wrapped_key: bytes) -> bool:
        """See the port."""
        params = (sealed.context.credential_id, sealed.key_id, sealed.wrapped_key, key_id, wrapped_key)
        rows = self._connection.fetch("select rewrap_credential(%s::uuid, %s, %s, %s, %s)", params)
        return bool(rows[0][0])


def _stored(value: Mapping[str, Any]) -> StoredCredential:
    return StoredCredential(
        credential_id=value["credentialId"],
        provider=value["provider"],
        version=value["version"],
        masked=value["masked"],
        created_at=datetime.fromisoformat(value["createdAt"]),
        is_valid=value["isValid"],
        checked_at=datetime.fromisoformat(value["checkedAt"]) if value["checkedAt"] else None,
        failure_code=value["failureCode"],
        account=value["account"],
    )
