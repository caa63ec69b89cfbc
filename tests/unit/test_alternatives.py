"""A model's fallbacks are planned in order: same media type, parameters that fit, no dearer than the first quote."""

import json
from decimal import Decimal
from typing import Any

import pytest

from lib.domain.alternative import native_alternative, plan_alternatives, standard_alternative
from lib.domain.catalogue import Catalogue, load_models_config
from lib.domain.errors import InvalidError, UnknownPriceError
from lib.domain.media_type import MediaType
from lib.domain.pricing import UnpricedModels
from lib.domain.standard_request import read_standard_request
from lib.domain.translate import translate

ALLOWED = UnpricedModels.ALLOWED


def entry(price: float | None, fallbacks: tuple[str, ...] = (), **changes: Any) -> dict[str, Any]:
    """An image model with a prompt, a shape and a seed."""
    return {
        "version": "owner/name",
        "pricing": price,
        "estimatedTime": 5,
        "params": {
            "prompt": {"type": "string"},
            "shape": {"enum": ["1:1", "16:9"]},
            "seed": {"type": "integer"},
        },
        "required": ["prompt"],
        "defaults": {"shape": "1:1"},
        "standard": {"prompt": {"to": "prompt"}, "aspect_ratio": {"to": "shape"}, "seed": {"to": "seed"}},
        "fallbacks": list(fallbacks),
        **changes,
    }


@pytest.fixture(scope="module")
def models() -> Catalogue:
    other_names: dict[str, Any] = {
        "params": {"text": {"type": "string"}, "ratio": {"enum": ["square", "wide"]}},
        "required": ["text"],
        "defaults": {},
        "standard": {
            "prompt": {"to": "text"},
            "aspect_ratio": {"to": "ratio", "values": [["1:1", "square"], ["16:9", "wide"]]},
        },
    }
    return load_models_config(
        json.dumps(
            {
                "image": {
                    "first": entry(0.1, ("dear", "same", "other", "unknown", "cheap")),
                    "dear": entry(0.2),
                    "same": entry(0.1),
                    "other": entry(0.05, **other_names),
                    "unknown": entry(None),
                    "cheap": entry(0.01),
                }
            }
        )
    )


def test_native_parameters_are_planned_for_models_that_take_the_same_names(models: Catalogue) -> None:
    first = native_alternative(models.get_model_config("first"), {"prompt": "a cat"})

    found = plan_alternatives(models, first.model, first.given, first.quote)

    assert [other.model.id for other in found] == ["same", "cheap"]
    assert found[1].input == {"prompt": "a cat", "shape": "1:1"}
    assert found[1].quote.amount == Decimal("0.01")


def test_a_standard_request_is_translated_anew_for_each(models: Catalogue) -> None:
    request = read_standard_request(MediaType.IMAGE, {"prompt": "a cat", "aspectRatio": "16:9"})
    first = standard_alternative(translate(request, models.get_model_config("first")))

    found = plan_alternatives(models, first.model, request, first.quote)

    assert [other.model.id for other in found] == ["same", "other", "cheap"]
    assert found[1].input == {"text": "a cat", "ratio": "wide"}


def test_what_a_fallback_cannot_honour_leaves_it_out(models: Catalogue) -> None:
    request = read_standard_request(MediaType.IMAGE, {"prompt": "a cat", "aspectRatio": "16:9", "seed": 1})
    first = standard_alternative(translate(request, models.get_model_config("first")))

    found = plan_alternatives(models, first.model, request, first.quote)

    assert [other.model.id for other in found] == ["same", "cheap"]


def test_a_fallback_without_a_price_follows_only_a_first_without_one(models: Catalogue) -> None:
    first = native_alternative(models.get_model_config("first"), {"prompt": "a cat"})

    found = plan_alternatives(models, first.model, first.given, first.quote, ALLOWED)

    assert "unknown" not in [other.model.id for other in found]


def test_a_price_that_is_not_set_is_refused_unless_the_operator_allows_it(models: Catalogue) -> None:
    unknown = models.get_model_config("unknown")

    with pytest.raises(UnknownPriceError, match="The price of unknown is not known"):
        native_alternative(unknown, {"prompt": "a cat"})
    allowed = native_alternative(unknown, {"prompt": "a cat"}, ALLOWED)

    assert allowed.quote.amount == 0
    assert allowed.quote.known is False
    assert allowed.warnings == ("estimatedCost: the price of unknown is not known.",)


def test_a_translation_that_failed_is_no_alternative(models: Catalogue) -> None:
    request = read_standard_request(MediaType.IMAGE, {"prompt": "a cat", "aspectRatio": "3:2"})

    with pytest.raises(InvalidError, match="3:2 is not possible with first"):
        standard_alternative(translate(request, models.get_model_config("first")))
