"""A web server for webhooks: it keeps what it receives and answers what it is told to."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WAIT_SECONDS = 20


@dataclass(frozen=True)
class Received:
    """One request: its path with query, its headers with lowercase names, its raw body."""

    path: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """What came in, in order. ``answers`` are the statuses of the first requests; later ones get 200."""

    def __init__(self, url: str, answers: Sequence[int], location: str) -> None:
        self.url = url
        self.received: list[Received] = []
        self.answers = list(answers)
        self.location = location
        self._arrived = threading.Condition()

    def take(self, request: Received) -> int:
        """Keeps the request and says with which status to answer it."""
        with self._arrived:
            self.received.append(request)
            self._arrived.notify_all()
            return self.answers.pop(0) if self.answers else 200

    def wait_for(self, count: int) -> list[Received]:
        """The requests, once there are ``count``; fails after twenty seconds."""
        with self._arrived:
            enough = self._arrived.wait_for(lambda: len(self.received) >= count, WAIT_SECONDS)
        assert enough, f"{len(self.received)} of {count} webhooks came"
        return self.received


@contextmanager
def receiver(*answers: int, location: str = "") -> Iterator[Receiver]:
    """A receiver on a free port of this machine; ``location`` goes with answers that redirect."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(inbox.take(Received(self.path, headers, body)))
            if inbox.location:
                self.send_header("location", inbox.location)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    inbox = Receiver(f"http://127.0.0.1:{server.server_port}", answers, location)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield inbox
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
