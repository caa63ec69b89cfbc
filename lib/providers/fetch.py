"""Downloads outputs through the guard: ranges, redirects by hand, time limits; nothing secret is sent."""

import http.client
import io
import re
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from lib.domain.errors import OutputError
from lib.domain.stored_output import OutputFault
from lib.ports.storage import OutputStream
from lib.providers.guard import AddressGuard, Destination, unavailable

REDIRECTS = 5
NOTHING_LEFT = 416
_READABLE = frozenset({200, 206, NOTHING_LEFT})
_REDIRECT = frozenset({301, 302, 303, 307, 308})
_GONE = frozenset({401, 403, 404, 410})
_LATER = frozenset({408, 425, 429})
_CONTENT_RANGE = re.compile(r"bytes (?:(\d{1,18})-\d{1,18}|\*)/(\d{1,18}|\*)")


@dataclass(frozen=True)
class FetchTimes:
    """How long is waited, in seconds, and how slow a source may be.

    `answer` bounds the whole time from the request to the last header; `read` each wait for bytes. In every
    `window` of waiting a source must send at least `window_bytes`: a drip is not waited out.
    """

    connect: float = 5.0
    answer: float = 30.0
    read: float = 20.0
    window: float = 30.0
    window_bytes: int = 8 * 1024


class GuardedOutputSource:
    """An `OutputSource` over http.client, which takes no proxy or credential from its surroundings."""

    def __init__(
        self,
        guard: AddressGuard,
        times: FetchTimes | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._guard = guard
        self._times = times or FetchTimes()
        self._clock = clock

    def open(self, url: str, start: int = 0, validator: str | None = None) -> OutputStream:
        """See `OutputSource.open`. An end that lies exactly at `start` opens as an empty stream."""
        headers = {"Range": f"bytes={start}-"} if start else {}
        if start and validator:
            headers["If-Range"] = validator
        response, connection = self._follow(url, headers)
        if response.status == NOTHING_LEFT and _content_range(response.headers)[1] != start:
            connection.close()
            if not start:
                raise unavailable(f"its address answers {NOTHING_LEFT}", retryable=False)
            return self.open(url)
        return FetchedStream(response, connection, start=start, times=self._times, clock=self._clock)

    def _follow(self, url: str, headers: Mapping[str, str]) -> "tuple[http.client.HTTPResponse, _Connection]":
        for _ in range(REDIRECTS + 1):
            connection = _Connection(self._guard, self._guard.destination(url), self._times)
            response = connection.ask(headers)
            location = response.headers.get("Location")
            if response.status not in _REDIRECT or location is None:
                return _accept(response, connection), connection
            connection.close()
            url = _target(url, location)
        raise unavailable(f"more than {REDIRECTS} redirects", retryable=False)


class FetchedStream:
    """An `OutputStream` over one HTTP response."""

    def __init__(
        self,
        response: http.client.HTTPResponse,
        connection: "_Connection",
        *,
        start: int,
        times: FetchTimes,
        clock: Callable[[], float],
    ) -> None:
        self._response, self._connection = response, connection
        self._times, self._clock = times, clock
        self._waited, self._received = 0.0, 0
        self.start, self.total = _extent(response, start)
        self.validator = _validator(response.headers)
        self._nothing_left = response.status == NOTHING_LEFT

    def read(self, limit: int) -> bytes:
        """See `OutputStream.read`."""
        if self._nothing_left:
            return b""
        before = self._clock()
        self._connection.allow(self._times.read)
        try:
            data = self._response.read1(limit)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise unavailable(f"it broke off: {error or type(error).__name__}") from error
        self._check_pace(len(data), self._clock() - before)
        return data

    def close(self) -> None:
        """See `OutputStream.close`."""
        self._connection.close()

    def _check_pace(self, received: int, waited: float) -> None:
        """Only waiting counts: how long the reader was busy elsewhere is not the source's fault."""
        self._waited += waited
        self._received += received
        if self._waited < self._times.window:
            return
        if received and self._received < self._times.window_bytes:
            raise unavailable(f"{self._received} bytes in {self._waited:.0f} seconds are too slow")
        self._waited, self._received = 0.0, 0


class _Connection(http.client.HTTPConnection):
    """One guarded connection for one request; all its waiting is bounded."""

    def __init__(self, guard: AddressGuard, destination: Destination, times: FetchTimes) -> None:
        super().__init__(destination.host, destination.port)
        self._guard, self._destination, self._times = guard, destination, times
        self._timed: _TimedSocket | None = None
        self._answer: http.client.HTTPResponse | None = None

    def connect(self) -> None:
        """Dial through the guard."""
        self._timed = _TimedSocket(self._guard.connect(self._destination, self._times.connect))
        self.sock = self._timed

    def ask(self, headers: Mapping[str, str]) -> http.client.HTTPResponse:
        """Send a GET and read the answer's head."""
        sent = {
            "Host": self._destination.authority,
            "User-Agent": "vsl-media-gateway",
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            "Connection": "close",
            **headers,
        }
        try:
            self.connect()
            self.allow(self._times.answer)
            self.request("GET", self._destination.path, headers=sent)
            self._answer = self.getresponse()
            return self._answer
        except OutputError:
            self.close()
            raise
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise unavailable(f"no answer: {error or type(error).__name__}") from error

    def close(self) -> None:
        """Let go of both: http.client forgets an answer that ends with its connection."""
        if self._answer is not None:
            self._answer.close()
        super().close()

    def allow(self, seconds: float) -> None:
        """From now on, this many seconds may pass until the next bytes are complete."""
        if self._timed is not None:
            self._timed.allow(seconds)


class _TimedSocket:
    """A socket for http.client whose reads share one deadline, which single bytes do not extend."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._deadline = 0.0

    def allow(self, seconds: float) -> None:
        self._sock.settimeout(seconds)
        self._deadline = time.monotonic() + seconds

    def remaining(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        return left

    def makefile(self, _mode: str, **_: Any) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self, self._sock), 64 * 1024)

    def sendall(self, data: bytes) -> None:
        self._sock.sendall(data)

    def close(self) -> None:
        self._sock.close()


class _TimedReader(io.RawIOBase):
    def __init__(self, timed: _TimedSocket, sock: socket.socket) -> None:
        super().__init__()
        self._timed, self._sock = timed, sock
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._timed.remaining())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def _accept(response: http.client.HTTPResponse, connection: _Connection) -> http.client.HTTPResponse:
    """The response if it carries bytes; else the error that its status means."""
    status = response.status
    if status in _READABLE:
        return response
    connection.close()
    if status in _GONE:
        message = f"The output is not there any more: its address answers {status}."
        raise OutputError(message, code=OutputFault.EXPIRED)
    error = unavailable(f"its address answers {status}", retryable=status >= 500 or status in _LATER)
    pause = response.headers.get("Retry-After", "")
    if pause.isascii() and pause.isdigit():
        error.retry_after_seconds = min(float(pause), 3600.0)
    raise error


def _target(url: str, location: str) -> str:
    """Where a redirect leads; the guard has yet to look at it."""
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise unavailable("it redirects to what is no address", retryable=False) from error


def _extent(response: http.client.HTTPResponse, asked: int) -> tuple[int, int | None]:
    """Where the body begins in the whole output, and how long the whole is if known."""
    if response.status == http.HTTPStatus.OK:
        return 0, response.length
    begin, total = _content_range(response.headers)
    return (asked if begin is None else begin), total


def _content_range(headers: Any) -> tuple[int | None, int | None]:
    found = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", "").strip())
    if found is None:
        return None, None
    begin, total = found.groups()
    return (int(begin) if begin else None), (int(total) if total != "*" else None)


def _validator(headers: Any) -> str | None:
    etag = headers.get("ETag", "").strip()
    if etag.startswith('"'):
        return str(etag)
    return headers.get("Last-Modified") or None
