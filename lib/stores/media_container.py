"""Opens video and audio by PyAV (FFmpeg), which is imported only when a file is opened."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

from lib.domain.stored_output import ContentType
from lib.stores.pictures import unreadable

if TYPE_CHECKING:
    from av.container import InputContainer

_DEMUXERS = {
    "mp4": "mp4",
    "mov": "mov",
    "m4a": "mp4",
    "webm": "matroska",
    "weba": "matroska",
    "mkv": "matroska",
    "avi": "avi",
    "ogv": "ogg",
    "ogg": "ogg",
    "mp3": "mp3",
    "wav": "wav",
    "flac": "flac",
    "aac": "aac",
    "aiff": "aiff",
}


@contextmanager
def open_container(file: BinaryIO, content: ContentType) -> "Iterator[InputContainer]":
    """The opened container; whatever fails inside is `OutputError` `output_unreadable`.

    The demuxer is named, never guessed: FFmpeg's playlist formats would fetch addresses that a file names.
    """
    import av  # noqa: PLC0415 -- only store_result has it
    from av.error import FFmpegError  # noqa: PLC0415 -- only store_result has it

    try:
        with av.open(
            file, mode="r", format=_DEMUXERS[content.extension], metadata_errors="replace"
        ) as container:
            yield container
    except (FFmpegError, ValueError, EOFError) as error:
        raise unreadable(error) from error


def duration_seconds(container: "InputContainer", stream: Any) -> float | None:
    """The playing time: the container's word, else the stream's, else the end of its last packet."""
    if container.duration:
        return float(container.duration) / 1_000_000
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return _last_end(container, stream)


def _last_end(container: "InputContainer", stream: Any) -> float | None:
    end = 0.0
    for packet in container.demux(stream):
        if packet.pts is not None and packet.time_base:
            end = max(end, float((packet.pts + (packet.duration or 0)) * packet.time_base))
    return end or None
