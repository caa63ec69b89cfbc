"""A TCP proxy in front of Postgres that counts round trips, and can lose a message, or the answer to one."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

CHUNK = 1 << 16


class CountingProxy:
    """Passes bytes on. `turns` has a `>` for each run of bytes to the server, and a `<` for each back.

    The connection of the first message that holds `lose_answer_to` is cut when the server answers; that of one that
    holds `lose_request` before the server gets it. `times` is how many such messages are lost.
    """

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = [self._listener]
        self._lock = threading.Lock()
        self.turns = ""
        self.lose_answer_to: bytes | None = None
        self.lose_request: bytes | None = None
        self.times = 1

    @property
    def url(self) -> str:
        """The address of the database, by way of this proxy."""
        who = self._target.netloc.rpartition("@")[0]
        host, port = self._listener.getsockname()
        return self._target._replace(netloc=f"{who}@{host}:{port}").geturl()

    def __enter__(self) -> "CountingProxy":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for each in self._sockets:
            _shut(each)

    @contextmanager
    def round_trips(self) -> Iterator[list[int]]:
        """A list that holds the number of round trips of the block, after it."""
        result: list[int] = []
        self.turns = ""
        yield result
        result.append(self.turns.count("><"))

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection((self._target.hostname, self._target.port))
                self._sockets += [client, server]
                for each in (client, server):
                    each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                muted = threading.Event()
                for way in ((client, server, ">", muted), (server, client, "<", muted)):
                    threading.Thread(target=self._pass_on, args=way, daemon=True).start()

    def _pass_on(
        self, source: socket.socket, target: socket.socket, direction: str, muted: threading.Event
    ) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK):
                with self._lock:
                    if not self.turns.endswith(direction):
                        self.turns += direction
                if direction == ">" and self._is_lost(self.lose_request, data):
                    break
                if direction == ">" and self._is_lost(self.lose_answer_to, data):
                    muted.set()
                if direction == "<" and muted.is_set():
                    break  # the server has done it
                target.sendall(data)
        _shut(source)
        _shut(target)

    def _is_lost(self, mark: bytes | None, data: bytes) -> bool:
        """Whether this is the message; after the last of them nothing is lost any more."""
        with self._lock:
            if mark is None or mark not in data:
                return False
            self.times -= 1
            if self.times == 0:
                self.lose_answer_to = self.lose_request = None
                self.times = 1
            return True


def _shut(connected: socket.socket) -> None:
    with suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)
    connected.close()
