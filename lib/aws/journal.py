"""The `Journal` of the services: a log line for each step of a job, and the business metrics."""

import logging

from lib.domain.snapshot import JobSnapshot
from lib.ports.metrics import GatewayMetrics

logger = logging.getLogger(__name__)

_OF_STEP = (
    "jobId",
    "step",
    "status",
    "version",
    "attempt",
    "mediaType",
    "modelId",
    "provider",
    "providerJobId",
)


class LoggedJournal:
    """Writes what happens to the log and counts it."""

    def __init__(self, metrics: GatewayMetrics) -> None:
        self._metrics = metrics

    def transition(self, event: str, job: JobSnapshot) -> None:
        """One line with the job's id, step and status, and `JobStarted` or the metrics of its end."""
        facts = {name: job.data.get(name) for name in _OF_STEP}
        error = job.data.get("error")
        if error:
            facts["errorCode"] = error["code"]
        logger.info("job %s", event, extra={"event": event, **facts})
        if event == "created":
            self._metrics.job_started(job)
        elif job.final:
            self._metrics.job_ended(job)

    def note(self, event: str, job_id: str | None = None, **facts: str | float | bool | None) -> None:
        """One line."""
        extra = {"event": event, **({"jobId": job_id} if job_id else {}), **facts}
        logger.info(event, extra=extra)

    def count(self, name: str, **dimensions: str) -> None:
        """One more of `name`."""
        self._metrics.count(name, **dimensions)

    def webhook_latency(self, job: JobSnapshot, seconds: float) -> None:
        """The metric `WebhookLatency`, by media type and model."""
        self._metrics.webhook_latency(job, seconds)
