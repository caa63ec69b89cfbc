"""The models, and the providers that run them."""
# ruff: noqa: PLC0415 - see the package

import time
from functools import cache
from typing import TYPE_CHECKING, Any

from lib import bootstrap

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lib.domain.catalogue import Catalogue
    from lib.domain.provider import Credential
    from lib.ports.provider import ProviderAdapter, ProviderClient
    from lib.providers.http_entry import HttpEntry
    from lib.providers.registry import Registration
    from lib.providers.transport import RequestsTransport
    from lib.variables import Secret


@cache
def catalogue() -> "Catalogue":
    """The models."""
    from lib import work_settings as w
    from lib.stores.models_source import load_catalogue

    return load_catalogue(bootstrap.settings(w.ModelsSettings).models_config, read_object=_read_object)


def _read_object(bucket_name: str, key: str) -> bytes:
    body: bytes = bootstrap.s3_client().get_object(Bucket=bucket_name, Key=key)["Body"].read()
    return body


@cache
def adapter(name: str) -> "ProviderAdapter":
    """A provider's words. Raises NotFoundError for a provider that we do not know."""
    from lib import work_settings as w
    from lib.domain.errors import NotFoundError
    from lib.providers.registry import ADAPTERS, load_adapter

    chosen = bootstrap.settings(w.ProviderSettings)
    addresses = chosen.provider_addresses.get(name, {})
    if name not in ADAPTERS:
        entry = bootstrap.configured_providers().get(name)
        if entry is None:
            raise NotFoundError(f"there is no provider {name[:100]!r}")
        from lib.providers.http_adapter import HttpAdapter

        return HttpAdapter(entry, addresses.get("base_url", ""))
    return load_adapter(name, addresses)


@cache
def configured_providers() -> "Mapping[str, HttpEntry]":
    """The providers that are all data, by name. Asked for only where a name is none of the built-in ones."""
    from lib import work_settings as w
    from lib.providers.http_config import load_entries
    from lib.stores.providers_source import read_providers_config

    setting = bootstrap.settings(w.ProviderSettings).providers_config
    return load_entries(read_providers_config(setting, read_object=_read_object))


def registrations() -> "Mapping[str, Registration]":
    """All providers that there are, built in and configured."""
    from lib.providers.registry import ADAPTERS, Registration

    configured = {
        name: Registration("lib.providers.http_adapter:HttpAdapter", entry.title, entry.variable)
        for name, entry in bootstrap.configured_providers().items()
    }
    return {**ADAPTERS, **configured}


@cache
def transport() -> "RequestsTransport":
    """The only socket to providers."""
    from lib.ports.provider import Operation
    from lib.providers.transport import RequestsTransport

    def count_failures(provider: str, operation: Operation, status: int | None, _seconds: float) -> None:
        if status is None or status >= 500 or status == 429:
            answer = str(status) if status else "none"
            bootstrap.metrics().count(
                "ProviderCallFailed", provider=provider, operation=operation.value, answer=answer
            )

    return RequestsTransport(on_call=count_failures)


@cache
def provider(name: str) -> "ProviderClient":
    """A provider, ready to be asked."""
    from lib.providers.client import HttpProviderClient

    return HttpProviderClient(bootstrap.adapter(name), bootstrap.transport(), bootstrap.flow_control)


def credential(
    name: str, version: str | None = None, sealed: "Mapping[str, Any] | None" = None, /
) -> "Credential":
    """The key of a version: one that a user brought, by its row or as it was `sealed`; else the operator's.

    Raises as `CredentialOpener.open` does.
    """
    from lib.domain.credential import own_credential_id
    from lib.domain.provider import PLATFORM_VERSION

    version = version or PLATFORM_VERSION
    if own_credential_id(version) is None:
        return bootstrap.platform_credential(name, version)
    return bootstrap.credential_opener().open(name, version, sealed)


def platform_credential(name: str, version: str) -> "Credential":
    """The operator's key at a provider; asked for anew each time, so that a rotated one is taken.

    Raises ConfigurationError where there is none, but for a provider that needs none and whose address was given.
    """
    from lib import work_settings as w
    from lib.domain.errors import ConfigurationError
    from lib.providers.platform_keys import read_platform_key

    adapter = bootstrap.adapter(name)
    try:
        text = bootstrap.secrets().text(bootstrap.platform_secret(name))
    except ConfigurationError:
        placed = name in bootstrap.settings(w.ProviderSettings).provider_addresses
        if not placed or any(item.required for item in adapter.traits.credential_fields):
            raise
        text = "{}"
    return read_platform_key(adapter, text, version)


_no_key_until: dict[str, float] = {}
NO_KEY_SECONDS = 60.0


def has_platform_key(name: str) -> bool:
    """Whether the operator has a key at a provider; that there is none is believed for a minute."""
    from lib.domain.errors import ConfigurationError

    if time.monotonic() < _no_key_until.get(name, 0.0):
        return False
    try:
        bootstrap.credential(name)
    except ConfigurationError:
        _no_key_until[name] = time.monotonic() + NO_KEY_SECONDS
        return False
    return True


def platform_secret(name: str) -> "Secret":
    """Where the operator's key at a provider is: in its variable on a laptop, else in Secrets Manager."""
    import os

    from lib import work_settings as w
    from lib.domain.secrets import secret_name
    from lib.providers.registry import ADAPTERS
    from lib.variables import Secret

    registration = ADAPTERS.get(name) or bootstrap.registrations().get(name)
    direct = os.environ.get(registration.variable, "") if registration else ""
    stage = bootstrap.settings(w.ProviderSettings).stage
    return Secret(secret_name(stage, "providers", name), direct or None)


def webhook_token_key() -> str:
    """The key of the tokens in callback addresses."""
    from lib import work_settings as w

    return bootstrap.secrets().get(bootstrap.settings(w.TokenSettings).webhook_token_key)


def callback(provider: str, job_id: str, attempt: int, credential_version: str) -> str | None:
    """The address at which a provider calls back; None where its webhooks are switched off."""
    from lib import work_settings as w
    from lib.domain.webhook_token import CallbackTarget, callback_url

    chosen = bootstrap.settings(w.CallbackSettings)
    if not chosen.asks_for_webhooks(provider):
        return None
    target = CallbackTarget(provider, job_id, attempt, credential_version)
    return callback_url(chosen.webhook_base_url, bootstrap.webhook_token_key(), target)
