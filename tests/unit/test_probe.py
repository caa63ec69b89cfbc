"""Probing, thumbnails and waveforms on real files."""

import io
import subprocess
import sys
from typing import Any

import av
import pytest
from PIL import Image

from lib.domain.errors import OutputError, UnavailableError
from lib.domain.media_type import MediaType
from lib.domain.sniff import sniff
from lib.domain.stored_output import ContentType, MediaFacts, OutputFault, Preview
from lib.stores import pictures
from lib.stores.probe import DecodingProbe
from lib.stores.ranged_reader import RangedReader
from lib.stores.thumbnail import PillowPainter
from tests.fakes.media_files import image_bytes, sound_bytes, video_bytes

VIDEO = video_bytes(seconds=2.0, rate=24)
MP4, M4A = ContentType("video/mp4", "mp4"), ContentType("audio/mp4", "m4a")
WAV, MP3 = ContentType("audio/wav", "wav"), ContentType("audio/mpeg", "mp3")
PNG = ContentType("image/png", "png")


def content(body: bytes, media_type: MediaType) -> ContentType:
    found = sniff(body[:4096], media_type)
    assert found is not None
    return found


def probed(body: bytes, media_type: MediaType) -> MediaFacts:
    return DecodingProbe().probe(io.BytesIO(body), content(body, media_type))


def painted(body: bytes, media_type: MediaType) -> tuple[Preview, Any]:
    facts = probed(body, media_type)
    preview = PillowPainter().paint(io.BytesIO(body), content(body, media_type), facts, lambda: False)
    return preview, Image.open(io.BytesIO(preview.body))


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP", "GIF", "AVIF", "TIFF", "BMP"])
def test_a_picture_has_its_size_and_a_thumbnail_that_keeps_its_shape(file_format: str) -> None:
    body = image_bytes(file_format, (1000, 600))
    facts = probed(body, MediaType.IMAGE)
    assert (facts.width, facts.height, facts.duration_seconds) == (1000, 600, None)
    preview, thumbnail = painted(body, MediaType.IMAGE)
    assert (thumbnail.format, thumbnail.size) == ("WEBP", (512, 307))
    assert (preview.width, preview.height) == (512, 307)


def test_a_small_picture_is_not_enlarged() -> None:
    assert painted(image_bytes(size=(100, 50)), MediaType.IMAGE)[1].size == (100, 50)


def test_a_turned_photograph_is_measured_and_drawn_as_it_is_shown() -> None:
    body = image_bytes("JPEG", (1000, 600), orientation=6)
    facts = probed(body, MediaType.IMAGE)
    assert (facts.width, facts.height) == (600, 1000)
    assert painted(body, MediaType.IMAGE)[1].size == (307, 512)


def test_transparency_survives_in_the_thumbnail() -> None:
    body = io.BytesIO()
    Image.new("RGBA", (600, 600), (255, 0, 0, 0)).save(body, "PNG")
    _, thumbnail = painted(body.getvalue(), MediaType.IMAGE)
    assert thumbnail.mode == "RGBA"
    assert thumbnail.getpixel((10, 10))[3] == 0


@pytest.mark.parametrize(
    ("container", "codec", "names"),
    [
        ("mp4", "libx264", ("h264", "aac")),
        ("webm", "libvpx-vp9", ("vp9", "opus")),
        ("matroska", "libx264", ("h264", "opus")),
    ],
)
def test_a_video_has_the_facts_of_its_decoded_frames(
    container: str, codec: str, names: tuple[str, str]
) -> None:
    body = video_bytes(container=container, codec=codec, seconds=2.0, rate=24)
    facts = probed(body, MediaType.VIDEO)
    with av.open(io.BytesIO(body), "r") as opened:
        frames = list(opened.decode(video=0))
    assert (facts.width, facts.height) == (frames[0].width, frames[0].height) == (320, 180)
    assert facts.duration_seconds == pytest.approx(len(frames) / 24, abs=0.05)
    assert facts.fps == pytest.approx(24)
    assert (facts.video_codec, facts.audio_codec) == names
    assert facts.has_audio


def test_a_silent_video_says_so() -> None:
    facts = probed(video_bytes(sound=False, seconds=0.5), MediaType.VIDEO)
    assert not facts.has_audio
    assert facts.duration_seconds == pytest.approx(0.5)


def test_the_thumbnail_of_a_video_is_taken_a_tenth_into_it() -> None:
    _, thumbnail = painted(video_bytes(seconds=20, rate=4, size=(640, 360), sound=False), MediaType.VIDEO)
    assert thumbnail.size == (512, 288)
    assert thumbnail.getpixel((200, 100))[0] == pytest.approx(255 * 0.1, abs=12)


@pytest.mark.parametrize(
    ("container", "codec"),
    [
        ("wav", "pcm_s16le"),
        ("mp3", "libmp3lame"),
        ("flac", "flac"),
        ("ogg", "libopus"),
        ("mp4", "aac"),
        ("webm", "libopus"),
    ],
)
def test_a_sound_has_its_length_and_a_waveform(container: str, codec: str) -> None:
    body = sound_bytes(container=container, codec=codec, seconds=1.5, rate=48000)
    facts = probed(body, MediaType.AUDIO)
    with av.open(io.BytesIO(body), "r") as opened:
        samples = sum(frame.samples for frame in opened.decode(audio=0))
    assert facts.duration_seconds == pytest.approx(samples / 48000, abs=0.03)
    assert (facts.width, facts.video_codec) == (None, None)
    preview, picture = painted(body, MediaType.AUDIO)
    assert preview.content == PNG
    assert picture.size == (800, 160)


def test_a_waveform_is_as_high_as_the_sound_is_loud() -> None:
    _, picture = painted(sound_bytes(seconds=2.0), MediaType.AUDIO)
    heights = [sum(picture.getpixel((bar * 4 + 1, y))[3] > 0 for y in range(160)) for bar in range(200)]
    assert heights[0] < heights[50] < heights[100] < heights[150] < heights[199]
    assert heights[199] > 150
    assert heights[100] == pytest.approx(heights[199] / 2, abs=4)


def test_a_silent_sound_is_a_flat_line() -> None:
    body = sound_bytes(seconds=0.5)
    header = body.index(b"data") + 8
    silent = body[:header] + bytes(len(body) - header)
    _, picture = painted(silent, MediaType.AUDIO)
    assert sum(picture.getpixel((1, y))[3] > 0 for y in range(160)) == 2


def test_drawing_stops_when_the_time_is_up() -> None:
    with pytest.raises(OutputError, match="time was up"):
        PillowPainter().paint(io.BytesIO(sound_bytes()), WAV, MediaFacts(duration_seconds=2.0), lambda: True)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (image_bytes()[:300], PNG),
        (b"\x89PNG\r\n\x1a\n" + b"x" * 100, PNG),
        (b"\xff\xd8\xff" + b"x" * 100, ContentType("image/jpeg", "jpg")),
        (VIDEO[: len(VIDEO) // 2], MP4),
        (VIDEO[:40] + b"\0" * 500, MP4),
        (b"ID3" + b"\0" * 500, MP3),
        (b"RIFF\x10\0\0\0WAVE", WAV),
        (b"\x1a\x45\xdf\xa3webm", ContentType("video/webm", "webm")),
    ],
)
def test_a_broken_file_of_the_right_beginning_is_unreadable(body: bytes, kind: ContentType) -> None:
    with pytest.raises(OutputError) as caught:
        DecodingProbe().probe(io.BytesIO(body), kind)
    assert (caught.value.code, caught.value.retryable) == (OutputFault.UNREADABLE, False)


@pytest.mark.parametrize(
    ("body", "kind"),
    [(sound_bytes(container="mp4", codec="aac"), MP4), (video_bytes(sound=False, seconds=0.5), M4A)],
)
def test_a_container_without_the_promised_track_is_of_the_wrong_type(body: bytes, kind: ContentType) -> None:
    with pytest.raises(OutputError) as caught:
        DecodingProbe().probe(io.BytesIO(body), kind)
    assert caught.value.code == OutputFault.WRONG_TYPE


def test_a_picture_that_is_too_large_to_decode_keeps_its_size_and_gets_no_thumbnail(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pictures, "LARGEST_PIXELS", 100)
    body = image_bytes(size=(320, 200))
    facts = probed(body, MediaType.IMAGE)
    assert (facts.width, facts.height) == (320, 200)
    with pytest.raises(OutputError, match="too many"):
        PillowPainter().paint(io.BytesIO(body), PNG, facts, lambda: False)


def test_a_decompression_bomb_is_refused_by_its_header() -> None:
    body = bytearray(image_bytes())
    body[16:24] = (100_000).to_bytes(4, "big") * 2
    with pytest.raises(OutputError) as caught:
        DecodingProbe().probe(io.BytesIO(bytes(body)), PNG)
    assert caught.value.code == OutputFault.UNREADABLE


def test_a_video_with_its_index_at_the_end_is_probed_without_reading_all_of_it() -> None:
    body = _padded(VIDEO, 20_000_000)
    fetched: list[int] = []

    def fetch(start: int, length: int) -> bytes:
        fetched.append(length)
        return body[start : start + length]

    reader: Any = io.BufferedReader(RangedReader(fetch, len(body), block_bytes=65536))
    facts = DecodingProbe().probe(reader, MP4)
    assert facts.duration_seconds == pytest.approx(2.0)
    assert sum(fetched) < 1_000_000


def _padded(mp4: bytes, padding: int) -> bytes:
    """The same file with a `free` box before its index, as large as a long film's pictures."""
    index = mp4.rindex(b"moov") - 4
    return mp4[:index] + padding.to_bytes(4, "big") + b"free" + bytes(padding - 8) + mp4[index:]


def test_a_bucket_that_goes_away_while_probing_is_not_a_broken_file() -> None:
    def fetch(start: int, length: int) -> bytes:
        raise UnavailableError("The bucket does not answer now: SlowDown.")

    for kind in (MP4, WAV, PNG):
        reader: Any = io.BufferedReader(RangedReader(fetch, 100_000))
        with pytest.raises(UnavailableError):
            DecodingProbe().probe(reader, kind)


def test_the_decoders_are_imported_only_when_a_file_is_opened() -> None:
    code = (
        "import sys, lib.stores.probe, lib.stores.thumbnail, lib.stores.waveform, lib.services.store_output;"
        "sys.exit(any(name in sys.modules for name in ('av', 'PIL', 'boto3', 'botocore')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
