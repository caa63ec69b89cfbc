"""Which adapters there are. Each is imported when first asked for: a function pays only for its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

from lib.domain.errors import ConfigurationError
from lib.ports.provider import ProviderAdapter


@dataclass(frozen=True)
class Registration:
    """Where an adapter is, how people call its provider, and the variable with the operator's key on a laptop."""

    adapter: str
    title: str
    variable: str


ADAPTERS: Mapping[str, Registration] = {
    "replicate": Registration("lib.providers.replicate:ReplicateAdapter", "Replicate", "REPLICATE_API_TOKEN"),
    "cog": Registration("lib.providers.cog:CogAdapter", "Cog", "COG_CREDENTIALS"),
    "fal": Registration("lib.providers.fal:FalAdapter", "fal", "FAL_KEY"),
    "runway": Registration("lib.providers.runway:RunwayAdapter", "Runway", "RUNWAYML_API_SECRET"),
    "google_veo": Registration(
        "lib.providers.google_veo:GoogleVeoAdapter", "Google Veo (Vertex AI)", "GOOGLE_VERTEX_CREDENTIALS"
    ),
    "gemini": Registration("lib.providers.gemini:GeminiAdapter", "Google Gemini", "GEMINI_API_KEY"),
    "openai": Registration("lib.providers.openai:OpenaiAdapter", "OpenAI", "OPENAI_API_KEY"),
    "stability": Registration(
        "lib.providers.stability:StabilityAdapter", "Stability AI", "STABILITY_API_KEY"
    ),
    "elevenlabs": Registration(
        "lib.providers.elevenlabs:ElevenLabsAdapter", "ElevenLabs", "ELEVENLABS_API_KEY"
    ),
}


def load_adapter(name: str, addresses: Mapping[str, str] | None = None) -> ProviderAdapter:
    """Return the adapter of a provider; `addresses` replace the provider's own, by the names of its fields.

    Raises `ConfigurationError` for a name that is not in `ADAPTERS`, an address that may not be used, or one that
    the adapter does not have.
    """
    try:
        module, _, attribute = ADAPTERS[name].adapter.partition(":")
    except KeyError:
        known = ", ".join(sorted(ADAPTERS))
        raise ConfigurationError(f"no provider is called {name!r}; known are: {known}") from None
    adapter_class = getattr(import_module(module), attribute)
    try:
        adapter: ProviderAdapter = adapter_class(**(addresses or {}))
    except TypeError:
        given = ", ".join(addresses or {})
        raise ConfigurationError(f"the adapter of {name} has no address called one of: {given}") from None
    return adapter
