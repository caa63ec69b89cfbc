"""Draws the small picture of an output: a `PreviewPainter`. Thumbnails are WebP, at most 512 pixels a side."""

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO

from lib.domain.stored_output import ContentType, MediaFacts, Preview
from lib.stores.media_container import open_container
from lib.stores.pictures import decodable, load_picture, open_picture, reading_picture, unreadable
from lib.stores.waveform import draw_waveform

if TYPE_CHECKING:
    from PIL.Image import Image

LONGEST_SIDE = 512
QUALITY = 80
VIDEO_SHARE = 0.1
MOST_FRAMES = 600
"""So many frames are decoded after a key frame at most."""

_WEBP = ContentType("image/webp", "webp")


class PillowPainter:
    """Images and videos get a thumbnail, sounds a waveform."""

    def paint(
        self, file: BinaryIO, content: ContentType, facts: MediaFacts, stop: Callable[[], bool]
    ) -> Preview:
        """See `PreviewPainter.paint`."""
        family = content.mime.partition("/")[0]
        with reading_picture():
            if family == "audio":
                return draw_waveform(file, content, facts.duration_seconds, stop)
            if family == "video":
                return _thumbnail(_video_frame(file, content, facts.duration_seconds or 0.0, stop))
            return _image_thumbnail(file)


def _image_thumbnail(file: BinaryIO) -> Preview:
    from PIL import ImageOps  # noqa: PLC0415 -- only store_result has it

    with open_picture(file) as picture:
        if not decodable(picture):
            raise unreadable(f"{picture.width} x {picture.height} pixels are too many for a thumbnail")
        picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # JPEG: decode at a fraction of the size
        load_picture(picture)
        return _thumbnail(ImageOps.exif_transpose(picture))


def _video_frame(file: BinaryIO, content: ContentType, duration: float, stop: Callable[[], bool]) -> "Image":
    """The frame at a tenth of the playing time: the first one is often black."""
    wanted = duration * VIDEO_SHARE
    with open_container(file, content) as container:
        if not container.streams.video:
            raise unreadable("it has no picture track")
        stream = container.streams.video[0]
        if wanted > 1:
            container.seek(int(wanted * 1_000_000))
        latest: Any = None
        for count, frame in enumerate(container.decode(stream)):
            latest = frame
            if count >= MOST_FRAMES or frame.time is None or frame.time >= wanted or stop():
                break
        if latest is None:
            raise unreadable("it has no frame")
        picture: Image = latest.to_image()
        return picture.rotate(latest.rotation, expand=True) if latest.rotation % 360 else picture


def _thumbnail(picture: "Image") -> Preview:
    transparent = "A" in picture.getbands() or "transparency" in picture.info
    small = picture.convert("RGBA" if transparent else "RGB")
    small.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    body = io.BytesIO()
    small.save(body, "WEBP", quality=QUALITY)
    return Preview(_WEBP, body.getvalue(), small.width, small.height)
