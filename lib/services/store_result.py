"""Stores the outputs of a job whose provider has succeeded, and completes it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from lib.domain.errors import GatewayError, OutputError, UnavailableError
from lib.domain.ids import uuid7
from lib.domain.media_type import MediaType
from lib.domain.provider import FailureKind, OutputKind, ProviderOutput
from lib.domain.snapshot import JobSnapshot, parse_time
from lib.domain.stored_output import CopyCheckpoint, OutputTarget, Paused, StoredOutput
from lib.domain.timing import Timing
from lib.ports.journal import Journal
from lib.ports.record import JobRecord
from lib.ports.work_report import WorkReport
from lib.services.after_commit import AfterCommit
from lib.services.output_meter import BucketPlace, OutputMeter
from lib.services.waiting import TryLaterError, backoff_seconds, tried_again, waits_for_record
from lib.services.work_meter import WorkMeter


class StoreOne(Protocol):
    """Copies, probes and previews one output."""

    def __call__(
        self,
        output: ProviderOutput,
        target: OutputTarget,
        *,
        stop: Callable[[], bool],
        checkpoint: CopyCheckpoint | None,
        meter: OutputMeter,
    ) -> StoredOutput | Paused:
        """The output as stored, or where to go on; raises OutputError and UnavailableError."""


@dataclass(frozen=True)
class StoreResult:
    """The use case of the store queue. The same message twice stores one set of objects and completes once.

    Died anywhere, it begins again from what the bucket already has; the record's last word is `complete_job`, which
    takes the report of the work with it. The report of a try that completes nothing is a call of its own.
    """

    record: JobRecord
    after_commit: AfterCommit
    store_one: StoreOne
    journal: Journal
    clock: Callable[[], datetime]
    timing: Timing
    place: BucketPlace

    def handle(self, message: Mapping[str, Any], stop: Callable[[], bool]) -> None:
        """Store what the message's job has; `stop` says when the time is up.

        Raises:
            TryLaterError: the time was up (at once, with a checkpoint), or something needed is away.
        """
        try:
            self._handle(message, stop)
        except UnavailableError as error:
            raise waits_for_record(error, message) from error

    def _handle(self, message: Mapping[str, Any], stop: Callable[[], bool]) -> None:
        job_id, now = str(message["jobId"]), self.clock()
        begun = self.record.begin_storing(
            job_id, now=now, due_at=Timing.after(now, self.timing.storing_lease)
        )
        if begun.outcome != "storing":
            return
        work, job = begun.extra["work"], begun.job
        outputs = [ProviderOutput(OutputKind(o["kind"]), o["value"]) for o in work["outputs"]]
        if not outputs:
            self._fail(
                job_id, FailureKind.DATA_EXPIRED.value, "The provider reported success without any output."
            )
            return
        meter = WorkMeter(work["steps"], len(outputs), self.place, now)
        try:
            stored = self._store_all(job, outputs, message, stop, meter)
        except OutputError as error:
            self._tell(job_id, meter.failed(error))
            self._output_trouble(job_id, error, message, parse_time(work["storingDeadlineAt"]))
            return
        except UnavailableError as error:
            self._tell(job_id, meter.failed(error))
            raise
        except TryLaterError:
            self._tell(job_id, meter.paused())
            raise
        now = self.clock()
        rows = [_row(output, str(uuid7(now))) for output in stored]
        completed = self.record.complete_job(job_id, rows, now, work=meter.completed())
        self.after_commit(completed, now)

    def _tell(self, job_id: str, report: WorkReport) -> None:
        """A report that cannot be kept is no reason to do the work again, or to forget how far it came."""
        try:
            self.record.record_work(job_id, report, self.clock())
        except GatewayError:
            self.journal.count("WorkNotRecorded")

    def _store_all(
        self,
        job: JobSnapshot,
        outputs: Sequence[ProviderOutput],
        message: Mapping[str, Any],
        stop: Callable[[], bool],
        meter: WorkMeter,
    ) -> list[StoredOutput]:
        checkpoints = message.get("checkpoints", {})
        stored: list[StoredOutput] = []
        for index, output in enumerate(outputs):
            checkpoint, target = checkpoints.get(str(index)), _target(job, index)
            result = self.store_one(
                output,
                target,
                stop=stop,
                checkpoint=CopyCheckpoint.from_json(checkpoint) if checkpoint else None,
                meter=meter.output(output, target),
            )
            if isinstance(result, Paused):
                raise self._go_on_later(job, index, result, message)
            meter.stored()
            if result.preview_fault:
                self.journal.count("PreviewFailed", mediaType=result.media_type.value)
            stored.append(result)
        return stored

    def _go_on_later(
        self, job: JobSnapshot, index: int, paused: Paused, message: Mapping[str, Any]
    ) -> TryLaterError:
        self.journal.note("storing_paused", job.job_id, output=index)
        checkpoints = {str(index): paused.checkpoint.as_json()} if paused.checkpoint else {}
        return TryLaterError(0, "the time was up", {**message, "checkpoints": checkpoints})

    def _output_trouble(
        self, job_id: str, error: OutputError, message: Mapping[str, Any], deadline: datetime
    ) -> None:
        """An output that may still come is tried again until the storing deadline; any other fails the job."""
        wait = backoff_seconds(int(message.get("tries", 0)), longest=300.0)
        if error.retryable and Timing.after(self.clock(), wait) < deadline:
            self.journal.note("output_trouble", job_id, code=error.code)
            raise TryLaterError(wait, error.code, tried_again(message)) from error
        self._fail(job_id, error.code, error.message)

    def _fail(self, job_id: str, code: str, message: str) -> None:
        now = self.clock()
        failed = self.record.fail_job(job_id, code=code, message=message, retryable=False, now=now)
        self.after_commit(failed, now)


def _target(job: JobSnapshot, index: int) -> OutputTarget:
    return OutputTarget(
        job_id=job.job_id,
        user_id=job.user_id,
        model_id=str(job.data["modelId"]),
        media_type=MediaType(job.data["mediaType"]),
        index=index,
        created_at=parse_time(job.data["createdAt"]),
    )


def _row(output: StoredOutput, output_id: str) -> dict[str, Any]:
    """The output as `complete_job` takes it; the picture of a sound is its thumbnail."""
    return {
        "index": output.index,
        "outputId": output_id,
        "key": output.copied.key,
        "contentType": output.copied.content.mime,
        "fileSize": output.copied.size,
        "sha256": output.copied.sha256,
        "width": output.facts.width,
        "height": output.facts.height,
        "duration": output.facts.duration_seconds,
        "thumbnailKey": output.thumbnail_key or output.waveform_key,
    }
