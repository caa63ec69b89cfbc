"""Replicate's two signatures, written from its documentation and from nothing of the gateway's.

Kept apart from ``lib`` on purpose: the gateway's verifier is tested against this second implementation.
Source: https://replicate.com/docs/topics/webhooks/verify-webhook and the reference of ``GET /files/{id}/download``.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from urllib.parse import quote

SECRET_PREFIX = "whsec_"  # noqa: S105 - how such secrets begin


def derive_secret(name: str) -> str:
    """The same ``whsec_...`` secret for the same name: 32 bytes, base64, with exactly one underscore."""
    return SECRET_PREFIX + base64.b64encode(hashlib.sha256(name.encode()).digest()).decode()


def sign_webhook(secret: str, *, message_id: str, timestamp: int, body: bytes) -> str:
    """One ``v1,<base64>`` signature over ``{id}.{timestamp}.{body}``; ``timestamp`` is in unix seconds."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def webhook_headers(
    secrets: Sequence[str], *, message_id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """The three signature headers; several secrets (a rotation) give several signatures, separated by spaces."""
    signatures = [
        sign_webhook(secret, message_id=message_id, timestamp=timestamp, body=body) for secret in secrets
    ]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def sign_download(key: str, *, owner: str, file_id: str, expiry: int) -> str:
    """The ``signature`` of a file download: base64 of HMAC-SHA256 over ``"{owner} {id} {expiry}"``."""
    text = f"{owner} {file_id} {expiry}"
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode()


def download_query(key: str, *, owner: str, file_id: str, expiry: int) -> str:
    """The query string under which ``GET /files/{id}/download`` lets the holder in until ``expiry``."""
    signature = quote(sign_download(key, owner=owner, file_id=file_id, expiry=expiry), safe="")
    return f"owner={quote(owner)}&expiry={expiry}&signature={signature}"
