"""The media bucket in memory, with S3's rules: an upload's parts replace one another, a completed upload is gone."""

import hashlib
import io
import itertools
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import BinaryIO

from lib.domain.errors import NotFoundError, UnavailableError
from lib.ports.storage import ObjectInfo, UploadedPart, UploadGoneError


class FakeBucket:
    """Set `before[name]` to a callable to have it called at the start of that method (to fail, to meddle)."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}
        self.infos: dict[str, ObjectInfo] = {}
        self.uploads: dict[str, dict[int, bytes]] = {}
        self.before: dict[str, Callable[[], None]] = {}
        self.calls: list[str] = []
        self._begun: dict[str, ObjectInfo] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def head(self, key: str) -> ObjectInfo | None:
        self._called("head")
        return self.infos.get(key)

    def find(self, prefix: str) -> list[str]:
        self._called("find")
        return sorted(key for key in self.bodies if key.startswith(prefix))

    def open(self, key: str, size: int) -> BinaryIO:
        self._called("open")
        return io.BytesIO(self.read(key, 0, size))

    def read(self, key: str, start: int, length: int) -> bytes:
        self._called("read")
        if key not in self.bodies:
            raise NotFoundError(f"There is no object {key} in the bucket.")
        return self.bodies[key][start : start + length]

    def put(
        self,
        key: str,
        body: bytes,
        *,
        content_type: str,
        metadata: Mapping[str, str],
        only_if_absent: bool = False,
    ) -> bool:
        self._called("put")
        with self._lock:
            if only_if_absent and key in self.bodies:
                return False
            self.bodies[key] = body
            self.infos[key] = ObjectInfo(key, len(body), content_type, dict(metadata))
            return True

    def delete(self, key: str) -> None:
        self._called("delete")
        self.bodies.pop(key, None)
        self.infos.pop(key, None)

    def begin_upload(self, key: str, content_type: str, metadata: Mapping[str, str]) -> str:
        self._called("begin_upload")
        upload_id = f"upload-{next(self._numbers)}"
        self.uploads[upload_id] = {}
        self._begun[upload_id] = ObjectInfo(key, 0, content_type, dict(metadata))
        return upload_id

    def unfinished_uploads(self, key: str) -> list[str]:
        self._called("unfinished_uploads")
        return [upload for upload in reversed(self.uploads) if self._begun[upload].key == key]

    def upload_part(self, key: str, upload_id: str, number: int, body: bytes) -> UploadedPart:
        self._called("upload_part")
        with self._lock:
            self._parts(key, upload_id)[number] = body
        return _described(number, body)

    def list_parts(self, key: str, upload_id: str) -> list[UploadedPart]:
        self._called("list_parts")
        return [_described(number, body) for number, body in sorted(self._parts(key, upload_id).items())]

    def complete_upload(self, key: str, upload_id: str, parts: Sequence[UploadedPart]) -> bool:
        self._called("complete_upload")
        with self._lock:
            stored = self._parts(key, upload_id)
            if key in self.bodies:
                return False
            if any(
                part.number not in stored or _described(part.number, stored[part.number]) != part
                for part in parts
            ):
                raise UploadGoneError("InvalidPart")
            body = b"".join(stored[part.number] for part in parts)
            begun = self._begun[upload_id]
            self.bodies[key] = body
            self.infos[key] = ObjectInfo(key, len(body), begun.content_type, begun.metadata)
            del self.uploads[upload_id]
            return True

    def abort_upload(self, key: str, upload_id: str) -> None:
        self._called("abort_upload")
        self.uploads.pop(upload_id, None)

    def signed_url(self, key: str, expires_in: int, download_name: str | None = None) -> str:
        return f"https://bucket.example/{key}?expires={expires_in}&name={download_name or ''}"

    def _parts(self, key: str, upload_id: str) -> dict[int, bytes]:
        if upload_id not in self.uploads or self._begun[upload_id].key != key:
            raise UploadGoneError("NoSuchUpload")
        return self.uploads[upload_id]

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if name in self.before:
            self.before[name]()


def away() -> None:
    """For `FakeBucket.before`: the bucket does not answer."""
    raise UnavailableError("The bucket does not answer now: SlowDown.")


def _described(number: int, body: bytes) -> UploadedPart:
    return UploadedPart(number, hashlib.md5(body, usedforsecurity=False).hexdigest(), len(body))
