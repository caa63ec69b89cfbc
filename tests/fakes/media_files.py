"""Small real files, made by the encoders themselves: what a provider would give."""

import io
import math
from array import array
from fractions import Fraction
from typing import Any

import av
from PIL import Image


def image_bytes(
    file_format: str = "PNG", size: tuple[int, int] = (320, 200), orientation: int | None = None
) -> bytes:
    """A gradient; `orientation` is an EXIF orientation."""
    picture = Image.linear_gradient("L").resize(size).convert("RGB")
    options: dict[str, Any] = {}
    if orientation is not None:
        exif = Image.Exif()
        exif[0x0112] = orientation
        options["exif"] = exif
    body = io.BytesIO()
    picture.save(body, file_format, **options)
    return body.getvalue()


def video_bytes(
    *,
    container: str = "mp4",
    codec: str = "libx264",
    seconds: float = 2.0,
    size: tuple[int, int] = (320, 180),
    rate: int = 24,
    sound: bool = True,
) -> bytes:
    """A brightening picture with a tone; the MP4's index is at its end, as encoders write it."""
    body = io.BytesIO()
    with av.open(body, "w", format=container) as output:
        picture: Any = output.add_stream(codec, rate=rate)
        picture.width, picture.height, picture.pix_fmt = size[0], size[1], "yuv420p"
        tone = (
            output.add_stream("aac" if container == "mp4" else "libopus", rate=48000, layout="mono")
            if sound
            else None
        )
        from_image: Any = av.VideoFrame.from_image
        frames = round(seconds * rate)
        for number in range(frames):
            shade = Image.new("RGB", size, (255 * number // frames, 90, 160))
            output.mux(picture.encode(from_image(shade)))
        output.mux(picture.encode(None))
        if tone is not None:
            _write_tone(output, tone, seconds, 48000)
    return body.getvalue()


def sound_bytes(
    *, container: str = "wav", codec: str = "pcm_s16le", seconds: float = 2.0, rate: int = 44100
) -> bytes:
    """A tone that grows louder."""
    body = io.BytesIO()
    with av.open(body, "w", format=container) as output:
        _write_tone(output, output.add_stream(codec, rate=rate, layout="mono"), seconds, rate)
    return body.getvalue()


def _write_tone(output: Any, stream: Any, seconds: float, rate: int) -> None:
    total = round(seconds * rate)
    for start in range(0, total, 1024):
        count = min(1024, total - start)
        samples = array(
            "h",
            (
                int(30000 * (start + n) / total * math.sin((start + n) * 440 * math.tau / rate))
                for n in range(count)
            ),
        )
        frame = av.AudioFrame(format="s16", layout="mono", samples=count)
        frame.planes[0].update(samples.tobytes().ljust(frame.planes[0].buffer_size, b"\0"))
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        output.mux(stream.encode(frame))
    output.mux(stream.encode(None))
