"""Of a standard request nothing is dropped in silence, whatever the model of the shipped catalogue."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.domain.media_type import MediaType
from lib.domain.model_config import ModelConfig
from lib.domain.model_input import build_input
from lib.domain.resolution_names import shape_differs
from lib.domain.standard_field import FieldKind, StandardField, ratio_of
from lib.domain.standard_fields import FIELDS
from lib.domain.standard_request import StandardRequest, read_standard_request
from lib.domain.standard_rule import StandardRule
from lib.domain.translate import translate
from lib.stores.models_source import load_catalogue

MODELS = list(load_catalogue("config/models"))
PNG = "data:image/png;base64,iVBORw0KGgo="
ADDRESS = "https://example.com/a.png"
NO_RULE = StandardRule()
SHAPES = ["16:9", "9:16", "1:1", "4:3", "3:4", "21:9", "5:3"]
SIZES = ["720p", "1080p", "4k", "1280x720", "1920x1080", "1024x1024", "1024x1536", "1536x1024", "512x512"]


def values(one: StandardField) -> st.SearchStrategy[Any]:
    """Values of a field, near its edges and near what models take."""
    match one.kind:
        case FieldKind.TEXT:
            return st.sampled_from(["cinematic", "en", "alloy", "Rachel", "x" * one.longest][:4])
        case FieldKind.CHOICE:
            return st.sampled_from(one.choices)
        case FieldKind.RATIO:
            return st.sampled_from(SHAPES)
        case FieldKind.RESOLUTION:
            return st.sampled_from(SIZES)
        case FieldKind.IMAGE:
            return st.sampled_from([ADDRESS, PNG])
        case FieldKind.IMAGES:
            return st.lists(st.sampled_from([ADDRESS, PNG]), min_size=1, max_size=4)
        case FieldKind.INTEGER:
            return st.integers(int(one.minimum), int(one.maximum)) | st.sampled_from([int(one.minimum), 1])
        case FieldKind.NUMBER:
            whole = st.integers(max(1, int(one.minimum)), min(60, int(one.maximum)))
            return whole | st.floats(one.minimum, one.maximum).map(lambda value: round(value, 2))


def requests(media_type: MediaType) -> st.SearchStrategy[dict[str, Any]]:
    """Requests of a media type; pixels only where their shape was asked for."""
    fields = FIELDS[media_type]
    return st.fixed_dictionaries(
        {one.wire: values(one) for one in fields if one.required},
        optional={one.wire: values(one) for one in fields if not one.required},
    ).map(without_contradiction)


def without_contradiction(body: dict[str, Any]) -> dict[str, Any]:
    """The request without pixels of another shape than it asks for."""
    ratio = ratio_of(body.get("aspectRatio", "1:1"))
    assert ratio is not None
    if shape_differs(body.get("resolution", "720p"), ratio):
        del body["resolution"]
    return body


def accounted_for(model: ModelConfig, request: StandardRequest) -> None:
    """Each given field is refused by name, or carried by parameters that are sent, or warned of, or made anyway."""
    found = translate(request, model)
    if not found.possible:
        assert found.errors
        assert all(error.path.startswith("request") and model.id in error.message for error in found.errors)
        return
    assert found.parameters is not None
    assert found.given is not None
    build_input(model, found.parameters)
    sizes = {model.sizes.width, model.sizes.height} if model.sizes else set()
    for one in request.given:
        names = found.carried[one.name]
        rule = model.standard.get(one.name, NO_RULE)
        warned = any(warning.startswith(f"{one.wire}: ") for warning in found.warnings)
        assert names or warned or rule.only, one.name
        for name in names:
            assert name in found.given
            assert name in found.parameters.values or name in sizes
        value = request.values[one.name]
        if (
            rule.to
            and not rule.values
            and not rule.scale
            and not warned
            and one.kind is not FieldKind.RESOLUTION
        ):
            sent = found.given[rule.to]
            assert holds(sent, value) or str(sent).startswith(str(value)), one.name


def holds(sent: Any, value: Any) -> bool:
    """Whether the value was sent; pictures may be alone, in a list, or in a list of objects."""
    pictures = [next(iter(item.values())) if isinstance(item, dict) else item for item in listed(sent)]
    return bool(sent == value or pictures == listed(value))


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_every_given_field_is_sent_or_told_or_refused(model: ModelConfig, data: st.DataObject) -> None:
    body = data.draw(requests(model.media_type))

    accounted_for(model, read_standard_request(model.media_type, body))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_every_model_with_rules_can_make_the_simplest_request_of_its_own_values(model: ModelConfig) -> None:
    body = {one.name: simplest(model, one) for one in FIELDS[model.media_type] if needs(model, one)}

    found = translate(read_standard_request(model.media_type, body), model)

    assert found.errors == ()


def needs(model: ModelConfig, one: StandardField) -> bool:
    """Whether a request to this model must have the field."""
    return one.required or model.standard.get(one.name, NO_RULE).to in model.needed


def simplest(model: ModelConfig, one: StandardField) -> Any:
    """A value that the model's rule takes for certain."""
    rule = model.standard.get(one.name, NO_RULE)
    if one.is_image:
        return PNG if one.kind is FieldKind.IMAGE else [PNG]
    if rule.only:
        return rule.only[0]
    if rule.values or rule.set:
        return (rule.values or rule.set)[0][0]
    if one.kind is FieldKind.RATIO:
        allowed = model.params.get(str(rule.to), {}).get("enum", SHAPES)
        return next(shape for shape in allowed if one.problem(shape) is None)
    return {FieldKind.TEXT: "a cat", FieldKind.CHOICE: one.choices[:1]}.get(one.kind, one.minimum)
