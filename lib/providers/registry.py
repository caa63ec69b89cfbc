"""Which adapters there are. Each is imported when first asked for: a function pays only for its own."""

from collections.abc import Mapping
from importlib import import_module

from lib.domain.errors import ConfigurationError
from lib.ports.provider import ProviderAdapter

ADAPTERS: Mapping[str, str] = {
    "replicate": "lib.providers.replicate:ReplicateAdapter",
}


def load_adapter(name: str, base_url: str = "") -> ProviderAdapter:
    """Return the adapter of a provider; an empty `base_url` is the provider's own address.

    Raises `ConfigurationError` for a name that is not in `ADAPTERS` or an address that may not be used.
    """
    try:
        module, _, attribute = ADAPTERS[name].partition(":")
    except KeyError:
        known = ", ".join(sorted(ADAPTERS))
        raise ConfigurationError(f"no provider is called {name!r}; known are: {known}") from None
    adapter_class = getattr(import_module(module), attribute)
    adapter: ProviderAdapter = adapter_class(base_url=base_url) if base_url else adapter_class()
    return adapter
