"""Audible music: a pentatonic melody chosen by the recipe, in stereo at 32 kHz like MusicGen's."""

import math
from array import array
from pathlib import Path
from typing import cast

import av
from av.audio.stream import AudioStream

from local.simulation.draw.recipe import Recipe

SAMPLE_RATE = 32000
CONTENT_TYPES = {
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "flac": "audio/flac",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "pcm": "audio/pcm",
}
CODECS = {
    "wav": ("wav", "pcm_s16le"),
    "mp3": ("mp3", "libmp3lame"),
    "flac": ("flac", "flac"),
    "opus": ("ogg", "libopus"),
    "aac": ("adts", "aac"),
    "pcm": ("s16le", "pcm_s16le"),
}
OPUS_RATE = 48000  # the only one of Opus's rates that is above the melody's
SCALE = (0, 2, 4, 7, 9, 12, 14, 16)
LOUDNESS = 9000


def write_audio(
    path: Path, recipe: Recipe, *, seconds: float, file_format: str, rate: int | None = None
) -> None:
    """Writes ``seconds`` of music in one of ``CODECS``' formats, at the melody's own rate unless told otherwise."""
    samples = max(1, round(seconds * SAMPLE_RATE))
    container_format, codec_name = CODECS[file_format]
    rate = OPUS_RATE if file_format == "opus" else rate or SAMPLE_RATE
    with av.open(str(path), "w", format=container_format) as container:
        container.metadata["title"] = recipe.label
        container.metadata["comment"] = recipe.title[:200]
        stream = cast("AudioStream", container.add_stream(codec_name, rate=rate, layout="stereo"))
        codec = stream.codec_context
        resampler = av.AudioResampler(
            format=codec.format, layout="stereo", rate=rate, frame_size=codec.frame_size or None
        )
        frame = av.AudioFrame(format="s16", layout="stereo", samples=samples)
        frame.sample_rate, frame.pts = SAMPLE_RATE, 0
        frame.planes[0].update(_melody(recipe, samples))
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))


def _melody(recipe: Recipe, samples: int) -> bytes:
    """Interleaved 16-bit stereo. Each distinct note is computed once, so that long pieces cost little more."""
    chance = recipe.randomness("melody")
    root = chance.uniform(160, 330)
    beat = int(SAMPLE_RATE / chance.choice((3, 4, 5)))
    notes: dict[int, bytes] = {}
    piece = bytearray()
    while len(piece) < samples * 4:
        step = chance.choice(SCALE)
        if step not in notes:
            notes[step] = _note(root * 2 ** (step / 12), beat, pan=0.35 + 0.3 * (step % 5) / 4)
        piece += notes[step]
    return bytes(piece[: samples * 4])


def _note(pitch: float, length: int, pan: float) -> bytes:
    """One decaying note with its octave; ``pan`` 0 is left, 1 is right."""
    stereo = array("h", bytes(length * 4))
    turn = 2 * math.pi * pitch / SAMPLE_RATE
    for i in range(length):
        envelope = min(1.0, i / 300) * math.exp(-3.0 * i / length)
        value = LOUDNESS * envelope * (math.sin(turn * i) + 0.4 * math.sin(2 * turn * i))
        stereo[2 * i] = int(value * 2 * (1 - pan))
        stereo[2 * i + 1] = int(value * 2 * pan)
    return stereo.tobytes()
