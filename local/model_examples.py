"""Examples of what each model of the catalogue takes, made from its own schemas: for the table of all models and tests.

They are small on purpose: short clips, small pictures, one of each.
"""

import base64
from collections.abc import Iterator, Mapping
from functools import cache
from io import BytesIO
from itertools import combinations, product
from typing import Any

from lib.domain.errors import InvalidParametersError
from lib.domain.media_type import MediaType
from lib.domain.model_config import ModelConfig
from lib.domain.parameter_schema import MEDIA_URI, matches
from lib.domain.parameters import validate_parameters

PROMPT = "a lighthouse on a cliff at dusk, waves below"
MOST_PARTNERS = 2
SMALL_NUMBERS = 1_000
"""A range that begins at a number this small or smaller is taken from its beginning."""


def smallest(model: ModelConfig) -> dict[str, Any]:
    """What the model needs, and no more, with the least that costs time where a parameter says how much is made.

    Raises InvalidParametersError for an entry that its own schemas refuse: a rule of it asks for more.
    """
    given = {name: _example(name, model.params.get(name, {}), model) for name in model.required}
    for name in _sizes_of_work(model):
        shorter = {**given, name: _least(model.params[name])}
        if _valid(model, shorter):
            given = shorter
    return given if _valid(model, given) else _completed(model, given)


def covering(model: ModelConfig) -> list[dict[str, Any]]:
    """Sets of parameters, each valid, that together use every parameter of the model with a value of its own."""
    base = smallest(model)
    left = [name for name in model.supported_params if name not in base]
    sets: list[dict[str, Any]] = [dict(base)]
    while True:
        chosen, rest = dict(base), []
        for name in left:
            if name in chosen:
                continue
            with_it = next(_with(model, chosen, name), None)
            if with_it is None or not chosen.keys() <= with_it.keys() | base.keys():
                rest.append(name)
            else:
                chosen = with_it
        sets.append(chosen)
        left = [name for name in rest if name not in chosen]
        if not left or len(left) == len(rest) == len(model.supported_params) or chosen == base:
            return sets


def uncovered(model: ModelConfig) -> list[str]:
    """Parameters for which no valid example was found; of a catalogue in order there are none."""
    used = {name for chosen in covering(model) for name in chosen}
    return [name for name in model.supported_params if name not in used]


def _with(model: ModelConfig, chosen: Mapping[str, Any], name: str) -> Iterator[dict[str, Any]]:
    """The set with this parameter too, wherever it is valid: with what it needs beside it, and without its rivals."""
    partners = [other for other in model.supported_params if other not in chosen and other != name]
    company = [beside for size in range(MOST_PARTNERS + 1) for beside in combinations(partners, size)]
    rivals = [None, *(other for other in chosen if other not in model.required)]
    for beside, value in product(company, _examples(name, model.params.get(name, {}), model)):
        held = {other: _example(other, model.params.get(other, {}), model) for other in beside}
        for rival in rivals:
            kept = {other: given for other, given in chosen.items() if other != rival}
            candidate = {**kept, **held, name: value}
            if _valid(model, candidate):
                yield candidate


def _completed(model: ModelConfig, given: Mapping[str, Any]) -> dict[str, Any]:
    for name in model.supported_params:
        if name not in given:
            for value in _examples(name, model.params.get(name, {}), model):
                if _valid(model, {**given, name: value}):
                    return {**given, name: value}
    validate_parameters(model, given)
    raise AssertionError


def _valid(model: ModelConfig, given: Mapping[str, Any]) -> bool:
    try:
        validate_parameters(model, given)
    except InvalidParametersError:
        return False
    return True


def _sizes_of_work(model: ModelConfig) -> list[str]:
    pricing = model.pricing
    named = (pricing.duration, pricing.frames, pricing.count) if pricing else ()
    also = ("duration", "seconds", "duration_seconds", "music_length_ms", "max_tokens")
    return [name for name in dict.fromkeys((*named, *also)) if name in model.params]


def _least(schema: Mapping[str, Any]) -> Any:
    if "enum" in schema:
        numbers = [value for value in schema["enum"] if isinstance(value, int | float)]
        return min(numbers) if numbers else schema["enum"][0]
    return schema.get("minimum", schema.get("default", 1))


def _example(name: str, schema: Mapping[str, Any], model: ModelConfig) -> Any:
    return next(_examples(name, schema, model))


def _examples(name: str, schema: Mapping[str, Any], model: ModelConfig) -> Iterator[Any]:
    """Values that are right by the schema, the one first that tells most: not the default where there is another."""
    found = [value for value in _candidates(name, schema, model) if matches(schema, value)]
    default = schema.get("default", model.defaults.get(name))
    others = [value for value in found if value != default]
    yield from others or found or [schema.get("default")]


def _candidates(name: str, schema: Mapping[str, Any], model: ModelConfig) -> Iterator[Any]:
    yield from schema.get("examples", ())
    yield from reversed(schema.get("enum", ()))
    if "const" in schema:
        yield schema["const"]
    for choice in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from _candidates(name, choice, model)
    types = schema.get("type", "string")
    for kind in (types,) if isinstance(types, str) else types:
        yield from _of_type(kind, name, schema, model)


def _of_type(kind: str, name: str, schema: Mapping[str, Any], model: ModelConfig) -> Iterator[Any]:
    match kind:
        case "string" if schema.get("format") == MEDIA_URI:
            yield _media(name, model.media_type)
        case "string":
            yield PROMPT[: schema.get("maxLength", len(PROMPT))]
            yield from (
                "en",
                "a",
                "[{prompt}]",
                "abcdefgh",
                "https://example.com/a.png",
                "21m00Tcm4TlvDq8ikWAM",
            )
        case "integer" | "number":
            yield from _numbers(schema)
        case "boolean":
            yield from (True, False)
        case "array":
            item = _example(name, schema.get("items", {}), model)
            yield [item] * max(1, schema.get("minItems", 1))
        case "object":
            properties: Mapping[str, Mapping[str, Any]] = schema.get("properties", {})
            names = schema.get("required", properties)
            yield {each: _example(each, properties.get(each, {}), model) for each in names}


def _numbers(schema: Mapping[str, Any]) -> Iterator[int | float]:
    least, most = schema.get("minimum", schema.get("exclusiveMinimum", 0)), schema.get("maximum")
    step = schema.get("multipleOf", 1)
    if least <= SMALL_NUMBERS:
        yield from (least + step, least + step * 2, least)
    if most is not None:
        yield from ((least + most) // 2, (least + most) / 2, most)
    yield from (least + 0.5, 7, 1, 2)


@cache
def _media(name: str, made: MediaType) -> str:
    """A small file that decodes, as a data URL: of the kind that the parameter's name speaks of."""
    if "audio" in name or (made is MediaType.AUDIO and "image" not in name):
        return _data_url("audio/wav", _wav())
    if "video" in name:
        return _data_url("video/mp4", _mp4())
    from PIL import Image  # noqa: PLC0415 - heavy, and for those models alone that take a picture

    picture = BytesIO()
    Image.new("RGB", (1280, 720), "teal").save(picture, "PNG")
    return _data_url("image/png", picture.getvalue())


def _mp4() -> bytes:
    import av  # noqa: PLC0415 - as above

    file = BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("h264", rate=8, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for _ in range(8):
            frame = av.VideoFrame(64, 64, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes(plane.buffer_size))
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file.getvalue()


def _wav() -> bytes:
    import wave  # noqa: PLC0415 - as above

    file = BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(16_000 * 6))
    return file.getvalue()


def _data_url(mime: str, body: bytes) -> str:
    return f"data:{mime};base64,{base64.b64encode(body).decode()}"
