"""A simulated OpenAI: images from words, edits by form, speech, and the list of models as the key test.

``[sim:nsfw]`` is refused by moderation, ``[sim:402]`` is a quota that is used up (429 ``insufficient_quota``).
Source: openai 3.52.0 and developers.openai.com/api/docs.
"""

import secrets
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from local.providers.access import bearer_key, world_of
from local.providers.google_answers import base64_of
from local.providers.inline import file_bytes, silence_or_end
from local.providers.openai_fields import (
    IMAGE_MODELS,
    SPEECH_MODELS,
    wrong_edit,
    wrong_image,
    wrong_speech,
)
from local.providers.refusals import refuse
from local.providers.request_log import multipart_parts
from local.providers.tasks import Status, Task
from local.providers.world import World, fingerprint, hash_of

NAME = "openai"
LOCAL_KEY = "sk-simulated-openai"
KEY_PREFIX, INVALID_PREFIX = "sk-", "sk-invalid"
TOKENS = {"low": 272, "medium": 1056, "high": 4160}
CHARACTERS_A_SECOND = 15
REFUSED = "Your request was rejected by the safety system. safety_violations=[simulated]."
_ERRORS = {
    401: ("Incorrect API key provided.", "invalid_request_error", "invalid_api_key"),
    402: ("You exceeded your current quota.", "insufficient_quota", "insufficient_quota"),
    422: ("Invalid value.", "invalid_request_error", "invalid_value"),
    429: ("Rate limit reached for requests per min.", "requests", "rate_limit_exceeded"),
    500: ("The server had an error while processing your request.", "server_error", None),
    503: ("The engine is currently overloaded, please try again later.", "server_error", None),
}
_STATUSES = {402: 429, 422: 400}


def addresses(url: str) -> dict[str, str]:
    """The adapter has one address."""
    return {"base_url": url}


def routes(_world: World) -> list[BaseRoute]:
    """OpenAI's paths."""
    return [
        Route("/v1/models", get_models),
        Route("/v1/images/generations", generate, methods=["POST"]),
        Route("/v1/images/edits", edit, methods=["POST"]),
        Route("/v1/audio/speech", speak, methods=["POST"]),
    ]


async def get_models(request: Request) -> Response:
    """``GET /v1/models``."""
    if answer := _refused(request):
        return answer
    models = [
        {"id": name, "object": "model", "owned_by": "system"} for name in (*IMAGE_MODELS, *SPEECH_MODELS)
    ]
    return JSONResponse({"object": "list", "data": models}, headers=_headers())


async def generate(request: Request) -> Response:
    """``POST /v1/images/generations``."""
    if answer := _refused(request):
        return answer
    return await _images(request, await request.json())


async def edit(request: Request) -> Response:
    """``POST /v1/images/edits``: a form with one or more images in it."""
    if answer := _refused(request):
        return answer
    content_type = request.headers.get("content-type", "")
    if not content_type.startswith("multipart/form-data"):
        return _error(
            400, "Unsupported content type: an edit is multipart/form-data.", code="unsupported_content_type"
        )
    parts = multipart_parts(content_type, await request.body())
    fields: dict[str, Any] = {part["name"]: part["value"] for part in parts if "value" in part}
    for name in ("n", "output_compression"):
        if fields.get(name, "").isdigit():
            fields[name] = int(fields[name])
    if param := wrong_edit(parts, fields):
        return _wrong_param(param, [part["name"].removesuffix("[]") for part in parts])
    return await _images(request, fields)


async def speak(request: Request) -> Response:
    """``POST /v1/audio/speech``: the audio is the answer."""
    if answer := _refused(request):
        return answer
    world, values = world_of(request), await request.json()
    faults = world.faults(NAME, values)
    if answer := refuse(world, faults, error_answer, key=hash_of(values)):
        return answer
    if answer := _wrong(values, SPEECH_MODELS, wrong_speech(values)):
        return answer
    task = world.start(
        provider=NAME,
        account=fingerprint(bearer_key(request)),
        kind="audio",
        prompt=values["input"],
        seconds=max(0.5, len(values["input"]) / CHARACTERS_A_SECOND / values.get("speed", 1.0)),
        format=values.get("response_format", "mp3"),
        faults=faults,
    )
    if answer := await silence_or_end(world, task):
        return answer
    return _failed(task) or file_bytes(task.files[0], _headers())


async def _images(request: Request, values: dict[str, Any]) -> Response:
    world = world_of(request)
    faults = world.faults(NAME, values)
    if answer := refuse(world, faults, error_answer, key=hash_of(values)):
        return answer
    if answer := _wrong(values, IMAGE_MODELS, wrong_image(values)):
        return answer
    size = values.get("size", "1024x1024")
    width, height = (1024, 1024) if size == "auto" else map(int, size.split("x"))
    file_format = values.get("output_format", "png")
    task = world.start(
        provider=NAME,
        account=fingerprint(bearer_key(request)),
        kind="image",
        prompt=values["prompt"],
        count=values.get("n", 1),
        width=width,
        height=height,
        format=file_format,
        faults=faults,
    )
    if answer := await silence_or_end(world, task):
        return answer
    if answer := _failed(task):
        return answer
    quality = values.get("quality", "auto")
    quality = "medium" if quality == "auto" else quality
    body = {
        "created": int(task.created_at.timestamp()),
        "background": "opaque",
        "data": [{"b64_json": base64_of(file)} for file in task.files],
        "output_format": file_format,
        "quality": quality,
        "size": f"{width}x{height}",
        "usage": _usage(values["prompt"], TOKENS[quality] * len(task.files)),
    }
    return JSONResponse(body, headers=_headers())


def error_answer(status: int, retry_after: int) -> Response:
    """An error as OpenAI words it; a quota that is used up and a limit that is reached are both 429."""
    message, kind, code = _ERRORS[status]
    headers = (
        {"retry-after": str(retry_after), "retry-after-ms": str(retry_after * 1000)} if status == 429 else {}
    )
    return _error(_STATUSES.get(status, status), message, kind=kind, code=code, headers=headers)


def _failed(task: Task) -> Response | None:
    if task.status is Status.SUCCEEDED:
        return None
    if task.refused:
        return _error(400, REFUSED, kind="image_generation_user_error", code="moderation_blocked")
    return error_answer(500, 1)


def _wrong(values: Mapping[str, Any], models: Sequence[str], param: str | None) -> Response | None:
    if values.get("model") not in models:
        return _error(404, f"The model `{values.get('model')}` does not exist.", code="model_not_found")
    return None if param is None else _wrong_param(param, values)


def _wrong_param(param: str, given: Collection[str]) -> Response:
    if param not in given:
        words = f"Missing required parameter: '{param}'."
        return _error(400, words, param=param, code="missing_required_parameter")
    return _error(400, f"Invalid value for '{param}'.", param=param, code="invalid_value")


def _refused(request: Request) -> Response | None:
    key = bearer_key(request)
    if not key.startswith(KEY_PREFIX) or key.startswith(INVALID_PREFIX):
        return error_answer(401, 0)
    return None


def _usage(prompt: str, output_tokens: int) -> dict[str, Any]:
    read = max(1, len(prompt) // 4)
    details = {"text_tokens": read, "image_tokens": 0}
    total = read + output_tokens
    return {
        "input_tokens": read,
        "output_tokens": output_tokens,
        "total_tokens": total,
        "input_tokens_details": details,
    }


def _headers() -> dict[str, str]:
    return {
        "x-request-id": f"req_{secrets.token_hex(16)}",
        "openai-organization": "simulated-org",
        "openai-version": "2020-10-01",
        "x-ratelimit-limit-requests": "500",
        "x-ratelimit-remaining-requests": "499",
    }


def _error(
    status: int,
    message: str,
    *,
    kind: str = "invalid_request_error",
    code: str | None = None,
    param: str | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    error = {"message": message, "type": kind, "param": param, "code": code}
    return JSONResponse({"error": error}, status, headers={**_headers(), **(headers or {})})
