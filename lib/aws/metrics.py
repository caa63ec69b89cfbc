"""Metrics as embedded metric format (EMF): log lines that CloudWatch reads as figures; no call is made."""

import os
from collections.abc import Callable, Mapping
from typing import Any

from lib.domain.job import JobStatus
from lib.domain.snapshot import JobSnapshot, parse_time

_COUNT, _MILLISECONDS = "Count", "Milliseconds"


def print_emf(metrics: Mapping[str, tuple[str, float]], dimensions: Mapping[str, str]) -> None:
    """Write metrics, as name -> (unit, value), with one set of dimensions to standard output."""
    from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit  # noqa: PLC0415 - only where counted

    namespace = os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "VSL/Gateway")
    service = os.environ.get("POWERTOOLS_SERVICE_NAME", "vsl-gateway")
    emf = EphemeralMetrics(namespace=namespace, service=service)
    for name, value in dimensions.items():
        emf.add_dimension(name=name, value=value or "unknown")
    for name, (unit, amount) in metrics.items():
        emf.add_metric(name=name, unit=MetricUnit(unit), value=amount)
    emf.flush_metrics()


class EmfMetrics:
    """`GatewayMetrics` by EMF."""

    def __init__(self, write: Callable[..., None] = print_emf) -> None:
        self._write = write

    def job_started(self, job: JobSnapshot) -> None:
        """See the port."""
        self._write({"JobStarted": (_COUNT, 1)}, _of(job))

    def job_ended(self, job: JobSnapshot) -> None:
        """See the port."""
        match job.status:
            case JobStatus.COMPLETED:
                took = parse_time(job.data["completedAt"]) - parse_time(job.data["createdAt"])
                milliseconds = took.total_seconds() * 1000
                metrics = {"JobCompleted": (_COUNT, 1), "ProcessingTime": (_MILLISECONDS, milliseconds)}
                self._write(metrics, _of(job))
            case JobStatus.FAILED:
                error: Mapping[str, Any] = job.data.get("error") or {}
                self._write({"JobFailed": (_COUNT, 1)}, {**_of(job), "errorType": str(error.get("code"))})
            case JobStatus.CANCELED:
                self._write({"JobCanceled": (_COUNT, 1)}, _of(job))
            case _:
                return

    def webhook_latency(self, job: JobSnapshot, seconds: float) -> None:
        """See the port."""
        self._write({"WebhookLatency": (_MILLISECONDS, max(0.0, seconds) * 1000)}, _of(job))

    def webhook_received(self, provider: str) -> None:
        """See the port."""
        self._write({"WebhookReceived": (_COUNT, 1)}, {"provider": provider})

    def count(self, name: str, **dimensions: str) -> None:
        """See the port."""
        self._write({name: (_COUNT, 1)}, dimensions)


def _of(job: JobSnapshot) -> dict[str, str]:
    return {"mediaType": str(job.data["mediaType"]), "modelId": str(job.data["modelId"])}
