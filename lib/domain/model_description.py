"""What callers are told of a model: `GET /models`."""

from dataclasses import asdict
from decimal import Decimal
from typing import Any

from lib.domain.model_config import ModelConfig, Pricing, PricingType
from lib.domain.model_ranges import field_ranges
from lib.domain.wire_json import wire_json

_BY_AMOUNT = frozenset({PricingType.FIXED, PricingType.PER_IMAGE, PricingType.PER_SECOND})
_AMOUNT = frozenset({"amount"})


def describe_model(model: ModelConfig) -> dict[str, Any]:
    """The model in the wire's camelCase; amounts of money are strings, as in the catalogue's file.

    `parameters` is the JSON Schema of the `parameters` object. `pricing` is null where it is not known. `standard` has
    what the model does with each field of a standard request.
    """
    return {
        "modelId": model.id,
        "mediaType": model.media_type.value,
        "name": model.name or model.id,
        "description": model.description,
        "provider": model.provider,
        "version": model.version,
        "estimatedTime": model.estimated_time_seconds,
        "pricing": describe_pricing(model.pricing) if model.pricing else None,
        "supportedParams": list(model.supported_params),
        "defaults": dict(model.defaults),
        "parameters": model.parameters_schema,
        "standard": [wire_json(one) for one in field_ranges(model)],
        "credentials": model.credentials.value,
        "fallbacks": list(model.fallbacks),
    }


def describe_pricing(pricing: Pricing) -> dict[str, Any]:
    """The price as in the catalogue's file: only what this type of pricing uses."""
    used = _AMOUNT if pricing.type in _BY_AMOUNT else frozenset()
    return {_camel(name): _plain(value) for name, value in asdict(pricing).items() if value or name in used}


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return list(value) if isinstance(value, tuple) else value
