"""The body of `POST /generate-media`: checked as a whole, every fault with its path at once."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError
from pydantic.alias_generators import to_camel

from lib.domain.caller import Origin
from lib.domain.errors import BadRequestError, FieldError, InvalidError
from lib.domain.media_type import MediaType
from lib.domain.standard_request import request_schema
from lib.services.gateway_request import GatewayRequest

LONGEST_IDEMPOTENCY_KEY = 255


_STANDARD: dict[str, JsonValue] = {
    "anyOf": [*(request_schema(media_type) for media_type in MediaType), {"type": "null"}]
}


class GenerateBody(BaseModel):
    """What to make: with a model of your choice and its own parameters, or by a standard request."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        alias_generator=to_camel,
        json_schema_extra={
            "example": {
                "mediaType": "image",
                "modelId": "flux-schnell",
                "parameters": {"prompt": "A lighthouse at dusk, oil painting"},
            },
            "examples": [
                {
                    "mediaType": "image",
                    "modelId": "flux-schnell",
                    "parameters": {"prompt": "A lighthouse at dusk, oil painting"},
                },
                {
                    "mediaType": "video",
                    "request": {
                        "prompt": "A lighthouse at dusk",
                        "aspectRatio": "16:9",
                        "motionIntensity": 4,
                        "duration": 8,
                    },
                },
            ],
        },
    )

    media_type: str = Field(max_length=50, description="image, video, audio or text; GET /models lists them")
    model_id: str | None = Field(
        default=None,
        max_length=200,
        description="A model of GET /models. Without it the gateway chooses one that honours the `request`",
    )
    provider: str | None = Field(
        default=None, max_length=50, description="A provider of GET /providers: choose among its models alone"
    )
    parameters: dict[str, Any] | None = Field(
        default=None, description="The model's own parameters, by the JSON Schema that GET /models shows"
    )
    request: dict[str, Any] | None = Field(
        default=None,
        description="A standard request, instead of parameters; names in camelCase or snake_case",
        json_schema_extra=_STANDARD,
    )
    prompt: str | None = Field(default=None, description="Short for parameters.prompt or request.prompt")
    fallback: bool = Field(
        default=True,
        description="Whether one of the model's fallbacks may be tried after a failure that cost nothing",
    )
    user_id: str | None = Field(
        default=None, max_length=200, description="If given, it must be the user of the API key"
    )


_WIRE_NAMES = {name: to_camel(name) for name in GenerateBody.model_fields}


def read_request(
    body: Mapping[str, Any], idempotency_key: str | None, origin: Origin | None = None
) -> GatewayRequest:
    """The request of a JSON object that came from there; field names in camelCase or snake_case.

    Raises:
        InvalidError: unknown or missing fields and wrong types, all at once with their paths; or fields that do not
            go together.
        BadRequestError: an Idempotency-Key that is none.
    """
    _check_key(idempotency_key)
    named = _in_camel_case(body)
    try:
        read = GenerateBody.model_validate(named)
    except ValidationError as error:
        errors = [FieldError(_path(item["loc"]), _words(item)) for item in error.errors(include_url=False)]
        raise InvalidError("the request is wrong", errors=errors) from error
    _check_together(read)
    return GatewayRequest(
        media_type=read.media_type,
        model_id=read.model_id,
        provider=read.provider,
        parameters=read.parameters or {},
        request=read.request,
        prompt=read.prompt,
        user_id=read.user_id,
        idempotency_key=idempotency_key,
        raw_hash=canonical_hash(named),
        origin=origin or Origin(),
        fallback=read.fallback,
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


def _check_together(read: GenerateBody) -> None:
    if read.parameters is not None and read.request is not None:
        problem = "cannot be given with parameters: a request is standard, or in a model's own words"
        raise InvalidError("the request is wrong", errors=[FieldError("request", problem)])
    if read.parameters is not None and read.model_id is None:
        problem = (
            "is required with parameters, which are a model's own; or send request, and the gateway chooses"
        )
        raise InvalidError("the request is wrong", errors=[FieldError("modelId", problem)])


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
        case "bool_type":
            return "must be true or false"
        case _:
            return str(item["msg"])
