"""Prices that depend on several parameters at once, and on how much is read."""

from decimal import Decimal
from typing import Any

import pytest

from lib.domain.errors import ConfigurationError, UnknownPriceError
from lib.domain.parameters import validate_parameters
from lib.domain.pricing import quote
from tests.unit.test_pricing import model

PARAMS = {
    "prompt": {"type": "string"},
    "image": {"type": "array", "items": {"type": "string"}},
    "mask": {"type": "string"},
    "n": {"type": "integer", "default": 1},
    "seconds": {"type": "integer", "default": 8},
    "sound": {"type": "boolean", "default": True},
    "resolution": {"enum": ["720p", "4k"], "default": "720p"},
}
AMOUNTS = {"true 720p": "0.40", "true 4k": "0.60", "false 720p": "0.20", "false 4k": "0.60"}
MATRIX = {"type": "matrix", "by": ["sound", "resolution"], "amounts": AMOUNTS}


def quoted(pricing: dict[str, Any], **params: Any) -> tuple[Decimal, str]:
    one = model(pricing, params=PARAMS)
    found = quote(one, validate_parameters(one, params))
    return found.amount, found.basis


def test_an_amount_is_picked_by_several_parameters() -> None:
    assert quoted(MATRIX) == (Decimal("0.40"), "$0.40 at true 720p x 1")
    assert quoted(MATRIX, sound=False)[0] == Decimal("0.20")
    assert quoted({**MATRIX, "count": "n"}, resolution="4k", n=3)[0] == Decimal("1.80")


def test_an_amount_may_be_for_each_second() -> None:
    timed = {**MATRIX, "duration": "seconds", "count": "n"}
    assert quoted(timed) == (Decimal("3.20"), "$0.40 a second at true 720p x 8 s")
    assert quoted(timed, seconds=4, n=2, sound=False)[0] == Decimal("1.60")


def test_what_is_read_is_added() -> None:
    reading = {
        **MATRIX,
        "inputPerMillion": "5",
        "text": ["prompt"],
        "each": {"image": "0.05", "mask": "0.01"},
    }
    assert quoted(reading)[0] == Decimal("0.40")
    amount, basis = quoted(reading, prompt="é" * 10, image=["a", "b"], mask="m")
    assert amount == Decimal("0.5101")
    assert basis == (
        "$0.40 at true 720p x 1 + 2 image at $0.05 + 1 mask at $0.01 + at most 20 tokens read at $5 a million"
    )


def test_a_combination_without_an_amount_is_found_when_the_catalogue_is_loaded() -> None:
    lacking = {**MATRIX, "amounts": {key: value for key, value in AMOUNTS.items() if key != "false 4k"}}
    with pytest.raises(ConfigurationError, match="says nothing of 'false 4k'"):
        model(lacking, params=PARAMS)


def test_a_value_that_no_schema_lists_has_no_known_price() -> None:
    free = {**PARAMS, "resolution": {"type": "string", "default": "720p"}}
    one = model(MATRIX, params=free)
    with pytest.raises(UnknownPriceError, match="not known for sound resolution true 8k"):
        quote(one, validate_parameters(one, {"resolution": "8k"}))


def test_a_matrix_names_only_parameters_that_have_a_value() -> None:
    with pytest.raises(
        ConfigurationError, match="depends on image, which is neither required nor has a default"
    ):
        model({**MATRIX, "by": ["image"], "amounts": {"a": "1"}}, params=PARAMS)


def test_a_price_per_character_counts_characters_and_not_bytes() -> None:
    spoken = {"type": "per_character", "inputPerMillion": "15", "text": ["prompt"]}
    assert quoted(spoken, prompt="é" * 1000) == (Decimal("0.015"), "$15 a million characters x 1000")
    assert quoted(spoken)[0] == Decimal(0)
