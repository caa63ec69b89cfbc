"""A gateway and a bucket as a Cog server sees them: uploads are sent on, webhooks are kept."""

import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Queue
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from lib.domain.direct_upload import upload_key, upload_url

FINAL = (b'"status":"succeeded"', b'"status":"failed"', b'"status":"canceled"')


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    house: "UploadHouse"

    def do_POST(self) -> None:
        self.house.webhooks.put((self._headers(), self._body()))
        self._answer(200)

    def do_PUT(self) -> None:
        headers, body, path = self._headers(), self._body(), urlsplit(self.path).path
        self.house.uploads.append(headers)
        if path.startswith("/upload/") and len(body) > self.house.limit_bytes:
            self._answer(413)
        elif path.startswith("/upload/"):
            key = upload_key("cog", headers["x-prediction-id"], path.rpartition("/")[2], "00")
            self._answer(307, {"Location": f"{self.house.bucket_url}/media/{key}?X-Amz-Signature=00"})
        else:
            self.house.objects[path] = body
            self._answer(200)

    def _headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length", "0")))

    def _answer(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"content-length": "0", **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's own name
        """Nothing is written."""


class UploadHouse:
    """Runs while it is entered: one port for the gateway, another for the bucket, as they are different hosts."""

    def __init__(self) -> None:
        handler = type("Handler", (_Handler,), {"house": self})
        self._servers = [ThreadingHTTPServer(("127.0.0.1", 0), handler) for _ in range(2)]
        self.webhooks: Queue[tuple[dict[str, str], bytes]] = Queue()
        self.uploads: list[dict[str, str]] = []
        self.objects: dict[str, bytes] = {}
        self.limit_bytes = 4_500_000  # what Lambda takes, as base64 in 6 MB

    @property
    def callback_url(self) -> str:
        """Where webhooks go."""
        return f"{self._address(0)}/webhook/cog?token=t"

    @property
    def upload_url(self) -> str:
        """What the server is told to upload to."""
        return upload_url(self._address(0), "key", "cog")

    @property
    def bucket_url(self) -> str:
        """Where uploads are sent on to."""
        return self._address(1)

    def clear(self) -> None:
        """Forget everything."""
        self.uploads.clear()
        self.objects.clear()
        while not self.webhooks.empty():
            self.webhooks.get_nowait()

    def last_webhook(self, seconds: float) -> tuple[dict[str, str], bytes]:
        """The headers and the body of the next webhook that tells an end."""
        while True:
            try:
                headers, body = self.webhooks.get(timeout=seconds)
            except Empty:
                raise AssertionError("no webhook came that tells an end") from None
            if any(word in body for word in FINAL):
                return headers, body

    def __enter__(self) -> Self:
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def _address(self, index: int) -> str:
        return f"http://127.0.0.1:{self._servers[index].server_port}"
