"""Counts network round trips where they happen: a TCP proxy between a client and its real server.

Each time the client speaks after the server (or first) is one round trip; requests sent together without waiting are
one, however many packets they take. Opening a connection is one more, counted by itself.
"""

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit, urlunsplit

_CHUNK = 64 * 1024


class TurnCounter:
    """Listens on a free port of 127.0.0.1 and passes everything on to `url`'s server; a context manager."""

    def __init__(self, url: str) -> None:
        self._upstream = urlsplit(url)
        self._lock = threading.Lock()
        self._turns = self._opened = 0
        self._sockets: list[socket.socket] = []

    @property
    def url(self) -> str:
        """The address that was given, leading through this proxy."""
        user, at, _ = self._upstream.netloc.rpartition("@")
        return urlunsplit(self._upstream._replace(netloc=f"{user}{at}127.0.0.1:{self._port}"))

    @property
    def turns(self) -> int:
        """How many round trips there were so far, without those that opened connections."""
        with self._lock:
            return self._turns

    @property
    def opened(self) -> int:
        """How many connections were opened so far."""
        with self._lock:
            return self._opened

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True, name=f"turns-{self._port}").start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for open_socket in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)
            open_socket.close()

    def count(self) -> None:
        """One more round trip."""
        with self._lock:
            self._turns += 1

    def _accept(self) -> None:
        address = (self._upstream.hostname or "", self._upstream.port or 80)
        with contextlib.suppress(OSError):  # the listener was closed
            while True:
                client = self._listener.accept()[0]
                server = socket.create_connection(address)
                for end in (client, server):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._sockets += [client, server]
                with self._lock:
                    self._opened += 1
                _Conversation(self, client, server).begin()


class _Conversation:
    """One connection; a thread for each direction. The server's word ends a turn before the client can hear it."""

    def __init__(self, counter: TurnCounter, client: socket.socket, server: socket.socket) -> None:
        self._counter, self._client, self._server = counter, client, server
        self._client_speaks = False

    def begin(self) -> None:
        threading.Thread(target=self._pass_requests, daemon=True).start()
        threading.Thread(target=self._pass_answers, daemon=True).start()

    def _pass_requests(self) -> None:
        with contextlib.suppress(OSError):
            while data := self._client.recv(_CHUNK):
                if not self._client_speaks:
                    self._client_speaks = True
                    self._counter.count()
                self._server.sendall(data)
            self._server.shutdown(socket.SHUT_WR)

    def _pass_answers(self) -> None:
        with contextlib.suppress(OSError):
            while data := self._server.recv(_CHUNK):
                self._client_speaks = False
                self._client.sendall(data)
            self._client.shutdown(socket.SHUT_WR)
