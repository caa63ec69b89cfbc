"""Parameters are checked as a whole, and nothing is dropped in silence."""

import math
from typing import Any

import pytest

from lib.domain.catalogue import Catalogue
from lib.domain.errors import InvalidParametersError
from lib.domain.model_input import build_input
from lib.domain.parameter_limits import MAX_BYTES, MAX_DEPTH, MAX_VALUES
from lib.domain.parameters import MAX_ERRORS, merge_prompt, validate_parameters
from lib.stores.models_source import load_catalogue

PICTURE = "https://example.com/a.png"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue("config/models")


def problems(catalogue: Catalogue, model_id: str, params: Any) -> dict[str, str]:
    """What is wrong with the parameters, by path."""
    with pytest.raises(InvalidParametersError) as refused:
        validate_parameters(catalogue.get_model_config(model_id), params)
    return {error.path: error.message for error in refused.value.errors}


def sent(catalogue: Catalogue, model_id: str, params: dict[str, Any]) -> dict[str, Any]:
    """What the model would be sent."""
    model = catalogue.get_model_config(model_id)
    return build_input(model, validate_parameters(model, params))


def test_defaults_fill_what_is_not_given(catalogue: Catalogue) -> None:
    assert sent(catalogue, "flux-schnell", {"prompt": "a cat", "num_outputs": 2}) == {
        "prompt": "a cat",
        "aspect_ratio": "1:1",
        "megapixels": "1",
        "num_outputs": 2,
    }


def test_all_errors_are_told_at_once(catalogue: Catalogue) -> None:
    found = problems(
        catalogue,
        "flux-schnell",
        {"promt": "a cat", "num_outputs": "2", "num_inference_steps": 5, "output_format": "gif", "width": 8},
    )

    assert set(found) == {
        "parameters.prompt",
        "parameters.promt",
        "parameters.num_outputs",
        "parameters.num_inference_steps",
        "parameters.output_format",
        "parameters.width",
    }
    assert found["parameters.prompt"] == "is required by flux-schnell"
    assert found["parameters.promt"].startswith(
        "is not a parameter of flux-schnell. Did you mean prompt? Known: "
    )
    assert found["parameters.num_outputs"] == 'must be an integer, not "2"'
    assert found["parameters.num_inference_steps"] == "must be at most 4, not 5"
    assert found["parameters.output_format"] == 'must be one of "webp", "jpg", "png", not "gif"'
    assert found["parameters.width"] == "must be at least 64, not 8"


def test_a_flood_of_unknown_names_is_counted_rather_than_listed(catalogue: Catalogue) -> None:
    found = problems(catalogue, "flux-schnell", {"prompt": "a cat", **{f"x{n}": n for n in range(1000)}})

    assert len(found) == MAX_ERRORS + 1
    assert found["parameters"] == "and 950 more that are no parameters of flux-schnell"


def test_the_models_own_name_of_a_parameter_is_answered_with_ours(catalogue: Catalogue) -> None:
    found = problems(catalogue, "stability-video", {"image": PICTURE, "frames_per_second": 6})

    assert "It is called fps here." in found["parameters.frames_per_second"]


def test_a_whole_float_is_an_integer_and_a_boolean_is_not(catalogue: Catalogue) -> None:
    steps = sent(catalogue, "flux-schnell", {"prompt": "a cat", "num_inference_steps": 4.0})
    found = problems(
        catalogue, "flux-schnell", {"prompt": "a cat", "num_outputs": True, "seed": 1.5, "go_fast": 1}
    )

    assert repr(steps["num_inference_steps"]) == "4"
    assert found == {
        "parameters.num_outputs": "must be an integer, not true",
        "parameters.seed": "must be an integer, not 1.5",
        "parameters.go_fast": "must be a boolean, not 1",
    }


def test_a_null_is_no_value(catalogue: Catalogue) -> None:
    found = problems(catalogue, "flux-schnell", {"prompt": "a cat", "seed": None})

    assert found == {"parameters.seed": "must be an integer, not null; leave it out to take the default"}


@pytest.mark.parametrize("params", [None, [], "prompt", 7])
def test_parameters_must_be_an_object(catalogue: Catalogue, params: Any) -> None:
    assert problems(catalogue, "flux-schnell", params) == {
        "parameters": "must be an object of parameter -> value"
    }


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_is_no_json_number_is_refused(catalogue: Catalogue, number: float) -> None:
    found = problems(catalogue, "musicgen", {"prompt": "a waltz", "temperature": number})

    assert found == {"parameters.temperature": f"{number} is not a JSON number"}


@pytest.mark.parametrize("text", ["nul \x00 byte", "half \ud800 pair"])
def test_a_text_that_no_database_can_keep_is_refused(catalogue: Catalogue, text: str) -> None:
    assert set(problems(catalogue, "flux-schnell", {"prompt": text})) == {"parameters.prompt"}
    found = problems(catalogue, "flux-schnell", {"prompt": "a cat", text: 1})
    assert found["parameters"].startswith("has a name that contains")


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (nested(MAX_DEPTH), "nested deeper"),
        (nested(100_000), "nested deeper"),
        ("x" * (10 * 1024 * 1024), f"larger than {MAX_BYTES} bytes"),
        ("é" * (MAX_BYTES // 2 + 1), f"larger than {MAX_BYTES} bytes"),
        ([0] * MAX_VALUES, f"more than {MAX_VALUES} values"),
        ({"k" * MAX_BYTES: 1}, f"larger than {MAX_BYTES} bytes"),
    ],
)
def test_what_is_too_deep_or_too_large_is_refused_whatever_the_model(
    catalogue: Catalogue, value: Any, words: str
) -> None:
    found = problems(catalogue, "flux-schnell", {"prompt": value})

    assert words in found["parameters"]


def test_an_integer_of_more_than_63_bits_is_refused(catalogue: Catalogue) -> None:
    found = problems(catalogue, "llama-3-8b", {"prompt": "hello", "top_k": 2**63})

    assert found == {"parameters.top_k": "an integer of more than 63 bits"}


@pytest.mark.parametrize(
    ("address", "right"),
    [
        ("https://example.com/a.png?b=c", True),
        ("data:image/png;base64,iVBORw0KGgo=", True),
        ("http://127.0.0.1:9000/bucket/a.png", True),
        ("http://localhost/a.png", True),
        ("http://example.com/a.png", False),
        ("http://localhost.example.com/a.png", False),
        ("https://", False),
        ("https://[::1", False),
        ("https://example.com/a b.png", False),
        ("file:///etc/passwd", False),
        ("data:image/png,plain", False),
        ("", False),
        ("a.png", False),
    ],
)
def test_media_is_given_by_https_or_as_a_data_url(catalogue: Catalogue, address: str, right: bool) -> None:
    if right:
        assert sent(catalogue, "stability-video", {"image": address})["input_image"] == address
    else:
        found = problems(catalogue, "stability-video", {"image": address})
        assert "must be an https:// address or a base64 data: URL" in found["parameters.image"]


def test_a_frame_count_that_the_model_has_not_is_refused(catalogue: Catalogue) -> None:
    found = problems(catalogue, "stability-video", {"image": PICTURE, "num_frames": 20})

    assert found == {"parameters.num_frames": "must be one of 14, 25, not 20"}


@pytest.mark.parametrize(
    ("model_id", "params", "path"),
    [
        ("musicgen", {}, "prompt"),
        ("musicgen", {"prompt": "a waltz", "continuation": True}, "continuation"),
        ("musicgen", {"input_audio": PICTURE, "model_version": "large"}, "model_version"),
        ("musicgen", {"prompt": "a waltz", "multi_band_diffusion": True}, "multi_band_diffusion"),
        ("sdxl", {"prompt": "a cat", "mask": PICTURE}, "mask"),
        ("sdxl", {"prompt": "a cat", "width": 1023}, "width"),
    ],
)
def test_what_the_model_would_refuse_after_billing_is_refused_before(
    catalogue: Catalogue, model_id: str, params: dict[str, Any], path: str
) -> None:
    assert set(problems(catalogue, model_id, params)) == {f"parameters.{path}"}


@pytest.mark.parametrize(
    ("model_id", "warned"), [("flux-schnell", True), ("musicgen", True), ("sdxl", False)]
)
def test_a_seed_of_zero_is_warned_of_where_the_model_takes_it_for_none(
    catalogue: Catalogue, model_id: str, warned: bool
) -> None:
    model = catalogue.get_model_config(model_id)

    parameters = validate_parameters(model, {"prompt": "a cat", "seed": 0})

    assert build_input(model, parameters)["seed"] == 0
    told = ("seed: the model takes 0 for no seed, so the result cannot be made again.",)
    assert parameters.warnings == (told if warned else ())
    assert validate_parameters(model, {"prompt": "a cat", "seed": 1}).warnings == ()


def test_a_top_level_prompt_is_short_for_the_parameter() -> None:
    assert merge_prompt("a cat", {"seed": 1}) == {"seed": 1, "prompt": "a cat"}
    assert merge_prompt("a cat", {"prompt": "a cat"}) == {"prompt": "a cat"}
    assert merge_prompt(None, {"prompt": "a cat"}) == {"prompt": "a cat"}


def test_two_different_prompts_are_refused() -> None:
    with pytest.raises(InvalidParametersError) as refused:
        merge_prompt("a cat", {"prompt": "a dog"})

    assert [error.path for error in refused.value.errors] == ["prompt"]


def test_merging_a_prompt_leaves_the_callers_parameters_alone() -> None:
    parameters = {"seed": 1}

    merge_prompt("a cat", parameters)["seed"] = 2

    assert parameters == {"seed": 1}
