"""How jobs and models look on the wire: camelCase, times in ISO 8601, addresses signed when they are read."""

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lib.api.compact_json import compact_json
from lib.aws.signed_urls import UrlSigner
from lib.domain.job import JobStatus
from lib.domain.progress import Progress, merge_progress
from lib.domain.snapshot import JobSnapshot, parse_time

REMEMBERED = 256
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
    "waiting",
)


class JobView:
    """Shows jobs to their owners.

    `sign` makes the address under which an object can be read; it is asked only for outputs of completed jobs.
    """

    def __init__(self, sign: UrlSigner) -> None:
        self._sign = sign
        self._written: OrderedDict[tuple[str, int, int], str] = OrderedDict()

    def text(self, job: JobSnapshot, progress: Progress | None, now: datetime) -> str:
        """The job's status as JSON text.

        What a final job looks like is remembered as long as its addresses stay the same: callers ask more often
        than once, and a final version never changes.
        """
        if not job.final:
            return compact_json(self(job, progress, now))
        known = (job.job_id, job.version, self._sign.window(now))
        written = self._written.get(known)
        if written is None:
            written = self._written[known] = compact_json(self(job, progress, now))
            if len(self._written) > REMEMBERED:
                self._written.popitem(last=False)
        return written

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
        thumbnail, original = output.get("thumbnailKey"), self._sign(output["key"], now)
        return {
            "outputId": output.get("outputId"),
            "originalUrl": original.url,
            "thumbnailUrl": self._sign(thumbnail, now).url if thumbnail else None,
            "urlExpiresAt": original.expires_at,
            "s3Path": f"s3://{self._sign.bucket}/{output['key']}",
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
