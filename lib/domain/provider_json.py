"""A `ProviderUpdate` as JSON, the form in which a queue message carries it."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from lib.domain.provider import (
    Failure,
    FailureKind,
    OutputKind,
    ProviderOutput,
    ProviderUpdate,
    RemoteStatus,
)
from lib.domain.snapshot import format_time, parse_time

LONGEST_WORD = 200
"""A provider's word for a status is that short; a message must not grow by what stands in its place."""


def update_to_json(update: ProviderUpdate) -> dict[str, Any]:
    """The update with camelCase names; what is not known is left out. ValueError if an output is a blob."""
    values: dict[str, Any] = {
        "status": update.status.value,
        "providerJobId": update.provider_job_id,
        "outputs": [output.as_json() for output in update.outputs] or None,
        "failure": _failure_to_json(update.failure) if update.failure else None,
        "progress": update.progress,
        "rawStatus": update.raw_status[:LONGEST_WORD] or None,
        "startedAt": _moment_to_json(update.started_at),
        "completedAt": _moment_to_json(update.completed_at),
        "billedSeconds": update.billed_seconds,
        "costUsd": str(update.cost_usd) if update.cost_usd is not None else None,
    }
    return {name: value for name, value in values.items() if value is not None}


def update_from_json(value: Mapping[str, Any]) -> ProviderUpdate:
    """The reverse of `update_to_json`; raises KeyError, TypeError or ValueError for anything else."""
    failure = value.get("failure")
    return ProviderUpdate(
        status=RemoteStatus(value["status"]),
        provider_job_id=value.get("providerJobId"),
        outputs=tuple(map(_output_from_json, value.get("outputs", ()))),
        failure=_failure_from_json(failure) if failure else None,
        progress=value.get("progress"),
        raw_status=value.get("rawStatus", ""),
        started_at=_moment_from_json(value.get("startedAt")),
        completed_at=_moment_from_json(value.get("completedAt")),
        billed_seconds=value.get("billedSeconds"),
        cost_usd=Decimal(value["costUsd"]) if value.get("costUsd") is not None else None,
    )


def _output_from_json(value: Mapping[str, Any]) -> ProviderOutput:
    kind = OutputKind(value["kind"])
    if kind is OutputKind.BLOB:
        raise ValueError("a blob cannot come from elsewhere")
    return ProviderOutput(kind, value["value"])


def _failure_to_json(failure: Failure) -> dict[str, Any]:
    return {
        "kind": failure.kind.value,
        "message": failure.message,
        "retryable": failure.retryable,
        "retryAfterSeconds": failure.retry_after_seconds,
        "unbilled": failure.unbilled,
    }


def _failure_from_json(value: Mapping[str, Any]) -> Failure:
    return Failure(
        FailureKind(value["kind"]),
        value["message"],
        bool(value["retryable"]),
        value.get("retryAfterSeconds"),
        bool(value.get("unbilled", False)),
    )


def _moment_to_json(moment: datetime | None) -> str | None:
    return format_time(moment) if moment else None


def _moment_from_json(text: str | None) -> datetime | None:
    return parse_time(text) if text else None
