"""How jobs and models look on the wire: camelCase, times in ISO 8601, addresses signed when they are read."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from lib.domain.job import JobStatus
from lib.domain.progress import Progress, merge_progress
from lib.domain.snapshot import JobSnapshot, format_time, parse_time

_COPIED = (
    "jobId",
    "shortId",
    "status",
    "step",
    "mediaType",
    "modelId",
    "provider",
    "providerJobId",
    "createdAt",
    "updatedAt",
    "completedAt",
    "estimatedTime",
    "estimatedCost",
    "cancelRequested",
    "warnings",
)


class JobView:
    """Shows jobs to their owners.

    `sign` makes an address under which an object of `bucket` can be read for `url_life_seconds`; it is asked
    only for outputs of completed jobs.
    """

    def __init__(self, sign: Callable[[str], str], bucket: str, url_life_seconds: int) -> None:
        self._sign = sign
        self._bucket = bucket
        self._url_life = timedelta(seconds=url_life_seconds)

    def __call__(self, job: JobSnapshot, progress: Progress | None, now: datetime) -> dict[str, Any]:
        """The job's status; `result` is the first of `outputs`, `error` says in words why it failed."""
        data = job.data
        outputs = [self._output(output, now) for output in data.get("outputs") or ()]
        error: Mapping[str, Any] | None = data.get("error")
        return {
            **{name: data.get(name) for name in _COPIED},
            "replicateId": data.get("providerJobId") if data.get("provider") == "replicate" else None,
            "progress": merge_progress(job, progress)["progress"],
            "estimatedTimeRemaining": remaining_seconds(job, now),
            "result": outputs[0] if outputs else None,
            "outputs": outputs,
            "error": error["message"] if error else None,
            "errorCode": error["code"] if error else None,
            "retryable": bool(error["retryable"]) if error else None,
        }

    def _output(self, output: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        thumbnail = output.get("thumbnailKey")
        return {
            "originalUrl": self._sign(output["key"]),
            "thumbnailUrl": self._sign(thumbnail) if thumbnail else None,
            "urlExpiresAt": format_time(now + self._url_life),
            "s3Path": f"s3://{self._bucket}/{output['key']}",
            "fileSize": output.get("fileSize"),
            "contentType": output.get("contentType"),
            "duration": output.get("duration"),
            "width": output.get("width"),
            "height": output.get("height"),
        }


def remaining_seconds(job: JobSnapshot, now: datetime) -> float:
    """The estimate less the time that the job has run at its provider; 0 for a final job."""
    estimated = float(job.data.get("estimatedTime") or 0)
    if job.final:
        return 0.0
    began = job.data.get("startedAt")
    ran = (now - parse_time(began)).total_seconds() if began else 0.0
    return round(min(estimated, max(0.0, estimated - ran)), 1)


def cancel_status(job: JobSnapshot) -> int:
    """200 once the job is canceled, 202 while its provider is being asked."""
    return 200 if job.status is JobStatus.CANCELED else 202
