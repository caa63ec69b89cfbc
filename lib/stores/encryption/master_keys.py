"""All master keys that there are: one seals, the former ones open what they sealed until it is wrapped anew."""

from collections.abc import Sequence
from dataclasses import dataclass

from lib.domain.envelope import CredentialContext
from lib.domain.errors import EncryptionNotConfiguredError, UnreadableCredentialError
from lib.ports.master_key import MasterKey
from lib.stores.encryption.aead import DOES_NOT_OPEN
from lib.stores.encryption.local_key import NOT_CONFIGURED, RIGHT


@dataclass(frozen=True)
class MasterKeys:
    """A `MasterKey` that chooses by `key_id`; `openers` are those that open besides the current one."""

    current: MasterKey
    openers: Sequence[MasterKey] = ()

    @property
    def key_id(self) -> str:
        """The one that seals."""
        return self.current.key_id

    def generate_data_key(self, context: CredentialContext) -> tuple[bytes, bytes]:
        """See the port."""
        return self.current.generate_data_key(context)

    def wrap(self, plain: bytes, context: CredentialContext) -> bytes:
        """See the port."""
        return self.current.wrap(plain, context)

    def unwrap(self, wrapped: bytes, key_id: str, context: CredentialContext) -> bytes:
        """See the port; a key that is not among these opens nothing."""
        for key in (self.current, *self.openers):
            if key.key_id == key_id:
                return key.unwrap(wrapped, key_id, context)
        raise UnreadableCredentialError(DOES_NOT_OPEN)


class NoMasterKey:
    """The `MasterKey` of a gateway that has none: users' keys are neither taken nor opened."""

    key_id = "none"

    def generate_data_key(self, context: CredentialContext) -> tuple[bytes, bytes]:
        """Raises EncryptionNotConfiguredError."""
        raise self._missing(context)

    def wrap(self, plain: bytes, context: CredentialContext) -> bytes:
        """Raises EncryptionNotConfiguredError."""
        del plain
        raise self._missing(context)

    def unwrap(self, wrapped: bytes, key_id: str, context: CredentialContext) -> bytes:
        """Raises EncryptionNotConfiguredError."""
        del wrapped, key_id
        raise self._missing(context)

    def _missing(self, _context: CredentialContext) -> EncryptionNotConfiguredError:
        return EncryptionNotConfiguredError(
            f"{NOT_CONFIGURED}: neither ENCRYPTION_KEY nor CREDENTIAL_KMS_KEY_ID is set. {RIGHT}; "
            "CREDENTIAL_KMS_KEY_ID is the address (ARN) of a key of AWS KMS."
        )
