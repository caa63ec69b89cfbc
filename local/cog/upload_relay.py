"""Puts files of any size into the gateway's bucket for a Cog server that runs beside it. Standard library alone.

Cog sends a file to its upload address in one go. At the gateway API Gateway takes a body of 10 MB and Lambda one of
6 MB in base64, so that larger files would be refused before anybody sees them. This relay takes the file on this
machine, asks the gateway without it where it belongs, and puts it there:

    Cog ──file──> relay ──no body──> gateway: 307 to the bucket
                    └────file──────> bucket

    python upload_relay.py --gateway "https://cog:TOKEN@HOST/upload/cog/" --port 5001
    python -m cog.server.http --upload-url http://127.0.0.1:5001/
"""

import argparse
import base64
import os
import tempfile
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from typing import IO, Any
from urllib.parse import SplitResult, unquote, urlsplit

CHUNK = 1 << 20
ASK_SECONDS, PUT_SECONDS = 10.0, 25.0  # Cog itself gives up after 25 s


class RelayError(Exception):
    """A step was answered otherwise than it should; the message says which and how."""


class Relay(ThreadingHTTPServer):
    """Serves on this machine alone. `gateway` is the gateway's upload address, with its token before the host."""

    def __init__(self, gateway: str, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        parts = urlsplit(gateway)
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        self.gateway = parts
        self.authorization = f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"

    def put(self, filename: str, prediction_id: str, content_type: str, file: IO[bytes], size: int) -> str:
        """Put the file into the bucket and return its address there, without the signature. Raises RelayError."""
        target = urlsplit(self._place(filename, prediction_id))
        headers = {"Content-Type": content_type, "Content-Length": str(size)}
        status, _ = _put(target, f"{target.path}?{target.query}", headers, file)
        if not 200 <= status < 300:
            raise RelayError(f"the bucket answered HTTP {status}")
        return f"{target.scheme}://{target.netloc}{target.path}"

    def _place(self, filename: str, prediction_id: str) -> str:
        headers = {
            "Authorization": self.authorization,
            "X-Prediction-ID": prediction_id,
            "Content-Length": "0",
        }
        path = f"{self.gateway.path.rstrip('/')}/{filename}"
        status, answer = _put(self.gateway, path, headers)
        place = answer.get("location", "")
        if status != 307 or not place.startswith(("https://", "http://")):
            raise RelayError(f"the gateway answered HTTP {status} instead of an address")
        return place


class _Handler(BaseHTTPRequestHandler):
    """One upload; `Location` tells Cog the address that it is to report."""

    server: Relay

    def do_PUT(self) -> None:
        size = int(self.headers.get("Content-Length", "-1"))
        if size < 0:
            self._answer(411)
            return
        with tempfile.TemporaryFile() as file:
            _copy(self.rfile, file, size)
            file.seek(0)
            try:
                place = self.server.put(
                    urlsplit(self.path).path.rpartition("/")[2],
                    self.headers.get("X-Prediction-ID", ""),
                    self.headers.get("Content-Type", "application/octet-stream"),
                    file,
                    os.fstat(file.fileno()).st_size,
                )
            except (RelayError, OSError) as error:
                self.log_error("not uploaded: %s", error)
                self._answer(502)
                return
        self._answer(200, {"Location": place})

    def _answer(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": "0", **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's own name
        """Names of files alone are no news; what goes wrong is written by `log_error`."""

    def log_error(self, format: str, *args: Any) -> None:  # noqa: A002 - as above
        """To standard error, as the library does."""
        super().log_message(format, *args)


def _put(
    address: SplitResult, target: str, headers: Mapping[str, str], body: IO[bytes] | None = None
) -> tuple[int, dict[str, str]]:
    seconds = ASK_SECONDS if body is None else PUT_SECONDS
    kind = HTTPSConnection if address.scheme == "https" else HTTPConnection
    connection = kind(address.hostname or "", address.port, timeout=seconds)
    try:
        connection.request("PUT", target, body=body, headers=dict(headers))
        answer = connection.getresponse()
        answer.read()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}
    finally:
        connection.close()


def _copy(source: BufferedIOBase, target: IO[bytes], size: int) -> None:
    while size > 0 and (piece := source.read(min(size, CHUNK))):
        target.write(piece)
        size -= len(piece)


def main() -> None:
    """Serve until it is stopped."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--gateway", required=True, help="the upload address of the gateway")
    parser.add_argument("--port", type=int, default=5001)
    given = parser.parse_args()
    Relay(given.gateway, given.port).serve_forever()


if __name__ == "__main__":
    main()
