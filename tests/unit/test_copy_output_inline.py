"""Outputs that are in the message itself, or were parked under temp/."""

import base64
from datetime import UTC, datetime

import pytest

from lib.domain.errors import OutputError
from lib.domain.media_type import MediaType
from lib.domain.provider import OutputKind, ProviderOutput
from lib.domain.stored_output import CopiedObject, CopyLimits, OutputFault, OutputTarget
from lib.services.copy_output import copy_output
from lib.services.inline_output import decode_data_url
from tests.fakes.bucket import FakeBucket
from tests.fakes.output_source import FakeSource

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
LIMITS = CopyLimits(part_bytes=100, read_bytes=30, inline_bytes=1000)


def target(media_type: MediaType) -> OutputTarget:
    return OutputTarget("job-1", "user-1", "llama", media_type, 2, datetime(2026, 1, 31, tzinfo=UTC))


def copied(kind: OutputKind, value: str, media_type: MediaType, bucket: FakeBucket) -> CopiedObject:
    outcome = copy_output(
        ProviderOutput(kind, value), target(media_type), bucket=bucket, source=FakeSource(b""), limits=LIMITS
    )
    assert isinstance(outcome, CopiedObject)
    return outcome


def refusal(
    kind: OutputKind, value: str, media_type: MediaType, bucket: FakeBucket | None = None
) -> OutputError:
    with pytest.raises(OutputError) as caught:
        copied(kind, value, media_type, bucket or FakeBucket())
    return caught.value


def test_a_text_becomes_a_txt_object_in_utf_8() -> None:
    bucket = FakeBucket()
    outcome = copied(OutputKind.TEXT, "Grüße, 世界", MediaType.TEXT, bucket)
    assert outcome.key.endswith("/text/2026/01/31/job-1/2.txt")
    assert bucket.bodies[outcome.key].decode() == "Grüße, 世界"
    assert bucket.infos[outcome.key].content_type == "text/plain; charset=utf-8"


def test_an_empty_text_is_an_empty_output() -> None:
    assert refusal(OutputKind.TEXT, "", MediaType.TEXT).code == OutputFault.EMPTY


def test_a_text_from_an_image_model_is_of_the_wrong_type() -> None:
    assert refusal(OutputKind.TEXT, "sorry", MediaType.IMAGE).code == OutputFault.WRONG_TYPE


def test_a_text_over_the_limit_is_refused() -> None:
    assert refusal(OutputKind.TEXT, "x" * 1001, MediaType.TEXT).code == OutputFault.TOO_LARGE


@pytest.mark.parametrize(
    ("url", "body"),
    [
        ("data:image/png;base64," + base64.b64encode(PNG).decode(), PNG),
        ("data:;base64," + base64.b64encode(PNG).decode().rstrip("="), PNG),
        (
            "data:image/png;base64," + base64.b64encode(PNG).decode().replace("+", "%2B").replace("=", "%3D"),
            PNG,
        ),
        ("DATA:text/plain;charset=utf-8;BASE64,aGk=", b"hi"),
        ("data:text/plain,caf%C3%A9%20au%20lait", "café au lait".encode()),
        ("data:,a,b", b"a,b"),
    ],
)
def test_a_data_url_is_decoded_in_both_forms(url: str, body: bytes) -> None:
    assert decode_data_url(url, 1000) == body


@pytest.mark.parametrize(
    "url", ["data:image/png;base64", "data:;base64,a", "data:;base64,####", "image/png,abc"]
)
def test_a_malformed_data_url_is_unreadable(url: str) -> None:
    with pytest.raises(OutputError) as caught:
        decode_data_url(url, 1000)
    assert caught.value.code == OutputFault.UNREADABLE


@pytest.mark.parametrize(
    "url", ["data:;base64," + "A" * 1400, "data:," + "x" * 1001, "data:," + "%41" * 1001]
)
def test_a_data_url_over_the_limit_is_refused(url: str) -> None:
    with pytest.raises(OutputError) as caught:
        decode_data_url(url, 1000)
    assert caught.value.code == OutputFault.TOO_LARGE


def test_a_data_urls_own_word_on_its_type_is_not_believed() -> None:
    bucket = FakeBucket()
    url = "data:image/webp;base64," + base64.b64encode(PNG).decode()
    assert copied(OutputKind.DATA_URL, url, MediaType.IMAGE, bucket).key.endswith("/2.png")
    assert (
        refusal(OutputKind.DATA_URL, "data:image/png,hello", MediaType.IMAGE).code == OutputFault.WRONG_TYPE
    )


def parked(body: bytes, content_type: str = "text/plain") -> FakeBucket:
    bucket = FakeBucket()
    bucket.put("temp/event-1", body, content_type=content_type, metadata={})
    return bucket


@pytest.mark.parametrize("content_type", ["image/png", "text/plain"])
def test_a_parked_object_is_copied_in_parts_like_a_download(content_type: str) -> None:
    bucket = parked(PNG, content_type)
    outcome = copied(OutputKind.OBJECT, "temp/event-1", MediaType.IMAGE, bucket)
    assert bucket.bodies[outcome.key] == PNG
    assert "upload_part" in bucket.calls


def test_a_parked_text_stays_a_text_even_if_it_looks_like_a_data_url() -> None:
    bucket = parked(b"data:text/plain,hello")
    outcome = copied(OutputKind.OBJECT, "temp/event-1", MediaType.TEXT, bucket)
    assert bucket.bodies[outcome.key] == b"data:text/plain,hello"


def test_a_parked_data_url_is_decoded() -> None:
    bucket = parked(b"data:image/png;base64," + base64.b64encode(PNG))
    outcome = copied(OutputKind.OBJECT, "temp/event-1", MediaType.IMAGE, bucket)
    assert bucket.bodies[outcome.key] == PNG


def test_a_parked_object_that_is_gone_has_expired() -> None:
    assert refusal(OutputKind.OBJECT, "temp/event-9", MediaType.IMAGE).code == OutputFault.EXPIRED


@pytest.mark.parametrize("key", ["media/other/image/2026/01/31/job-2/0.png", "secret", "/temp/x"])
def test_only_temporary_objects_are_taken(key: str) -> None:
    bucket = FakeBucket()
    bucket.put(key, PNG, content_type="image/png", metadata={})
    assert refusal(OutputKind.OBJECT, key, MediaType.IMAGE, bucket).code == OutputFault.FORBIDDEN_ADDRESS
