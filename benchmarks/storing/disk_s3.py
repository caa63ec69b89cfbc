"""An S3 endpoint that writes to disk: just what storing an output asks of S3, for any one bucket by path.

Neither signatures nor checksums are looked at. Run as `python -m benchmarks.storing.disk_s3 DIRECTORY`; it
prints its port. Source: docs.aws.amazon.com/AmazonS3/latest/API/
"""

import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from benchmarks.storing.object_files import ObjectFiles, Upload, read

_RANGE = re.compile(r"bytes=(\d+)-(\d+)")
_PART_NUMBER = re.compile(rb"<PartNumber>(\d+)</PartNumber>")
_KEPT = ("content-type", "x-amz-meta-")
_DAY = "%Y-%m-%dT%H:%M:%S.000Z"


class DiskS3Server(ThreadingHTTPServer):
    """Holds the files that its handlers share."""

    request_queue_size = 64

    def __init__(self, directory: Path, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), DiskS3Handler)
        self.files = ObjectFiles(directory)


class DiskS3Handler(BaseHTTPRequestHandler):
    """Objects and multipart uploads; an operation that it does not know is refused with 501."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: DiskS3Server

    def do_GET(self) -> None:
        """GetObject, ListObjectsV2, ListParts or ListMultipartUploads."""
        key, query = self._target()
        if "uploadId" in query:
            self._with_upload(query["uploadId"], self._list_parts)
        elif "uploads" in query:
            self._list_uploads(query.get("prefix", ""))
        elif not key:
            self._list_objects(query.get("prefix", ""))
        else:
            self._send_object(key, with_body=True)

    def do_HEAD(self) -> None:
        """HeadObject."""
        self._send_object(self._target()[0], with_body=False)

    def do_PUT(self) -> None:
        """UploadPart or PutObject."""
        key, query = self._target()
        size = int(self.headers["Content-Length"])
        files = self.server.files
        if "aws-chunked" in self.headers.get("Content-Encoding", ""):
            self._error(501, "NotImplemented")
        elif "partNumber" in query:
            if query["uploadId"] not in files.uploads:
                self.close_connection = True
                self._error(404, "NoSuchUpload")
                return
            part = files.write_part(query["uploadId"], int(query["partNumber"]), self.rfile, size)
            self._answer(200, headers={"ETag": f'"{part.etag}"'})
        else:
            upload_id = files.begin(key, self._kept_headers())
            part = files.write_part(upload_id, 1, self.rfile, size)
            if files.complete(upload_id, [1], only_if_absent=self._only_if_absent()) is None:
                files.drop(upload_id)
                self._error(412, "PreconditionFailed")
                return
            self._answer(200, headers={"ETag": f'"{part.etag}"'})

    def do_POST(self) -> None:
        """CreateMultipartUpload or CompleteMultipartUpload."""
        key, query = self._target()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "uploads" in query:
            upload_id = self.server.files.begin(key, self._kept_headers())
            self._xml(
                "InitiateMultipartUploadResult", f"<Key>{escape(key)}</Key><UploadId>{upload_id}</UploadId>"
            )
        elif "uploadId" in query:
            numbers = [int(number) for number in _PART_NUMBER.findall(body)]
            self._complete(query["uploadId"], numbers)
        else:
            self._error(501, "NotImplemented")

    def do_DELETE(self) -> None:
        """AbortMultipartUpload or DeleteObject."""
        key, query = self._target()
        if "uploadId" not in query:
            self.server.files.delete(key)
        elif query["uploadId"] in self.server.files.uploads:
            self.server.files.drop(query["uploadId"])
        self._answer(204)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Nothing: standard output belongs to the port."""

    def _target(self) -> tuple[str, dict[str, str]]:
        """The key, "" for the bucket itself, and the query."""
        parts = urlsplit(self.path)
        key = unquote(parts.path).lstrip("/").partition("/")[2]
        return key, {
            name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()
        }

    def _kept_headers(self) -> dict[str, str]:
        return {name: value for name, value in self.headers.items() if name.lower().startswith(_KEPT)}

    def _only_if_absent(self) -> bool:
        return self.headers.get("If-None-Match") == "*"

    def _complete(self, upload_id: str, numbers: list[int]) -> None:
        if upload_id not in self.server.files.uploads:
            self._error(404, "NoSuchUpload")
        elif self.server.files.complete(upload_id, numbers, only_if_absent=self._only_if_absent()) is None:
            self._error(412, "PreconditionFailed")
        else:
            self._xml("CompleteMultipartUploadResult", '<ETag>"complete"</ETag>')

    def _send_object(self, key: str, *, with_body: bool) -> None:
        found = self.server.files.objects.get(key)
        if found is None:
            self._error(404, "NoSuchKey", with_body=with_body)
            return
        wanted = _RANGE.fullmatch(self.headers.get("Range", ""))
        start, length = (int(wanted[1]), int(wanted[2]) - int(wanted[1]) + 1) if wanted else (0, found.size)
        length = min(length, found.size - start)
        self.send_response(206 if wanted else 200)
        for name, value in found.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        if with_body:
            for data in read(found, start, length):
                self.wfile.write(data)

    def _with_upload(self, upload_id: str, answer: Any) -> None:
        upload = self.server.files.uploads.get(upload_id)
        if upload is None:
            self._error(404, "NoSuchUpload")
        else:
            answer(upload)

    def _list_parts(self, upload: Upload) -> None:
        items = "".join(
            f'<Part><PartNumber>{number}</PartNumber><ETag>"{part.etag}"</ETag><Size>{part.size}</Size></Part>'
            for number, part in sorted(upload.parts.items())
        )
        self._xml("ListPartsResult", f"<IsTruncated>false</IsTruncated>{items}")

    def _list_uploads(self, prefix: str) -> None:
        items = "".join(
            f"<Upload><Key>{escape(upload.key)}</Key><UploadId>{upload_id}</UploadId>"
            f"<Initiated>{upload.begun_at.strftime(_DAY)}</Initiated></Upload>"
            for upload_id, upload in list(self.server.files.uploads.items())
            if upload.key.startswith(prefix)
        )
        self._xml("ListMultipartUploadsResult", f"<IsTruncated>false</IsTruncated>{items}")

    def _list_objects(self, prefix: str) -> None:
        items = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{found.size}</Size></Contents>"
            for key, found in sorted(self.server.files.objects.items())
            if key.startswith(prefix)
        )
        self._xml("ListBucketResult", f"<IsTruncated>false</IsTruncated>{items}")

    def _xml(self, name: str, content: str, status: int = 200) -> None:
        self._answer(status, f"<{name}>{content}</{name}>".encode(), {"Content-Type": "application/xml"})

    def _error(self, status: int, code: str, *, with_body: bool = True) -> None:
        body = f"<Error><Code>{code}</Code></Error>".encode() if with_body else b""
        self._answer(status, body, {"Content-Type": "application/xml"})

    def _answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Serve until the process is ended."""
    server = DiskS3Server(Path(sys.argv[1]))
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
