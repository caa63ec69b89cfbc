"""All providers, and what a caller could use of each: `GET /providers`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lib.domain.caller import Caller
from lib.domain.capabilities import media_types_of, models_of
from lib.domain.catalogue import Catalogue
from lib.domain.credential import StoredCredential
from lib.domain.errors import UnavailableError
from lib.domain.media_type import MediaType
from lib.domain.provider import AdapterTraits, SubmitSafety, WebhookProof


@dataclass(frozen=True, kw_only=True)
class ProviderStanding:
    """A provider as it stands for a caller.

    `configured` says whether there is a key that could be used, of the caller's own or the operator's (`source`); null
    where that cannot be told now. `is_valid` is what the provider said of the caller's own key last.
    """

    provider: str
    name: str
    configured: bool | None
    source: str | None
    is_valid: bool | None
    media_types: tuple[MediaType, ...]
    models: tuple[str, ...]
    webhooks: bool
    cancel: bool
    recover: bool
    submit_safety: SubmitSafety


class ListProviders:
    """Lists providers. `has_platform_key` remembers what it was told; raises UnavailableError where it cannot be."""

    def __init__(
        self,
        *,
        titles: Mapping[str, str],
        catalogue: Catalogue,
        traits: Callable[[str], AdapterTraits],
        own_keys: Callable[[Caller], Mapping[str, StoredCredential]],
        has_platform_key: Callable[[str], bool],
    ) -> None:
        self._titles = titles
        self._catalogue = catalogue
        self._traits = traits
        self._own_keys = own_keys
        self._has_platform_key = has_platform_key

    def list(self, caller: Caller) -> Sequence[ProviderStanding]:
        """All, in the order of the registry. Raises RecordUnavailableError, for the caller's own keys are there.

        Where Secrets Manager does not answer, it is asked no more within the call: its time limit passes once.
        """
        own = self._own_keys(caller)
        away = False
        found = []
        for provider in self._titles:
            key = own.get(provider)
            platform: bool | None = None
            if key is None and not away:
                platform, away = self._platform(provider)
            found.append(self._standing(provider, key, platform))
        return found

    def _platform(self, provider: str) -> tuple[bool | None, bool]:
        try:
            return self._has_platform_key(provider), False
        except UnavailableError:
            return None, True

    def _standing(
        self, provider: str, key: StoredCredential | None, platform: bool | None
    ) -> ProviderStanding:
        traits = self._traits(provider)
        return ProviderStanding(
            provider=provider,
            name=self._titles[provider],
            configured=True if key else platform,
            source="own" if key else "platform" if platform else None,
            is_valid=key.is_valid if key else None,
            media_types=media_types_of(provider, self._catalogue),
            models=tuple(model.id for model in models_of(provider, self._catalogue)),
            webhooks=traits.webhooks is not WebhookProof.NONE,
            cancel=traits.cancels,
            recover=traits.recovers,
            submit_safety=traits.submit_safety,
        )
