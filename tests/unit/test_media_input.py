"""Data URLs are taken apart; nothing else is media that is here."""

import pytest

from lib.domain.errors import InvalidError
from lib.providers.media_input import inline_media


@pytest.mark.parametrize(
    ("value", "content_type", "content"),
    [
        ("data:image/png;base64,AAEC", "image/png", b"\x00\x01\x02"),
        ("data:IMAGE/SVG+XML;charset=utf-8,%3Csvg%3E", "image/svg+xml", b"<svg>"),
        ("data:audio/mpeg;codecs=mp3;base64,", "audio/mpeg", b""),
    ],
)
def test_a_data_url_has_a_type_and_bytes(value: str, content_type: str, content: bytes) -> None:
    media = inline_media(value, "image")
    assert (media.content_type, media.decoded()) == (content_type, content)


@pytest.mark.parametrize(
    "value", ["https://example.com/a.png", "", "data:,x", "data:image/png", None, 5, ["data:a/b,"]]
)
def test_anything_else_is_to_be_sent_as_a_data_url(value: object) -> None:
    with pytest.raises(InvalidError, match="mask is not fetched by this provider: send it as a data: URL"):
        inline_media(value, "mask")


def test_base64_that_cannot_be_read_is_the_callers_error_and_is_not_shown() -> None:
    media = inline_media("data:image/png;base64,not!base64", "image")
    with pytest.raises(InvalidError, match="image is a data URL whose base64 cannot be read") as raised:
        media.decoded()
    assert "not!" not in str(raised.value)
    assert "not!" not in repr(media)


@pytest.mark.parametrize("digits", ["+/+/", "-_-_", "YQ==", "YQ"])
def test_what_the_format_media_uri_allows_is_decoded(digits: str) -> None:
    wanted = {"YQ": b"a", "YQ==": b"a"}.get(digits, b"\xfb\xff\xbf")
    assert inline_media(f"data:image/png;base64,{digits}", "image").decoded() == wanted
