"""Standard Webhooks 1.0 (HMAC-SHA256): signing, and checking with a window on both sides.

Source: github.com/standard-webhooks/standard-webhooks, spec; Replicate signs the same way
(replicate.com/docs/topics/webhooks/verify-webhook).
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime

from lib.domain.errors import ConfigurationError, UnauthenticatedError

TOLERANCE_SECONDS = 300
SECRET_PREFIX = "whsec_"  # noqa: S105 - the public prefix of such secrets
_HEADER_PREFIXES = ("webhook", "svix")  # the second is the older name of the same headers
_MAX_SIGNATURES = 16  # a rotation needs two; more is an attempt to make us work


def verify(
    headers: Mapping[str, str],
    raw_body: bytes,
    secrets: Sequence[str],
    now: datetime,
    *,
    tolerance_seconds: int = TOLERANCE_SECONDS,
) -> str:
    """Return the webhook's id, having proved that one of `secrets` signed these very bytes recently.

    Header names may have any letter case. `secrets` may hold several during a rotation. Raises
    `UnauthenticatedError` for a header that is missing or malformed, a time outside the window on either
    side, or no matching signature; `ConfigurationError` for a secret that is none or for no secret at all.
    """
    keys = [_key(secret) for secret in secrets]
    if not keys:
        raise ConfigurationError("there is no webhook secret to check signatures with")
    webhook_id, timestamp, signatures = _signed_headers(headers)
    _check_time(timestamp, now, tolerance_seconds)
    expected = [_mac(key, webhook_id, timestamp, raw_body) for key in keys]
    given = [_decoded(entry) for entry in signatures.split()[:_MAX_SIGNATURES]]
    matches = [hmac.compare_digest(mac, signature) for mac in expected for signature in given]
    if not any(matches):
        raise UnauthenticatedError("the webhook's signature is wrong")
    return webhook_id


def webhook_id(headers: Mapping[str, str]) -> str | None:
    """Return the id that is the same on each redelivery, unverified: the one that `verify` would check, or None."""
    lowered = {name.lower(): value for name, value in headers.items()}
    try:
        return _signed_headers(lowered)[0]
    except UnauthenticatedError:
        return next((lowered[f"{p}-id"] for p in _HEADER_PREFIXES if lowered.get(f"{p}-id")), None)


def sign(secret: str, message_id: str, timestamp: int, raw_body: bytes) -> str:
    """Return the `v1,...` signature of these bytes; `timestamp` is unix seconds."""
    mac = _mac(_key(secret), message_id, str(timestamp), raw_body)
    return f"v1,{base64.b64encode(mac).decode()}"


def _signed_headers(headers: Mapping[str, str]) -> tuple[str, str, str]:
    lowered = {name.lower(): value for name, value in headers.items()}
    for prefix in _HEADER_PREFIXES:
        message_id, timestamp, signature = (
            lowered.get(f"{prefix}-{part}", "") for part in ("id", "timestamp", "signature")
        )
        if message_id and timestamp and signature:
            return message_id, timestamp, signature
    raise UnauthenticatedError("the webhook is not signed: webhook-id, -timestamp and -signature are needed")


def _check_time(timestamp: str, now: datetime, tolerance_seconds: int) -> None:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise UnauthenticatedError("webhook-timestamp is not a unix time in seconds")
    if abs(now.timestamp() - int(timestamp)) > tolerance_seconds:
        raise UnauthenticatedError(
            f"webhook-timestamp is more than {tolerance_seconds} seconds from now: stale, or a wrong clock"
        )


def _mac(key: bytes, message_id: str, timestamp: str, raw_body: bytes) -> bytes:
    signed = f"{message_id}.{timestamp}.".encode("utf-8", "replace") + raw_body
    return hmac.new(key, signed, hashlib.sha256).digest()


def _decoded(entry: str) -> bytes:
    """Return the bytes of one `v1,<base64>` entry; other versions and garbage give nothing that matches."""
    version, _, encoded = entry.partition(",")
    if version != "v1":
        return b""
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _key(secret: str) -> bytes:
    encoded = secret.strip().removeprefix(SECRET_PREFIX).rstrip("=")
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        # `from None`: the cause would carry the secret
        raise ConfigurationError(
            "a webhook secret must be whsec_ and base64; its value is not shown"
        ) from None
    return key
