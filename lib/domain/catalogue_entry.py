"""From an entry of the catalogue, already right by its schema, to a ModelConfig."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from lib.domain.credential_policy import CredentialPolicy
from lib.domain.media_type import MediaType
from lib.domain.model_config import (
    DEFAULT_PROVIDER,
    ModelConfig,
    ParameterMap,
    Pricing,
    PricingType,
    Rule,
    SizeOption,
    Sizes,
)
from lib.domain.standard_rule import read_rule


def read_model(model_id: str, media_type: MediaType, entry: Mapping[str, Any]) -> ModelConfig:
    """The entry as typed data, what it leaves out filled in."""
    params = entry.get("params", {})
    return ModelConfig(
        id=model_id,
        media_type=media_type,
        version=entry["version"],
        official=entry.get("official", _names_no_version(entry["version"])),
        estimated_time_seconds=float(entry["estimatedTime"]),
        supported_params=tuple(entry.get("supportedParams", params)),
        provider=entry.get("provider", DEFAULT_PROVIDER),
        name=entry.get("name"),
        description=entry.get("description"),
        pricing=_pricing(entry.get("pricing")),
        params=params,
        required=tuple(entry.get("required", ())),
        defaults=entry.get("defaults", {}),
        rules=tuple(Rule(**rule) for rule in entry.get("rules", ())),
        map={name: _parameter_map(rule) for name, rule in entry.get("map", {}).items()},
        sizes=_sizes(entry.get("sizes")),
        fallbacks=tuple(entry.get("fallbacks", ())),
        credentials=CredentialPolicy(entry.get("credentials", CredentialPolicy.OWN_THEN_PLATFORM)),
        only_by_name=entry.get("onlyByName", False),
        standard={name: read_rule(rule) for name, rule in entry.get("standard", {}).items()},
        source=tuple(entry.get("source", ())),
        verified_on=entry.get("verifiedOn"),
    )


def _names_no_version(version: str) -> bool:
    return "/" in version and ":" not in version


def _pricing(value: Any) -> Pricing | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        return Pricing(PricingType.FIXED, amount=Decimal(str(value)))
    return Pricing(
        type=PricingType(value["type"]),
        amount=Decimal(value.get("amount", 0)),
        amounts={key: Decimal(amount) for key, amount in value.get("amounts", {}).items()},
        resolution=value.get("resolution"),
        by=tuple(value.get("by", ())),
        each={name: Decimal(amount) for name, amount in value.get("each", {}).items()},
        count=value.get("count"),
        duration=value.get("duration"),
        frames=value.get("frames"),
        fps=value.get("fps"),
        input_per_million=Decimal(value.get("inputPerMillion", 0)),
        output_per_million=Decimal(value.get("outputPerMillion", 0)),
        text=tuple(value.get("text", ())),
        max_tokens=value.get("maxTokens"),
        overhead_tokens=value.get("overheadTokens", 0),
        source=tuple(value["source"]),
        verified_on=value["verifiedOn"],
        note=value.get("note"),
    )


def _parameter_map(rule: str | Mapping[str, Any]) -> ParameterMap:
    if isinstance(rule, str):
        return ParameterMap(rule)
    pairs = tuple((ours, theirs) for ours, theirs in rule.get("values", ()))
    multiply = rule.get("multiply")
    return ParameterMap(rule["to"], pairs, None if multiply is None else Decimal(str(multiply)))


def _sizes(value: Mapping[str, Any] | None) -> Sizes | None:
    if value is None:
        return None
    return Sizes(value["width"], value["height"], tuple(_size_option(option) for option in value["options"]))


def _size_option(option: Mapping[str, Any]) -> SizeOption:
    width, height = option["ratio"].split(":")
    return SizeOption(option["width"], option["height"], (int(width), int(height)), option["set"])
