"""Where an output lives in the bucket: `media/{userId}/{mediaType}/{yyyy}/{mm}/{dd}/{jobId}/{index}.{ext}`.

Every key follows from the job alone (the date is the job's, in UTC): a repeated copy writes the same object.
"""

import hashlib
from datetime import UTC
from urllib.parse import quote

from lib.domain.stored_output import OutputTarget

TEMP_PREFIX = "temp/"
LONGEST_SEGMENT = 180
"""S3 allows 1,024 bytes for the whole key."""


def safe_segment(text: str) -> str:
    """Any text as one path segment: percent-encoded but for `[A-Za-z0-9_.-]`; distinct texts stay distinct.

    There is no `..` in it; a very long text becomes `=` and its SHA-256 (`=` occurs in no other segment).
    """
    encoded = quote(text, safe="", encoding="utf-8", errors="surrogatepass").replace("~", "%7E")
    encoded = encoded.replace("..", "%2E%2E")
    if encoded == ".":
        return "%2E"
    if not encoded or len(encoded) > LONGEST_SEGMENT:
        return "=" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return encoded


def output_stem(target: OutputTarget) -> str:
    """The key of an output without its extension, such as `media/u1/image/2026/01/31/{jobId}/0`."""
    day = target.created_at.astimezone(UTC)
    user, job = safe_segment(target.user_id), safe_segment(target.job_id)
    return f"media/{user}/{target.media_type.value}/{day:%Y/%m/%d}/{job}/{target.index}"


def output_key(target: OutputTarget, extension: str) -> str:
    """The key of an output, such as `.../0.webp`."""
    return f"{output_stem(target)}.{extension}"


def output_prefix(target: OutputTarget) -> str:
    """What the key of this output begins with, whatever its type, and that of no other output or preview."""
    return f"{output_stem(target)}."


def thumbnail_key(target: OutputTarget, extension: str) -> str:
    """The key of an image's or a video's thumbnail, such as `.../0-thumb.webp`."""
    return f"{output_stem(target)}-thumb.{extension}"


def waveform_key(target: OutputTarget, extension: str) -> str:
    """The key of the picture of an audio output, such as `.../0-waveform.png`."""
    return f"{output_stem(target)}-waveform.{extension}"


def object_metadata(target: OutputTarget, sha256: str | None = None) -> dict[str, str]:
    """What is written on the object itself: whose it is, in ASCII; the hash where it was known beforehand."""
    metadata = {
        "job-id": safe_segment(target.job_id),
        "user-id": safe_segment(target.user_id),
        "model-id": quote(target.model_id[:200], safe="/:", errors="replace"),
        "media-type": target.media_type.value,
        "output-index": str(target.index),
    }
    if sha256 is not None:
        metadata["sha256"] = sha256
    return metadata
