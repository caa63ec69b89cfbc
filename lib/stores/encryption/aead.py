"""AES-256-GCM, whose only failure is that something does not open."""

import secrets
from collections.abc import Callable

from lib.domain.errors import UnreadableCredentialError

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
DOES_NOT_OPEN = "The stored key cannot be opened any more: put it again."
"""Whether by another master key, another context or a flipped bit: nobody is told."""


def encrypt(key: bytes, plain: bytes, associated: bytes, nonce: bytes) -> bytes:
    """The ciphertext with its tag at the end."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - 30 ms, where it is used

    return AESGCM(key).encrypt(nonce, plain, associated)


def decrypt(key: bytes, ciphertext: bytes, associated: bytes, nonce: bytes) -> bytes:
    """What was encrypted. Raises UnreadableCredentialError, which does not say what is wrong with it."""
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - as above

    try:
        return AESGCM(key).decrypt(nonce, ciphertext, associated)
    except (InvalidTag, ValueError):
        raise UnreadableCredentialError(DOES_NOT_OPEN) from None


def random_bytes(count: int, source: Callable[[int], bytes] = secrets.token_bytes) -> bytes:
    """Random bytes of the operating system."""
    return source(count)
