"""A real HTTP server on loopback that does to each request what the test says, faults included."""

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Received:
    """One request as it came in; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    peer: tuple[str, int]


Act = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Records the request, then lets the next act of the script answer; the last act repeats."""

    protocol_version = "HTTP/1.1"
    server: "ScriptedServer"

    def _serve(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.released.wait(self.server.seconds_before_body)
        body = self.rfile.read(length)
        peer = (str(self.client_address[0]), int(self.client_address[1]))
        self.server.received.append(Received(self.command, self.path, headers, body, peer))
        acts = self.server.acts
        (acts.pop(0) if len(acts) > 1 else acts[0])(self)

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - the base class looks for these names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the base class
        """Say nothing."""


class ScriptedServer(ThreadingHTTPServer):
    """The server; `received` grows with each request, `released` frees the handlers that wait.

    With `seconds_before_body` a request's body is left in the socket for so long.
    """

    daemon_threads = True
    block_on_close = True

    def __init__(self, acts: list[Act]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.acts = acts
        self.received: list[Received] = []
        self.released = threading.Event()
        self.seconds_before_body = 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep quiet about peers that went away: that is what is tested."""


@contextmanager
def serving(*acts: Act, tls: ssl.SSLContext | None = None) -> Iterator[ScriptedServer]:
    """Run a server with this script for the length of a test, over TLS if there is a context."""
    server = ScriptedServer(list(acts))
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass(frozen=True)
class Say:
    """Answer with this status, body and headers; `close` ends the connection without a word about it."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    close: bool = False

    def __call__(self, handler: Handler) -> None:
        handler.send_response(self.status)
        for name, value in {"Content-Length": str(len(self.body)), **self.headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(self.body)
        handler.close_connection = handler.close_connection or self.close


def never_answer(handler: Handler) -> None:
    """Take the request and say nothing until the test ends."""
    handler.server.released.wait(30)
    handler.close_connection = True


def reset(handler: Handler) -> None:
    """Take the request and reset the connection."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.wfile.close()
    handler.rfile.close()
    handler.connection.close()


def garbage(handler: Handler) -> None:
    """Answer with what is no HTTP."""
    handler.wfile.write(b"\x00\x01\x02 this is not HTTP\r\n\r\n")
    handler.close_connection = True


def drip_headers(handler: Handler) -> None:
    """Send a header byte by byte until the client goes or the test ends, for ten seconds at most."""
    handler.send_response(200)
    handler.flush_headers()
    for _ in range(1000):
        if handler.server.released.wait(0.01):
            break
        handler.wfile.write(b"x")
    handler.close_connection = True


def drip(handler: Handler) -> None:
    """Promise a body, and send it byte by byte until the client goes or the test ends."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    while not handler.server.released.wait(0.01):
        handler.wfile.write(b"x")
    handler.close_connection = True
