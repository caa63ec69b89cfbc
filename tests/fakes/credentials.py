"""Users' keys for tests: texts that look like keys, master keys, and a search for any part of them."""

import base64
import random
import secrets
import string

from lib.stores.encryption.local_key import LocalMasterKey

WINDOW = 8
_ALPHABET = string.ascii_letters + string.digits


def key_like(start: str = "r8_", length: int = 40) -> str:
    """A key of this test alone."""
    return start + "".join(secrets.choice(_ALPHABET) for _ in range(length - len(start)))


def master_text(seed: int = 1) -> str:
    """The text of a master key, the same each time."""
    return base64.b64encode(random.Random(seed).randbytes(32)).decode("ascii")  # noqa: S311 - not kept secret


def master_key(seed: int = 1) -> LocalMasterKey:
    """A master key."""
    return LocalMasterKey.from_text(master_text(seed))


def leaks(haystack: str | bytes, *keys: str) -> list[str]:
    """Each `WINDOW` characters of a key that stand there: as they are, in base64 of any alignment, or in hex.

    The whole start of a key that all keys of a provider share (`r8_`) is shorter, and so never counts.
    """
    text = haystack.decode("utf-8", "replace") if isinstance(haystack, bytes) else haystack
    low = text.lower()
    found = []
    for key in keys:
        for start in range(len(key) - WINDOW + 1):
            part = key[start : start + WINDOW]
            if part in text or part.encode().hex() in low or any(each in text for each in _base64(part)):
                found.append(part)
    return found


def _base64(part: str) -> list[str]:
    """What is the same in base64 wherever the part stands in a text: its first and last characters may change."""
    found = []
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + part.encode()).decode("ascii").rstrip("=")
        found.append(coded[2 if shift == 1 else 3 if shift == 2 else 0 : -1])
    return found
