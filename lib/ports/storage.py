"""What storing an output needs: the media bucket, the place outputs come from, and who looks at files."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

from lib.domain.stored_output import ContentType, MediaFacts, Preview


class UploadGoneError(Exception):
    """The multipart upload is no more: completed, aborted or expired, perhaps by a concurrent worker."""


@dataclass(frozen=True)
class ObjectInfo:
    """An object as the bucket describes it; metadata names are lower case."""

    key: str
    size: int
    content_type: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class UploadedPart:
    """One part of a multipart upload; `etag` without quotes (its MD5, unless the bucket uses KMS keys)."""

    number: int
    etag: str
    size: int


class MediaBucket(Protocol):
    """The operator's bucket.

    Every method raises `UnavailableError` when it is away or slow: nothing is lost, try again.
    """

    def head(self, key: str) -> ObjectInfo | None:
        """The object, or None."""
        ...

    def find(self, prefix: str) -> list[str]:
        """The keys that begin with `prefix`, sorted; at most 1,000."""
        ...

    def open(self, key: str, size: int) -> BinaryIO:
        """The object as a seekable file that fetches only what is read; reading raises as `read` does."""
        ...

    def read(self, key: str, start: int, length: int) -> bytes:
        """`length` bytes from `start`, fewer at the object's end; `NotFoundError` without such an object."""
        ...

    def put(
        self,
        key: str,
        body: bytes,
        *,
        content_type: str,
        metadata: Mapping[str, str],
        only_if_absent: bool = False,
    ) -> bool:
        """Store the object whole. False, and nothing changed, if it must be absent and is there."""
        ...

    def delete(self, key: str) -> None:
        """Remove the object; nothing happens if there is none."""
        ...

    def begin_upload(self, key: str, content_type: str, metadata: Mapping[str, str]) -> str:
        """Start a multipart upload; its id."""
        ...

    def unfinished_uploads(self, key: str) -> list[str]:
        """The ids of this key's multipart uploads that were neither completed nor aborted, newest first."""
        ...

    def upload_part(self, key: str, upload_id: str, number: int, body: bytes) -> UploadedPart:
        """Store part `number` (from 1), replacing an earlier one; `UploadGoneError`."""
        ...

    def list_parts(self, key: str, upload_id: str) -> list[UploadedPart]:
        """All parts that are stored, by number; `UploadGoneError`."""
        ...

    def complete_upload(self, key: str, upload_id: str, parts: Sequence[UploadedPart]) -> bool:
        """Make the object of exactly these parts. False if another object is at the key; `UploadGoneError`.

        `UploadGoneError` also if a part was replaced by other content meanwhile.
        """
        ...

    def abort_upload(self, key: str, upload_id: str) -> None:
        """Drop the upload and its parts; nothing happens if it is gone."""
        ...

    def signed_url(self, key: str, expires_in: int, download_name: str | None = None) -> str:
        """A URL that reads the object for `expires_in` seconds, computed without a call.

        With `download_name` a browser saves the file under that name.
        """
        ...


class OutputStream(Protocol):
    """An opened output. Close it always."""

    @property
    def start(self) -> int:
        """The offset of the first byte: what was asked for, or 0 if the source cannot continue there."""
        ...

    @property
    def total(self) -> int | None:
        """The size of the whole output in bytes, if the source tells."""
        ...

    @property
    def validator(self) -> str | None:
        """What identifies this version of the output: a strong ETag or a date."""
        ...

    def read(self, limit: int) -> bytes:
        """Some bytes, at most `limit`; empty at the end. Retryable `OutputError` if it breaks off."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


class OutputSource(Protocol):
    """Opens the URLs that providers give, from public addresses only."""

    def open(self, url: str, start: int = 0, validator: str | None = None) -> OutputStream:
        """Read from offset `start` if the output is still the one that `validator` names, else from 0.

        `OutputError`: `output_expired` (it is not there any more), `output_forbidden_address` (not a public
        https address), `output_unavailable` (retryable: the source is away, slow or overloaded).
        """
        ...


class MediaProbe(Protocol):
    """Decodes files to learn what they are."""

    def probe(self, file: BinaryIO, content: ContentType) -> MediaFacts:
        """The facts of a seekable file; `OutputError` with `output_unreadable` if it cannot be decoded.

        `output_wrong_type` if it lacks the track that its type promises.
        """
        ...


class PreviewPainter(Protocol):
    """Draws small pictures of outputs."""

    def paint(
        self, file: BinaryIO, content: ContentType, facts: MediaFacts, stop: Callable[[], bool]
    ) -> Preview:
        """A thumbnail of an image or a video, the waveform of a sound; `OutputError` if none can be drawn.

        Asked now and then, `stop` ends the work early (as an `OutputError`).
        """
        ...
