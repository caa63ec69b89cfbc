"""Writes `docs/models.md` from the shipped catalogue: `python -m tests.unit.models_page`."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lib.domain.model_config import ModelConfig, Pricing, PricingType
from lib.stores.models_source import load_catalogue

PAGE = Path(__file__).parents[2] / "docs" / "models.md"

INTRODUCTION = """# The shipped models

<!-- Written by `python -m tests.unit.models_page` from config/models; a test compares them. -->

The catalogue is `config/models/*.json`, a file per provider; the form of each is `config/models.schema.json`. One
of one's own is named by `MODELS_CONFIG`: inline JSON, a file or a directory of files in the bundle, or an
`s3://bucket/key` URI. An entry needs no more than a `version`, an `estimatedTime` and its `supportedParams`; without
`params` any JSON value is accepted for them, and without `pricing` the model is refused until its price is known.

Facts and prices were looked up in public copies on the day that stands with them, not in a running account:
providers change both without notice, so compare them before you rely on them. A price of a model that the
provider bills by the second of a GPU is an estimate. `required` parameters have no default; the others are sent
only if they are given or if the catalogue's `defaults` name them (**bold** below), and the model fills in the rest.

Media is given as an `https://` address or as a `data:` URL. A request to the gateway has at most 1 MiB, data URLs
included, which are files of about 780 kB together; Stability's 10 MiB a request and Runway's 5,242,880 characters an
image are not reached. Replicate's models take data URLs of up to 256 kB. What a model cannot do exactly is refused, or
done and told in the answer's `warnings`: a width and height for `flux-schnell` become the
`aspect_ratio` and `megapixels` of that shape.
"""


def render() -> str:
    """The whole page."""
    catalogue = load_catalogue("config/models")
    return "\n".join([INTRODUCTION, *_overview(list(catalogue)), *(_section(model) for model in catalogue)])


def _overview(models: list[ModelConfig]) -> Iterator[str]:
    yield "| model | makes | at | price (US$) | about |"
    yield "|---|---|---|---|---|"
    for model in models:
        cells = (
            f"[`{model.id}`](#{model.id.replace('.', '')})",  # as GitHub makes anchors of headings
            model.media_type.value,
            f"{model.provider} `{model.version.partition(':')[0]}`",
            _price(model.pricing) if model.pricing else "not known",
            f"{model.estimated_time_seconds:g} s",
        )
        yield f"| {' | '.join(cells)} |"
    yield ""


def _section(model: ModelConfig) -> str:
    rows = [_row(model, name, schema) for name, schema in model.params.items()]
    lines = [
        f"## {model.id}",
        "",
        f"{model.name}: {model.description} Version `{model.version}`.",
        "",
        "| parameter | takes | default | |",
        "|---|---|---|---|",
        *rows,
        "",
        *(f"* `{rule.path}`: {rule.message}." for rule in model.rules),
        *([""] if model.rules else []),
        f"Looked up on {model.verified_on}: {', '.join(model.source)}.",
    ]
    if model.pricing:
        note = f" {model.pricing.note}" if model.pricing.note else ""
        sources = ", ".join(model.pricing.source)
        lines.append(f"Price: {_price(model.pricing)}, on {model.pricing.verified_on}: {sources}.{note}")
    return "\n".join([*lines, ""])


def _row(model: ModelConfig, name: str, schema: Mapping[str, Any]) -> str:
    default = ""
    if name in model.required:
        default = "required"
    elif name in model.defaults:
        default = f"**`{json.dumps(model.defaults[name])}`**"
    elif "default" in schema:
        default = f"`{json.dumps(schema['default'])}`"
    sent_as = f" Sent as `{model.map[name].to}`." if name in model.map else ""
    text = schema.get("description", "") + sent_as
    return f"| `{name}` | {_takes(schema)} | {default} | {text.strip()} |"


def _takes(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(f"`{json.dumps(value)}`" for value in schema["enum"])
    if schema.get("format") == "media-uri":
        return "media"
    low, high = schema.get("minimum"), schema.get("maximum")
    limits = f" {low} to {high}" if high is not None else f" from {low}" if low is not None else ""
    step = f", a multiple of {schema['multipleOf']}" if "multipleOf" in schema else ""
    longest = f" of up to {schema['maxLength']} characters" if "maxLength" in schema else ""
    return f"{schema['type']}{limits}{step}{longest}"


def _price(pricing: Pricing) -> str:
    match pricing.type:
        case PricingType.FIXED:
            return f"{pricing.amount} a job"
        case PricingType.PER_IMAGE:
            return f"{pricing.amount} an image"
        case PricingType.PER_SECOND:
            return f"{pricing.amount} a second"
        case PricingType.BY_RESOLUTION:
            return ", ".join(f"{amount} at {value}" for value, amount in pricing.amounts.items())
        case PricingType.PER_TOKEN:
            return (
                f"{pricing.input_per_million} a million tokens read, "
                f"{pricing.output_per_million} a million written"
            )
        case PricingType.PER_CHARACTER:
            return f"{pricing.input_per_million} a million characters"
        case PricingType.MATRIX:
            low, high = min(pricing.amounts.values()), max(pricing.amounts.values())
            unit = "a second" if pricing.duration else "an image"
            return f"{low} to {high} {unit}, by {' and '.join(pricing.by)}"


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
