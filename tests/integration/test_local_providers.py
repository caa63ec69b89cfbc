"""The simulated providers as a service of the local cloud: where the functions find them, and when they give way."""

import json
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from lib.providers.registry import ADAPTERS, load_adapter
from local.__main__ import settings_from
from local.backing_services import BackingServices
from local.providers.registry import MODULES
from local.settings import CloudSettings, Part


def test_functions_find_every_simulated_provider_with_its_key(tmp_path: Path) -> None:
    services = BackingServices(CloudSettings(parts=frozenset({Part.PROVIDERS})), tmp_path)
    services.start()
    try:
        parameters, secrets = services.parameters("local"), services.secrets()
        addresses = json.loads(parameters["ProviderAddresses"])
        assert {name.removeprefix("providers/") for name in secrets} == set(MODULES)
        for name in set(MODULES) & set(ADAPTERS):
            load_adapter(name, addresses[name])
        assert httpx.get(f"{addresses['fal']['rest_url']}/.well-known/jwks.json").status_code == 200
        assert parameters["OutputHostException"] == services.url(Part.PROVIDERS).removeprefix("http://")
        assert parameters["ProviderWebhooks"] == "enabled"
    finally:
        services.stop()


@pytest.mark.parametrize("token", ["", "r8_real"])
def test_replicate_is_found_as_the_others_are(tmp_path: Path, token: str) -> None:
    services = BackingServices(
        CloudSettings(parts=frozenset({Part.REPLICATE}), replicate_token=token), tmp_path
    )
    services.start()
    try:
        addresses = json.loads(services.parameters("local").get("ProviderAddresses", "{}"))
        assert addresses == ({} if token else {"replicate": {"base_url": services.url(Part.REPLICATE)}})
        load_adapter("replicate", addresses.get("replicate"))
    finally:
        services.stop()


def test_a_provider_with_a_real_key_is_the_real_one_and_is_polled(tmp_path: Path) -> None:
    keys = {"runway": "key_real"}
    chosen = CloudSettings(parts=frozenset({Part.PROVIDERS}), provider_keys=keys)
    services = BackingServices(chosen, tmp_path)
    services.start()
    try:
        parameters = services.parameters("local")
        assert "runway" not in json.loads(parameters["ProviderAddresses"])
        assert services.secrets()["providers/runway"] == "key_real"
        assert (parameters["ProviderWebhooks"], parameters["PollAfterSeconds"]) == ("except:runway", "2")
    finally:
        services.stop()


def test_real_keys_are_taken_from_the_variables_of_the_registry() -> None:
    given = {
        "FAL_KEY": " id:secret ",
        "RUNWAYML_API_SECRET": "",
        "COG_CREDENTIALS": "{}",
        "REPLICATE_API_TOKEN": "r8_real",
        "PORT": "0",
    }
    settings = settings_from(given)
    assert dict(settings.provider_keys) == {"fal": "id:secret"}
    assert settings.replicate_token == "r8_real"


def test_a_described_provider_has_its_key_from_its_own_variable_and_is_polled() -> None:
    given = {"PROVIDERS_CONFIG": "docs/examples/provider-luma.json", "LUMAAI_API_KEY": "luma-real"}
    assert dict(settings_from(given).provider_keys) == {"luma": "luma-real"}


def test_a_described_provider_on_this_machine_calls_back_and_its_files_may_be_fetched(tmp_path: Path) -> None:
    entry = {"baseUrl": "http://127.0.0.1:9911/api", "submit": {"path": "/jobs"}, "outputs": ["url"]}
    entry |= {"poll": {"path": "/jobs/{id}"}, "status": {"words": {"2": "succeeded", "9": "failed"}}}
    text = json.dumps({"providers": {"prisma": entry}})
    settings = settings_from({"PROVIDERS_CONFIG": text, "PRISMA_API_KEY": "pk-1"})
    assert (dict(settings.provider_keys), settings.environment["PRISMA_API_KEY"]) == ({}, "pk-1")
    services = BackingServices(replace(settings, parts=frozenset()), tmp_path)
    assert services.parameters("local")["OutputHostException"] == "127.0.0.1:9911"


@pytest.mark.parametrize(
    ("name", "value"),
    [("UNPRICED_MODELS", "foo"), ("MODELS_CONFIG", "config/nowhere.json"), ("PROVIDERS_CONFIG", "{broken")],
)
def test_a_setting_that_the_functions_would_refuse_is_told_before_the_start(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name):
        settings_from({name: value})
