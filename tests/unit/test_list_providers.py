"""All providers, and what a caller could use of each; what cannot be known now is not fatal."""

from collections.abc import Mapping
from datetime import UTC, datetime

from lib.domain.caller import Caller
from lib.domain.credential import StoredCredential
from lib.domain.errors import UnavailableError
from lib.providers.registry import ADAPTERS, load_adapter
from lib.services.list_providers import ListProviders, ProviderStanding
from lib.stores.models_source import load_catalogue

ALICE = Caller("alice")
CATALOGUE = load_catalogue("config/models")


class Keys:
    """Keys of a caller and of the operator; those in `away` cannot be told."""

    def __init__(self) -> None:
        self.own: dict[str, StoredCredential] = {}
        self.platform: set[str] = set()
        self.away: set[str] = set()
        self.asked: list[str] = []

    def put(self, provider: str, *, is_valid: bool | None) -> None:
        at = datetime(2026, 11, 21, tzinfo=UTC)
        self.own[provider] = StoredCredential(
            credential_id="1", provider=provider, version=1, masked={}, created_at=at, is_valid=is_valid
        )

    def of(self, _caller: Caller) -> Mapping[str, StoredCredential]:
        return self.own

    def has_platform_key(self, provider: str) -> bool:
        self.asked.append(provider)
        if provider in self.away:
            raise UnavailableError("Secrets Manager does not answer")
        return provider in self.platform

    def listed(self) -> dict[str, ProviderStanding]:
        """The providers as they stand, by name."""
        providers = ListProviders(
            titles={name: registration.title for name, registration in ADAPTERS.items()},
            catalogue=CATALOGUE,
            traits=lambda name: load_adapter(name).traits,
            own_keys=self.of,
            has_platform_key=self.has_platform_key,
        )
        return {one.provider: one for one in providers.list(ALICE)}


def test_all_providers_are_listed_whether_or_not_there_is_a_key() -> None:
    found = Keys().listed()

    assert list(found) == list(ADAPTERS)
    assert {(one.configured, one.source, one.is_valid) for one in found.values()} == {(False, None, None)}


def test_the_operators_key_is_not_known_to_be_valid() -> None:
    keys = Keys()
    keys.platform = {"replicate"}

    one = keys.listed()["replicate"]

    assert (one.configured, one.source, one.is_valid) == (True, "platform", None)
    assert "flux-schnell" in one.models
    assert one.webhooks
    assert [media_type.value for media_type in one.media_types] == ["image", "video", "audio", "text"]


def test_the_callers_own_key_comes_first_and_spares_the_question_for_the_other() -> None:
    keys = Keys()
    keys.platform = {"replicate"}
    keys.put("replicate", is_valid=False)

    one = keys.listed()["replicate"]

    assert (one.configured, one.source, one.is_valid) == (True, "own", False)
    assert "replicate" not in keys.asked


def test_secrets_that_cannot_be_had_are_asked_for_once_and_said_to_be_unknown() -> None:
    keys = Keys()
    first, second, *_ = ADAPTERS
    keys.away = set(ADAPTERS)
    keys.put(second, is_valid=True)

    found = keys.listed()

    assert keys.asked == [first]
    assert (found[first].configured, found[first].source) == (None, None)
    assert (found[second].configured, found[second].source) == (True, "own")
