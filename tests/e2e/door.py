"""A door in front of one service: a TCP relay that can be shut (refused) or frozen (accepted, and silent)."""

import contextlib
import selectors
import socket
import threading
from enum import Enum
from urllib.parse import urlsplit

CHUNK = 65536
TICK_SECONDS = 0.02


class Mode(Enum):
    """How the door stands."""

    OPEN = "open"
    SHUT = "shut"
    FROZEN = "frozen"


class Door:
    """Relays connections to `target` (set it before the first one) while it is open.

    Shutting breaks all connections and refuses new ones; what comes while it is frozen waits until it is opened. The
    answer to the first message that begins with `lose_answer_to` is lost with its connection.
    """

    def __init__(self) -> None:
        self.target = ""
        self.lose_answer_to: bytes | None = None
        self._unheard: socket.socket | None = None
        self._mode = Mode.OPEN
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._listener = self._listen(0)
        self.port = int(self._listener.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._wanted = Mode.OPEN
        self._stop = threading.Event()
        self._changed = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="door")
        self._thread.start()

    def turn(self, mode: Mode) -> None:
        """Open, shut or freeze it; returns when it stands so."""
        self._changed.clear()
        self._wanted = mode
        assert self._changed.wait(5)

    def close(self) -> None:
        """End the relay."""
        self._stop.set()
        self._thread.join(5)

    def _listen(self, port: int) -> socket.socket:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
        self._selector.register(listener, selectors.EVENT_READ)
        return listener

    def _run(self) -> None:
        while not self._stop.is_set():
            self._obey()
            if self._mode is Mode.FROZEN:
                self._stop.wait(TICK_SECONDS)
                continue
            for key, _events in self._selector.select(TICK_SECONDS):
                if key.fileobj is self._listener:
                    self._accept()
                elif isinstance(key.fileobj, socket.socket):
                    self._relay(key.fileobj)
        self._break_all()
        self._shut()

    def _obey(self) -> None:
        if self._wanted is not self._mode:
            if self._wanted is Mode.SHUT:
                self._break_all()
                self._shut()
            elif self._mode is Mode.SHUT:
                self._listener = self._listen(self.port)
            self._mode = self._wanted
        self._changed.set()

    def _shut(self) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(self._listener)
        self._listener.close()

    def _accept(self) -> None:
        near, _ = self._listener.accept()
        where = urlsplit(self.target)
        try:
            far = socket.create_connection((where.hostname, where.port), timeout=5)
        except OSError:
            near.close()
            return
        for one, other in ((near, far), (far, near)):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._pairs[one] = other
            self._selector.register(one, selectors.EVENT_READ)

    def _relay(self, source: socket.socket) -> None:
        try:
            data = source.recv(CHUNK)
            if self.lose_answer_to is not None and data.startswith(self.lose_answer_to):
                self.lose_answer_to, self._unheard = None, self._pairs[source]
            if source is self._unheard:
                self._unheard, data = None, b""
            elif data:
                self._pairs[source].sendall(data)
        except OSError:
            data = b""
        if not data:
            self._break(source)

    def _break(self, one: socket.socket) -> None:
        other = self._pairs.pop(one, None)
        for end in (one, other):
            if end is not None:
                self._pairs.pop(end, None)
                with contextlib.suppress(KeyError, ValueError):
                    self._selector.unregister(end)
                end.close()

    def _break_all(self) -> None:
        for one in list(self._pairs):
            self._break(one)
