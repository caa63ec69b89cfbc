"""The master key of a laptop, or of a house without KMS: 32 random bytes in ENCRYPTION_KEY."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Self

from lib.domain.envelope import CredentialContext
from lib.domain.errors import EncryptionNotConfiguredError, FieldError
from lib.ports.master_key import DataKey
from lib.stores.encryption.aead import KEY_BYTES, NONCE_BYTES, TAG_BYTES, decrypt, encrypt, random_bytes

NOT_CONFIGURED = "Encryption service is not properly configured"
RIGHT = (
    "ENCRYPTION_KEY must be 32 random bytes as base64 (44 characters) or as 64 hex digits, such as "
    "`openssl rand -base64 32` prints"
)
LEAST_DISTINCT_BYTES = 16
"""Of 32 random bytes fewer are different once in 10^13 keys."""
_HEX = re.compile(r"[0-9A-Fa-f]{64}")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{43}=")
_LAYER = b"wrapped data key of a "


def not_configured(problem: str, variable: str = "ENCRYPTION_KEY") -> EncryptionNotConfiguredError:
    """The error for a master key that is none; it tells what would be right, and never quotes the key."""
    return EncryptionNotConfiguredError(
        f"{NOT_CONFIGURED}: {variable} {problem}. {RIGHT}.", errors=[FieldError(variable, problem)]
    )


def read_key(text: str, variable: str = "ENCRYPTION_KEY") -> bytes:
    """The 32 bytes of a key. Raises EncryptionNotConfiguredError for one that is not such, or is weak."""
    text = text.strip()
    if _HEX.fullmatch(text):
        key = bytes.fromhex(text)
    elif _BASE64.fullmatch(text):
        try:
            key = base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
        except binascii.Error:
            raise not_configured("is no base64", variable) from None
        if text.lower() == text or text.upper() == text:
            raise not_configured("is a passphrase, not random bytes", variable)
    else:
        raise not_configured(f"has {len(text)} characters and is not such a key", variable)
    if len(set(key)) < LEAST_DISTINCT_BYTES or _is_a_row(key) or key[:16] == key[16:]:
        raise not_configured("is too regular to be random", variable)
    if all(0x20 <= byte < 0x7F for byte in key):
        raise not_configured("is text in another writing, not random bytes", variable)
    return key


def _is_a_row(key: bytes) -> bool:
    return len({(later - former) % 256 for former, later in pairwise(key)}) == 1


@dataclass(frozen=True)
class LocalMasterKey:
    """A `MasterKey` of bytes in this process: wraps data keys by AES-256-GCM. Its repr hides the bytes."""

    key: bytes = field(repr=False)

    @classmethod
    def from_text(cls, text: str, variable: str = "ENCRYPTION_KEY") -> Self:
        """The key that a variable holds. Raises EncryptionNotConfiguredError."""
        return cls(read_key(text, variable))

    @property
    def key_id(self) -> str:
        """`local:` and 16 hex digits that are made from the key and do not give it away."""
        return "local:" + hmac.new(self.key, b"vsl master key id", hashlib.sha256).hexdigest()[:16]

    def opens(self, key_id: str) -> bool:
        """See the port."""
        return key_id == self.key_id

    def generate_data_key(self, context: CredentialContext) -> DataKey:
        """See the port."""
        return self.wrap(random_bytes(KEY_BYTES), context)

    def wrap(self, plain: bytes, context: CredentialContext) -> DataKey:
        """See the port: nonce, ciphertext and tag in one."""
        nonce = random_bytes(NONCE_BYTES)
        wrapped = nonce + encrypt(self.key, plain, _associated(context), nonce)
        return DataKey(plain, wrapped, self.key_id)

    def unwrap(self, wrapped: bytes, key_id: str, context: CredentialContext) -> bytes:
        """See the port."""
        del key_id  # whoever has several keys chose this one by it
        nonce, ciphertext = wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:]
        if len(ciphertext) != KEY_BYTES + TAG_BYTES:
            nonce, ciphertext = (
                bytes(NONCE_BYTES),
                bytes(KEY_BYTES + TAG_BYTES),
            )  # does not open, as any other wrong one
        return decrypt(self.key, ciphertext, _associated(context), nonce)


def read_retired(text: str) -> Sequence[LocalMasterKey]:
    """The former keys, by which older rows are still opened: a comma-separated list."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    return [LocalMasterKey.from_text(part, "ENCRYPTION_KEYS_RETIRED") for part in parts]


def _associated(context: CredentialContext) -> bytes:
    return _LAYER + context.as_bytes()
