"""Ids that are always the same for the same moment and name, and still those of their kind."""

import hashlib
import string
from datetime import datetime

from lib.domain.ids import SHORT_ID_LENGTH, uuid7

_ALPHABET = string.digits + string.ascii_letters


def seeded_uuid(at: datetime, name: str) -> str:
    """A UUIDv7 of this moment; its other bits are the name's hash."""
    bits = int(digest(name), 16)
    return str(uuid7(at, lambda count: bits & ((1 << count) - 1)))


def seeded_short_id(name: str) -> str:
    """Eleven characters of base 62."""
    number = int(digest(f"short {name}"), 16)
    return "".join(_ALPHABET[number // 62**place % 62] for place in range(SHORT_ID_LENGTH))


def digest(name: str) -> str:
    """64 hexadecimal digits."""
    return hashlib.sha256(f"seed {name}".encode()).hexdigest()
