"""fal's webhook signatures: Ed25519 over four lines, by keys that it publishes.

Source: fal.ai/docs/documentation/model-apis/inference/webhooks; read November 2026. The message is the request's id,
the user's id, the time in unix seconds and the body's SHA-256 in lower-case hex, with a line feed between them.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from lib.domain.errors import ConfigurationError, UnauthenticatedError
from lib.providers.fal_models import KeySet

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

TOLERANCE_SECONDS = 300
_PREFIX = "x-fal-webhook-"
_MOST_KEYS = 16
_SIGNATURE_BYTES = 64


def verify(headers: Mapping[str, str], raw_body: bytes, secrets: Sequence[str], now: datetime) -> str:
    """Return the request's id, having proved that fal signed these very bytes recently.

    `secrets` are key sets as JSON; each key of each is tried, whichever fits. Raises `UnauthenticatedError` for a
    header that is missing or malformed, a time outside the window on either side, or no key that fits;
    `ConfigurationError` where no set has a key.
    """
    keys = public_keys(secrets)
    if not keys:
        raise ConfigurationError("there is no key of fal to check webhooks with")
    found = {name: _header(headers, name) for name in ("request-id", "user-id", "timestamp", "signature")}
    if not all(found.values()):
        missing = ", ".join(f"{_PREFIX}{name}" for name, value in found.items() if not value)
        raise UnauthenticatedError(f"the webhook is not signed: {missing} is missing")
    _check_time(found["timestamp"], now)
    digest = hashlib.sha256(raw_body).hexdigest()
    message = "\n".join((found["request-id"], found["user-id"], found["timestamp"], digest))
    signature = _signature(found["signature"])
    fits = [_fits(key, signature, message.encode("utf-8", "replace")) for key in keys]
    if not any(fits):
        raise UnauthenticatedError("the webhook's signature is wrong")
    return found["request-id"]


def request_id(headers: Mapping[str, str]) -> str | None:
    """Return the request's id as the headers have it, not verified; None without one."""
    return _header(headers, "request-id") or None


def public_keys(secrets: Sequence[str]) -> "list[Ed25519PublicKey]":
    """Return the Ed25519 keys of these key sets (RFC 8037), at most 16; what is anything else is left out."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415 - only webhooks need it
        Ed25519PublicKey,
    )

    key_sets = [KeySet.of(secret.encode("utf-8", "replace")) for secret in secrets]
    found = [base64.urlsafe_b64decode(f"{key.x}=") for key_set in key_sets for key in key_set.keys]
    return [Ed25519PublicKey.from_public_bytes(raw) for raw in found[:_MOST_KEYS]]


def _fits(key: "Ed25519PublicKey", signature: bytes, message: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - as above

    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _signature(text: str) -> bytes:
    """The bytes of a signature in hex; of anything else as many zeros, which fit nothing and cost the same."""
    try:
        signature = bytes.fromhex(text) if text.isascii() and text.isalnum() else b""
    except ValueError:
        signature = b""
    return signature if len(signature) == _SIGNATURE_BYTES else bytes(_SIGNATURE_BYTES)


def _check_time(timestamp: str, now: datetime) -> None:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise UnauthenticatedError(f"{_PREFIX}timestamp is not a unix time in seconds")
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
        raise UnauthenticatedError(
            f"{_PREFIX}timestamp is more than {TOLERANCE_SECONDS} seconds from now: stale, or a wrong clock"
        )


def _header(headers: Mapping[str, str], name: str) -> str:
    wanted = _PREFIX + name
    return next((value.strip() for key, value in headers.items() if key.lower() == wanted), "")
