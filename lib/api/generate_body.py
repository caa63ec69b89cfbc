"""The body of `POST /generate-media`: checked as a whole, every fault with its path at once."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from lib.domain.caller import Origin
from lib.domain.errors import BadRequestError, FieldError, InvalidError
from lib.services.generate_request import GenerateRequest

LONGEST_IDEMPOTENCY_KEY = 255


class GenerateBody(BaseModel):
    """What to make, with which model."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        alias_generator=to_camel,
        json_schema_extra={
            "example": {
                "mediaType": "image",
                "modelId": "flux-schnell",
                "parameters": {"prompt": "A lighthouse at dusk, oil painting"},
            }
        },
    )

    media_type: str = Field(max_length=50, description="image, video, audio or text; GET /models lists them")
    model_id: str = Field(max_length=200, description="A model of GET /models")
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="The model's parameters, by the JSON Schema that GET /models shows"
    )
    prompt: str | None = Field(default=None, description="Short for parameters.prompt")
    user_id: str | None = Field(
        default=None, max_length=200, description="If given, it must be the user of the API key"
    )


_WIRE_NAMES = {name: to_camel(name) for name in GenerateBody.model_fields}


def read_request(
    body: Mapping[str, Any], idempotency_key: str | None, origin: Origin | None = None
) -> GenerateRequest:
    """The request of a JSON object that came from there; field names in camelCase or snake_case.

    Raises:
        InvalidError: unknown or missing fields and wrong types, all at once with their paths.
        BadRequestError: an Idempotency-Key that is none.
    """
    _check_key(idempotency_key)
    named = _in_camel_case(body)
    try:
        read = GenerateBody.model_validate(named)
    except ValidationError as error:
        errors = [FieldError(_path(item["loc"]), _words(item)) for item in error.errors(include_url=False)]
        raise InvalidError("the request is wrong", errors=errors) from error
    return GenerateRequest(
        media_type=read.media_type,
        model_id=read.model_id,
        parameters=read.parameters,
        prompt=read.prompt,
        user_id=read.user_id,
        idempotency_key=idempotency_key,
        raw_hash=canonical_hash(named),
        origin=origin or Origin(),
    )


def canonical_hash(body: Mapping[str, Any]) -> str:
    """SHA-256 of the body as JSON with sorted names and no spaces: the same request, however it was written.

    Raises InvalidError for text that is no Unicode (half of a surrogate pair).
    """
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    try:
        return hashlib.sha256(canonical.encode()).hexdigest()
    except UnicodeEncodeError as error:
        raise InvalidError("a text holds half of a surrogate pair: it is not valid Unicode") from error


def _check_key(key: str | None) -> None:
    if key is None:
        return
    if not 1 <= len(key) <= LONGEST_IDEMPOTENCY_KEY or not key.isascii() or not key.isprintable():
        problem = f"must be 1 to {LONGEST_IDEMPOTENCY_KEY} printable ASCII characters"
        raise BadRequestError(f"Idempotency-Key {problem}", errors=[FieldError("Idempotency-Key", problem)])


def _in_camel_case(body: Mapping[str, Any]) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for name, value in body.items():
        wire_name = _WIRE_NAMES.get(name, name)
        if wire_name in named:
            problem = f"stands twice, as {wire_name} and in snake_case; send one"
            raise InvalidError(f"{wire_name} {problem}", errors=[FieldError(wire_name, problem)])
        named[wire_name] = value
    return named


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part)[:100] for part in location) or "body"


def _words(item: Mapping[str, Any]) -> str:
    match item["type"]:
        case "missing":
            return "is required"
        case "extra_forbidden":
            return f"is not known; known are {', '.join(_WIRE_NAMES.values())}"
        case "string_type":
            return "must be a string"
        case "dict_type":
            return "must be an object"
        case _:
            return str(item["msg"])
