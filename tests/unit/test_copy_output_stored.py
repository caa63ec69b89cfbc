"""The whole of storing one output: copy, probe, preview."""

import io
from datetime import UTC, datetime

import pytest
from PIL import Image

from lib.domain.errors import OutputError, UnavailableError
from lib.domain.media_type import MediaType
from lib.domain.provider import OutputKind, ProviderOutput
from lib.domain.stored_output import OutputFault, OutputTarget, Paused, StoredOutput
from lib.services.store_output import StoragePorts, store_output
from lib.stores.probe import DecodingProbe
from lib.stores.thumbnail import PillowPainter
from tests.fakes.bucket import FakeBucket, away
from tests.fakes.media_files import image_bytes, sound_bytes, video_bytes
from tests.fakes.output_source import FakeSource, stops_after

URL = ProviderOutput(OutputKind.URL, "https://files.example/out")


def target(media_type: MediaType) -> OutputTarget:
    return OutputTarget("job-1", "user-1", "model", media_type, 0, datetime(2026, 1, 31, tzinfo=UTC))


def ports(bucket: FakeBucket, body: bytes = b"") -> StoragePorts:
    return StoragePorts(bucket, FakeSource(body), DecodingProbe(), PillowPainter())


def stored(bucket: FakeBucket, body: bytes, media_type: MediaType) -> StoredOutput:
    outcome = store_output(URL, target(media_type), ports(bucket, body))
    assert isinstance(outcome, StoredOutput)
    return outcome


FOLDER = "media/user-1/{}/2026/01/31/job-1"


def test_an_image_is_stored_with_its_facts_and_a_thumbnail_beside_it() -> None:
    bucket, body = FakeBucket(), image_bytes("WEBP", (1024, 768))
    folder = FOLDER.format("image")
    outcome = stored(bucket, body, MediaType.IMAGE).as_json()
    assert outcome.pop("sha256")
    assert outcome == {
        "index": 0,
        "mediaType": "image",
        "key": f"{folder}/0.webp",
        "contentType": "image/webp",
        "size": len(body),
        "width": 1024,
        "height": 768,
        "thumbnailKey": f"{folder}/0-thumb.webp",
    }
    assert sorted(bucket.bodies) == [f"{folder}/0-thumb.webp", f"{folder}/0.webp"]
    assert Image.open(io.BytesIO(bucket.bodies[f"{folder}/0-thumb.webp"])).size == (512, 384)
    assert bucket.infos[f"{folder}/0-thumb.webp"].metadata["job-id"] == "job-1"


def test_a_video_says_whether_it_sounds() -> None:
    bucket = FakeBucket()
    outcome = stored(bucket, video_bytes(seconds=1.0), MediaType.VIDEO).as_json()
    assert outcome["hasAudio"] is True
    assert (outcome["width"], outcome["height"], outcome["durationSeconds"]) == (320, 180, pytest.approx(1.0))
    assert outcome["thumbnailKey"] in bucket.bodies


def test_a_sound_gets_a_waveform_instead_of_a_thumbnail() -> None:
    bucket = FakeBucket()
    outcome = stored(bucket, sound_bytes(seconds=0.5), MediaType.AUDIO).as_json()
    assert outcome["waveformKey"] == FOLDER.format("audio") + "/0-waveform.png"
    assert outcome["waveformKey"] in bucket.bodies
    assert "thumbnailKey" not in outcome
    assert outcome["durationSeconds"] == pytest.approx(0.5)


def test_a_text_needs_neither_probe_nor_preview() -> None:
    bucket = FakeBucket()
    outcome = store_output(ProviderOutput(OutputKind.TEXT, "hello"), target(MediaType.TEXT), ports(bucket))
    assert isinstance(outcome, StoredOutput)
    assert outcome.as_json()["contentType"] == "text/plain; charset=utf-8"
    assert list(bucket.bodies) == [FOLDER.format("text") + "/0.txt"]


def test_storing_twice_gives_the_same_objects_and_the_same_facts() -> None:
    bucket, body = FakeBucket(), image_bytes()
    first = stored(bucket, body, MediaType.IMAGE)
    objects = dict(bucket.bodies)
    second = stored(bucket, body, MediaType.IMAGE)
    assert second.as_json() == first.as_json()
    assert bucket.bodies == objects


def test_a_file_that_does_not_decode_is_refused_and_removed() -> None:
    bucket = FakeBucket()
    with pytest.raises(OutputError) as caught:
        stored(bucket, image_bytes()[:400], MediaType.IMAGE)
    assert caught.value.code == OutputFault.UNREADABLE
    assert not bucket.bodies


def test_a_preview_that_cannot_be_drawn_is_reported_and_costs_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise OutputError("The output cannot be decoded: no.", code=OutputFault.UNREADABLE)

    monkeypatch.setattr(PillowPainter, "paint", refuse)
    outcome = stored(FakeBucket(), image_bytes(), MediaType.IMAGE)
    assert outcome.thumbnail_key is None
    assert outcome.preview_fault == "The output cannot be decoded: no."
    assert outcome.facts.width == 320


def test_when_the_time_is_up_after_copying_the_next_call_goes_on_without_a_download() -> None:
    bucket, source = FakeBucket(), FakeSource(image_bytes())
    storage = StoragePorts(bucket, source, DecodingProbe(), PillowPainter())
    answers = stops_after(2)  # one read, one look for the end
    assert store_output(URL, target(MediaType.IMAGE), storage, stop=lambda: next(answers)) == Paused()
    assert isinstance(store_output(URL, target(MediaType.IMAGE), storage), StoredOutput)
    assert source.opened == [0]


def test_a_bucket_that_goes_away_before_the_preview_is_stored_is_tried_again() -> None:
    bucket = FakeBucket()
    puts = iter([None, away])

    def second_put_fails() -> None:
        if (fail := next(puts)) is not None:
            fail()

    bucket.before["put"] = second_put_fails
    with pytest.raises(UnavailableError):
        stored(bucket, image_bytes(), MediaType.IMAGE)
    bucket.before.clear()
    assert stored(bucket, image_bytes(), MediaType.IMAGE).thumbnail_key in bucket.bodies
