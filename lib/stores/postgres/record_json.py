"""What the SQL functions of the record take as JSON."""

from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from lib.domain.fallback import may_fall_back
from lib.domain.provider import ProviderUpdate
from lib.domain.snapshot import format_time
from lib.ports.record import Answer, NewJob
from lib.ports.work_report import StorageOperation, Usage, WorkReport
from lib.stores.postgres.holdable import holdable


def evidence_json(
    job_id: str,
    attempt: int,
    update: ProviderUpdate,
    *,
    source: str,
    due_at: datetime,
    storing_deadline_at: datetime,
    storing_due_at: datetime,
) -> Jsonb:
    """What a provider says about an attempt, as `apply_update` takes it."""
    failure = update.failure and {
        "kind": update.failure.kind.value,
        "message": update.failure.message,
        "retryable": update.failure.retryable,
        "fallBack": may_fall_back(update.failure, own_key=False),
        "fallBackFromOwnKey": may_fall_back(update.failure, own_key=True),
    }
    evidence = {
        "jobId": job_id,
        "attempt": attempt,
        "providerJobId": update.provider_job_id,
        "status": update.status.value,
        "outputs": [output.as_json() for output in update.outputs],
        "failure": failure,
        "billedSeconds": update.billed_seconds,
        "costUsd": str(update.cost_usd) if update.cost_usd is not None else None,
        "source": source,
        "dueAt": format_time(due_at),
        "storingDeadlineAt": format_time(storing_deadline_at),
        "storingDueAt": format_time(storing_due_at),
    }
    return Jsonb(holdable(evidence))


def answer_json(answer: Answer | None) -> Jsonb | None:
    """The answer to a creating request, for `record_answer`."""
    return Jsonb({"statusCode": answer.status_code, "body": answer.body}) if answer else None


def usage_json(usage: Usage | None) -> Jsonb | None:
    """What a piece of work took, for `end_step`."""
    return Jsonb(usage.as_json()) if usage else None


def work_json(work: WorkReport) -> Jsonb:
    """A report as `record_work` and `complete_job` take it."""
    steps = [
        {
            "timelineId": step.timeline_id,
            "success": step.success,
            "endedAt": format_time(step.ended_at),
            "progress": step.progress,
            "details": dict(step.details),
            **(step.usage.as_json() if step.usage else {}),
        }
        for step in work.steps
    ]
    operations = [operation_json(done) for done in work.operations]
    return Jsonb(holdable({"steps": steps, "operations": operations}))


def operation_json(done: StorageOperation) -> dict[str, Any]:
    """What was moved, as `log_storage_operation` takes it; `jobId` is still to come."""
    return {
        "operationId": done.operation_id,
        "operation": done.operation,
        "bucket": done.bucket,
        "key": done.key,
        "success": done.success,
        "at": format_time(done.at),
        "durationMs": round(done.duration_ms, 3),
        "fileSize": done.file_size,
        "outputIndex": done.output_index,
        "region": done.region,
        "errorCode": done.error_code,
        "metadata": dict(done.metadata),
    }


def new_job_json(job: NewJob) -> Jsonb:
    """A job of one attempt, as `create_job` takes it; what is not known is left out."""
    attempt: dict[str, Any] = {
        "modelRef": job.model_ref,
        "credentials": job.credentials,
    }
    if job.lease_until is not None:
        attempt["leaseUntil"] = job.lease_until.isoformat()
    if job.input is not None:
        attempt["input"] = holdable(job.input)
    fields: dict[str, Any] = {
        "jobId": job.job_id,
        "shortId": job.short_id,
        "userId": job.user_id,
        "mediaType": job.media_type,
        "modelId": job.model_id,
        "provider": job.provider,
        "estimatedTime": job.estimated_time_seconds,
        "estimatedCost": job.estimated_cost,
        "deadlineAt": job.deadline_at.isoformat(),
        "warnings": list(job.warnings),
        "fallbacks": [holdable(planned.as_json()) for planned in job.fallbacks],
        "attempt": attempt,
    }
    if job.answer is not None:
        fields["answer"] = {"statusCode": job.answer.status_code, "body": job.answer.body}
    if job.guest_token is not None:
        fields["guestToken"] = job.guest_token
    if job.client_ip is not None:
        fields["clientIp"] = job.client_ip
    if job.user_agent is not None:
        fields["userAgent"] = holdable(job.user_agent)
    if job.parameters is not None:
        fields["parameters"] = holdable(job.parameters)
    if job.request_ref is not None:
        fields["requestRef"] = job.request_ref
    if job.idempotency_key is not None and job.idempotency_expires_at is not None:
        fields["idempotencyKey"] = job.idempotency_key
        fields["requestHash"] = job.request_hash
        fields["idempotencyExpiresAt"] = job.idempotency_expires_at.isoformat()
    return Jsonb(fields)
