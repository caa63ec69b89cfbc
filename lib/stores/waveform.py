"""Draws a sound as a waveform, decoding it in a stream: memory does not grow with its length."""

import io
from array import array
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from lib.domain.stored_output import ContentType, Preview
from lib.stores.media_container import open_container
from lib.stores.pictures import unreadable

WIDTH, HEIGHT = 800, 160
BAR, GAP = 3, 1
BARS = WIDTH // (BAR + GAP)
COLOUR = (79, 70, 229, 255)
MOST_SAMPLES = 6_000_000
"""Of a long sound fewer samples a second are looked at, so that drawing it takes seconds, not minutes."""
LOWEST_RATE = 2000
FULL_SCALE = 32768

_PNG = ContentType("image/png", "png")


def draw_waveform(
    file: BinaryIO, content: ContentType, duration: float | None, stop: Callable[[], bool]
) -> Preview:
    """A PNG of 800 x 160 pixels on a transparent ground; `OutputError` if the sound does not decode in time."""
    if not duration:
        raise unreadable("its playing time is not known")
    peaks = [0.0] * BARS
    with open_container(file, content) as container:
        stream = container.streams.audio[0]
        rate = min(stream.rate, max(LOWEST_RATE, int(MOST_SAMPLES / duration)))
        position = 0
        for samples in _mono(container, stream, rate):
            if stop():
                raise unreadable("the time was up while its waveform was drawn")
            _note_peaks(peaks, samples, position, bar_samples=max(duration * rate / BARS, 1.0))
            position += len(samples)
    return _draw(peaks)


def _mono(container: Any, stream: Any, rate: int) -> Iterator["array[int]"]:
    """The sound as chunks of 16-bit samples of one channel."""
    from av import AudioResampler  # noqa: PLC0415 -- only store_result has it

    resampler = AudioResampler(format="s16", layout="mono", rate=rate)
    for frame in container.decode(stream):
        yield from _samples(resampler.resample(frame))
    yield from _samples(resampler.resample(None))


def _samples(frames: Any) -> Iterator["array[int]"]:
    for frame in frames:
        chunk = array("h")
        chunk.frombytes(memoryview(frame.planes[0])[: frame.samples * chunk.itemsize])
        if chunk:
            yield chunk


def _note_peaks(peaks: list[float], samples: "array[int]", position: int, bar_samples: float) -> None:
    """Raise the peak of each bar that these samples, the first of which is number `position`, lie in."""
    start = 0
    while start < len(samples):
        bar = min(int((position + start) / bar_samples), BARS - 1)
        end = (
            len(samples)
            if bar == BARS - 1
            else min(int((bar + 1) * bar_samples) - position + 1, len(samples))
        )
        part = samples[start : max(end, start + 1)]
        peaks[bar] = max(peaks[bar], max(part) / FULL_SCALE, -min(part) / FULL_SCALE)
        start += len(part)


def _draw(peaks: list[float]) -> Preview:
    from PIL import Image, ImageDraw  # noqa: PLC0415 -- only store_result has it

    loudest = max(peaks) or 1.0
    picture = Image.new("RGBA", (WIDTH, HEIGHT), (0, 0, 0, 0))
    pen = ImageDraw.Draw(picture)
    for bar, peak in enumerate(peaks):
        half = max(1, round(peak / loudest * (HEIGHT / 2 - 2)))
        left = bar * (BAR + GAP)
        pen.rectangle((left, HEIGHT // 2 - half, left + BAR - 1, HEIGHT // 2 + half - 1), fill=COLOUR)
    body = io.BytesIO()
    picture.save(body, "PNG", optimize=True)
    return Preview(_PNG, body.getvalue(), WIDTH, HEIGHT)
