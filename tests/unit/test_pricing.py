"""A job's price is known before it is started, or the job is refused."""

import json
from decimal import Decimal
from typing import Any

import pytest

from lib.domain.catalogue import load_models_config
from lib.domain.errors import UnknownPriceError
from lib.domain.model_config import ModelConfig
from lib.domain.parameters import validate_parameters
from lib.domain.pricing import Quote, quote
from lib.stores.models_source import load_catalogue

PARAMS = {
    "prompt": {"type": "string"},
    "n": {"type": "integer", "default": 1},
    "seconds": {"type": "number", "default": 5},
    "frames": {"type": "integer", "default": 25},
    "fps": {"type": "integer", "default": 6},
    "resolution": {"enum": ["480p", "1080p"], "default": "480p"},
    "max_tokens": {"type": "integer", "default": 100},
}
AMOUNTS = {"480p": "0.02", "1080p": "0.10"}


def model(pricing: Any, **changes: Any) -> ModelConfig:
    if isinstance(pricing, dict):
        pricing = {"source": ["a price list"], "verifiedOn": "2026-01-01", **pricing}
    entry = {
        "version": "owner/name",
        "estimatedTime": 7,
        "params": PARAMS,
        "pricing": pricing,
        **changes,
    }
    text = json.dumps({"video": {"one": {key: value for key, value in entry.items() if value is not None}}})
    return load_models_config(text).get_model_config("one")


def price(pricing: Any, **params: Any) -> Decimal:
    one = model(pricing)
    return quote(one, validate_parameters(one, params)).amount


def test_a_bare_number_is_the_price_of_a_job() -> None:
    assert price(0.05) == Decimal("0.05")
    assert price(0.1 + 0.2) == Decimal("0.300001")  # a binary fraction is rounded up, not hidden


def test_a_fixed_price_does_not_depend_on_parameters() -> None:
    assert price({"type": "fixed", "amount": "0.05"}, n=4, seconds=60) == Decimal("0.05")


def test_a_price_per_image_counts_the_images() -> None:
    assert price({"type": "per_image", "amount": "0.003", "count": "n"}, n=4) == Decimal("0.012")
    assert price({"type": "per_image", "amount": "0.003", "count": "n"}) == Decimal("0.003")
    assert price({"type": "per_image", "amount": "0.003"}, n=4) == Decimal("0.003")


def test_a_price_per_second_takes_the_duration_or_frames_by_fps() -> None:
    by_duration = {"type": "per_second", "amount": "0.01", "duration": "seconds"}
    by_frames = {"type": "per_second", "amount": "0.06", "frames": "frames", "fps": "fps"}

    assert price(by_duration, seconds=2.5) == Decimal("0.025")
    assert price(by_duration) == Decimal("0.05")
    assert price(by_frames, frames=12, fps=6) == Decimal("0.12")
    assert price(by_frames) == Decimal("0.25")
    assert price({**by_duration, "count": "n"}, seconds=2, n=3) == Decimal("0.06")


def test_a_price_by_resolution_may_count_and_last() -> None:
    each = {"type": "by_resolution", "resolution": "resolution", "amounts": AMOUNTS}

    assert price(each) == Decimal("0.02")
    assert price(each, resolution="1080p") == Decimal("0.10")
    assert price({**each, "count": "n"}, resolution="1080p", n=2) == Decimal("0.20")
    assert price({**each, "duration": "seconds"}, resolution="1080p", seconds=8) == Decimal("0.80")
    both = {**each, "duration": "seconds", "count": "n"}
    assert price(both, resolution="1080p", seconds=8, n=2) == Decimal("1.60")


def test_a_price_per_token_is_the_most_that_the_job_can_cost() -> None:
    pricing = {
        "type": "per_token",
        "inputPerMillion": "1",
        "outputPerMillion": "2",
        "text": ["prompt"],
        "maxTokens": "max_tokens",
        "overheadTokens": 10,
    }

    assert price(pricing, prompt="héllo", max_tokens=50) == Decimal("0.000116")  # 10 + 6 bytes + 2 x 50
    assert price(pricing) == Decimal("0.00021")


def test_a_part_of_a_millionth_of_a_dollar_is_rounded_up() -> None:
    third = {"type": "per_second", "amount": "0.000001", "frames": "frames", "fps": "fps"}

    assert price(third, frames=1, fps=3) == Decimal("0.000001")
    assert price(third, frames=4, fps=3) == Decimal("0.000002")


def test_a_quote_has_the_time_and_says_how_the_price_was_worked_out() -> None:
    one = model({"type": "per_second", "amount": "0.06", "frames": "frames", "fps": "fps"})

    found = quote(one, validate_parameters(one, {"frames": 14}))

    assert found == Quote(Decimal("0.14"), 7.0, "$0.06 a second x 2.333 s")


def test_a_price_that_is_set_to_zero_is_known() -> None:
    assert price(0) == Decimal(0)
    assert price({"type": "fixed", "amount": "0"}) == Decimal(0)


def test_an_absent_price_is_an_error_and_not_zero() -> None:
    one = model(None)

    with pytest.raises(UnknownPriceError, match="price of one is not known"):
        quote(one, validate_parameters(one, {}))


@pytest.mark.parametrize(
    ("pricing", "params", "words"),
    [
        (
            {"type": "per_image", "amount": "1", "count": "n"},
            {"n": "four"},
            "n, which is not a positive number",
        ),
        ({"type": "per_image", "amount": "1", "count": "n"}, {"n": 0}, "not a positive"),
        ({"type": "per_image", "amount": "1", "count": "n"}, {"n": -1}, "not a positive"),
        ({"type": "per_image", "amount": "1", "count": "n"}, {"n": True}, "not a positive"),
        ({"type": "per_image", "amount": "1", "count": "n"}, {"n": None}, "not a positive"),
        (
            {"type": "by_resolution", "resolution": "n", "amounts": AMOUNTS},
            {"n": "8k"},
            "known for n 480p, 1080p, not 8k",
        ),
    ],
)
def test_a_price_that_depends_on_something_odd_is_an_error(
    pricing: dict[str, Any], params: dict[str, Any], words: str
) -> None:
    one = model(pricing, params=None, supportedParams=["n"], required=["n"])

    with pytest.raises(UnknownPriceError, match=words):
        quote(one, validate_parameters(one, params))


@pytest.mark.parametrize(
    ("model_id", "params", "amount"),
    [
        ("flux-schnell", {"prompt": "a cat"}, "0.003"),
        ("flux-schnell", {"prompt": "a cat", "num_outputs": 4}, "0.012"),
        ("sdxl", {"prompt": "a cat"}, "0.01"),
        ("stability-video", {"image": "https://example.com/a.png"}, "0.05"),
        ("musicgen", {"prompt": "a waltz"}, "0.02"),
        ("musicgen", {"prompt": "a waltz", "duration": 30}, "0.075"),
        ("llama-3-8b", {"prompt": "hello"}, "0.000132"),
    ],
)
def test_the_shipped_models_cost_what_their_source_says(
    model_id: str, params: dict[str, Any], amount: str
) -> None:
    one = load_catalogue("config/models").get_model_config(model_id)

    assert quote(one, validate_parameters(one, params)).amount == Decimal(amount)
