"""Copies one output into the bucket, in parts, with memory that does not grow with its size."""

from collections.abc import Callable

from lib.domain.errors import OutputError
from lib.domain.media_type import MediaType
from lib.domain.provider import OutputKind, ProviderOutput
from lib.domain.stored_output import (
    CopiedObject,
    CopyCheckpoint,
    CopyLimits,
    OutputFault,
    OutputTarget,
    Paused,
)
from lib.ports.storage import MediaBucket, OutputSource
from lib.services.inline_output import PLAIN_TEXT, ObjectSource, check_inline_size, decode_data_url
from lib.services.multipart_copy import MultipartCopy
from lib.services.place_output import find_placed, place_whole


def never() -> bool:
    """A `stop` for callers with all the time in the world."""
    return False


def copy_output(
    output: ProviderOutput,
    target: OutputTarget,
    *,
    bucket: MediaBucket,
    source: OutputSource,
    limits: CopyLimits | None = None,
    stop: Callable[[], bool] = never,
    checkpoint: CopyCheckpoint | None = None,
) -> CopiedObject | Paused:
    """The output is in the bucket under its one key, or `Paused` says how to go on.

    Repeating it, even at the same time, gives one object: one that is there is used without a download.
    `stop` is asked after every read; let it say so early enough for the source's longest wait and the parts
    in flight. Raises `OutputError` (codes: `OutputFault`) and `UnavailableError` (the bucket is away; try
    again).
    """
    limits = limits or CopyLimits()
    if there := find_placed(bucket, target):
        if checkpoint is not None:
            bucket.abort_upload(checkpoint.key, checkpoint.upload_id)
        return there
    if output.kind is OutputKind.OBJECT:
        source = ObjectSource(bucket)
    if (body := _inline_body(output, target, bucket, limits.inline_bytes)) is not None:
        return place_whole(bucket, target, body)
    copy = MultipartCopy(
        url=output.value, target=target, bucket=bucket, source=source, limits=limits, stop=stop
    )
    return copy.run(checkpoint)


def _inline_body(
    output: ProviderOutput, target: OutputTarget, bucket: MediaBucket, limit: int
) -> bytes | None:
    """The bytes of an output that is in the message itself or was too long for it; None if it must be read."""
    match output.kind:
        case OutputKind.TEXT:
            body = output.value.encode("utf-8", errors="replace")
            check_inline_size(len(body), limit)
            return body
        case OutputKind.DATA_URL:
            return decode_data_url(output.value, limit)
        case OutputKind.OBJECT:
            return _parked_data_url(output.value, target, bucket, limit)
        case OutputKind.URL:
            return None
        case OutputKind.BLOB:
            raise OutputError("A blob was recorded before it became an object.", code=OutputFault.EXPIRED)


def _parked_data_url(key: str, target: OutputTarget, bucket: MediaBucket, limit: int) -> bytes | None:
    """The bytes of a data URL that was put under `temp/` as text; None if the object is the output itself."""
    there = ObjectSource(bucket).info(key)
    if target.media_type is MediaType.TEXT or there.content_type != PLAIN_TEXT:
        return None  # without a look inside, which would count as a part of the download
    if bucket.read(key, 0, 5).lower() != b"data:":
        return None
    check_inline_size(there.size, limit * 3 // 2)
    return decode_data_url(bucket.read(key, 0, there.size).decode("utf-8", "replace"), limit)
