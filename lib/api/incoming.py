"""Reading an API Gateway event (payload 2.0): headers, key, query and body, with limits."""

import base64
import binascii
import ipaddress
import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from lib.aws.redaction import redact
from lib.domain.caller import LONGEST_USER_AGENT, Origin
from lib.domain.errors import BadRequestError, TooLargeError

Event = Mapping[str, Any]

MIB = 1024 * 1024
_SAFE_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")


def header(event: Event, name: str) -> str | None:
    """A header by its lower-case name; API Gateway lowers the names, other callers may not."""
    headers: Mapping[str, str] = event.get("headers") or {}
    if name in headers:
        return headers[name]
    return next((value for given, value in headers.items() if given.lower() == name), None)


def request_id(event: Event) -> str:
    """The caller's X-Request-Id if it is 1 to 128 safe characters and no key, else API Gateway's, else a new one."""
    given = header(event, "x-request-id")
    if given and _SAFE_REQUEST_ID.fullmatch(given) and redact(given) == given:
        return given
    return str((event.get("requestContext") or {}).get("requestId") or uuid4())


def presented_key(event: Event) -> str | None:
    """The API key of `Authorization: Bearer` or `X-API-Key`, or None."""
    scheme, _, value = (header(event, "authorization") or "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    given = header(event, "x-api-key")
    return given.strip() if given else None


def origin(event: Event) -> Origin:
    """Where the request came from, by what API Gateway says of the connection; a key in its words is taken out."""
    http: Mapping[str, Any] = (event.get("requestContext") or {}).get("http") or {}
    agent = http.get("userAgent") or header(event, "user-agent")
    return Origin(
        _address(str(http.get("sourceIp", ""))), redact(str(agent))[:LONGEST_USER_AGENT] if agent else None
    )


def _address(text: str) -> str | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return None if "%" in text else str(found)  # inet knows no zone


def query(event: Event) -> Mapping[str, str]:
    """The query parameters; API Gateway joins repeated ones by commas."""
    return event.get("queryStringParameters") or {}


def raw_body(event: Event, limit_bytes: int) -> bytes:
    """The body as it was sent. Raises TooLargeError over the limit, BadRequestError for broken base64."""
    text: str = event.get("body") or ""
    if len(text) > limit_bytes * 4 // 3 + 4:
        raise _too_large(limit_bytes)
    if event.get("isBase64Encoded"):
        try:
            body = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError) as error:
            raise BadRequestError("the body is not what its transport says it is") from error
    else:
        body = text.encode("utf-8", "surrogatepass")
    if len(body) > limit_bytes:
        raise _too_large(limit_bytes)
    return body


def json_object(event: Event, limit_bytes: int = MIB, *, secret: bool = False) -> dict[str, Any]:
    """The JSON object in the body; of a `secret` one no error quotes a word, not even a name.

    Raises:
        TooLargeError: it is over the limit.
        BadRequestError: another content type, no JSON, or JSON that is no object; says where and why.
    """
    body = raw_body(event, limit_bytes)
    _check_content_type(header(event, "content-type"))
    try:
        value = json.loads(body, parse_constant=_no_constant, object_pairs_hook=_unique_names)
    except RecursionError:
        raise BadRequestError("the body is nested too deeply") from None
    except UnicodeDecodeError as error:
        raise BadRequestError("the body is not UTF-8") from error
    except ValueError as error:
        told = not secret or isinstance(error, json.JSONDecodeError)  # json's own words quote nothing
        raise BadRequestError(f"the body is not JSON{f': {error}' if told else ''}") from error
    if not isinstance(value, dict):
        raise BadRequestError("the body must be a JSON object")
    return value


def _check_content_type(value: str | None) -> None:
    kind = (value or "application/json").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise BadRequestError(f"the content type must be application/json, not {kind[:100]}")


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise ValueError(f"the name {twice[:100]!r} stands twice in one object")
    return found


def _too_large(limit_bytes: int) -> TooLargeError:
    return TooLargeError(f"the body is over the limit of {limit_bytes} bytes")
