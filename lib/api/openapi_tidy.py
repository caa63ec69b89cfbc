"""Makes Powertools' generated document say what is sent, in our spelling, and nothing that is not."""

from collections.abc import Mapping
from typing import Any

from lib.api.problem import CONTENT_TYPE, TITLES

Json = dict[str, Any]

_HEADER_NAMES = {"idempotency-key": "Idempotency-Key", "x-request-id": "X-Request-Id"}
_IDS = {"job_id": "jobId", "output_id": "outputId"}
_NAMES = {**_IDS, "provider_job_id": "providerJobId"}
_REQUEST_ID = {"description": "Finds everything about this request in the log", "schema": {"type": "string"}}
_RETRY_AFTER = {"description": "Seconds to wait before the next try", "schema": {"type": "integer"}}
_EXAMPLES = {
    400: ("bad_request", "the body is not JSON: Expecting value: line 1 column 1 (char 0)"),
    401: ("unauthenticated", "the API key is not known, or it was revoked"),
    403: ("forbidden", "userId must be the user of the API key; leave it out or correct it"),
    404: ("not_found", "there is no job 01890a5d-ac96-774b-bcce-b302099a8057"),
    409: ("conflict", "the job is completed already; it cannot be canceled any more"),
    413: ("too_large", "the body is over the limit of 1048576 bytes"),
    422: ("invalid_parameters", "steps is not known; known are prompt, aspect_ratio, seed"),
    429: ("rate_limited", "more than 1000 jobs were started this hour; try again in 1800 seconds"),
    503: ("record_unavailable", "The record of jobs is not available right now; try again shortly."),
}


def tidied(document: Json, content_types: Mapping[str, str]) -> Json:
    """The document with our parameter names, headers and examples; `content_types` are those of text answers."""
    paths = {_path(path): item for path, item in document["paths"].items()}
    for path, item in paths.items():
        for operation in item.values():
            operation["parameters"] = [_parameter(each) for each in operation.get("parameters", [])]
            for status, response in operation["responses"].items():
                _response(response, int(status))
            if path in content_types:
                text = {content_types[path]: {"schema": {"type": "string"}}}
                operation["responses"]["200"]["content"] = text
    schemas = {
        name: schema
        for name, schema in document["components"]["schemas"].items()
        if "ValidationError" not in name
    }
    document = {**document, "paths": paths, "components": {**document["components"], "schemas": schemas}}
    plain: Json = _plain(document)
    return plain


def _path(path: str) -> str:
    for ours, theirs in _NAMES.items():
        path = path.replace(f"{{{ours}}}", f"{{{theirs}}}")
    return path


def _parameter(given: Json) -> Json:
    schema = {name: value for name, value in given["schema"].items() if name != "description"}
    kinds = [kind for kind in schema.pop("anyOf", []) if kind != {"type": "null"}]
    name = str(_HEADER_NAMES.get(given["name"], given["name"]))
    if name in _IDS:
        schema["format"] = "uuid"
    return {**given, "name": _NAMES.get(name, name), "schema": {**schema, **(kinds[0] if kinds else {})}}


def _response(response: Json, status: int) -> None:
    headers = response.setdefault("headers", {})
    headers["X-Request-Id"] = _REQUEST_ID
    if status == 302:
        response.pop("content", None)
    if status in (429, 503):
        headers["Retry-After"] = _RETRY_AFTER
    problem = response.get("content", {}).get(CONTENT_TYPE)
    if problem is not None:
        problem["example"] = _example(status)


def _example(status: int) -> Json:
    code, detail = _EXAMPLES[status]
    return {
        "type": f"/docs#problem-{code}",
        "title": TITLES[status],
        "status": status,
        "detail": detail,
        "code": code,
        "success": False,
        "retryable": status in (429, 503),
        "errors": [{"path": "parameters.steps", "message": detail}] if status == 422 else [],
        "requestId": "4f6c1f0e-5d0c-4a57-9d53-0f9be1c7a1d2",
    }


def _plain(value: Any, *, names: bool = False) -> Any:
    """Without the titles that pydantic derives from names, and with whole numbers written as such.

    `names` says that the keys of `value` are names of properties, not keywords.
    """
    if isinstance(value, dict):
        return {
            key: _plain(item, names=key in ("properties", "schemas", "example"))
            for key, item in value.items()
            if names or key != "title" or not isinstance(item, str) or "version" in value
        }
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
