"""A request's body as bytes: JSON, a form, or multipart/form-data."""

import json
from collections.abc import Mapping
from urllib.parse import urlencode

from urllib3.fields import RequestField
from urllib3.filepost import encode_multipart_formdata

from lib.domain.errors import ConfigurationError, InvalidError
from lib.domain.http_exchange import FormPart, HttpRequest


def encoded_body(request: HttpRequest) -> tuple[bytes, str] | None:
    """The body and its Content-Type; None for a request without one.

    Raises `InvalidError` for an input that cannot be written so, `ConfigurationError` when an adapter gave bodies of
    more than one kind.
    """
    given = (request.json_body is not None, bool(request.parts), request.form is not None)
    if sum(given) > 1:
        raise ConfigurationError("a request has one body: JSON, a form or parts")
    if request.json_body is not None:
        return _json(request.json_body), "application/json"
    if request.form is not None:
        return _form(request.form), "application/x-www-form-urlencoded"
    return _multipart(request.parts) if request.parts else None


def _json(value: object) -> bytes:
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidError(f"the provider's input cannot be written as JSON: {error}") from error


def _form(fields: Mapping[str, str]) -> bytes:
    try:
        return urlencode(fields).encode("ascii")
    except UnicodeEncodeError as error:
        raise InvalidError(f"the provider's input cannot be written as a form: {error.reason}") from error


def _multipart(parts: tuple[FormPart, ...]) -> tuple[bytes, str]:
    """RFC 7578. Texts come first: servers that read a body as it comes know the parameters before the file."""
    ordered = sorted(parts, key=_is_binary)
    try:
        body, content_type = encode_multipart_formdata([_field(part) for part in ordered])
    except UnicodeEncodeError as error:
        raise InvalidError(f"the provider's input cannot be written as a form: {error.reason}") from error
    return body, content_type


def _is_binary(part: FormPart) -> bool:
    return part.filename is not None or isinstance(part.value, bytes)


def _field(part: FormPart) -> RequestField:
    content_type = part.content_type
    if content_type is not None and not (content_type.isascii() and content_type.isprintable()):
        raise InvalidError(f"the media type of {part.name} cannot be sent: {content_type[:100]!r}")
    value = part.value.encode() if isinstance(part.value, str) else part.value
    field = RequestField(part.name, value, filename=part.filename)
    field.make_multipart(content_type=content_type)
    return field
