"""Asks a provider whether a key is good: the cheapest call that there is, which never costs anything."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from lib.domain.caller import Caller
from lib.domain.credential import CredentialCheck, without_secrets
from lib.domain.errors import ProviderError
from lib.domain.provider import PLATFORM_VERSION, Credential, FailureKind
from lib.ports.credentials import Credentials
from lib.ports.provider import ProviderClient
from lib.services.choose_key import OpenCredential
from lib.services.credential_vault import CredentialVault


@dataclass(frozen=True)
class CheckCredential:
    """The use case of `POST /providers/{provider}/test`."""

    vault: CredentialVault
    stored: Credentials
    open: OpenCredential
    provider: Callable[[str], ProviderClient]
    clock: Callable[[], datetime]

    def own(self, caller: Caller, provider: str) -> CredentialCheck:
        """Test the caller's own key, and keep what the provider says of it; an outage says nothing of it.

        Raises ForbiddenError, NotFoundError, UnreadableCredentialError, UnavailableError.
        """
        key, sealed = self.vault.current(caller, provider)
        tested = self._ask(provider, self.open(provider, key.pin, sealed.as_json()))
        if tested.is_valid is not None:
            self.stored.mark(
                key.credential_id,
                is_valid=tested.is_valid,
                code=tested.code,
                account=tested.account,
                now=tested.checked_at,
            )
        return tested

    def platform(self, provider: str) -> CredentialCheck:
        """Test the operator's key; nothing is kept. Raises ConfigurationError where there is none."""
        return self._ask(provider, self.open(provider, PLATFORM_VERSION))

    def _ask(self, provider: str, credential: Credential) -> CredentialCheck:
        try:
            account = self.provider(provider).test(credential)
        except ProviderError as error:
            wrong = error.code == FailureKind.AUTHENTICATION.value
            is_valid = False if wrong else None
            return CredentialCheck(
                provider,
                is_valid,
                self.clock(),
                code=error.code,
                reason=without_secrets(error.message, credential),
            )
        return CredentialCheck(provider, True, self.clock(), account=account)
