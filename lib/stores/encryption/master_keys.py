"""All master keys that there are: one seals, the former ones open what they sealed until it is wrapped anew."""

from collections.abc import Sequence
from dataclasses import dataclass

from lib.domain.envelope import CredentialContext
from lib.domain.errors import EncryptionNotConfiguredError, UnreadableCredentialError
from lib.ports.master_key import DataKey, MasterKey
from lib.stores.encryption.aead import DOES_NOT_OPEN
from lib.stores.encryption.local_key import NOT_CONFIGURED, RIGHT


@dataclass(frozen=True)
class MasterKeys:
    """A `MasterKey` that chooses by who opens; `openers` are those that open besides the current one."""

    current: MasterKey
    openers: Sequence[MasterKey] = ()

    def opens(self, key_id: str) -> bool:
        """See the port."""
        return any(key.opens(key_id) for key in (self.current, *self.openers))

    def generate_data_key(self, context: CredentialContext) -> DataKey:
        """See the port."""
        return self.current.generate_data_key(context)

    def wrap(self, plain: bytes, context: CredentialContext) -> DataKey:
        """See the port."""
        return self.current.wrap(plain, context)

    def unwrap(self, wrapped: bytes, key_id: str, context: CredentialContext) -> bytes:
        """See the port; a key that is not among these opens nothing."""
        for key in (self.current, *self.openers):
            if key.opens(key_id):
                return key.unwrap(wrapped, key_id, context)
        raise UnreadableCredentialError(DOES_NOT_OPEN)


class NoMasterKey:
    """The `MasterKey` of a gateway that has none: users' keys are neither taken nor opened."""

    def opens(self, key_id: str) -> bool:
        """It is asked for every key, so that the one answer is why there is none."""
        del key_id
        return True

    def generate_data_key(self, context: CredentialContext) -> DataKey:
        """Raises EncryptionNotConfiguredError."""
        raise self._missing(context)

    def wrap(self, plain: bytes, context: CredentialContext) -> DataKey:
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
