"""One output file on the media host: where its bytes are, and how it misbehaves if asked to."""

import base64
import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from local.simulation.faults import FaultSet

HUGE_DEFAULT_BYTES = 200 * 1000**2
CHUNK_BYTES = 256 * 1024
FILLER = hashlib.sha256(b"simulated filler").digest() * 16384
HTML = b"<!doctype html><title>simulated</title><p>This is not the file that was promised.</p>\n"


@dataclass(frozen=True, eq=False)
class MediaItem:
    """A file at ``{base}/xezq/{key}/{name}``; ``key`` is random, as Replicate's paths are."""

    base: str
    name: str
    content_type: str
    path: Path
    real_size: int
    faults: FaultSet
    key: str = field(default_factory=lambda: secrets.token_urlsafe(32).replace("-", "A").replace("_", "B"))

    @property
    def url(self) -> str:
        """The address that ``output`` shows."""
        return f"{self.base}/xezq/{self.key}/{self.name}"

    @property
    def size(self) -> int:
        """How many bytes a full answer has."""
        if "empty-output" in self.faults:
            return 0
        if "wrong-type" in self.faults:
            return len(HTML)
        if "huge-output" in self.faults:
            return max(self.real_size, self.faults.size("huge-output", HUGE_DEFAULT_BYTES))
        return self.real_size

    @property
    def etag(self) -> str:
        """Stays the same as long as the bytes do."""
        return f'"{hashlib.sha256(f"{self.key}:{self.size}".encode()).hexdigest()[:32]}"'

    def read(self, start: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``start``. What a huge file has beyond the real one is made up on the way."""
        if "wrong-type" in self.faults:
            return HTML[start : start + length]
        if start < self.real_size:
            with self.path.open("rb") as file:
                file.seek(start)
                return file.read(length)
        period = len(FILLER) // 2
        offset = start % period
        return FILLER[offset : offset + min(length, period)]

    def chunks(self) -> Iterator[bytes]:
        """All of it, as a full answer has it, a piece at a time."""
        position = 0
        while position < self.size:
            piece = self.read(position, min(CHUNK_BYTES, self.size - position))
            yield piece
            position += len(piece)

    def bytes(self) -> bytes:
        """All of it at once."""
        return b"".join(self.chunks())

    def show(self, *, inline: bool) -> str:
        """The URL, or the whole file as a ``data:`` URL."""
        if not inline:
            return self.url
        data = self.read(0, self.real_size)
        return f"data:{self.content_type};base64,{base64.b64encode(data).decode()}"
