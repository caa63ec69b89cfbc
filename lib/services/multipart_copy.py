"""Streams one URL into one object, over as many calls as it takes.

    call 1   begin upload   part 1   part 2 ......  the time is up: Paused(checkpoint)
    call 2   list parts     Range: from the end of part 2   part 3   part 4   complete

The multipart upload is the checkpoint. A killed worker leaves one behind; the next worker knows it by its
first part. Two workers at once write equal parts to one upload, and who comes second finds the finished
object:

    A   part 1 .. part 5   complete
    B        part 1 (known)   part 4   part 5   complete -> gone -> the object is there
"""

import hashlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from lib.domain import media_keys
from lib.domain.errors import OutputError
from lib.domain.sniff import SNIFF_BYTES
from lib.domain.stored_output import (
    ContentType,
    CopiedObject,
    CopyCheckpoint,
    CopyLimits,
    OutputFault,
    OutputTarget,
    Paused,
)
from lib.ports.storage import MediaBucket, OutputSource, UploadedPart, UploadGoneError
from lib.services.part_writer import PartWriter, leading_parts
from lib.services.place_output import classify, find_placed, place_whole, placed_by_another
from lib.services.resuming_reader import OutputChangedError, ResumingReader


@dataclass(kw_only=True)
class MultipartCopy:
    """One call's work on one URL; the ports and limits are those of `copy_output`."""

    url: str
    target: OutputTarget
    bucket: MediaBucket
    source: OutputSource
    limits: CopyLimits
    stop: Callable[[], bool]

    def __post_init__(self) -> None:
        self._upload: CopyCheckpoint | None = None

    def run(self, checkpoint: CopyCheckpoint | None) -> CopiedObject | Paused:
        """Begin, or go on from `checkpoint`; begins again if the output has changed or the upload is gone.

        An error that a later call may survive leaves the upload for it; any other drops it.
        """
        self._upload = checkpoint
        for _ in range(self.limits.restarts + 1):
            try:
                return self._begin() if self._upload is None else self._go_on(self._upload)
            except OutputChangedError:
                self._drop_upload()
            except UploadGoneError:
                self._upload = None
                if there := find_placed(self.bucket, self.target):
                    return there
            except OutputError as error:
                if not error.retryable:
                    self._drop_upload()
                raise
        message = "The output cannot be fetched: it changed while it was read, again and again."
        raise OutputError(message, code=OutputFault.UNAVAILABLE, retryable=True)

    def _begin(self) -> CopiedObject | Paused:
        size = self.limits.part_bytes
        with closing(self._reader(start=0)) as reader:
            first = self._fill(reader, size, check=self._refuse_wrong_type)
            if first is None:
                return Paused()
            if len(first) < size:
                return place_whole(self.bucket, self.target, first)
            left = self._left_behind(first, reader)
            if left is None:
                self._upload = upload = self._new_upload(first, reader)
                return self._write(reader, upload, stored=[], first=first)
        self._upload = left
        return self._go_on(left)

    def _go_on(self, upload: CopyCheckpoint) -> CopiedObject | Paused:
        parts = self.bucket.list_parts(upload.key, upload.upload_id)
        stored = leading_parts(parts, upload.part_bytes)
        if not stored:
            raise OutputChangedError
        start = sum(part.size for part in stored)
        with closing(self._reader(start, upload.total, upload.validator)) as reader:
            return self._write(reader, upload, stored=stored)

    def _write(
        self,
        reader: ResumingReader,
        upload: CopyCheckpoint,
        *,
        stored: list[UploadedPart],
        first: bytes = b"",
    ) -> CopiedObject | Paused:
        with PartWriter(self.bucket, upload, stored, self.limits.parts_in_flight) as writer:
            if first:
                writer.add(first)
            while True:
                body = self._fill(reader, upload.part_bytes)
                if body:
                    writer.add(body)
                if body is None or len(body) < upload.part_bytes:
                    break
            parts = writer.parts()
        return Paused(upload) if body is None else self._complete(upload, parts)

    def _complete(self, upload: CopyCheckpoint, parts: list[UploadedPart]) -> CopiedObject:
        if not self.bucket.complete_upload(upload.key, upload.upload_id, parts):
            self._drop_upload()
            return placed_by_another(self.bucket, self.target)
        content = ContentType(upload.content_type, upload.key.rpartition(".")[2])
        return CopiedObject(upload.key, content, sum(part.size for part in parts))

    def _fill(
        self, reader: ResumingReader, size: int, check: Callable[[bytearray], bool] | None = None
    ) -> bytes | None:
        """The next `size` bytes, fewer only at the end; None if the time was up. `check` is asked until it agrees."""
        buffer = bytearray()
        while len(buffer) < size:
            if self.stop():
                return None
            data = reader.read(min(self.limits.read_bytes, size - len(buffer)))
            if not data:
                break
            buffer += data
            if check is not None and check(buffer):
                check = None
        return bytes(buffer)

    def _refuse_wrong_type(self, buffer: bytearray) -> bool:
        """A wrong type shows after the first kilobytes, not only after the first part."""
        if len(buffer) < SNIFF_BYTES:
            return False
        classify(bytes(buffer[:SNIFF_BYTES]), self.target.media_type)
        return True

    def _place(self, first: bytes) -> tuple[str, ContentType]:
        content = classify(first, self.target.media_type)
        return media_keys.output_key(self.target, content.extension), content

    def _new_upload(self, first: bytes, reader: ResumingReader) -> CopyCheckpoint:
        key, content = self._place(first)
        upload_id = self.bucket.begin_upload(key, content.mime, media_keys.object_metadata(self.target))
        return CopyCheckpoint(upload_id, key, content.mime, len(first), reader.total, reader.validator)

    def _left_behind(self, first: bytes, reader: ResumingReader) -> CopyCheckpoint | None:
        """An unfinished upload of this output that has this very first part."""
        key, content = self._place(first)
        digest = hashlib.md5(first, usedforsecurity=False).hexdigest()
        for upload_id in self.bucket.unfinished_uploads(key):
            parts = leading_parts(self.bucket.list_parts(key, upload_id), len(first))
            if parts and parts[0].etag == digest:
                return CopyCheckpoint(
                    upload_id, key, content.mime, len(first), reader.total, reader.validator
                )
        return None

    def _drop_upload(self) -> None:
        if self._upload is not None:
            self.bucket.abort_upload(self._upload.key, self._upload.upload_id)
            self._upload = None

    def _reader(self, start: int, total: int | None = None, validator: str | None = None) -> ResumingReader:
        return ResumingReader(
            self.source,
            self.url,
            max_bytes=self.limits.max_bytes,
            resumes=self.limits.resumes,
            start=start,
            total=total,
            validator=validator,
        )
