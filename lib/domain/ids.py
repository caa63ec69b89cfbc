"""Identifiers: UUIDv7 job ids (RFC 9562) and their 11-character short ids."""

import re
import secrets
import string
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

SHORT_ID_LENGTH = 11
_CANONICAL = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_EPOCH, _MILLISECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)
_ALPHABET = string.digits + string.ascii_letters


def uuid7(now: datetime | None = None, random_bits: Callable[[int], int] = secrets.randbits) -> UUID:
    """A UUID version 7: 48 bits of milliseconds since 1970, then 74 random bits."""
    milliseconds = ((now or datetime.now(UTC)) - _EPOCH) // _MILLISECOND
    value = (milliseconds & ((1 << 48) - 1)) << 80
    value |= 0x7 << 76 | random_bits(12) << 64 | 0b10 << 62 | random_bits(62)
    return UUID(int=value)


def time_of_id(canonical: str) -> datetime | None:
    """The moment in a UUIDv7, to the millisecond; None for another version, or for a moment after the year 9999."""
    if canonical[14] != "7" or canonical[19] not in "89ab":
        return None
    try:
        return _EPOCH + (UUID(canonical).int >> 80) * _MILLISECOND
    except OverflowError:
        return None


def short_id(random_below: Callable[[int], int] = secrets.randbelow) -> str:
    """Eleven characters of base 62: 65 random bits, short enough to read out."""
    return "".join(_ALPHABET[random_below(len(_ALPHABET))] for _ in range(SHORT_ID_LENGTH))


def parse_job_id(text: str) -> str | None:
    """The canonical form of a job id, or None if `text` is no UUID in its 36-character form."""
    if _CANONICAL.fullmatch(text):
        return text
    if len(text) != 36:
        return None
    try:
        return str(UUID(text))
    except ValueError:
        return None
