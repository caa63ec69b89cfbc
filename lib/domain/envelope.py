"""A sealed credential: what is stored of a key, and to what it is bound so that it opens nowhere else."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from lib.domain.errors import UnreadableCredentialError

PURPOSE = "provider-credential"
SHOWN_CHARACTERS = 4
LEAST_LENGTH_SHOWN = 20
_HIDDEN = "\N{HORIZONTAL ELLIPSIS}"


@dataclass(frozen=True)
class CredentialContext:
    """Whose key it is, at which provider, and which version of it: the associated data of both layers."""

    user_id: str
    provider: str
    credential_id: str
    version: int

    def as_pairs(self) -> dict[str, str]:
        """As KMS takes it: an encryption context of texts. It is no secret; CloudTrail shows it."""
        return {
            "purpose": PURPOSE,
            "user": self.user_id,
            "provider": self.provider,
            "credential": self.credential_id,
            "version": str(self.version),
        }

    def as_bytes(self) -> bytes:
        """The same as canonical JSON: sorted names, no spaces, ASCII."""
        return json.dumps(self.as_pairs(), sort_keys=True, separators=(",", ":")).encode("ascii")


@dataclass(frozen=True)
class Sealed:
    """One version of a key, encrypted (AES-256-GCM, the tag at the end) with a data key that a master key wrapped."""

    context: CredentialContext
    ciphertext: bytes = field(repr=False)
    nonce: bytes = field(repr=False)
    wrapped_key: bytes = field(repr=False)
    key_id: str

    def as_json(self) -> dict[str, Any]:
        """As the record takes and gives it (`sealed_credential` of database/migrations)."""
        return {
            "credentialId": self.context.credential_id,
            "userId": self.context.user_id,
            "provider": self.context.provider,
            "version": self.context.version,
            "ciphertext": _text(self.ciphertext),
            "nonce": _text(self.nonce),
            "wrappedKey": _text(self.wrapped_key),
            "keyId": self.key_id,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read `as_json`. Raises UnreadableCredentialError for anything else, and quotes none of it."""
        try:
            context = CredentialContext(
                str(value["userId"]),
                str(value["provider"]),
                str(value["credentialId"]),
                int(value["version"]),
            )
            return cls(
                context,
                _bytes(value["ciphertext"]),
                _bytes(value["nonce"]),
                _bytes(value["wrappedKey"]),
                str(value["keyId"]),
            )
        except (KeyError, TypeError, ValueError, binascii.Error):
            raise UnreadableCredentialError("What is stored of the key is no sealed credential.") from None


def masked(value: str) -> str:
    """What its owner may be shown of a secret: its last four characters, and of one under 20 nothing."""
    return _HIDDEN + (value[-SHOWN_CHARACTERS:] if len(value) >= LEAST_LENGTH_SHOWN else "")


def pack_fields(values: Mapping[str, str]) -> bytes:
    """The parts of a key, ready to be encrypted."""
    return json.dumps(dict(values), sort_keys=True, separators=(",", ":")).encode()


def unpack_fields(plain: bytes) -> dict[str, str]:
    """The parts of a key again. Raises UnreadableCredentialError."""
    try:
        values = json.loads(plain)
        return {str(name): str(value) for name, value in values.items()}
    except (ValueError, AttributeError):
        raise UnreadableCredentialError("What the stored key holds is not what was put there.") from None


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _bytes(value: Any) -> bytes:
    return base64.b64decode(value, validate=True)
