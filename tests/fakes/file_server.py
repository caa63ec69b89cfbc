"""A web server on loopback whose every byte and pause the test decides."""

import re
import socket
import ssl
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

Reply = Callable[[str, socket.socket], None]


class FileServer:
    """Answers each connection by `reply(request_head, connection)`; `requests` keeps what was asked.

    With a `tls` context it speaks TLS, and `names` notes the server names that clients asked for.
    """

    def __init__(self, reply: Reply, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[str] = []
        self.names: list[str | None] = []
        self._reply, self._tls = reply, tls
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.authority = f"127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        if tls is not None:
            tls.sni_callback = lambda _socket, name, _context: self.names.append(name)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)

    def url(self, path: str = "/file") -> str:
        return f"http://{self.authority}{path}"

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            try:
                with connection:
                    self._answer(connection)
            except OSError:
                continue  # the client hung up, as some tests want

    def _answer(self, connection: socket.socket) -> None:
        if self._tls is not None:
            with self._tls.wrap_socket(connection, server_side=True) as secure:
                self._read_and_reply(secure)
        else:
            self._read_and_reply(connection)

    def _read_and_reply(self, connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            data = connection.recv(65536)
            if not data:
                return
            head += data
        self.requests.append(head.decode("latin-1"))
        self._reply(self.requests[-1], connection)


def serves(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> Reply:
    """A plain answer; `length` is what Content-Length claims."""
    fields = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers]
    head = "\r\n".join([*fields, "", ""]).encode()
    return lambda _request, connection: connection.sendall(head + body)


def serves_ranges(body: bytes, etag: str = '"v1"') -> Reply:
    """An answer that honours Range and If-Range as RFC 9110 says."""

    def reply(request: str, connection: socket.socket) -> None:
        asked = re.search(r"(?im)^range: bytes=(\d+)-", request)
        condition = re.search(r"(?im)^if-range: (.+?)\r?$", request)
        if asked is None or (condition is not None and condition[1] != etag):
            serves(body, f"ETag: {etag}")(request, connection)
            return
        start = int(asked[1])
        if start >= len(body):
            serves(b"", f"Content-Range: bytes */{len(body)}", status="416 Range Not Satisfiable")(
                request, connection
            )
            return
        span = f"Content-Range: bytes {start}-{len(body) - 1}/{len(body)}"
        serves(body[start:], span, f"ETag: {etag}", status="206 Partial Content")(request, connection)

    return reply
