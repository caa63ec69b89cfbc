"""Learns what a stored file is by decoding it: a `MediaProbe` with Pillow and PyAV."""

from fractions import Fraction
from typing import Any, BinaryIO

from lib.domain.errors import OutputError
from lib.domain.stored_output import ContentType, MediaFacts, OutputFault
from lib.stores.media_container import duration_seconds, open_container
from lib.stores.pictures import decodable, load_picture, open_picture, shown_size, unreadable


class DecodingProbe:
    """Pictures are decoded whole, of video and sound the first frames: enough to know that they play."""

    def probe(self, file: BinaryIO, content: ContentType) -> MediaFacts:
        """See `MediaProbe.probe`."""
        family = content.mime.partition("/")[0]
        if family == "audio":
            return _sound(file, content)
        if family == "video":
            return _video(file, content)
        return _picture(file)


def _picture(file: BinaryIO) -> MediaFacts:
    with open_picture(file) as picture:
        if decodable(picture):
            load_picture(picture)
        width, height = shown_size(picture)
    return MediaFacts(width=width, height=height)


def _video(file: BinaryIO, content: ContentType) -> MediaFacts:
    with open_container(file, content) as container:
        if not container.streams.video:
            raise _without_track(content, "picture")
        stream = container.streams.video[0]
        sound = next(iter(container.streams.audio), None)
        frame = _first_frame(container, stream)
        width, height = frame.width, frame.height
        if frame.rotation % 180:
            width, height = height, width
        return MediaFacts(
            width=width,
            height=height,
            duration_seconds=_rounded(duration_seconds(container, stream)),
            fps=_rounded(_rate(stream)),
            video_codec=stream.codec_context.codec.canonical_name,
            audio_codec=sound.codec_context.codec.canonical_name if sound else None,
        )


def _sound(file: BinaryIO, content: ContentType) -> MediaFacts:
    with open_container(file, content) as container:
        if not container.streams.audio:
            raise _without_track(content, "sound")
        stream = container.streams.audio[0]
        _first_frame(container, stream)
        return MediaFacts(
            duration_seconds=_rounded(duration_seconds(container, stream)),
            audio_codec=stream.codec_context.codec.canonical_name,
        )


def _first_frame(container: Any, stream: Any) -> Any:
    frame = next(iter(container.decode(stream)), None)
    if frame is None:
        raise unreadable("it has no frame")
    return frame


def _rate(stream: Any) -> float | None:
    rate: Fraction | None = stream.average_rate or stream.guessed_rate
    return float(rate) if rate else None


def _rounded(value: float | None) -> float | None:
    """To microseconds: what FFmpeg measures in."""
    return None if value is None else round(value, 6)


def _without_track(content: ContentType, track: str) -> OutputError:
    message = f"The output is {content.mime} without a {track} track."
    return OutputError(message, code=OutputFault.WRONG_TYPE)
