"""What came inside an answer becomes objects before it is recorded, once, and is found again."""

import base64
import json
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from lib.domain.errors import OutputError, UnavailableError
from lib.domain.http_exchange import Blob
from lib.domain.media_type import MediaType
from lib.domain.provider import OutputKind, ProviderOutput, ProviderUpdate, RemoteStatus
from lib.domain.provider_json import update_to_json
from lib.domain.stored_output import MIB, CopiedObject, CopyLimits, OutputTarget
from lib.ports.storage import MediaBucket, ObjectInfo, UploadedPart, UploadGoneError
from lib.providers.spool import Spool, SpooledBlob
from lib.services.copy_output import copy_output
from lib.services.park_outputs import LONGEST_INLINE, ParkOutputs
from lib.services.patience import Patience
from tests.fakes.bucket import FakeBucket, away
from tests.fakes.output_source import FakeSource

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
MP3 = b"ID3" + bytes(range(256)) * 10
JOB = "8f14e45f-ea0d-4b6b-9c11-2b1d3c0c1a01"
PREFIX = f"temp/outputs/{JOB}/1/"
LIMITS = CopyLimits(part_bytes=100, read_bytes=30)
SQS_BYTES = 1024 * 1024


class Rig:
    """A parker with a bucket in memory; its pauses are recorded."""

    def __init__(self) -> None:
        self.bucket = FakeBucket()
        self.asked = 0
        self.pauses: list[float] = []
        self.park = ParkOutputs(
            self._give, LIMITS, Patience(tries=3, sleep=self.pauses.append, jitter=lambda: 1.0)
        )

    def _give(self) -> MediaBucket:
        self.asked += 1
        return self.bucket


@pytest.fixture
def rig() -> Rig:
    return Rig()


def blob(body: bytes, name: str = "blob:1:0", content_type: str = "image/png") -> SpooledBlob:
    spool = Spool()
    spool.append(body)
    return SpooledBlob(name, content_type, len(body), spool, 0, len(body))


def update_of(*outputs: ProviderOutput | Blob) -> ProviderUpdate:
    """A success with these outputs, blobs among them."""
    blobs = tuple(output for output in outputs if not isinstance(output, ProviderOutput))
    told = tuple(
        output if isinstance(output, ProviderOutput) else ProviderOutput(OutputKind.BLOB, output.name)
        for output in outputs
    )
    return ProviderUpdate(RemoteStatus.SUCCEEDED, None, told, cost_usd=Decimal("0.04"), blobs=blobs)


def data_url(body: bytes, content_type: str = "image/png") -> ProviderOutput:
    value = f"data:{content_type};base64,{base64.b64encode(body).decode()}"
    return ProviderOutput(OutputKind.DATA_URL, value)


def fails(rig: Rig, method: str, *errors: Exception) -> None:
    """The next calls of this method of the bucket raise these."""
    left = list(errors)

    def meddle() -> None:
        if left:
            raise left.pop(0)

    rig.bucket.before[method] = meddle


AWAY = UnavailableError("The bucket does not answer now: SlowDown.")


def test_an_update_with_nothing_to_park_comes_back_itself_and_no_bucket_is_asked_for(rig: Rig) -> None:
    update = update_of(
        ProviderOutput(OutputKind.URL, "https://cdn.example/0.png"),
        ProviderOutput(OutputKind.TEXT, "a" * (LONGEST_INLINE - len(data_url(PNG).value))),
        data_url(PNG),
    )
    assert rig.park(JOB, 1, update) is update
    assert rig.asked == 0


def test_blobs_and_long_data_urls_become_objects_and_the_rest_stays(rig: Rig) -> None:
    url = ProviderOutput(OutputKind.URL, "https://cdn.example/0.png")
    long_body = PNG * 400
    parked = rig.park(JOB, 1, update_of(url, blob(PNG), data_url(long_body, "Image/WebP;x=y")))
    assert parked.outputs == (
        url,
        ProviderOutput(OutputKind.OBJECT, f"{PREFIX}1"),
        ProviderOutput(OutputKind.OBJECT, f"{PREFIX}2"),
    )
    assert parked.blobs == ()
    assert rig.bucket.bodies[f"{PREFIX}1"] == PNG
    assert rig.bucket.bodies[f"{PREFIX}2"] == long_body
    assert rig.bucket.infos[f"{PREFIX}1"].content_type == "image/png"
    assert rig.bucket.infos[f"{PREFIX}2"].content_type == "image/webp"
    assert rig.bucket.uploads == {}


def test_short_data_urls_that_are_long_together_become_objects(rig: Rig) -> None:
    pictures = [data_url(PNG * 20 + bytes([number])) for number in range(20)]
    parked = rig.park(JOB, 1, update_of(*pictures))
    assert [output.kind for output in parked.outputs] == [OutputKind.OBJECT] * 20
    assert rig.bucket.bodies[f"{PREFIX}19"] == PNG * 20 + bytes([19])


def test_a_long_text_becomes_an_object_and_is_stored_as_it_is(rig: Rig) -> None:
    text = "x" + "\u00e9\U0001f600" * LONGEST_INLINE
    parked = rig.park(JOB, 1, update_of(ProviderOutput(OutputKind.TEXT, text + "\x00")))
    assert parked.outputs == (ProviderOutput(OutputKind.OBJECT, f"{PREFIX}0"),)
    outcome = stored(rig, parked.outputs[0], MediaType.TEXT)
    assert rig.bucket.bodies[outcome.key].decode() == text + "\ufffd"
    assert outcome.content.mime == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    "outputs",
    [
        [ProviderOutput(OutputKind.TEXT, "\U0001f600" * (LONGEST_INLINE - 1) + "\uffff")],
        [ProviderOutput(OutputKind.TEXT, "a" * 3_000_000)],
        [data_url(PNG * 180) for _ in range(100)],
    ],
)
def test_whatever_was_made_a_message_has_room_for_its_update(rig: Rig, outputs: list[ProviderOutput]) -> None:
    parked = rig.park(JOB, 1, update_of(*outputs))
    assert len(json.dumps(update_to_json(parked)).encode()) < SQS_BYTES - 100_000


@pytest.mark.parametrize("size", [0, 1, 99, 100, 101, 200, 1050])
def test_a_blob_of_any_size_arrives_whole(rig: Rig, size: int) -> None:
    body = (PNG * 5)[:size]
    rig.park(JOB, 1, update_of(blob(body)))
    assert rig.bucket.bodies[f"{PREFIX}0"] == body


@pytest.mark.parametrize(
    ("declared", "body", "stored"),
    [
        ("audio/l16", MP3, "audio/l16"),
        ("", PNG, "image/png"),
        ("", MP3, "audio/mpeg"),
        ("application/octet-stream", PNG, "image/png"),
        ("", b"who knows", "application/octet-stream"),
        ("image/png\r\nx-evil: 1", PNG, "image/png"),
    ],
)
def test_the_type_is_the_answers_word_or_else_the_files(
    rig: Rig, declared: str, body: bytes, stored: str
) -> None:
    rig.park(JOB, 1, update_of(blob(body, content_type=declared)))
    assert rig.bucket.infos[f"{PREFIX}0"].content_type == stored


def test_what_was_parked_is_found_by_whoever_looks_after_the_attempt(rig: Rig) -> None:
    parked = rig.park(JOB, 1, update_of(blob(PNG)))
    assert rig.park.find_parked(JOB, 1) == parked
    assert rig.park.find_parked(JOB, 2) is None
    assert json.loads(rig.bucket.bodies[f"{PREFIX}manifest.json"])["costUsd"] == "0.04"


def test_the_manifest_comes_last(rig: Rig) -> None:
    fails(rig, "put", *[AWAY] * 3)
    with pytest.raises(UnavailableError):
        rig.park(JOB, 1, update_of(blob(PNG)))
    assert rig.park.find_parked(JOB, 1) is None


def test_parking_again_gives_the_first_result_and_writes_nothing(rig: Rig) -> None:
    first = rig.park(JOB, 1, update_of(blob(PNG * 3)))
    rig.bucket.calls.clear()
    again = rig.park(JOB, 1, update_of(blob(MP3), blob(MP3, "blob:1:1")))
    assert again == first
    assert set(rig.bucket.calls) <= {"head", "read"}


@pytest.mark.parametrize("body", [PNG, PNG * 3 + b"more", MP3])
def test_what_a_worker_left_that_died_before_the_manifest_is_replaced(rig: Rig, body: bytes) -> None:
    rig.park(JOB, 1, update_of(blob(PNG * 3)))
    rig.bucket.delete(f"{PREFIX}manifest.json")
    rig.park(JOB, 1, update_of(blob(body)))
    assert rig.bucket.bodies[f"{PREFIX}0"] == body


@pytest.mark.parametrize("method", ["head", "put", "begin_upload", "upload_part", "complete_upload"])
def test_a_bucket_that_is_away_for_a_moment_costs_nothing_but_the_moment(rig: Rig, method: str) -> None:
    fails(rig, method, AWAY, AWAY)
    rig.park(JOB, 1, update_of(blob(MP3)))
    assert rig.bucket.bodies[f"{PREFIX}0"] == MP3
    assert rig.pauses in ([0.5], [0.5, 1.0]), "parts that go up together fail together"


def test_an_upload_that_cannot_be_dropped_is_tried_again_all_the_same(rig: Rig) -> None:
    fails(rig, "upload_part", AWAY)
    fails(rig, "abort_upload", RuntimeError("AccessDenied"))
    rig.park(JOB, 1, update_of(blob(MP3)))
    assert rig.bucket.bodies[f"{PREFIX}0"] == MP3


def test_an_upload_that_ended_meanwhile_is_begun_anew(rig: Rig) -> None:
    fails(rig, "upload_part", UploadGoneError("NoSuchUpload"))
    rig.park(JOB, 1, update_of(blob(MP3)))
    assert rig.bucket.bodies[f"{PREFIX}0"] == MP3


def test_a_bucket_that_stays_away_is_told_after_the_last_try(rig: Rig) -> None:
    rig.bucket.before["head"] = away
    with pytest.raises(UnavailableError):
        rig.park(JOB, 1, update_of(blob(PNG)))
    assert len(rig.pauses) == 2


def test_no_further_try_is_made_when_the_time_is_up(rig: Rig) -> None:
    rig.bucket.before["head"] = away
    with pytest.raises(UnavailableError):
        rig.park(JOB, 1, update_of(blob(PNG)), stop=lambda: True)
    assert rig.pauses == []


def test_a_manifest_that_was_written_without_an_answer_counts(rig: Rig) -> None:
    """The first put of the manifest took place; its answer was lost, and it is put again."""
    update = update_of(blob(PNG))
    expected = replace(update, outputs=(ProviderOutput(OutputKind.OBJECT, f"{PREFIX}0"),), blobs=())
    rig.park(JOB, 1, update)
    manifest = rig.bucket.bodies.pop(f"{PREFIX}manifest.json")
    info = rig.bucket.infos.pop(f"{PREFIX}manifest.json")
    puts = iter(range(9))

    def written_by_the_try_before() -> None:
        if next(puts) == 1:
            rig.bucket.bodies[f"{PREFIX}manifest.json"] = manifest
            rig.bucket.infos[f"{PREFIX}manifest.json"] = info

    rig.bucket.before["put"] = written_by_the_try_before
    assert rig.park(JOB, 1, update) == expected


@pytest.mark.parametrize(
    "manifest", [b"", b"[]", b"{", b'{"status": "odd"}', b'{"status": "failed", "outputs": 1}']
)
def test_a_manifest_that_cannot_be_read_is_none(rig: Rig, manifest: bytes) -> None:
    rig.bucket.put(f"{PREFIX}manifest.json", manifest, content_type="application/json", metadata={})
    assert rig.park.find_parked(JOB, 1) is None
    assert rig.park(JOB, 1, update_of(blob(PNG))).outputs[0].kind is OutputKind.OBJECT


def test_a_blob_that_did_not_come_with_its_update_is_an_error_of_that_output(rig: Rig) -> None:
    update = replace(update_of(blob(PNG)), blobs=())
    with pytest.raises(OutputError, match="did not come with"):
        rig.park(JOB, 1, update)


def test_a_job_id_cannot_leave_its_place(rig: Rig) -> None:
    rig.park("../media/x", 1, update_of(blob(PNG)))
    assert all(key.startswith("temp/outputs/%2E%2E%2Fmedia%2Fx/1/") for key in rig.bucket.bodies)


def stored(rig: Rig, output: ProviderOutput, media_type: MediaType) -> CopiedObject:
    created = datetime(2026, 1, 31, tzinfo=UTC)
    outcome = copy_output(
        output,
        OutputTarget(JOB, "user-1", "m", media_type, 0, created),
        bucket=rig.bucket,
        source=FakeSource(b""),
        limits=LIMITS,
    )
    assert isinstance(outcome, CopiedObject)
    return outcome


@pytest.mark.parametrize(
    ("body", "media_type", "mime"),
    [
        (PNG, MediaType.IMAGE, "image/png"),
        (PNG * 9, MediaType.IMAGE, "image/png"),
        (MP3, MediaType.AUDIO, "audio/mpeg"),
        (b"data:text/plain,hello", MediaType.TEXT, "text/plain; charset=utf-8"),
    ],
)
def test_what_was_parked_is_stored_with_its_right_type(
    rig: Rig, body: bytes, media_type: MediaType, mime: str
) -> None:
    parked = rig.park(JOB, 1, update_of(blob(body, content_type="application/octet-stream")))
    outcome = stored(rig, parked.outputs[0], media_type)
    assert (rig.bucket.bodies[outcome.key], outcome.content.mime) == (body, mime)


class ForgetfulBucket(FakeBucket):
    """Keeps how large a part was, not its bytes."""

    def upload_part(self, key: str, upload_id: str, number: int, body: bytes) -> UploadedPart:
        return UploadedPart(number, "", len(body))

    def complete_upload(self, key: str, upload_id: str, parts: Sequence[UploadedPart]) -> bool:
        self.infos[key] = ObjectInfo(key, sum(part.size for part in parts))
        return True


def test_a_film_costs_no_more_memory_than_the_parts_on_their_way(rig: Rig) -> None:
    size = 400 * MIB
    spool = Spool()
    spool.truncate(size)  # a hole: it takes no room on disk
    film = SpooledBlob("blob:1:0", "video/mp4", size, spool, 0, size)
    rig.bucket = ForgetfulBucket()
    park = ParkOutputs(lambda: rig.bucket)
    tracemalloc.start()
    try:
        park(JOB, 1, update_of(film))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert rig.bucket.infos[f"{PREFIX}0"].size == size
    assert peak < 7 * CopyLimits().part_bytes


def test_a_broken_data_url_is_parked_as_it_is_and_told_when_it_is_stored(rig: Rig) -> None:
    broken = ProviderOutput(OutputKind.DATA_URL, "data:image/png;base64," + "A!" * LONGEST_INLINE)
    parked = rig.park(JOB, 1, update_of(broken, blob(PNG)))
    with pytest.raises(OutputError, match="base64 is wrong"):
        stored(rig, parked.outputs[0], MediaType.IMAGE)
    assert stored(rig, parked.outputs[1], MediaType.IMAGE).content.mime == "image/png"
