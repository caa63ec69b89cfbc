"""Opens the key that a job is pinned to: the operator's, or one that a user brought."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lib.domain.credential import credential_of, own_credential_id
from lib.domain.envelope import Sealed, unpack_fields
from lib.domain.errors import UnreadableCredentialError
from lib.domain.ids import parse_job_id
from lib.domain.provider import AdapterTraits, Credential
from lib.ports.credentials import Credentials
from lib.ports.master_key import CredentialCipher


@dataclass(frozen=True)
class CredentialOpener:
    """The one place where a user's key becomes readable: in memory, for the call that needs it.

    `platform` gives the operator's key, `traits` what a provider's key consists of.
    """

    platform: Callable[[str, str], Credential]
    traits: Callable[[str], AdapterTraits]
    stored: Credentials
    cipher: CredentialCipher

    def open(self, name: str, version: str, sealed: Mapping[str, Any] | None = None) -> Credential:
        """The credential of a provider in this version; `sealed` spares the record's being asked for it.

        Raises:
            UnreadableCredentialError: it was wiped, moved or changed, or its master key is gone.
            ConfigurationError: the operator has no key, or there is no master key here.
            UnavailableError: the record or the master key cannot be asked now.
        """
        credential_id = own_credential_id(version)
        if credential_id is None:
            return self.platform(name, version)
        found = Sealed.from_json(sealed) if sealed is not None else self._find(credential_id)
        if (found.context.credential_id, found.context.provider) != (credential_id, name):
            raise UnreadableCredentialError("The stored key is not the one that the job was made with.")
        fields = unpack_fields(self.cipher.open(found))
        return credential_of(name, fields, self.traits(name).credential_fields, version)

    def _find(self, credential_id: str) -> Sealed:
        known = parse_job_id(credential_id)  # any UUID
        found = self.stored.find(known) if known else None
        if found is None:
            raise UnreadableCredentialError("The key that the job was made with is not kept any more.")
        return found
