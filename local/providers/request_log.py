"""Every request that a simulated provider received, as tests want to read it: all there is but the keys."""

import email.parser
import email.policy
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, parse_qsl

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local.providers.world import World, fingerprint

KEY_HEADERS = frozenset({"authorization", "xi-api-key", "x-goog-api-key", "x-api-key", "api-key"})
TEXT_LIMIT = 2000


class RequestLog:
    """Notes each request before it is answered and the answer's status afterwards; control routes are left out."""

    def __init__(self, app: ASGIApp, world: World, provider: str) -> None:
        self._app, self._world, self._provider = app, world, provider

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reads the whole body, notes it, and hands it on."""
        if scope["type"] != "http" or scope["path"].startswith("/_sim"):
            return await self._app(scope, receive, send)
        body = await _read(receive)
        entry = self._entry(scope, body)
        self._world.log.append(entry)
        handed = False

        async def replay() -> Message:
            nonlocal handed
            if handed:
                return await receive()
            handed = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry["status"] = message["status"]
            await send(message)

        return await self._app(scope, replay, noting)

    def _entry(self, scope: Scope, body: bytes) -> dict[str, Any]:
        headers = Headers(scope=scope)
        return {
            "provider": self._provider,
            "at": self._world.now().isoformat(),
            "method": scope["method"],
            "path": scope["path"],
            "query": _query(scope["query_string"].decode("latin-1")),
            "headers": {name: _masked(name, value) for name, value in headers.items()},
            "body": _body(headers.get("content-type", ""), body),
            "status": None,
        }


def masked_key(text: str) -> str:
    """A key's fingerprint, behind the scheme if it has one: ``Bearer ***1a2b3c``."""
    scheme, _, key = text.rpartition(" ")
    return f"{scheme} ***{fingerprint(key)}".strip()


def _masked(name: str, value: str) -> str:
    return masked_key(value) if name in KEY_HEADERS else value


def _query(text: str) -> dict[str, str | list[str]]:
    values = parse_qs(text, keep_blank_values=True)
    return {
        name: masked_key(found[0]) if name in ("key", "api_key") else found[0] if len(found) == 1 else found
        for name, found in values.items()
    }


async def _read(receive: Receive) -> bytes:
    parts = []
    while (message := await receive())["type"] == "http.request":
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            break
    return b"".join(parts)


def _body(content_type: str, body: bytes) -> Any:
    """JSON as it is, a form as a mapping, multipart as a list of parts, anything else as text; None without one."""
    if not body:
        return None
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return multipart_parts(content_type, body)
    if kind == "application/x-www-form-urlencoded":
        return dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
    try:
        return json.loads(body)
    except ValueError:
        return body[:TEXT_LIMIT].decode(errors="replace")


def multipart_parts(content_type: str, body: bytes) -> list[dict[str, Any]]:
    """The parts of a multipart/form-data body: name, filename, contentType, size, and the value of plain fields."""
    return [_shown(part, content) for part, content in form_parts(content_type, body)]


def form_parts(content_type: str, body: bytes) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Each part of a form: its name, filename and contentType, and its content."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    for part in message.iter_parts():
        described = {
            "name": part.get_param("name", header="content-disposition"),
            "filename": part.get_filename(),
            "contentType": part.get_content_type() if part["content-type"] else None,
        }
        content: Any = part.get_payload(decode=True)
        yield described, content or b""


def _shown(part: dict[str, Any], content: bytes) -> dict[str, Any]:
    shown = {**part, "size": len(content)}
    return shown if part["filename"] else {**shown, "value": content.decode(errors="replace")}
