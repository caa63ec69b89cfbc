"""Users' own keys as the wire shows them: in part."""

from datetime import datetime
from typing import Any

from lib.domain.credential import CredentialCheck, StoredCredential
from lib.domain.snapshot import format_time


def credential_view(stored: StoredCredential) -> dict[str, Any]:
    """`CredentialAnswer`."""
    return {
        "success": True,
        "data": {
            "provider": stored.provider,
            "credentials": dict(stored.masked),
            "version": stored.version,
            "isValid": stored.is_valid,
            "account": stored.account,
            "failureCode": stored.failure_code,
            "createdAt": format_time(stored.created_at),
            "checkedAt": _time(stored.checked_at),
        },
    }


def check_view(check: CredentialCheck) -> dict[str, Any]:
    """`CredentialCheckAnswer`."""
    return {
        "success": check.is_valid is True,
        "data": {
            "provider": check.provider,
            "isValid": check.is_valid,
            "account": check.account,
            "checkedAt": format_time(check.checked_at),
            "errorCode": check.code,
            "error": check.reason,
        },
    }


def _time(at: datetime | None) -> str | None:
    return format_time(at) if at is not None else None
