"""The type of a file by its bytes, and where it is stored."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from lib.domain.media_keys import (
    object_metadata,
    output_key,
    output_prefix,
    safe_segment,
    thumbnail_key,
    waveform_key,
)
from lib.domain.media_type import MediaType
from lib.domain.sniff import SNIFF_BYTES, content_of, known_types, sniff
from lib.domain.stored_output import OutputTarget
from tests.fakes.media_files import image_bytes, sound_bytes, video_bytes

IMAGES = [
    (image_bytes(name), extension)
    for name, extension in (
        ("PNG", "png"),
        ("JPEG", "jpg"),
        ("WEBP", "webp"),
        ("GIF", "gif"),
        ("AVIF", "avif"),
        ("TIFF", "tiff"),
        ("BMP", "bmp"),
    )
]
SOUNDS = [
    (sound_bytes(container=container, codec=codec, seconds=0.2, rate=48000), extension)
    for container, codec, extension in (
        ("wav", "pcm_s16le", "wav"),
        ("mp3", "libmp3lame", "mp3"),
        ("flac", "flac", "flac"),
        ("ogg", "libopus", "ogg"),
        ("mp4", "aac", "m4a"),
        ("adts", "aac", "aac"),
        ("aiff", "pcm_s16be", "aiff"),
        ("webm", "libopus", "weba"),
    )
]
VIDEOS = [
    (video_bytes(container=container, codec=codec, seconds=0.2, sound=False), extension)
    for container, codec, extension in (
        ("mp4", "libx264", "mp4"),
        ("mov", "libx264", "mov"),
        ("webm", "libvpx-vp9", "webm"),
        ("matroska", "libx264", "mkv"),
        ("avi", "mpeg4", "avi"),
    )
]
ALL = [
    *((body, extension, MediaType.IMAGE) for body, extension in IMAGES),
    *((body, extension, MediaType.AUDIO) for body, extension in SOUNDS),
    *((body, extension, MediaType.VIDEO) for body, extension in VIDEOS),
]


@pytest.mark.parametrize(("body", "extension", "media_type"), ALL, ids=[f"{item[1]}" for item in ALL])
def test_what_real_encoders_write_is_recognised(body: bytes, extension: str, media_type: MediaType) -> None:
    content = sniff(body[:SNIFF_BYTES], media_type)
    assert content is not None
    assert content.extension == extension
    assert content in known_types(media_type)
    assert content_of(content.mime, media_type) == content


@pytest.mark.parametrize("media_type", [MediaType.IMAGE, MediaType.VIDEO, MediaType.AUDIO])
@pytest.mark.parametrize(
    "body",
    [
        b"<!doctype html>",
        b"<html>",
        b'{"detail": "Not found"}',
        b"%PDF-1.7",
        b"PK\x03\x04",
        b"GIF",
        b"\xff",
        b"\0" * 64,
    ],
)
def test_anything_else_is_not_media(media_type: MediaType, body: bytes) -> None:
    assert sniff(body, media_type) is None


@pytest.mark.parametrize(("body", "extension"), IMAGES, ids=[item[1] for item in IMAGES])
def test_a_picture_is_neither_video_nor_sound(body: bytes, extension: str) -> None:
    assert sniff(body, MediaType.VIDEO) is None
    assert sniff(body, MediaType.AUDIO) is None


def test_a_picture_format_that_cannot_be_decoded_is_refused_everywhere() -> None:
    heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
    assert [sniff(heic, media_type) for media_type in MediaType] == [None] * 4


@pytest.mark.parametrize("body", [b"\xff\xfb\xf0\0", b"\xff\xfb\x0f\0", b"\xff\xe8\x50\0", b"\xff\xf1\xff\0"])
def test_a_frame_header_with_forbidden_values_is_no_sound(body: bytes) -> None:
    assert sniff(body, MediaType.AUDIO) is None


@pytest.mark.parametrize(
    "body", [b"hello", b'{"a": 1}', b"line\r\n\ttab", "世界".encode(), b"<p>html is text</p>"]
)
def test_text_is_text(body: bytes) -> None:
    content = sniff(body, MediaType.TEXT, whole=True)
    assert content is not None
    assert (content.mime, content.extension) == ("text/plain; charset=utf-8", "txt")


def test_text_cut_inside_a_character_is_still_text_but_not_when_it_is_all() -> None:
    cut = "日本".encode()[:-1]
    assert sniff(cut, MediaType.TEXT) is not None
    assert sniff(cut, MediaType.TEXT, whole=True) is None


@pytest.mark.parametrize("body", [b"\xff\xfe", b"\0\1\2", b"caf\xe9 au lait", image_bytes()])
def test_bytes_are_not_text(body: bytes) -> None:
    assert sniff(body, MediaType.TEXT, whole=True) is None


def target(user_id: str = "user-1", created_at: datetime | None = None) -> OutputTarget:
    created_at = created_at or datetime(2026, 1, 31, 12, tzinfo=UTC)
    return OutputTarget("0198-abc", user_id, "flux-schnell", MediaType.IMAGE, 3, created_at)


def test_the_keys_of_one_output() -> None:
    folder = "media/user-1/image/2026/01/31/0198-abc"
    assert output_key(target(), "webp") == f"{folder}/3.webp"
    assert thumbnail_key(target(), "webp") == f"{folder}/3-thumb.webp"
    assert waveform_key(target(), "png") == f"{folder}/3-waveform.png"
    assert output_prefix(target()) == f"{folder}/3."


def test_the_date_in_a_key_is_the_jobs_in_utc() -> None:
    late = datetime(2026, 2, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    assert "/2026/01/31/" in output_key(target(created_at=late), "png")


@pytest.mark.parametrize(
    ("text", "segment"),
    [
        ("user_1.a-B", "user_1.a-B"),
        ("a/b", "a%2Fb"),
        ("a%2Fb", "a%252Fb"),
        ("me@example.com", "me%40example.com"),
        ("ü ~", "%C3%BC%20%7E"),
        ("..", "%2E%2E"),
        (".", "%2E"),
        ("../../secret", "%2E%2E%2F%2E%2E%2Fsecret"),
        ("...", "%2E%2E."),
        ("\0\n", "%00%0A"),
        ("\ud800", "%ED%A0%80"),
    ],
)
def test_any_user_id_is_one_safe_segment(text: str, segment: str) -> None:
    assert safe_segment(text) == segment


def test_user_ids_too_long_for_a_key_or_empty_stay_distinct() -> None:
    segments = {safe_segment("x" * 1000), safe_segment("x" * 1001), safe_segment("ü" * 60), safe_segment("")}
    assert len(segments) == 4
    assert all(len(segment) < 100 and segment.startswith("=") for segment in segments)
    assert len(output_key(target("ü" * 5000), "webp")) < 300


def test_metadata_is_ascii_whatever_the_names_are() -> None:
    metadata = object_metadata(target("ü\r\nx-amz-acl: public"), "0" * 64)
    assert all(value.isascii() and value.isprintable() for value in metadata.values())
    assert metadata["output-index"] == "3"
    assert metadata["sha256"] == "0" * 64
