"""An HTTP connection that knows whether any byte of a request may have left this machine, and when to give up.

The kind of an exception does not prove it: a TLS handshake that times out and an answer that does not come
are both a `ReadTimeout` to `requests`. So the connection itself notes the moment before the first write.

A socket's time limit is for one read: headers or a body that drip would outlast any limit for the whole. So
each read gets what is left of the whole, if that is less. And urllib3 sends under the limit for connecting,
which a large body may need more than: each send gets the limit for reading.
"""

import io
import math
import socket
import threading
import time
from http.client import HTTPResponse
from typing import Any, cast

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.retry import Retry

_NO_PROXIES: dict[str, str] = {}


class Departure(threading.local):
    """Whether the request that this thread is sending may have left, and its limits; each thread has its own."""

    may_have_left = False
    read_seconds = 60.0
    give_up_at = math.inf


_departure = Departure()


def _patience(read_seconds: float, give_up_at: float) -> float:
    """The seconds that one more read or write may take; raises TimeoutError when there are none left."""
    left = give_up_at - time.monotonic()
    if left <= 0:
        raise TimeoutError("the time for the whole is over")
    return min(read_seconds, left)


class _TimedReader(io.RawIOBase):
    """What comes from a socket, each read with a limit of its own."""

    def __init__(self, sock: socket.socket, read_seconds: float, give_up_at: float) -> None:
        self._sock = sock
        self._file = cast("io.RawIOBase", sock.makefile("rb", buffering=0))
        self._limits = read_seconds, give_up_at

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._file.fileno()

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(_patience(*self._limits))
        return cast("int | None", self._file.readinto(buffer))

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


class _TimedSocket:
    """A socket as `http.client` takes it for an answer."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._sock, _departure.read_seconds, _departure.give_up_at))


class _TimedResponse(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(cast("socket.socket", _TimedSocket(sock)), *args, **kwargs)


class _NotingHTTPConnection(HTTPConnection):
    response_class = _TimedResponse

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()  # raises while nothing has left
        _note_departure(self.sock)
        super().send(data)


class _NotingHTTPSConnection(HTTPSConnection):
    response_class = _TimedResponse

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        _note_departure(self.sock)
        super().send(data)


def _note_departure(sock: Any) -> None:
    seconds = _patience(_departure.read_seconds, _departure.give_up_at)
    _departure.may_have_left = True
    sock.settimeout(seconds)


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _NotingHTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _NotingHTTPSConnection


class NotingAdapter(HTTPAdapter):
    """`requests`' adapter that sends exactly once: urllib3's own retries and redirects are off.

    It is used without a `Session`: no cookies, no netrc, no environment proxies, nothing is followed.
    """

    def __init__(self) -> None:
        super().__init__(max_retries=Retry(0, redirect=False, read=False))

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Use the connections that note."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}

    def exchange(
        self, request: requests.PreparedRequest, timeout: tuple[float, float], total: float = math.inf
    ) -> requests.Response:
        """Send once and return the answer with its body unread; afterwards `may_have_left` tells.

        `timeout` has the seconds to connect and between two bytes, `total` those until the answer's last byte:
        headers and body raise a timeout when they are over.
        """
        _departure.may_have_left = False
        _departure.read_seconds, _departure.give_up_at = timeout[1], time.monotonic() + total
        return self.send(request, stream=True, timeout=timeout, verify=True, proxies=_NO_PROXIES)


def may_have_left() -> bool:
    """Whether any byte of this thread's last request may have left."""
    return _departure.may_have_left
