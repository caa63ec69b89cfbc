"""What seals users' keys: a master key that never leaves its place, and the cipher that works with its data keys."""

from dataclasses import dataclass, field
from typing import Protocol

from lib.domain.envelope import CredentialContext, Sealed


@dataclass(frozen=True)
class DataKey:
    """A data key of 32 bytes, the same wrapped, and which master key wrapped it; its repr hides both."""

    plain: bytes = field(repr=False)
    wrapped: bytes = field(repr=False)
    key_id: str


class MasterKey(Protocol):
    """Makes and opens data keys. Each is bound to a context: with another one it does not open.

    How it fails: UnreadableCredentialError where a wrapped key does not open (another master key, another context, a
    flipped bit; which of them, nobody is told), EncryptionNotConfiguredError where the master key itself may not be
    used, UnavailableError where it cannot be asked now. No message quotes a key, wrapped or not.
    """

    def opens(self, key_id: str) -> bool:
        """Whether it can unwrap what that master key wrapped: `local:` or `kms:`, and a name that tells nothing."""
        ...

    def generate_data_key(self, context: CredentialContext) -> DataKey:
        """A new data key."""
        ...

    def wrap(self, plain: bytes, context: CredentialContext) -> DataKey:
        """A data key that there is already, wrapped."""
        ...

    def unwrap(self, wrapped: bytes, key_id: str, context: CredentialContext) -> bytes:
        """The data key again; `key_id` names the master key that wrapped it, which may be a former one."""
        ...


class CredentialCipher(Protocol):
    """Seals and opens credentials; fails as a MasterKey does."""

    def seal(self, plain: bytes, context: CredentialContext) -> Sealed:
        """Encrypt with a fresh data key, for this context alone."""
        ...

    def open(self, sealed: Sealed) -> bytes:
        """Decrypt, if nothing of it and nothing of its context was changed."""
        ...
