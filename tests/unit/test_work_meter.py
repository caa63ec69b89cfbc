"""What a worker measures: bytes, time that counts once, usage, and reports that tell the truth of failures."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from lib.domain.errors import OutputError, UnavailableError
from lib.domain.media_type import MediaType
from lib.domain.provider import OutputKind, ProviderOutput
from lib.domain.stored_output import CopiedObject, CopyLimits, OutputFault, OutputTarget, Paused
from lib.ports.work_report import StorageOperation
from lib.services.copy_output import copy_output
from lib.services.metered_ports import MeteredBucket, MeteredSource
from lib.services.output_meter import BucketPlace, OutputMeter
from lib.services.tally import Stopwatch, Tally
from lib.services.usage import MOST_PERCENT, UsageMeter, usage_of
from lib.services.work_meter import WorkMeter
from tests.fakes.bucket import FakeBucket, away
from tests.fakes.output_source import FakeSource, stops_after

BEGUN = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TARGET = OutputTarget("job-1", "user-1", "sdxl", MediaType.IMAGE, 0, BEGUN)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(992)
URL = ProviderOutput(OutputKind.URL, "https://files.example/0.png")
LIMITS = CopyLimits(part_bytes=100, read_bytes=50, parts_in_flight=2, resumes=3)


class Time:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds

    def pass_on(self, seconds: float) -> None:
        self.seconds += seconds


class SlowSource(FakeSource):
    """Each read takes a second."""

    def __init__(self, time: Time) -> None:
        super().__init__(PNG)
        self._time = time

    def open(self, url: str, start: int = 0, validator: str | None = None):  # type: ignore[no-untyped-def]
        stream, real = super().open(url, start, validator), self._time
        read = stream.read

        def slowly(limit: int) -> bytes:
            real.seconds += 1
            return read(limit)

        stream.read = slowly  # type: ignore[method-assign]
        return stream


def meters(outputs: int = 1, time: Time | None = None) -> tuple[WorkMeter, Callable[[int], OutputMeter]]:
    steps = {"downloading": "d", "uploading": "u"}
    meter = WorkMeter(steps, outputs, BucketPlace("media", "eu-west-1"), BEGUN, time or Time())
    return meter, lambda index: meter.output(URL, TARGET)


def copied(
    meter: OutputMeter,
    bucket: FakeBucket,
    source: FakeSource,
    output: ProviderOutput = URL,
    stop: Callable[[], bool] = lambda: False,
) -> CopiedObject | Paused:
    return copy_output(
        output,
        TARGET,
        bucket=MeteredBucket(bucket, meter),
        source=MeteredSource(source, meter),
        limits=LIMITS,
        stop=stop,
    )


def lines(operations: list[StorageOperation]) -> list[tuple[str, bool, int | None]]:
    return [(line.operation, line.success, line.file_size) for line in operations]


def test_overlapping_movements_count_their_time_once() -> None:
    time = Time()
    tally = Tally(Stopwatch(BEGUN, time))
    first = tally.begin()
    time.seconds += 2
    second = tally.begin()
    time.seconds += 3
    tally.end(first, 10)
    time.seconds += 1
    tally.end(second, 20)
    assert (tally.seconds, tally.bytes, tally.calls, tally.ended) == (6, 30, 2, 6)


def test_waiting_between_movements_is_nobodys_time() -> None:
    time = Time()
    tally = Tally(Stopwatch(BEGUN, time))
    for _ in range(2):
        with tally.moving(5):
            time.seconds += 1
        time.seconds += 10
    assert (tally.seconds, tally.bytes, tally.ended) == (2, 10, 12)


def test_threads_lose_no_byte() -> None:
    tally = Tally(Stopwatch(BEGUN))

    def move() -> None:
        for _ in range(500):
            tally.end(tally.begin(), 3)

    threads = [threading.Thread(target=move) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tally.bytes, tally.calls) == (6000, 2000)


def test_a_failure_is_remembered_until_something_succeeds() -> None:
    tally = Tally(Stopwatch(BEGUN))
    with pytest.raises(UnavailableError), tally.moving(5):
        away()
    assert (tally.error_code, tally.bytes) == (UnavailableError.code, 0)
    with tally.moving(5):
        pass
    assert (tally.error_code, tally.bytes) == (None, 5)


def test_usage_is_processor_time_by_time_and_never_more_than_the_record_holds() -> None:
    assert usage_of(0.5, 2).cpu_percent == 25
    assert usage_of(5, 0).cpu_percent == MOST_PERCENT
    assert usage_of(-0.1, 1).cpu_percent == 0
    assert usage_of(1, 1).memory_bytes > 1_000_000
    cpu, time = Time(), Time()
    meter = UsageMeter(cpu, time)
    cpu.seconds, time.seconds = cpu.seconds + 3, time.seconds + 4
    assert meter.usage().cpu_percent == 75


def test_a_copy_in_parts_is_one_download_and_one_upload_with_its_bytes_and_the_sources_time() -> None:
    time = Time()
    meter, next_output = meters(time=time)
    copied(next_output(0), FakeBucket(), SlowSource(time))
    meter.stored()
    report = meter.completed()
    download, upload = report.operations
    assert lines(list(report.operations)) == [("download", True, len(PNG)), ("upload", True, len(PNG))]
    assert download.duration_ms == 1000 * 20
    assert download.at == BEGUN + timedelta(seconds=20)
    assert (download.bucket, download.key, download.region) == ("files.example", "/0.png", None)
    assert (upload.bucket, upload.region) == ("media", "eu-west-1")
    downloading, uploading = report.steps
    assert (downloading.success, downloading.progress, uploading.progress) == (True, 95, 100)
    assert (downloading.details["bytes"], downloading.details["seconds"]) == (len(PNG), 20)


def test_a_source_that_breaks_and_is_continued_is_one_good_download() -> None:
    meter, next_output = meters()
    copied(next_output(0), FakeBucket(), FakeSource(PNG, breaks=[150, 300]))
    meter.stored()
    assert lines(list(meter.completed().operations))[0] == ("download", True, len(PNG))


def test_a_copy_that_another_worker_was_faster_with_logs_no_upload() -> None:
    bucket = FakeBucket()
    key = "media/user-1/image/2026/11/20/job-1/0.png"

    def other_worker() -> None:
        bucket.before.clear()
        metadata = {"job-id": "job-1", "output-index": "0"}
        bucket.put(key, PNG, content_type="image/png", metadata=metadata)

    bucket.before["put"] = other_worker
    meter, next_output = meters()
    copied(next_output(0), bucket, FakeSource(PNG[:99]))
    meter.stored()
    assert lines(list(meter.completed().operations)) == [("download", True, 99)]


def test_what_is_there_already_is_neither_downloaded_nor_uploaded() -> None:
    bucket = FakeBucket()
    copied(meters()[1](0), bucket, FakeSource(PNG))
    meter, next_output = meters()
    copied(next_output(0), bucket, FakeSource(PNG))
    meter.stored()
    report = meter.completed()
    assert report.operations == []
    assert [(step.success, step.details["bytes"]) for step in report.steps] == [(True, 0), (True, 0)]


def test_a_wrong_type_is_a_failed_download() -> None:
    meter, next_output = meters()
    with pytest.raises(OutputError) as caught:
        copied(next_output(0), FakeBucket(), FakeSource(b"<html>" * 200))
    report = meter.failed(caught.value)
    assert lines(list(report.operations)) == [("download", False, 100)]
    assert report.operations[0].error_code == OutputFault.WRONG_TYPE
    assert [step.details["code"] for step in report.steps] == [OutputFault.WRONG_TYPE] * 2


def test_a_bucket_that_goes_away_leaves_a_part_of_a_good_download_and_a_failed_upload() -> None:
    bucket, calls = FakeBucket(), iter([None, None, away])

    def third_part_fails() -> None:
        if (fail := next(calls, away)) is not None:
            fail()

    bucket.before["upload_part"] = third_part_fails
    meter, next_output = meters()
    with pytest.raises(UnavailableError) as caught:
        copied(next_output(0), bucket, FakeSource(PNG))
    download, upload = meter.failed(caught.value).operations
    assert (download.success, download.metadata) == (True, {"partial": True})
    assert (upload.success, upload.error_code) == (False, UnavailableError.code)
    assert upload.file_size in (200, 300)  # one more part may be on its way when the failure shows


def test_a_pause_before_the_first_part_is_only_a_download() -> None:
    meter, next_output = meters()
    answers = stops_after(1)
    outcome = copied(next_output(0), FakeBucket(), FakeSource(PNG), stop=lambda: next(answers))
    assert outcome == Paused()
    report = meter.paused()
    assert lines(list(report.operations)) == [("download", True, 50)]
    assert [(step.success, step.details["paused"], step.progress) for step in report.steps] == [
        (True, True, 90)
    ] * 2


@pytest.mark.parametrize(
    "output",
    [
        ProviderOutput(OutputKind.DATA_URL, "data:image/png;base64,iVBORw0KGgoAAAAA"),
        ProviderOutput(OutputKind.DATA_URL, "data:image/png,%89PNG%0D%0A%1A%0A%00%00%00%00"),
    ],
)
def test_what_comes_inside_a_message_is_a_download_without_a_host(output: ProviderOutput) -> None:
    meter, _ = meters()
    copied(meter.output(output, TARGET), FakeBucket(), FakeSource(b""), output)
    meter.stored()
    download, upload = meter.completed().operations
    assert (download.bucket, download.key, download.file_size) == ("inline", "inline", 12)
    assert (upload.operation, upload.file_size) == ("upload", 12)


def test_a_data_url_that_cannot_be_read_is_a_failed_download_and_shows_nothing_of_itself() -> None:
    meter, _ = meters()
    output = ProviderOutput(OutputKind.DATA_URL, "data:image/png;base64,secret!")
    with pytest.raises(OutputError) as caught:
        copied(meter.output(output, TARGET), FakeBucket(), FakeSource(b""), output)
    (download,) = meter.failed(caught.value).operations
    assert (download.success, download.error_code) == (False, OutputFault.UNREADABLE)
    assert "secret" not in repr(download)


def test_an_output_that_lay_under_temp_is_read_from_our_own_bucket() -> None:
    bucket = FakeBucket()
    bucket.put("temp/x", PNG, content_type="image/png", metadata={})
    meter, _ = meters()
    output = ProviderOutput(OutputKind.OBJECT, "temp/x")
    copied(meter.output(output, TARGET), bucket, FakeSource(b""), output)
    meter.stored()
    read, upload = meter.completed().operations
    assert (read.operation, read.bucket, read.key, read.region) == ("read", "media", "temp/x", "eu-west-1")
    assert read.file_size == upload.file_size == len(PNG)


def test_ids_of_one_report_are_in_the_order_of_what_happened() -> None:
    time, bucket = Time(), FakeBucket()
    bucket.before["complete_upload"] = lambda: time.pass_on(0.000_01)
    meter, next_output = meters(time=time)
    copied(next_output(0), bucket, SlowSource(time))
    meter.stored()
    ids = [line.operation_id for line in meter.completed().operations]
    assert ids == sorted(ids)
    assert meter.completed().operations == meter.completed().operations


def test_a_worker_that_was_given_no_steps_reports_none() -> None:
    meter = WorkMeter({"downloading": None}, 1, BucketPlace("media"), BEGUN)
    assert meter.completed().steps == []
