"""Puts a blob of any size under a key that is known beforehand, with memory that does not grow with its size."""

import re
from contextlib import closing, suppress
from typing import BinaryIO

from lib.domain.errors import UnavailableError
from lib.domain.http_exchange import Blob
from lib.domain.media_type import MediaType
from lib.domain.sniff import SNIFF_BYTES, sniff
from lib.domain.stored_output import CopyCheckpoint, CopyLimits
from lib.ports.storage import MediaBucket, UploadGoneError
from lib.services.part_writer import PartWriter

OCTET_STREAM = "application/octet-stream"
_MIME = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,60}", re.ASCII)
_GUESSES = (MediaType.IMAGE, MediaType.VIDEO, MediaType.AUDIO)


def put_blob(bucket: MediaBucket, key: str, blob: Blob, limits: CopyLimits) -> None:
    """The blob is the object at `key`; a large one that is there with the same size is taken for it.

    Its type is the blob's own word, else what its first bytes say. Raises UnavailableError; then nothing half-written
    is at the key, and it may be called again.
    """
    with closing(blob.open()) as file:
        first = _read(file, limits.part_bytes)
        content_type = _content_type(blob, first)
        if len(first) < limits.part_bytes:
            bucket.put(key, first, content_type=content_type, metadata={})
            return
        upload = CopyCheckpoint(
            bucket.begin_upload(key, content_type, {}), key, content_type, limits.part_bytes, blob.size
        )
        try:
            _upload(bucket, upload, first, file, limits)
        except BaseException as error:
            _abort(bucket, upload)
            if isinstance(error, UploadGoneError):
                raise UnavailableError("The upload of an output ended before it was complete.") from error
            raise


def _upload(
    bucket: MediaBucket, upload: CopyCheckpoint, first: bytes, file: BinaryIO, limits: CopyLimits
) -> None:
    with PartWriter(bucket, upload, [], limits.parts_in_flight) as writer:
        part = first
        while part:
            writer.add(part)
            part = _read(file, upload.part_bytes)
        parts = writer.parts()
    if bucket.complete_upload(upload.key, upload.upload_id, parts):
        return
    _abort(bucket, upload)
    there = bucket.head(upload.key)
    if there is None or there.size != upload.total:
        bucket.delete(upload.key)
        raise UnavailableError("Another output was at the key of this one; it was removed.")


def _abort(bucket: MediaBucket, upload: CopyCheckpoint) -> None:
    """A courtesy: the bucket drops by itself what nobody completes, and why it failed matters more than this."""
    with suppress(Exception):
        bucket.abort_upload(upload.key, upload.upload_id)


def _read(file: BinaryIO, size: int) -> bytes:
    """Exactly `size` bytes, fewer only at the end."""
    data = bytearray()
    while len(data) < size and (piece := file.read(size - len(data))):
        data += piece
    return bytes(data)


def _content_type(blob: Blob, head: bytes) -> str:
    if _MIME.fullmatch(blob.content_type) and blob.content_type != OCTET_STREAM:
        return blob.content_type
    guesses = (sniff(head[:SNIFF_BYTES], media_type) for media_type in _GUESSES)
    return next((content.mime for content in guesses if content is not None), OCTET_STREAM)
