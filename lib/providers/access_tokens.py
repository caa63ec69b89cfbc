"""Access tokens of those credentials that are exchanged for one, kept in memory until shortly before their end."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from lib.domain.errors import ConfigurationError
from lib.domain.provider import Credential, Failure, FailureKind
from lib.ports.provider import Operation, ProviderAdapter, ProviderTransport
from lib.providers.answers import error_of

TOKEN_MARGIN_SECONDS = 60.0
LONGEST_TOKEN_SECONDS = 86_400.0
MOST_TOKENS = 256
"""So many are kept; who is asked for least recently is exchanged again."""


class AccessTokens:
    """One provider's, by credential; none outlives a refusal."""

    def __init__(
        self,
        adapter: ProviderAdapter,
        monotonic: Callable[[], float],
        clock: Callable[[], datetime],
    ) -> None:
        self._adapter = adapter
        self._monotonic = monotonic
        self._clock = clock
        self._held: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def opened(self, credential: Credential, transport: ProviderTransport) -> Credential:
        """The credential, with an access token where the provider wants one.

        Raises `ProviderError` when none is given, AUTHENTICATION for a user's credential that is none, and
        `ConfigurationError` for such a one of the operator's.
        """
        name = _name(credential)
        held = self._held.get(name)
        if held is None or self._monotonic() >= held[1]:
            with faults_of_own(credential):
                request = self._adapter.token_request(
                    credential, self._clock()
                )  # signs, where there is a token
            if request is None:
                return credential
            asked_at = self._monotonic()
            response = transport.send(request, provider=self._adapter.name, operation=Operation.TOKEN)
            token, life = self._adapter.parse_token(response)
            life = min(life, LONGEST_TOKEN_SECONDS)
            self._keep(name, token, asked_at + max(0.0, life - TOKEN_MARGIN_SECONDS))
        return self.held(credential)

    def held(self, credential: Credential) -> Credential:
        """The credential with the access token that was given for it last, if one was."""
        found = self._held.get(_name(credential))
        if found is None:
            return credential
        return replace(credential, extra={**credential.extra, "accessToken": found[0]})

    def forget(self, credential: Credential) -> None:
        """The provider refused it: the next call asks for another."""
        self._held.pop(_name(credential), None)

    def _keep(self, name: str, token: str, until: float) -> None:
        self._held[name] = (token, until)
        self._held.move_to_end(name)
        while len(self._held) > MOST_TOKENS:
            self._held.popitem(last=False)


@contextmanager
def faults_of_own(credential: Credential) -> Iterator[None]:
    """A user's key that is none is refused as its provider would refuse it; one of the operator's stays an error."""
    try:
        yield
    except ConfigurationError as error:
        if not credential.is_own:
            raise
        raise error_of(Failure(FailureKind.AUTHENTICATION, error.message)) from None


def _name(credential: Credential) -> str:
    return hashlib.sha256(f"{credential.version}\n{credential.secret}".encode()).hexdigest()
