"""fal's official client knows its hosts by heart: this leads them to a server on this machine."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from fal_client import SyncClient

HOSTS = ("queue.fal.run", "fal.run", "rest.fal.ai", "api.fal.ai")


class LedTo(httpx.BaseTransport):
    """Sends what is meant for fal's hosts to `url`, and everything else where it is meant to go."""

    def __init__(self, url: str) -> None:
        self._url = httpx.URL(url)
        self._inner = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """See httpx."""
        if request.url.host in HOSTS:
            there = {"scheme": self._url.scheme, "host": self._url.host, "port": self._url.port}
            request.url = request.url.copy_with(**there)
        return self._inner.handle_request(request)

    def close(self) -> None:
        """Closes the connections."""
        self._inner.close()


@contextmanager
def fal_client_of(url: str, key: str) -> Iterator[SyncClient]:
    """The official client with its own headers and retries; only where its connections lead is changed."""
    client = SyncClient(key=key)
    theirs = client._client
    theirs._transport.close()
    theirs._transport = LedTo(url)
    try:
        yield client
    finally:
        theirs.close()
