"""Objects and unfinished uploads as files in a directory: what the S3 endpoint of the benchmark keeps.

An object is a directory of its parts and never copied together: completing an upload costs nothing, as on S3.
"""

import shutil
import threading
import uuid
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BufferedIOBase
from pathlib import Path

_CHUNK = 1024 * 1024


@dataclass(frozen=True)
class Part:
    """One part on disk; `etag` has no quotes."""

    path: Path
    size: int
    etag: str


@dataclass
class Upload:
    """An upload that was begun, or, once complete, an object."""

    key: str
    headers: Mapping[str, str]
    directory: Path
    parts: dict[int, Part] = field(default_factory=dict)
    begun_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def size(self) -> int:
        """All bytes of all parts."""
        return sum(part.size for part in self.parts.values())


class ObjectFiles:
    """What one bucket holds; safe between threads."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        self.objects: dict[str, Upload] = {}
        self.uploads: dict[str, Upload] = {}

    def begin(self, key: str, headers: Mapping[str, str]) -> str:
        """A new upload's id; `headers` are given back with the object."""
        upload_id = uuid.uuid4().hex
        directory = self._directory / upload_id
        directory.mkdir(parents=True)
        with self._lock:
            self.uploads[upload_id] = Upload(key, headers, directory)
        return upload_id

    def write_part(self, upload_id: str, number: int, body: BufferedIOBase, size: int) -> Part:
        """Write the next `size` bytes of `body` to disk. KeyError for an upload that is none."""
        upload = self.uploads[upload_id]
        path = upload.directory / f"{number:05d}"
        checksum, left = 0, size
        with path.open("wb") as file:
            while left:
                data = body.read(min(left, _CHUNK))
                if not data:
                    raise ConnectionError("the body broke off")
                checksum, left = zlib.crc32(data, checksum), left - len(data)
                file.write(data)
        part = Part(path, size, f"{checksum:032x}")
        with self._lock:
            upload.parts[number] = part
        return part

    def complete(self, upload_id: str, numbers: list[int], *, only_if_absent: bool) -> Upload | None:
        """The object of these parts; None if one is there already and must not be replaced."""
        with self._lock:
            upload = self.uploads[upload_id]
            if only_if_absent and upload.key in self.objects:
                return None
            upload.parts = {number: upload.parts[number] for number in sorted(numbers)}
            self.objects[upload.key] = self.uploads.pop(upload_id)
        return upload

    def drop(self, upload_id: str) -> None:
        """Forget an upload with its files. KeyError for one that is none."""
        with self._lock:
            upload = self.uploads.pop(upload_id)
        shutil.rmtree(upload.directory)

    def delete(self, key: str) -> None:
        """Forget an object with its files. Harmless if there is none."""
        with self._lock:
            found = self.objects.pop(key, None)
        if found is not None:
            shutil.rmtree(found.directory)


def read(found: Upload, start: int, length: int) -> Iterator[bytes]:
    """The bytes of an object in pieces."""
    position = 0
    for _number, part in sorted(found.parts.items()):
        offset, position = position, position + part.size
        if length <= 0 or position <= start:
            continue
        with part.path.open("rb") as file:
            file.seek(start - offset)
            wanted = min(length, part.size - (start - offset))
            while wanted:
                data = file.read(min(wanted, _CHUNK))
                yield data
                wanted, start, length = wanted - len(data), start + len(data), length - len(data)
