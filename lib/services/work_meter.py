"""Measures one try at storing the outputs of a job, and reports it for the timeline and the storage log."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from lib.domain.provider import ProviderOutput
from lib.domain.stored_output import OutputTarget
from lib.ports.work_report import StepEnd, StorageOperation, WorkReport
from lib.services.output_meter import BucketPlace, OutputMeter
from lib.services.tally import Stopwatch, code_of
from lib.services.usage import UsageMeter, usage_of

GENERATED_PERCENT = 90.0
DOWNLOADED_PERCENT = 95.0
STORED_PERCENT = 100.0
"""How far a job is when its provider has done, when its outputs have arrived, and when they are stored."""


class WorkMeter:
    """What one worker does for one job. The ids of its lines are made once: the report may be told again and again.

    A worker that is killed reports nothing: its steps are ended by the next one, and what it put into the bucket is
    found there and not logged.

    Args:
        steps: the ids of the steps `downloading` and `uploading`, as `begin_storing` gave them.
        outputs: how many outputs the job has.
        begun: when the work began.
    """

    def __init__(
        self,
        steps: Mapping[str, str | None],
        outputs: int,
        place: BucketPlace,
        begun: datetime,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._steps, self._total, self._place = steps, outputs, place
        self._watch, self._usage = Stopwatch(begun, monotonic), UsageMeter(monotonic=monotonic)
        self._meters: list[OutputMeter] = []
        self._operations: list[StorageOperation] = []
        self._stored = 0

    def output(self, output: ProviderOutput, target: OutputTarget) -> OutputMeter:
        """The meter of the next output."""
        self._meters.append(OutputMeter(output, target, self._place, self._watch))
        return self._meters[-1]

    def stored(self) -> None:
        """The output is stored for good."""
        self._operations += self._meters[-1].operations(None, whole=True)
        self._stored += 1

    def completed(self) -> WorkReport:
        """All outputs are stored."""
        return self._report(self._operations, None, {})

    def paused(self) -> WorkReport:
        """The time was up. That is no failure: both steps did what they could, and are begun anew."""
        return self._report([*self._operations, *self._last(None)], None, {"paused": True})

    def failed(self, error: Exception) -> WorkReport:
        """Storing ended by this error; another try may follow."""
        return self._report([*self._operations, *self._last(error)], error, {"code": code_of(error)})

    def _last(self, error: Exception | None) -> list[StorageOperation]:
        under_way = len(self._meters) > self._stored
        return self._meters[-1].operations(error, whole=False) if under_way else []

    def _report(
        self, operations: list[StorageOperation], error: Exception | None, details: Mapping[str, Any]
    ) -> WorkReport:
        arrived = self._stored + sum(meter.placed for meter in self._meters[self._stored :])
        all_arrived = arrived == self._total
        steps = [
            self._downloading(arrived, {} if all_arrived else details, success=error is None or all_arrived),
            self._uploading(arrived, details, success=error is None),
        ]
        return WorkReport([step for step in steps if step.timeline_id], operations)

    def _downloading(self, arrived: int, details: Mapping[str, Any], *, success: bool) -> StepEnd:
        tallies = [meter.download for meter in self._meters]
        ended = max((tally.ended for tally in tallies), default=0.0)
        return self._end(
            "downloading",
            {
                "bytes": sum(tally.bytes for tally in tallies),
                "seconds": round(sum(tally.seconds for tally in tallies), 3),
                "outputs": arrived,
                **details,
            },
            ended=ended,
            success=success,
            progress=self._percent(arrived, GENERATED_PERCENT, DOWNLOADED_PERCENT),
            cpu_seconds=self._download_cpu(),
        )

    def _uploading(self, arrived: int, details: Mapping[str, Any], *, success: bool) -> StepEnd:
        """What is neither waiting for the source nor uploading, such as looking at the files, is counted here."""
        tallies, ended = [meter.upload for meter in self._meters], self._watch.seconds()
        percent = self._percent(arrived, GENERATED_PERCENT, DOWNLOADED_PERCENT)
        percent += self._percent(self._stored, 0.0, STORED_PERCENT - DOWNLOADED_PERCENT)
        return self._end(
            "uploading",
            {
                "bytes": sum(tally.bytes for tally in tallies),
                "seconds": round(sum(tally.seconds for tally in tallies), 3),
                "outputs": self._stored,
                **details,
            },
            ended=ended,
            success=success,
            progress=percent,
            cpu_seconds=self._usage.cpu_seconds() - self._download_cpu(),
        )

    def _download_cpu(self) -> float:
        return sum(meter.download.cpu_seconds for meter in self._meters)

    def _percent(self, outputs: int, least: float, most: float) -> float:
        return least + (most - least) * outputs / max(self._total, 1)

    def _end(
        self,
        step: str,
        details: Mapping[str, Any],
        *,
        ended: float,
        success: bool,
        progress: float,
        cpu_seconds: float,
    ) -> StepEnd:
        return StepEnd(
            timeline_id=self._steps.get(step) or "",
            success=success,
            ended_at=self._watch.moment(ended),
            progress=round(progress, 2),
            details=details,
            usage=usage_of(cpu_seconds, ended),
        )
