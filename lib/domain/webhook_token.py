"""The token in a callback address: it proves that we gave this address out for this very attempt.

Providers do not sign the address that they call, and some sign nothing at all. The token is an HMAC-SHA256
over job, attempt, credential version and provider, so it is worth nothing for another job or attempt.
"""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from lib.domain.provider import PLATFORM_VERSION


@dataclass(frozen=True)
class CallbackTarget:
    """Whose callback it is; `credential_version` is that of the key which made the prediction."""

    provider: str
    job_id: str
    attempt: int
    credential_version: str = PLATFORM_VERSION


def make_token(key: str, target: CallbackTarget) -> str:
    """The token of this target: 43 characters of base64url."""
    fields = [target.job_id, target.attempt, target.credential_version, target.provider]
    signed = json.dumps(fields, separators=(",", ":")).encode()
    mac = hmac.new(key.encode(), signed, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def token_is_genuine(key: str, target: CallbackTarget, token: str) -> bool:
    """Whether `make_token` made this token for this target, compared in constant time."""
    return hmac.compare_digest(make_token(key, target).encode(), token.encode("utf-8", "replace"))


def callback_url(base_url: str, key: str, target: CallbackTarget) -> str:
    """The address to give to the provider; it holds the token, so it never belongs into a log."""
    query = {"job": target.job_id, "attempt": str(target.attempt)}
    if target.credential_version != PLATFORM_VERSION:
        query["credential"] = target.credential_version
    query["token"] = make_token(key, target)
    return f"{base_url.rstrip('/')}/webhook/{quote(target.provider, safe='')}?{urlencode(query)}"
