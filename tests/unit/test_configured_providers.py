"""Providers that are all data, where the gateway looks for providers: by name, with their key and their address."""

import json

import pytest

from lib import bootstrap
from lib.domain.errors import ConfigurationError, NotFoundError
from lib.domain.provider import Credential
from lib.providers.http_adapter import HttpAdapter
from lib.variables import Secret
from tests.fakes.http_entries import EXAMPLE
from tests.fakes.wired import Wired


@pytest.fixture(autouse=True)
def _configured(wired: Wired, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVIDERS_CONFIG", str(EXAMPLE))
    monkeypatch.setenv("LUMAAI_API_KEY", "luma-on-this-laptop")


def test_an_entry_is_a_provider_as_any_other() -> None:
    adapter = bootstrap.adapter("luma")

    assert isinstance(adapter, HttpAdapter)
    assert adapter.name == "luma"
    assert bootstrap.registrations()["luma"].title == "Luma Dream Machine"
    assert set(bootstrap.registrations()) > {"replicate", "cog", "luma"}


def test_its_key_is_in_its_variable_on_a_laptop_and_in_its_secret_elsewhere() -> None:
    assert bootstrap.credential("luma") == Credential("luma", "luma-on-this-laptop")
    assert bootstrap.platform_secret("luma").name == "vsl/test/providers/luma"


def test_its_address_is_replaced_as_any_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVIDER_ADDRESSES", json.dumps({"luma": {"base_url": "http://127.0.0.1:1/v1"}}))
    request = bootstrap.adapter("luma").test_request(Credential("luma", "k"))
    assert request is not None
    assert request.url == "http://127.0.0.1:1/v1/credits"


def test_a_provider_that_is_neither_built_in_nor_configured_is_not_found() -> None:
    with pytest.raises(NotFoundError, match="there is no provider 'kling'"):
        bootstrap.adapter("kling")


def test_a_built_in_provider_does_not_need_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVIDERS_CONFIG", "no/such/file.json")

    assert bootstrap.adapter("replicate").name == "replicate"
    with pytest.raises(ConfigurationError, match="PROVIDERS_CONFIG"):
        bootstrap.adapter("luma")


class NoSecrets:
    """A Secrets Manager without the one that is asked for."""

    def text(self, secret: Secret) -> str:
        """See `Secrets`."""
        raise ConfigurationError(f"The secret {secret.name} cannot be read")


@pytest.mark.parametrize(
    ("addresses", "may"), [({}, False), ({"cog": {"base_url": "https://gpu.example"}}, True)]
)
def test_a_key_may_be_left_out_where_none_is_needed_and_the_address_is_given(
    monkeypatch: pytest.MonkeyPatch, addresses: dict[str, dict[str, str]], may: bool
) -> None:
    monkeypatch.setattr(bootstrap, "secrets", NoSecrets)
    monkeypatch.setattr("lib.bootstrap.models._no_key_until", {})
    monkeypatch.setenv("PROVIDER_ADDRESSES", json.dumps(addresses))

    assert bootstrap.has_platform_key("cog") is may
    if may:
        assert bootstrap.credential("cog") == Credential("cog", "")


def test_a_key_that_is_needed_may_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "secrets", NoSecrets)
    monkeypatch.setenv("PROVIDER_ADDRESSES", json.dumps({"luma": {"base_url": "https://luma.example"}}))
    with pytest.raises(ConfigurationError, match="vsl/test/providers/luma"):
        bootstrap.credential("luma")
