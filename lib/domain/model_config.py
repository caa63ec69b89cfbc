"""One model of the catalogue, as typed data: what it takes, what its provider calls it, what it costs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from lib.domain.credential_policy import CredentialPolicy
from lib.domain.media_type import MediaType
from lib.domain.standard_rule import StandardRule

DEFAULT_PROVIDER = "replicate"


class PricingType(StrEnum):
    """How a model's price is worked out."""

    FIXED = "fixed"
    PER_IMAGE = "per_image"
    PER_SECOND = "per_second"
    BY_RESOLUTION = "by_resolution"
    PER_TOKEN = "per_token"  # noqa: S105 - a word, no password
    PER_CHARACTER = "per_character"
    MATRIX = "matrix"


@dataclass(frozen=True)
class Pricing:
    """A known price in US dollars.

    `amount` is for one job, image or second; `amounts` is keyed by the value of the parameter `resolution`, or by
    the values of the parameters `by`, a space between them. `each` is added for every item that a parameter brings.
    `count`, `duration`, `frames`, `fps`, `max_tokens`, `text`, `by` and `each` name parameters, with our names.
    `overhead_tokens` are read in every job: the model's own template.
    """

    type: PricingType
    amount: Decimal = Decimal(0)
    amounts: Mapping[str, Decimal] = field(default_factory=dict)
    resolution: str | None = None
    by: tuple[str, ...] = ()
    each: Mapping[str, Decimal] = field(default_factory=dict)
    count: str | None = None
    duration: str | None = None
    frames: str | None = None
    fps: str | None = None
    input_per_million: Decimal = Decimal(0)
    output_per_million: Decimal = Decimal(0)
    text: tuple[str, ...] = ()
    max_tokens: str | None = None
    overhead_tokens: int = 0
    source: tuple[str, ...] = ()
    verified_on: str | None = None
    note: str | None = None

    @property
    def named_parameters(self) -> tuple[str, ...]:
        """The parameters that the price depends on."""
        names = (
            self.resolution,
            self.count,
            self.duration,
            self.frames,
            self.fps,
            self.max_tokens,
            *self.by,
            *self.each,
            *self.text,
        )
        return tuple(name for name in names if name is not None)

    @property
    def optional_parameters(self) -> frozenset[str]:
        """Those of `named_parameters` that add nothing where they are not given."""
        return frozenset((*self.text, *self.each))


@dataclass(frozen=True)
class ParameterMap:
    """What one of our parameters is called by the model; `values` are pairs of (ours, the model's).

    With `multiply` a number is sent so many times as large: seconds as milliseconds.
    """

    to: str
    values: tuple[tuple[Any, Any], ...] = ()
    multiply: Decimal | None = None


@dataclass(frozen=True)
class SizeOption:
    """A size in pixels that the model makes when these parameters are set; `ratio` is its nominal shape."""

    width: int
    height: int
    ratio: tuple[int, int]
    set: Mapping[str, Any]


@dataclass(frozen=True)
class Sizes:
    """The two parameters that ask for a size in pixels, and what there is to choose from."""

    width: str
    height: str
    options: tuple[SizeOption, ...]


@dataclass(frozen=True)
class Rule:
    """What parameters demand of each other: a JSON Schema over all of them.

    With `warning` the job is made all the same, and the caller told.
    """

    path: str
    message: str
    schema: Mapping[str, Any]
    warning: bool = False


@dataclass(frozen=True, eq=False)
class ModelConfig:
    """An entry of the catalogue. `version` is the provider's own name of the model: `Submission.model_ref`.

    `params` has a JSON Schema for each parameter, or is empty: then any JSON value is accepted for
    `supported_params`. `pricing` is None where the price is not known. `standard` has a rule for each field of a
    standard request that the model can do something with; without it, it takes none. One that is `only_by_name` is
    never the gateway's choice. Compared by identity.
    """

    id: str
    media_type: MediaType
    version: str
    official: bool
    estimated_time_seconds: float
    supported_params: tuple[str, ...]
    provider: str = DEFAULT_PROVIDER
    name: str | None = None
    description: str | None = None
    pricing: Pricing | None = None
    params: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    map: Mapping[str, ParameterMap] = field(default_factory=dict)
    sizes: Sizes | None = None
    fallbacks: tuple[str, ...] = ()
    credentials: CredentialPolicy = CredentialPolicy.OWN_THEN_PLATFORM
    standard: Mapping[str, StandardRule] = field(default_factory=dict)
    only_by_name: bool = False
    source: tuple[str, ...] = ()
    verified_on: str | None = None

    @property
    def needed(self) -> tuple[str, ...]:
        """The parameters that a caller must give: required, and without a default."""
        return tuple(name for name in self.required if name not in self.defaults)

    @property
    def replaced(self) -> frozenset[str]:
        """The fields of standard requests that mean nothing to it: a picture that it needs decides them."""
        rules = [rule for rule in self.standard.values() if rule.to in self.needed]
        return frozenset(name for rule in rules for name in rule.overrides)

    @property
    def parameters_schema(self) -> dict[str, Any]:
        """The JSON Schema of the `parameters` object that a caller sends."""
        return {
            "type": "object",
            "properties": {name: dict(self.params.get(name, {})) for name in self.supported_params},
            "required": list(self.needed),
            "additionalProperties": False,
        }
