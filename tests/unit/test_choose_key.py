"""Whose key may make a job: by the model's setting, what the provider takes, what the operator has, and who asks."""

import json

import pytest

from lib.domain.caller import Caller, UserKind
from lib.domain.catalogue import load_models_config
from lib.domain.errors import NoCredentialError
from lib.domain.model_config import ModelConfig
from lib.domain.provider import AdapterTraits, SubmitSafety
from lib.services.choose_key import ChooseKey

ALICE = Caller("alice")
GUEST = Caller("guests", kind=UserKind.GUEST, guest_token="a" * 64)


def model(credentials: str) -> ModelConfig:
    """An image model with this setting."""
    entry = {
        "provider": "a",
        "version": "owner/name",
        "estimatedTime": 5,
        "params": {},
        "credentials": credentials,
    }
    return load_models_config(json.dumps({"image": {"one": entry}})).get_model_config("one")


def policy(credentials: str, caller: Caller = ALICE, *, own: bool = True, platform: bool = True) -> str:
    """What it comes to at a provider that takes keys of users, or not, and where the operator has one, or not."""
    choose = ChooseKey(lambda _: AdapterTraits(SubmitSafety.NONE, own_credentials=own), lambda _: platform)
    try:
        return choose(model(credentials), caller).value
    except NoCredentialError:
        return "none"


@pytest.mark.parametrize(
    ("credentials", "both", "no_platform", "takes_no_own", "neither"),
    [
        ("own", "own", "own", "none", "none"),
        ("platform", "platform", "none", "platform", "none"),
        ("own_then_platform", "own_then_platform", "own", "platform", "none"),
    ],
)
def test_a_model_is_made_with_the_keys_of_its_setting_that_there_can_be(
    credentials: str, both: str, no_platform: str, takes_no_own: str, neither: str
) -> None:
    assert policy(credentials) == both
    assert policy(credentials, platform=False) == no_platform
    assert policy(credentials, own=False) == takes_no_own
    assert policy(credentials, own=False, platform=False) == neither


def test_a_guest_uses_the_operators_key_or_none() -> None:
    assert policy("own_then_platform", GUEST) == "platform"
    assert policy("own_then_platform", GUEST, platform=False) == "none"
    assert policy("own", GUEST) == "none"


def test_where_no_key_can_apply_it_is_said_who_can_set_one() -> None:
    nobody = ChooseKey(lambda _: AdapterTraits(SubmitSafety.NONE), lambda _: False)

    with pytest.raises(NoCredentialError, match="which guests cannot have"):
        nobody(model("own"), GUEST)
    with pytest.raises(NoCredentialError, match=r"the operator must set one\.$"):
        nobody(model("platform"), GUEST)
    with pytest.raises(NoCredentialError, match="Or put your own at /providers/a/credentials"):
        nobody(model("platform"), ALICE)
