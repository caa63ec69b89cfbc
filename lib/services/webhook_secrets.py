"""The secrets that sign a provider's webhooks: kept an hour, asked for again when a signature does not match."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lib.domain.errors import ProviderError, UnavailableError

LIFE_SECONDS = 3600.0
PAUSE_SECONDS = 60.0


@dataclass(frozen=True)
class _Held:
    secrets: tuple[str, ...]
    fetched_at: float


class WebhookSecrets:
    """Per provider and process. `fetch` gives a provider's current secret, or None where it signs nothing.

    A rotation is found at the first webhook that the new secret signed; forged webhooks cannot make us ask more
    than once a minute.
    """

    def __init__(
        self, fetch: Callable[[str], str | None], *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch = fetch
        self._monotonic = monotonic
        self._held: dict[str, _Held] = {}
        self._asked_at: dict[str, float] = {}

    def current(self, provider: str) -> Sequence[str]:
        """The secrets to check with; none where the provider signs nothing.

        Raises UnavailableError when they are not known and the provider does not tell.
        """
        held, now = self._held.get(provider), self._monotonic()
        if held is not None and (now - held.fetched_at < LIFE_SECONDS or self._asked_lately(provider, now)):
            return held.secrets
        try:
            return self._ask(provider)
        except UnavailableError:
            if held is None:
                raise
            return held.secrets

    def after_mismatch(self, provider: str) -> Sequence[str] | None:
        """Other secrets than those that `current` gave, or None if there are none or it is too soon to ask."""
        now, before = self._monotonic(), self._held.get(provider)
        if self._asked_lately(provider, now):
            return None
        try:
            fetched = self._ask(provider)
        except UnavailableError:
            return None
        return fetched if before is None or fetched != before.secrets else None

    def _asked_lately(self, provider: str, now: float) -> bool:
        return now - self._asked_at.get(provider, float("-inf")) < PAUSE_SECONDS

    def _ask(self, provider: str) -> tuple[str, ...]:
        self._asked_at[provider] = self._monotonic()
        try:
            secret = self._fetch(provider)
        except ProviderError as error:
            msg = f"{provider} does not tell its webhook secret now: {error.code}"
            raise UnavailableError(msg, retry_after_seconds=10) from error
        secrets = (secret,) if secret else ()
        self._held[provider] = _Held(secrets, self._monotonic())
        return secrets
