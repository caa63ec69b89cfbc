"""Files that a provider puts into our bucket itself: under which keys, and by which token it may.

A server that knows one upload address for all it makes (Cog's `--upload-url`) holds one token, which says only that
the operator let it upload; each file belongs to the attempt whose id it was sent with.
"""

import base64
import hashlib
import hmac
import re
from urllib.parse import quote

from lib.domain.media_keys import TEMP_PREFIX, safe_segment

OWN_ID = re.compile(r"[0-9a-f]{32}-[1-9][0-9]{0,5}")
"""An attempt's id as `Submission.own_id` makes it."""

UPLOADS_PREFIX = f"{TEMP_PREFIX}uploads/"
_LEAF = re.compile(r"[A-Za-z0-9%=_.-]{1,255}")


def upload_prefix(provider: str, own_id: str) -> str:
    """What the keys of one attempt's uploads begin with."""
    return f"{UPLOADS_PREFIX}{provider}/{own_id}/"


def upload_key(provider: str, own_id: str, filename: str, unique: str) -> str:
    """The key of one upload. `unique` keeps files of one name apart, and what is there from being written over."""
    return f"{upload_prefix(provider, own_id)}{unique}-{safe_segment(filename)}"


def is_upload_of(key: str, provider: str, own_id: str) -> bool:
    """Whether the key is one that this attempt's uploads may have."""
    prefix = upload_prefix(provider, own_id)
    return key.startswith(prefix) and _LEAF.fullmatch(key.removeprefix(prefix)) is not None


def upload_token(key: str, provider: str) -> str:
    """The token of a provider's upload address: 43 characters of base64url, by the key of the webhooks' tokens."""
    mac = hmac.new(key.encode(), f"upload:{provider}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def upload_token_is_genuine(key: str, provider: str, token: str) -> bool:
    """Whether `upload_token` made this token for this provider, compared in constant time."""
    return hmac.compare_digest(upload_token(key, provider).encode(), token.encode("utf-8", "replace"))


def upload_url(base_url: str, key: str, provider: str) -> str:
    """What to give a server as its upload address, with the slash at the end: it only appends a file's name.

    The token stands before the host, from where HTTP clients take it into `Authorization: Basic`: a path is logged.
    """
    scheme, _, host = base_url.rstrip("/").partition("://")
    return f"{scheme}://{provider}:{upload_token(key, provider)}@{host}/upload/{quote(provider, safe='')}/"


def presented_token(authorization: str) -> str:
    """The password of `Authorization: Basic` (RFC 7617); empty for anything else."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        decoded = base64.b64decode(value.strip(), validate=True).decode()
    except ValueError:
        return ""
    return decoded.partition(":")[2]
