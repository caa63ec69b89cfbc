"""What a provider can do for callers, derived from the catalogue and from its adapter's traits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lib.domain.catalogue import Catalogue
from lib.domain.credential_policy import CredentialPolicy
from lib.domain.media_type import MediaType
from lib.domain.model_config import ModelConfig
from lib.domain.model_description import describe_pricing
from lib.domain.model_ranges import FieldRange, field_ranges
from lib.domain.provider import AdapterTraits, CredentialField, RateLimit, SubmitSafety, WebhookProof


class Submitting(StrEnum):
    """How a result comes: the provider calls back, it is asked, or the answer to the submit has it."""

    WEBHOOK = "webhook"
    POLL = "poll"
    SYNCHRONOUS = "synchronous"


@dataclass(frozen=True, kw_only=True)
class ModelCapabilities:
    """One model: what it takes, and what it makes of standard requests.

    `parameters` is the JSON Schema of its own parameters; `standard` has what it does with each standard field.
    """

    model_id: str
    name: str
    media_type: MediaType
    submitting: Submitting
    estimated_time_s: float
    pricing: Mapping[str, Any] | None
    credentials: CredentialPolicy
    fallbacks: tuple[str, ...]
    parameters: Mapping[str, Any]
    standard: tuple[FieldRange, ...]


@dataclass(frozen=True, kw_only=True)
class ProviderCapabilities:
    """A provider: how it is asked, what it promises, what a key of one's own consists of, and its models."""

    provider: str
    name: str
    media_types: tuple[MediaType, ...]
    submitting: tuple[Submitting, ...]
    webhooks: bool
    webhook_proof: WebhookProof
    polls: bool
    cancel: bool
    recover: bool
    submit_safety: SubmitSafety
    uploads: bool
    output_life_s: float | None
    rate_limit: RateLimit | None
    own_credentials: bool
    credentials: tuple[CredentialField, ...]
    models: tuple[ModelCapabilities, ...]


def capabilities_of(
    provider: str,
    name: str,
    traits: AdapterTraits,
    is_synchronous: Callable[[str], bool],
    catalogue: Catalogue,
) -> ProviderCapabilities:
    """All that can be said of a provider without asking it; `is_synchronous` is its adapter's word on a model."""
    models = tuple(
        _model(model, submitting_of(traits, synchronous=is_synchronous(model.version)))
        for model in models_of(provider, catalogue)
    )
    return ProviderCapabilities(
        provider=provider,
        name=name,
        media_types=media_types_of(provider, catalogue),
        submitting=tuple(dict.fromkeys(model.submitting for model in models)),
        webhooks=traits.webhooks is not WebhookProof.NONE,
        webhook_proof=traits.webhooks,
        polls=traits.polls,
        cancel=traits.cancels,
        recover=traits.recovers,
        submit_safety=traits.submit_safety,
        uploads=traits.uploads,
        output_life_s=traits.output_life_seconds,
        rate_limit=traits.rate_limit,
        own_credentials=traits.own_credentials,
        credentials=traits.credential_fields,
        models=models,
    )


def models_of(provider: str, catalogue: Catalogue) -> list[ModelConfig]:
    """The provider's models, in the catalogue's order."""
    return [model for model in catalogue if model.provider == provider]


def media_types_of(provider: str, catalogue: Catalogue) -> tuple[MediaType, ...]:
    """What the provider's models make."""
    made = {model.media_type for model in models_of(provider, catalogue)}
    return tuple(media_type for media_type in MediaType if media_type in made)


def submitting_of(traits: AdapterTraits, *, synchronous: bool) -> Submitting:
    """How a result comes first; whoever calls back is asked too when it stays silent."""
    if synchronous:
        return Submitting.SYNCHRONOUS
    return Submitting.POLL if traits.webhooks is WebhookProof.NONE else Submitting.WEBHOOK


def _model(model: ModelConfig, submitting: Submitting) -> ModelCapabilities:
    return ModelCapabilities(
        model_id=model.id,
        name=model.name or model.id,
        media_type=model.media_type,
        submitting=submitting,
        estimated_time_s=model.estimated_time_seconds,
        pricing=describe_pricing(model.pricing) if model.pricing else None,
        credentials=model.credentials,
        fallbacks=model.fallbacks,
        parameters=model.parameters_schema,
        standard=field_ranges(model),
    )
