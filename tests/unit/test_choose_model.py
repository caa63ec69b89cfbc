"""Where a request names no model, the gateway chooses one that honours it, may be used, and is cheap."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from lib.domain.caller import Caller
from lib.domain.catalogue import load_models_config
from lib.domain.credential import StoredCredential
from lib.domain.credential_policy import CredentialPolicy
from lib.domain.errors import InvalidError, NoCredentialError, UnknownModelError, UnknownPriceError
from lib.domain.media_type import MediaType
from lib.domain.model_config import ModelConfig
from lib.domain.pricing import UnpricedModels
from lib.domain.standard_request import read_standard_request
from lib.services.choose_model import ChooseModel

ALICE = Caller("alice")
OWN: dict[str, Any] = {"credentials": "own"}


def model(
    provider: str, price: float | None, *, ignores_style: bool = False, **changes: Any
) -> dict[str, Any]:
    """An image model whose style is a parameter, or is ignored with a warning."""
    style: dict[str, Any] = {"ignore": "it has one style"} if ignores_style else {"to": "style"}
    return {
        "provider": provider,
        "version": "owner/name",
        "pricing": price,
        "estimatedTime": 5,
        "params": {
            "prompt": {"type": "string"},
            "shape": {"enum": ["1:1", "16:9"]},
            "style": {"type": "string"},
        },
        "standard": {"prompt": {"to": "prompt"}, "aspect_ratio": {"to": "shape"}, "style": style},
        **changes,
    }


def key(provider: str, *, is_valid: bool | None = True) -> StoredCredential:
    """A key of the caller's own."""
    at = datetime(2026, 11, 21, tzinfo=UTC)
    return StoredCredential(
        credential_id=f"id-{provider}",
        provider=provider,
        version=1,
        masked={},
        created_at=at,
        is_valid=is_valid,
    )


@dataclass
class House:
    """What a choice depends on: the models, the keys, and what is shut."""

    models: Mapping[str, Mapping[str, Any]]
    keys: list[StoredCredential] = field(default_factory=list)
    platform: set[str] = field(default_factory=lambda: {"a", "b", "c"})
    shut: set[tuple[str, str]] = field(default_factory=set)
    unpriced: UnpricedModels = UnpricedModels.REFUSED
    asked: int = 0

    def _policy(self, chosen: ModelConfig, _caller: Caller) -> CredentialPolicy:
        if chosen.credentials is CredentialPolicy.OWN:
            return CredentialPolicy.OWN
        if chosen.provider in self.platform:
            return chosen.credentials
        if chosen.credentials is CredentialPolicy.PLATFORM:
            raise NoCredentialError(f"no key for {chosen.provider}")
        return CredentialPolicy.OWN

    def _own_keys(self, _caller: Caller) -> Mapping[str, StoredCredential]:
        self.asked += 1
        return {one.provider: one for one in self.keys}

    def _is_shut(self, provider: str, version: str, user_id: str) -> bool:
        return user_id == ALICE.user_id and (provider, version) in self.shut

    def choose(self, provider: str | None = None, **request: Any) -> str:
        """The id of the model that is chosen."""
        choose = ChooseModel(
            catalogue=load_models_config(json.dumps({"image": self.models})),
            policy=self._policy,
            own_keys=self._own_keys,
            is_shut=self._is_shut,
            unpriced=self.unpriced,
        )
        asked = {"prompt": "a cat", "aspectRatio": "1:1", "style": "noir", **request}
        return choose.choose(ALICE, read_standard_request(MediaType.IMAGE, asked), provider).model.id


def test_the_cheapest_of_those_that_honour_all_is_chosen() -> None:
    house = House({"dear": model("a", 0.2), "cheap": model("b", 0.1), "same": model("c", 0.1)})

    assert house.choose() == "cheap"


def test_fewer_warnings_come_before_a_lower_price() -> None:
    house = House({"cheap": model("a", 0.1, ignores_style=True), "right": model("b", 0.2)})

    assert house.choose() == "right"
    assert house.choose(style=None) == "cheap"


def test_a_model_that_is_used_by_its_name_alone_is_never_chosen() -> None:
    house = House({"example": model("a", 0, onlyByName=True), "real": model("b", 0.2)})

    assert house.choose() == "real"
    with pytest.raises(UnknownModelError):
        house.choose(provider="a")


def test_a_provider_that_is_given_is_kept_to() -> None:
    house = House({"cheap": model("a", 0.1), "dear": model("b", 0.2)})

    assert house.choose(provider="b") == "dear"
    with pytest.raises(UnknownModelError, match=r"no model of nobody .* providers: a, b"):
        house.choose(provider="nobody")


def test_what_cannot_be_translated_is_passed_over_and_told_where_none_can() -> None:
    narrow = model("a", 0.1, params={"prompt": {"type": "string"}, "shape": {"enum": ["1:1"]}, "style": {}})
    house = House({"narrow": narrow, "wide": model("b", 0.2)})

    assert house.choose(aspectRatio="16:9") == "wide"
    with pytest.raises(InvalidError) as refused:
        house.choose(aspectRatio="3:2", seed=1)
    assert {error.path for error in refused.value.errors} == {"request.aspectRatio", "request.seed"}
    assert all("No other model can either." in error.message for error in refused.value.errors)


def test_a_model_of_ones_own_key_needs_that_key() -> None:
    house = House({"own": model("a", 0.1, **OWN), "platform": model("b", 0.2)})

    assert house.choose() == "platform"
    house.keys = [key("a")]
    assert house.choose() == "own"
    house.keys = [key("a", is_valid=None)]
    assert house.choose() == "own"


def test_a_key_that_was_refused_is_not_passed_by_with_the_operators() -> None:
    house = House({"first": model("a", 0.1), "second": model("b", 0.2)}, keys=[key("a", is_valid=False)])

    assert house.choose() == "second"


def test_without_any_usable_key_each_providers_reason_is_told() -> None:
    house = House(
        {"own": model("a", 0.1, **OWN), "refused": model("b", 0.2)}, keys=[key("b", is_valid=False)]
    )

    with pytest.raises(NoCredentialError) as refused:
        house.choose()

    assert "put one at /providers/a/credentials" in refused.value.message
    assert "Your key for b was refused" in refused.value.message


def test_an_open_circuit_is_passed_by_while_another_model_is_left() -> None:
    house = House({"first": model("a", 0.1), "second": model("b", 0.2)}, shut={("a", "platform")})

    assert house.choose() == "second"
    house.shut.add(("b", "platform"))
    assert house.choose() == "first"


def test_the_circuit_of_another_key_is_nothing_to_the_callers_own() -> None:
    house = House({"first": model("a", 0.1), "second": model("b", 0.2)}, shut={("a", "platform")})
    house.keys = [key("a")]

    assert house.choose() == "first"
    house.shut = {("a", "own:id-a")}
    assert house.choose() == "second"


def test_a_price_that_is_not_known_comes_last_and_only_where_the_operator_allows_it() -> None:
    house = House({"unknown": model("a", None), "known": model("b", 0.2)})

    assert house.choose() == "known"
    house.unpriced = UnpricedModels.ALLOWED
    assert house.choose() == "known"
    assert house.choose(provider="a") == "unknown"
    house.unpriced = UnpricedModels.REFUSED
    with pytest.raises(UnknownPriceError):
        house.choose(provider="a")


def test_a_price_that_is_not_known_is_not_taken_for_none_where_both_have_as_many_warnings() -> None:
    models = {"unknown": model("a", None), "known": model("b", 0.2, ignores_style=True)}

    assert House(models, unpriced=UnpricedModels.ALLOWED).choose() == "known"


def reader(provider: str, price: float, *, pattern: str = "", needed: bool = False) -> dict[str, Any]:
    """An image model that reads one picture: any, or those of this pattern; and that may need it."""
    entry = model(provider, price)
    picture = {"type": "string", "format": "media-uri", **({"pattern": pattern} if pattern else {})}
    return {
        **entry,
        "params": {**entry["params"], "picture": picture},
        "required": ["picture"] if needed else [],
        "standard": {**entry["standard"], "images": {"to": "picture"}},
    }


def test_a_picture_is_for_models_that_read_one() -> None:
    house = House(
        {"blind": model("a", 0.1), "bytes": reader("b", 0.2, pattern="^data:"), "reader": reader("c", 0.3)}
    )

    assert house.choose() == "blind"
    assert house.choose(images=["data:image/png;base64,AAEC"]) == "bytes"
    assert house.choose(images=["https://example.com/a.png"]) == "reader"


def test_a_model_that_needs_a_picture_is_no_choice_without_one() -> None:
    house = House({"needs": reader("a", 0.1, needed=True), "other": model("b", 0.2)})

    assert house.choose() == "other"
    assert house.choose(images=["https://example.com/a.png"]) == "needs"
    with pytest.raises(InvalidError) as refused:
        house.choose(provider="a")
    (error,) = refused.value.errors
    assert (error.path, error.message) == (
        "request.images",
        "Image is required by needs. Models that do without: other.",
    )


def test_the_callers_keys_are_asked_for_once_and_only_where_they_matter() -> None:
    house = House({"one": model("a", 0.1, credentials="platform"), "two": model("b", 0.2)})
    house.choose()
    assert house.asked == 0

    house.shut = {("a", "platform"), ("b", "platform")}
    house.choose()
    assert house.asked == 1
