"""A file as a media host answers it: whole, in ranges, slowly, cut off, or with a redirect."""

import asyncio
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from local.simulation.connections import TRANSPORT, client_gone
from local.simulation.media_items import MediaItem
from local.simulation.ranges import UnsatisfiableRangeError, parse_range

CHUNK_BYTES = 256 * 1024
SLOW_SECONDS = 5.0
SLOW_STEPS = 50
INSIDE = "http://127.0.0.1:1/"
OUTSIDE = "https://example.com/out"


class FileBytes(Response):
    """A part of a file; ``slow_seconds`` lets it trickle, ``stop_at`` closes the connection early."""

    def __init__(
        self,
        item: MediaItem,
        part: tuple[int, int],
        *,
        headers: dict[str, str],
        status_code: int,
        slow_seconds: float = 0.0,
        stop_at: int | None = None,
    ) -> None:
        super().__init__(status_code=status_code, media_type=item.content_type)
        start, end = part
        self.headers.update({**headers, "content-length": str(end - start)})
        self._item, self._part, self._stop_at = item, (start, stop_at or end), stop_at
        self._slow_seconds = slow_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the part, chunk by chunk, as fast as the client reads."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if scope["method"] != "HEAD":
            async for chunk in self._chunks():
                if scope[TRANSPORT].is_closing():
                    return
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            if self._stop_at is not None:
                scope[TRANSPORT].close()
                await client_gone(receive)
                return
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _chunks(self) -> AsyncIterator[bytes]:
        position, end = self._part
        step = max(1, (end - position) // SLOW_STEPS) if self._slow_seconds else CHUNK_BYTES
        while position < end:
            chunk = self._item.read(position, min(step, end - position))
            yield chunk
            position += len(chunk)
            if self._slow_seconds:
                await asyncio.sleep(self._slow_seconds / SLOW_STEPS)


def answer_file(request: Request, item: MediaItem, owner: str) -> Response:
    """The file, or what its faults make of it; ``owner`` is shown as ``x-simulated``."""
    return _redirect(request, item) or _serve(request, owner, item)


def _redirect(request: Request, item: MediaItem) -> Response | None:
    faults = item.faults
    if "redirect-inside" in faults:
        return RedirectResponse(faults.text("redirect-inside", INSIDE), 302)
    if "redirect-outside" in faults:
        return RedirectResponse(faults.text("redirect-outside", OUTSIDE), 302)
    if "redirect-output" in faults and "redirected" not in request.query_params:
        return RedirectResponse(f"{item.url}?redirected=1", 302)
    return None


def _serve(request: Request, owner: str, item: MediaItem) -> Response:
    size = item.size
    headers = {
        "etag": item.etag,
        "accept-ranges": "bytes",
        "cache-control": "private, max-age=3600",
        "x-simulated": owner,
    }
    wanted = request.headers.get("range")
    if request.headers.get("if-range", item.etag) != item.etag:
        wanted = None
    try:
        part = parse_range(wanted, size)
    except UnsatisfiableRangeError:
        return Response(status_code=416, headers={**headers, "content-range": f"bytes */{size}"})
    slow = item.faults.seconds("slow-output", SLOW_SECONDS) if "slow-output" in item.faults else 0.0
    if part is None:
        stop_at = size // 2 if "truncated-output" in item.faults else None
        return FileBytes(
            item, (0, size), headers=headers, status_code=200, slow_seconds=slow, stop_at=stop_at
        )
    headers["content-range"] = f"bytes {part[0]}-{part[1] - 1}/{size}"
    return FileBytes(item, part, headers=headers, status_code=206, slow_seconds=slow)
