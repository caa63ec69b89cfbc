"""Width and height for a model that knows shapes: mapped with a warning, or refused with what would be right."""

from typing import Any

import pytest

from lib.domain.catalogue import Catalogue
from lib.domain.errors import InvalidParametersError
from lib.domain.model_config import ModelConfig
from lib.domain.model_input import build_input
from lib.domain.parameters import Parameters, validate_parameters
from lib.stores.models_source import load_catalogue


@pytest.fixture(scope="module")
def flux() -> ModelConfig:
    catalogue: Catalogue = load_catalogue("config/models")
    return catalogue.get_model_config("flux-schnell")


def asked(flux: ModelConfig, **params: Any) -> Parameters:
    return validate_parameters(flux, {"prompt": "a cat", **params})


def refusal(flux: ModelConfig, **params: Any) -> dict[str, str]:
    with pytest.raises(InvalidParametersError) as refused:
        asked(flux, **params)
    return {error.path: error.message for error in refused.value.errors}


@pytest.mark.parametrize(
    ("width", "height", "aspect_ratio", "megapixels"),
    [
        (1024, 1024, "1:1", "1"),
        (512, 512, "1:1", "0.25"),
        (1344, 768, "16:9", "1"),
        (672, 384, "16:9", "0.25"),
        (640, 1536, "9:21", "1"),
        (896, 1152, "3:4", "1"),
    ],
)
def test_a_size_that_the_model_makes_is_mapped_to_the_parameters_that_make_it(
    flux: ModelConfig, width: int, height: int, aspect_ratio: str, megapixels: str
) -> None:
    parameters = asked(flux, width=width, height=height)

    assert build_input(flux, parameters) == {
        "prompt": "a cat",
        "aspect_ratio": aspect_ratio,
        "megapixels": megapixels,
        "num_outputs": 1,
    }
    (warning,) = parameters.warnings
    assert warning.startswith(f"width {width} and height {height} were sent as aspect_ratio {aspect_ratio} ")
    assert warning.endswith(f" and megapixels {megapixels}, which makes {width}x{height} pixels.")


@pytest.mark.parametrize(
    ("width", "height", "chosen", "made"),
    [
        (1920, 1080, ("16:9", "1"), "1344x768"),
        (640, 360, ("16:9", "0.25"), "672x384"),
        (1080, 1920, ("9:16", "1"), "768x1344"),
        (600, 400, ("3:2", "0.25"), "608x416"),
        (2048, 2048, ("1:1", "1"), "1024x1024"),
    ],
)
def test_a_size_of_a_shape_that_the_model_makes_is_mapped_to_the_nearest_and_said_so(
    flux: ModelConfig, width: int, height: int, chosen: tuple[str, str], made: str
) -> None:
    parameters = asked(flux, width=width, height=height)

    assert (parameters.values["aspect_ratio"], parameters.values["megapixels"]) == chosen
    assert f"makes {made} pixels, not {width}x{height}." in parameters.warnings[0]


def test_a_whole_float_is_a_width_too(flux: ModelConfig) -> None:
    assert asked(flux, width=1024.0, height=1024).values["aspect_ratio"] == "1:1"


def test_a_shape_that_the_model_cannot_make_is_refused_with_those_that_it_can(flux: ModelConfig) -> None:
    found = refusal(flux, width=1000, height=900)

    assert set(found) == {"parameters.width"}
    assert "1000x900 has the shape 10:9" in found["parameters.width"]
    assert "1:1, 16:9, 21:9, 3:2, 2:3, 4:5, 5:4, 3:4, 4:3, 9:16, 9:21" in found["parameters.width"]
    assert "nearest size is 1088x896" in found["parameters.width"]


def test_a_width_without_a_height_is_refused(flux: ModelConfig) -> None:
    assert set(refusal(flux, width=1024)) == {"parameters.height"}
    assert set(refusal(flux, height=1024)) == {"parameters.width"}


def test_a_size_that_contradicts_the_shape_is_refused(flux: ModelConfig) -> None:
    found = refusal(flux, width=1024, height=1024, aspect_ratio="16:9")

    assert found == {"parameters.width": "1024x1024 contradicts aspect_ratio 16:9: give one of them"}


def test_a_size_beside_the_shape_or_megapixels_that_it_has_is_taken(flux: ModelConfig) -> None:
    assert asked(flux, width=1920, height=1080, aspect_ratio="16:9").values["megapixels"] == "1"
    assert asked(flux, width=1024, height=1024, megapixels="0.25").values["megapixels"] == "0.25"


def test_a_wrong_width_is_told_once(flux: ModelConfig) -> None:
    assert refusal(flux, width=True, height=1024) == {"parameters.width": "must be an integer, not true"}


def test_without_a_size_nothing_is_warned_of(flux: ModelConfig) -> None:
    assert asked(flux, aspect_ratio="21:9").warnings == ()
