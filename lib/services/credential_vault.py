"""Users' own keys at providers: put, shown in part, and taken away."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lib.domain.caller import Caller, Origin, UserKind
from lib.domain.credential import StoredCredential, masked_fields, read_credential_body
from lib.domain.envelope import CredentialContext, Sealed, pack_fields
from lib.domain.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from lib.domain.ids import uuid7
from lib.domain.observations import SecurityEventKind
from lib.domain.provider import AdapterTraits
from lib.domain.security_event import CredentialEvent
from lib.ports.correlation import current_request_id
from lib.ports.credentials import Credentials
from lib.ports.master_key import CredentialCipher
from lib.ports.security_log import SecurityLog

TRIES = 10
"""So many others may put a key of the same user and provider at the same moment."""


@dataclass(frozen=True)
class CredentialVault:
    """The use cases of `/providers/{provider}/credentials`; `traits` raises NotFoundError for no such provider.

    `cipher` is called for, not given: without a master key, keys can still be shown and taken away.
    """

    traits: Callable[[str], AdapterTraits]
    stored: Credentials
    cipher: Callable[[], CredentialCipher]
    log: SecurityLog
    clock: Callable[[], datetime]

    def put(
        self, caller: Caller, provider: str, body: Mapping[str, Any], origin: Origin | None = None
    ) -> StoredCredential:
        """Seal and keep a new version; jobs that run keep the former one. A wrong body changes nothing.

        Raises:
            ForbiddenError: a guest has no keys.
            InvalidError: what is wrong with the body, all at once; or the provider takes no keys of users.
            EncryptionNotConfiguredError: there is no master key; nothing was stored.
            ConflictError: others put a key at the same moment, again and again.
        """
        traits = self._allowed(caller, provider)
        if not traits.own_credentials:
            raise InvalidError(f"{provider} works with the operator's key alone: it takes none of yours")
        fields = read_credential_body(body, traits.credential_fields)
        shown = masked_fields(fields, traits.credential_fields)
        plain, cipher = pack_fields(fields), self.cipher()
        for _ in range(TRIES):
            now = self.clock()
            version = self.stored.next_version(caller.user_id, provider)
            context = CredentialContext(caller.user_id, provider, str(uuid7(now)), version)
            stored = self.stored.put(cipher.seal(plain, context), shown, now)
            if stored is not None:
                self._tell(SecurityEventKind.CREDENTIAL_STORED, caller, stored, origin)
                return stored
        raise ConflictError(f"the key for {provider} is being changed by somebody else; try again")

    def get(self, caller: Caller, provider: str) -> StoredCredential:
        """What may be shown of the key. Raises ForbiddenError, NotFoundError."""
        return self.current(caller, provider)[0]

    def current(self, caller: Caller, provider: str) -> tuple[StoredCredential, Sealed]:
        """The same, with what opens it. Raises ForbiddenError, NotFoundError."""
        self._allowed(caller, provider)
        found = self.stored.current(caller.user_id, provider)
        if found is None:
            raise _none(provider)
        return found

    def list(self, caller: Caller) -> Mapping[str, StoredCredential]:
        """The caller's keys by provider; a guest has none."""
        if _is_guest(caller):
            return {}
        return {stored.provider: stored for stored in self.stored.list(caller.user_id)}

    def delete(self, caller: Caller, provider: str, origin: Origin | None = None) -> None:
        """Take the key away: it makes no job from now on. Raises ForbiddenError, NotFoundError.

        Also one at a provider that the operator took away: its owner's it is all the same.
        """
        _refuse_guests(caller)
        known = provider.isprintable()  # a database takes no other text
        stored = self.stored.delete(caller.user_id, provider, self.clock()) if known else None
        if stored is None:
            self.traits(provider)
            raise _none(provider)
        self._tell(SecurityEventKind.CREDENTIAL_DELETED, caller, stored, origin)

    def _allowed(self, caller: Caller, provider: str) -> AdapterTraits:
        _refuse_guests(caller)
        return self.traits(provider)

    def _tell(
        self, kind: SecurityEventKind, caller: Caller, stored: StoredCredential, origin: Origin | None
    ) -> None:
        self.log.changed(
            CredentialEvent(
                kind=kind,
                user_id=caller.user_id,
                provider=stored.provider,
                version=stored.pin,
                origin=origin or Origin(),
                request_id=current_request_id(),
            )
        )


def _is_guest(caller: Caller) -> bool:
    return caller.kind is UserKind.GUEST or caller.guest_token is not None


def _refuse_guests(caller: Caller) -> None:
    if _is_guest(caller):
        raise ForbiddenError("guests have no keys of their own: this takes a registered user")


def _none(provider: str) -> NotFoundError:
    return NotFoundError(f"you have no key for {provider}: PUT /providers/{provider}/credentials takes one")
