"""Puts a whole output into the bucket under its one key, and finds one that is there already."""

import hashlib

from lib.domain import media_keys
from lib.domain.errors import OutputError, UnavailableError
from lib.domain.media_type import MediaType
from lib.domain.sniff import SNIFF_BYTES, content_of, sniff
from lib.domain.stored_output import ContentType, CopiedObject, OutputFault, OutputTarget
from lib.ports.storage import MediaBucket


def find_placed(bucket: MediaBucket, target: OutputTarget) -> CopiedObject | None:
    """The output as an earlier or concurrent call stored it, whatever its type; None if there is none."""
    wanted = media_keys.object_metadata(target)
    for key in bucket.find(media_keys.output_prefix(target)):
        info = bucket.head(key)
        if info is None or not info.size:
            continue
        if all(info.metadata.get(name) == wanted[name] for name in ("job-id", "output-index")):
            content = content_of(info.content_type, target.media_type)
            content = content or ContentType(info.content_type, key.rpartition(".")[2])
            return CopiedObject(key, content, info.size, info.metadata.get("sha256"), reused=True)
    return None


def placed_by_another(bucket: MediaBucket, target: OutputTarget) -> CopiedObject:
    """The object that a concurrent worker was faster to store; `UnavailableError` if it does not show yet."""
    there = find_placed(bucket, target)
    if there is None:
        raise UnavailableError("Another worker is storing this output at this moment.")
    return there


def place_whole(bucket: MediaBucket, target: OutputTarget, body: bytes) -> CopiedObject:
    """Store an output that is in memory. `OutputError`: `output_empty`, `output_wrong_type`."""
    if not body:
        raise OutputError("The output is empty: it has no bytes.", code=OutputFault.EMPTY)
    content = classify(body, target.media_type, whole=True)
    digest = hashlib.sha256(body).hexdigest()
    key = media_keys.output_key(target, content.extension)
    metadata = media_keys.object_metadata(target, digest)
    if bucket.put(key, body, content_type=content.mime, metadata=metadata, only_if_absent=True):
        return CopiedObject(key, content, len(body), digest)
    return placed_by_another(bucket, target)


def classify(head: bytes, media_type: MediaType, *, whole: bool = False) -> ContentType:
    """What the output is, by its first bytes; `OutputError` `output_wrong_type` if a model may not make that."""
    content = sniff(head if whole else head[:SNIFF_BYTES], media_type, whole=whole)
    if content is None:
        shown = head[:16].decode("ascii", "backslashreplace")
        message = f"The output is not of a known {media_type} type: it begins with {shown!r}."
        raise OutputError(message, code=OutputFault.WRONG_TYPE)
    return content
