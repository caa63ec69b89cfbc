"""What the simulator refuses, and in which words."""

from typing import Any

import pytest

from local.replicate.catalogue import Model, load_catalogue
from local.replicate.validation import check_body, check_input

CATALOGUE = load_catalogue()


def model(slug: str) -> Model:
    found = CATALOGUE.named(*slug.split("/"))
    assert found is not None
    return found


FLUX, SDXL = model("black-forest-labs/flux-schnell"), model("stability-ai/sdxl")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, ("required", "input", "prompt is required")),
        (
            {"prompt": "x", "colour": 1},
            ("additional_property_not_allowed", "input", "Additional property colour is not allowed"),
        ),
        ({"prompt": 7}, ("invalid_type", "input.prompt", "Invalid type. Expected: string, given: integer")),
        (
            {"prompt": "x", "seed": None},
            ("invalid_type", "input.seed", "Invalid type. Expected: integer, given: null"),
        ),
        (
            {"prompt": "x", "seed": 1.5},
            ("invalid_type", "input.seed", "Invalid type. Expected: integer, given: number"),
        ),
        (
            {"prompt": "x", "go_fast": 1},
            ("invalid_type", "input.go_fast", "Invalid type. Expected: boolean, given: integer"),
        ),
        (
            {"prompt": "x", "num_outputs": True},
            ("invalid_type", "input.num_outputs", "Invalid type. Expected: integer, given: boolean"),
        ),
        (
            {"prompt": "x", "num_outputs": 0},
            ("number_gte", "input.num_outputs", "Must be greater than or equal to 1"),
        ),
        (
            {"prompt": "x", "num_outputs": 5},
            ("number_lte", "input.num_outputs", "Must be less than or equal to 4"),
        ),
        (
            {"prompt": "x", "megapixels": "2"},
            ("enum", "input.megapixels", 'input.megapixels must be one of the following: "1", "0.25"'),
        ),
    ],
)
def test_a_wrong_input_is_named_with_type_field_and_description(
    values: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    kind, field, description = expected
    assert check_input(FLUX, values) == [{"type": kind, "field": field, "description": description}]


def test_all_errors_come_at_once() -> None:
    wrong = check_input(FLUX, {"num_outputs": 9, "aspect_ratio": "7:7"})
    assert [error["type"] for error in wrong] == ["required", "number_lte", "enum"]


def test_a_whole_float_is_an_integer_and_an_integer_is_a_number() -> None:
    assert check_input(SDXL, {"width": 512.0, "guidance_scale": 7}) == []


@pytest.mark.parametrize(
    ("url", "is_fine"),
    [
        ("https://a.example/x.png", True),
        ("data:image/png;base64,AAAA", True),
        ("x.png", False),
        ("file:///x", False),
    ],
)
def test_a_file_input_is_a_url(url: str, is_fine: bool) -> None:
    assert (check_input(SDXL, {"image": url}) == []) is is_fine


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"input": {}}, ""),
        ({"version": "v"}, ""),
        ({"version": "v", "input": {}, "colour": 1}, ""),
        ({"version": "v", "input": []}, "input"),
        ({"version": "v", "input": {}, "webhook": "http://somewhere.example/"}, "webhook"),
        ({"version": "v", "input": {}, "webhook_events_filter": ["begin"]}, "webhook_events_filter.0"),
    ],
)
def test_a_wrong_body_is_refused_by_field(body: dict[str, Any], field: str) -> None:
    assert [error["field"] for error in check_body(body, version_required=True)] == [field]


@pytest.mark.parametrize(
    "url", ["https://hooks.example/a?b=c", "http://127.0.0.1:8000/x?token=t", "http://localhost/x"]
)
def test_webhooks_are_https_or_on_this_machine(url: str) -> None:
    body = {"input": {}, "webhook": url, "webhook_events_filter": ["start", "completed"]}
    assert check_body(body, version_required=False) == []


def test_every_default_is_valid_and_every_reference_leads_somewhere() -> None:
    for each in CATALOGUE:
        required = dict.fromkeys(each.schemas["Input"].get("required", ()), "https://a.example/x.png")
        assert check_input(each, {**each.defaults(), **required}) == []
        assert [p["x-order"] for p in each.schemas["Input"]["properties"].values()] == list(
            range(len(each.schemas["Input"]["properties"]))
        )


def test_the_three_spellings_of_a_version_find_the_model() -> None:
    version = SDXL.versions[0]
    assert CATALOGUE.resolve(version) is SDXL
    assert CATALOGUE.resolve(f"stability-ai/sdxl:{version}") is SDXL
    assert CATALOGUE.resolve("black-forest-labs/flux-schnell") is FLUX
    assert CATALOGUE.resolve("stability-ai/sdxl") is None, "only official models go by name"
    assert CATALOGUE.resolve(f"stability-ai/other:{version}") is None
    assert CATALOGUE.resolve("0" * 64) is None
