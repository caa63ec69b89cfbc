"""What the gateway knows of an output while and after it is copied to the bucket: plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from lib.domain.media_type import MediaType

MIB = 1024 * 1024


class OutputFault(StrEnum):
    """Why an output cannot be stored: the codes of `OutputError`."""

    EMPTY = "output_empty"
    TOO_LARGE = "output_too_large"
    EXPIRED = "output_expired"
    UNAVAILABLE = "output_unavailable"
    WRONG_TYPE = "output_wrong_type"
    UNREADABLE = "output_unreadable"
    FORBIDDEN_ADDRESS = "output_forbidden_address"


@dataclass(frozen=True)
class OutputTarget:
    """Whose output it is and which of the job's outputs; `created_at` is the job's: retries give one key."""

    job_id: str
    user_id: str
    model_id: str
    media_type: MediaType
    index: int
    created_at: datetime


@dataclass(frozen=True)
class ContentType:
    """What a file really is: its MIME type and our extension for it (no dot)."""

    mime: str
    extension: str


@dataclass(frozen=True)
class CopyLimits:
    """How much is taken at once and in all; sizes in bytes.

    `part_bytes` is S3's part (at least 5 MiB there). At most `parts_in_flight` + 1 parts are in memory.
    `resumes` is how often one call continues a broken download, `restarts` how often it begins anew.
    `inline_bytes` bounds texts and data URLs, which are held in memory.
    """

    max_bytes: int = 5 * 1024 * MIB
    part_bytes: int = 8 * MIB
    read_bytes: int = MIB // 4
    parts_in_flight: int = 3
    resumes: int = 4
    restarts: int = 2
    inline_bytes: int = 32 * MIB


@dataclass(frozen=True)
class CopyCheckpoint:
    """A multipart upload that was begun: what the next call needs to continue it by range.

    How far it came is not here: the bucket's list of parts says that. `validator` is the source's strong ETag
    or its Last-Modified, `total` the source's length; None where the source does not tell.
    """

    upload_id: str
    key: str
    content_type: str
    part_bytes: int
    total: int | None = None
    validator: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The form in which a queue message carries it."""
        return {
            "uploadId": self.upload_id,
            "key": self.key,
            "contentType": self.content_type,
            "partBytes": self.part_bytes,
            "total": self.total,
            "validator": self.validator,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `as_json`; raises KeyError or ValueError for anything else."""
        total = data.get("total")
        return cls(
            upload_id=str(data["uploadId"]),
            key=str(data["key"]),
            content_type=str(data["contentType"]),
            part_bytes=int(data["partBytes"]),
            total=None if total is None else int(total),
            validator=data.get("validator"),
        )


@dataclass(frozen=True)
class CopiedObject:
    """One output in the bucket.

    `sha256` (hex) is known if one call read all of it; `reused` says that it was there before.
    """

    key: str
    content: ContentType
    size: int
    sha256: str | None = None
    reused: bool = False


@dataclass(frozen=True)
class MediaFacts:
    """What decoding says of a file: pixels as shown (rotation applied), seconds, codecs."""

    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None
    fps: float | None = None
    video_codec: str | None = None
    audio_codec: str | None = None

    @property
    def has_audio(self) -> bool:
        """Whether there is a sound track."""
        return self.audio_codec is not None


@dataclass(frozen=True)
class Preview:
    """A small picture of an output, ready to be stored beside it."""

    content: ContentType
    body: bytes = field(repr=False)
    width: int
    height: int


@dataclass(frozen=True)
class StoredOutput:
    """One output, stored, probed and with its preview.

    `thumbnail_key` belongs to images and videos, `waveform_key` to audio; both None if none could be drawn,
    and then `preview_fault` says why (it is not fatal; the caller counts it).
    """

    index: int
    media_type: MediaType
    copied: CopiedObject
    facts: MediaFacts
    thumbnail_key: str | None = None
    waveform_key: str | None = None
    preview_fault: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The fields of the status and of the record, camelCase; what is not known is left out."""
        values = {
            "index": self.index,
            "mediaType": self.media_type.value,
            "key": self.copied.key,
            "contentType": self.copied.content.mime,
            "size": self.copied.size,
            "sha256": self.copied.sha256,
            "width": self.facts.width,
            "height": self.facts.height,
            "durationSeconds": self.facts.duration_seconds,
            "fps": self.facts.fps,
            "videoCodec": self.facts.video_codec,
            "audioCodec": self.facts.audio_codec,
            "hasAudio": self.facts.has_audio if self.media_type is MediaType.VIDEO else None,
            "thumbnailKey": self.thumbnail_key,
            "waveformKey": self.waveform_key,
        }
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True)
class Paused:
    """The time was up. Call again with `checkpoint`; None means that no whole part was stored yet."""

    checkpoint: CopyCheckpoint | None = None
