"""An HTTP connection that knows whether any byte of a request may have left this machine.

The kind of an exception does not prove it: a TLS handshake that times out and an answer that does not come
are both a `ReadTimeout` to `requests`. So the connection itself notes the moment before the first write.
"""

import threading
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.retry import Retry

_NO_PROXIES: dict[str, str] = {}


class Departure(threading.local):
    """Whether the request that this thread is sending may have left; each thread has its own."""

    may_have_left = False


_departure = Departure()


class _NotingHTTPConnection(HTTPConnection):
    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()  # raises while nothing has left
        _departure.may_have_left = True
        super().send(data)


class _NotingHTTPSConnection(HTTPSConnection):
    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        _departure.may_have_left = True
        super().send(data)


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

    def exchange(self, request: requests.PreparedRequest, timeout: tuple[float, float]) -> requests.Response:
        """Send once and return the answer with its body unread; afterwards `may_have_left` tells."""
        _departure.may_have_left = False
        return self.send(request, stream=True, timeout=timeout, verify=True, proxies=_NO_PROXIES)


def may_have_left() -> bool:
    """Whether any byte of this thread's last request may have left."""
    return _departure.may_have_left
