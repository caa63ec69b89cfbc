"""What a job will cost, known before it is started."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_UP, Decimal
from enum import StrEnum
from typing import Any

from lib.domain.errors import UnknownPriceError
from lib.domain.model_config import ModelConfig, Pricing, PricingType
from lib.domain.parameters import Parameters

SMALLEST_AMOUNT = Decimal("0.000001")
_MILLION = Decimal(1_000_000)


class UnpricedModels(StrEnum):
    """What is done with a model whose price is not set: an operator's decision."""

    REFUSED = "refused"
    ALLOWED = "allowed"


@dataclass(frozen=True)
class Quote:
    """The most that a job is charged, in US dollars; `basis` says in words how it was worked out.

    The amount is rounded up to a millionth of a dollar. Where the price is not `known`, and the operator allows that,
    it is zero, and `warnings` says so.
    """

    amount: Decimal
    estimated_time_seconds: float
    basis: str
    known: bool = True

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the caller is told of the price."""
        return () if self.known else (f"estimatedCost: {self.basis}.",)

    def is_within(self, limit: "Quote") -> bool:
        """Whether it certainly costs no more; what is not known is within nothing but what is not known either."""
        return self.amount <= limit.amount if self.known and limit.known else not limit.known


def quote(
    model: ModelConfig, parameters: Parameters, unpriced: UnpricedModels = UnpricedModels.REFUSED
) -> Quote:
    """The price of a job with these parameters, as validate_parameters gave them.

    A price that cannot be worked out raises UnknownPriceError; it is never zero because it is unknown, unless the
    operator allows models without one.
    """
    if model.pricing is None:
        words = f"the price of {model.id} is not known"
        if unpriced is UnpricedModels.ALLOWED:
            return Quote(Decimal(0), model.estimated_time_seconds, words, known=False)
        raise UnknownPriceError(
            f"{words[0].upper()}{words[1:]}: set its `pricing` in the model catalogue to use it."
        )
    reading = _Reading(model, parameters.values)
    amount, basis = _price(model.pricing, reading)
    return Quote(_rounded_up(amount), model.estimated_time_seconds, basis)


def _price(pricing: Pricing, reading: "_Reading") -> tuple[Decimal, str]:
    match pricing.type:
        case PricingType.FIXED:
            return pricing.amount, f"${pricing.amount} a job"
        case PricingType.PER_IMAGE:
            count = reading.count(pricing)
            return pricing.amount * count, f"${pricing.amount} an image x {count}"
        case PricingType.PER_SECOND:
            seconds, count = reading.seconds(pricing), reading.count(pricing)
            return pricing.amount * seconds * count, f"${pricing.amount} a second x {_times(seconds, count)}"
        case PricingType.BY_RESOLUTION:
            return _by_resolution(pricing, reading)
        case PricingType.MATRIX:
            return _matrix(pricing, reading)
        case PricingType.PER_TOKEN | PricingType.PER_CHARACTER:
            return _by_text(pricing, reading)


def matrix_key(values: Iterable[Any]) -> str:
    """The key of `amounts` for the values of the parameters `by`: as JSON writes them, texts without quotes."""
    return " ".join(value if isinstance(value, str) else json.dumps(value) for value in values)


def _by_resolution(pricing: Pricing, reading: "_Reading") -> tuple[Decimal, str]:
    resolution = str(reading.value(pricing.resolution))
    amount = pricing.amounts.get(resolution)
    if amount is None:
        raise reading.unknown(
            f"it is known for {pricing.resolution} {', '.join(pricing.amounts)}, not {resolution}"
        )
    count = reading.count(pricing)
    if pricing.duration is None and pricing.frames is None:
        return amount * count, f"${amount} at {resolution} x {count}"
    seconds = reading.seconds(pricing)
    return amount * seconds * count, f"${amount} a second at {resolution} x {_times(seconds, count)}"


def _matrix(pricing: Pricing, reading: "_Reading") -> tuple[Decimal, str]:
    """An amount by several parameters, for each image or second; with what is read, where that costs too."""
    key = matrix_key(reading.value(name) for name in pricing.by)
    each = pricing.amounts.get(key)
    if each is None:
        raise reading.unknown(f"it is not known for {' '.join(pricing.by)} {key}")
    count = reading.count(pricing)
    if pricing.duration is None:
        amount, basis = each * count, f"${each} at {key} x {count}"
    else:
        seconds = reading.seconds(pricing)
        amount, basis = each * seconds * count, f"${each} a second at {key} x {_times(seconds, count)}"
    for name, price in pricing.each.items():
        items = reading.items(name)
        if items:
            amount, basis = amount + price * items, f"{basis} + {items} {name} at ${price}"
    if pricing.input_per_million:
        read = pricing.overhead_tokens + sum(len(reading.text(name).encode()) for name in pricing.text)
        amount += pricing.input_per_million * read / _MILLION
        basis = f"{basis} + at most {read} tokens read at ${pricing.input_per_million} a million"
    return amount, basis


def _by_text(pricing: Pricing, reading: "_Reading") -> tuple[Decimal, str]:
    if pricing.type is PricingType.PER_TOKEN:
        return _per_token(pricing, reading)
    characters = sum(len(reading.text(name)) for name in pricing.text)
    amount = pricing.input_per_million * characters / _MILLION
    return amount, f"${pricing.input_per_million} a million characters x {characters}"


def _per_token(pricing: Pricing, reading: "_Reading") -> tuple[Decimal, str]:
    """A byte-level tokenizer makes at most one token of each UTF-8 byte."""
    read = pricing.overhead_tokens + sum(len(reading.text(name).encode()) for name in pricing.text)
    written = reading.number(pricing.max_tokens)
    amount = (pricing.input_per_million * read + pricing.output_per_million * written) / _MILLION
    return amount, (
        f"at most {read} tokens read at ${pricing.input_per_million} "
        f"and {written} written at ${pricing.output_per_million} a million"
    )


@dataclass(frozen=True)
class _Reading:
    """The parameters that a price depends on; what is not given is taken from the model's own default."""

    model: ModelConfig
    values: Mapping[str, Any]

    def value(self, name: str | None) -> Any:
        if name is not None and name in self.values:
            return self.values[name]
        schema = self.model.params.get(name, {}) if name else {}
        if "default" in schema:
            return schema["default"]
        raise self.unknown(f"it depends on {name}, which is not given")

    def number(self, name: str | None) -> Decimal:
        value = self.value(name)
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
            or value <= 0
        ):
            raise self.unknown(f"it depends on {name}, which is not a positive number")
        return Decimal(str(value))

    def text(self, name: str) -> str:
        value = self.values.get(name, "")
        return value if isinstance(value, str) else str(value)

    def items(self, name: str) -> int:
        """How many a parameter brings: the length of a list, one for any other value, none where it is not given."""
        value = self.values.get(name)
        if value is None:
            return 0
        return len(value) if isinstance(value, list) else 1

    def count(self, pricing: Pricing) -> Decimal:
        return self.number(pricing.count) if pricing.count else Decimal(1)

    def seconds(self, pricing: Pricing) -> Decimal:
        if pricing.duration:
            return self.number(pricing.duration)
        return self.number(pricing.frames) / self.number(pricing.fps)

    def unknown(self, why: str) -> UnknownPriceError:
        return UnknownPriceError(f"The price of this job of {self.model.id} is not known: {why}.")


def _times(seconds: Decimal, count: Decimal) -> str:
    shown = f"{seconds.quantize(Decimal('0.001')).normalize():f} s"
    return shown if count == 1 else f"{shown} x {count}"


def _rounded_up(amount: Decimal) -> Decimal:
    if amount == amount.quantize(SMALLEST_AMOUNT, ROUND_UP):
        return amount.normalize() if amount else Decimal(0)
    return amount.quantize(SMALLEST_AMOUNT, ROUND_UP)
