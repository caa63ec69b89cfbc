"""The record of jobs: each method is one transaction, one round trip, and one transition at most."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from lib.domain.provider import ProviderUpdate
from lib.domain.snapshot import JobSnapshot
from lib.ports.work_report import Metric, Usage, WorkReport


@dataclass(frozen=True)
class OutboxMessage:
    """A message that a committed transition wants sent; `delay_seconds` counts from that commit."""

    outbox_id: int
    topic: str
    group: str
    payload: Mapping[str, Any]
    delay_seconds: float


@dataclass(frozen=True)
class Transition:
    """What a call to the record came to.

    `outcome` is the SQL function's word; `changed` is whether the job has a new version; `snapshot` is the job as
    it now stands, None if there is none; `extra` holds what only some functions answer (`work`, `answer`).
    """

    outcome: str
    changed: bool
    snapshot: JobSnapshot | None
    outbox: tuple[OutboxMessage, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def job(self) -> JobSnapshot:
        """The snapshot where there must be one."""
        if self.snapshot is None:
            msg = f"no job came with the outcome {self.outcome}"
            raise LookupError(msg)
        return self.snapshot


@dataclass(frozen=True)
class NewJob:
    """All that is recorded of a job before anything is sent.

    Either `parameters` and `input` or `request_ref`, the key of the object that holds both, is given.
    `estimated_cost` is USD as decimal text. `credentials` says whose key may be used: own, platform or
    own_then_platform. Without `lease_until` the attempt is queued for a worker that waits for the provider's answer;
    `answer` is then what replays get. `fallbacks` are tried in order, see `PlannedAttempt.as_json`.
    """

    job_id: str
    short_id: str
    user_id: str
    media_type: str
    model_id: str
    provider: str
    model_ref: str
    credentials: str
    estimated_time_seconds: float
    estimated_cost: str
    deadline_at: datetime
    lease_until: datetime | None
    parameters: Mapping[str, Any] | None = None
    input: Mapping[str, Any] | None = None
    request_ref: str | None = None
    warnings: Sequence[str] = ()
    idempotency_key: str | None = None
    request_hash: str | None = None
    idempotency_expires_at: datetime | None = None
    guest_token: str | None = None
    client_ip: str | None = None
    user_agent: str | None = None
    fallbacks: Sequence["PlannedAttempt"] = ()
    answer: "Answer | None" = None


@dataclass(frozen=True)
class PlannedAttempt:
    """An attempt at another model, to be made if the one before it fails and cost nothing.

    `input` is None where the object of the job's `request_ref` holds it. `estimated_cost` is USD as decimal text.
    """

    model_id: str
    provider: str
    model_ref: str
    credentials: str
    synchronous: bool
    estimated_time_seconds: float
    estimated_cost: str
    input: Mapping[str, Any] | None = None
    warnings: Sequence[str] = ()

    def as_json(self) -> dict[str, Any]:
        """The form in which the record keeps it."""
        values = {
            "modelId": self.model_id,
            "provider": self.provider,
            "modelRef": self.model_ref,
            "credentials": self.credentials,
            "synchronous": self.synchronous,
            "estimatedTime": self.estimated_time_seconds,
            "estimatedCost": self.estimated_cost,
            "warnings": list(self.warnings),
        }
        return {**values, "input": dict(self.input)} if self.input is not None else values


@dataclass(frozen=True)
class Answer:
    """The answer to a creating request, kept for replays of its Idempotency-Key."""

    status_code: int
    body: Mapping[str, Any]


@dataclass(frozen=True)
class JobFilter:
    """Which of a user's jobs to list, newest first; `before` is (created_at, job_id) of the last row seen."""

    user_id: str
    status: str | None = None
    media_type: str | None = None
    before: tuple[datetime, str] | None = None
    offset: int = 0
    limit: int = 20


class JobRecord(Protocol):
    """Postgres, the record. Every method raises RecordUnavailableError when it is away; then nothing changed,
    or the change can be repeated harmlessly."""

    def create_job(self, job: NewJob, now: datetime) -> Transition:
        """created (extra `credential`) | replay (extra `answer`) | in_progress | existing | mismatch.

        credential_none | credential_invalid: no key applies, and nothing was recorded. `credential` is
        `{version, sealed?}`: the one that the job is pinned to, and what opens it where the user brought it.
        """

    def record_submitted(
        self,
        job_id: str,
        attempt: int,
        provider_job_id: str,
        *,
        now: datetime,
        due_at: datetime,
        answer: Answer | None = None,
        poll_after_seconds: float | None = None,
        usage: Usage | None = None,
    ) -> Transition:
        """submitted | known | conflict | taken | final | old_attempt | unknown_job; legal in any state.

        taken: another attempt has this provider job id; this one stays as it is.
        """

    def defer_submit(
        self,
        job_id: str,
        attempt: int,
        *,
        retry_at: datetime,
        reason: str,
        now: datetime,
        answer: Answer | None = None,
        usage: Usage | None = None,
        claim: str | None = None,
        code: str | None = None,
        fall_back: bool = False,
        doubtful: bool = False,
    ) -> Transition:
        """deferred | fell_back | canceled (somebody wished so meanwhile) | unchanged | unknown_job.

        With `claim`: its holder sent nothing and gives it back; unchanged if another claim was won since. `code` says
        in the status why it waits; with `fall_back` a planned fallback is tried instead, if there is one. `doubtful`:
        the provider may have taken it all the same, so that nothing else is ever tried.
        """

    def claim_attempt(
        self, job_id: str, attempt: int, *, claim: str, lease_until: datetime, now: datetime
    ) -> Transition:
        """claimed | not_claimed | unknown_job. `claim`, a new UUID for each call, is who claims: one wins, once.

        Raises CommitUnknownError: it may be won all the same; send nothing, and give it back by `defer_submit`.
        """

    def mark_submit_unknown(
        self,
        job_id: str,
        attempt: int,
        *,
        due_at: datetime,
        now: datetime,
        answer: Answer | None = None,
        usage: Usage | None = None,
    ) -> Transition:
        """unknown | unchanged | unknown_job."""

    def fail_job(
        self,
        job_id: str,
        *,
        code: str,
        message: str,
        retryable: bool,
        now: datetime,
        refused: bool = False,
        answer: Answer | None = None,
        usage: Usage | None = None,
        unbilled: bool = False,
        attempt: int | None = None,
    ) -> Transition:
        """failed | fell_back | final | other_attempt | unknown_job.

        `unbilled` lets a planned fallback be tried instead; `answer` is then what its creator was told. With `attempt`:
        only while that is the job's attempt; what is told twice does not strike the one that followed.
        """

    def request_cancel(self, job_id: str, user_id: str, now: datetime) -> Transition:
        """canceled | requested | final | not_found."""

    def apply_update(
        self,
        job_id: str,
        attempt: int,
        update: ProviderUpdate,
        *,
        source: str,
        now: datetime,
        due_at: datetime,
        storing_deadline_at: datetime,
        storing_due_at: datetime,
    ) -> Transition:
        """submitted | generating | storing | failed | canceled | unchanged | final | other_prediction | ..."""

    def begin_check(
        self, job_id: str, *, poll_seq: int | None, now: datetime, due_at: datetime
    ) -> Transition:
        """work (extra `work`) | final | stale_poll | unknown_job; of a composed job: failed | not_due.

        `final` comes with `work` where the job's attempt has not ended: nobody ever answered its submit.
        """

    def emit_next_check(
        self, job_id: str, *, topic: str, poll_seq: int | None, delay_seconds: float, now: datetime
    ) -> Transition:
        """emitted | final."""

    def set_due(self, job_id: str, due_at: datetime) -> None:
        """When the sweep looks at the job if nothing else happens."""

    def begin_storing(self, job_id: str, *, now: datetime, due_at: datetime) -> Transition:
        """storing (extra `work`, with the ids of the two `steps` that it began) | not_storing | unknown_job."""

    def complete_job(
        self,
        job_id: str,
        outputs: Sequence[Mapping[str, Any]],
        now: datetime,
        *,
        work: WorkReport | None = None,
    ) -> Transition:
        """completed | final | not_storing | unknown_job; the report is kept in any case."""

    def record_work(self, job_id: str, work: WorkReport, now: datetime) -> None:
        """Keep a report of work that ended no job; told twice, it is kept once."""

    def update_job_status(self, change: Mapping[str, Any], now: datetime) -> Transition:
        """Move a composed job: its new step or status | unchanged | not_allowed | final | other_version | unknown_job.

        `change` is `{jobId, status, step?, expectedVersion?, error?: {code, message, retryable}, outputs?, details?}`.
        """

    def record_metrics(self, metrics: Sequence[Metric], now: datetime) -> int:
        """Measure the gateway, and keep those figures and these; how many."""

    def remove_expired(self, what: str, before: datetime, limit: int) -> int:
        """Remove up to `limit` rows of table `what` from before that moment, oldest first; how many."""

    def find_output(self, output_id: str) -> Mapping[str, Any] | None:
        """`{outputId, jobId, userId, index, key, contentType, thumbnailKey, fileSize}`, or None."""

    def log_url_access(self, access: Mapping[str, Any]) -> bool:
        """Keep `{accessId, outputId, jobId, userId, accessType, clientIp, userAgent, requestId, at}`; False: known."""

    def log_security_event(self, event: Mapping[str, Any]) -> bool:
        """Keep `{eventId, kind, userId, jobId, clientIp, userAgent, requestId, details, at}`; False if it is known, or
        if an access was refused to a job that does not exist."""

    def take_due_jobs(self, *, now: datetime, limit: int, lease_until: datetime) -> list[tuple[str, str]]:
        """(job id, user id) of jobs that are due, leased to this caller."""

    def take_outbox(self, *, now: datetime, limit: int, lease_until: datetime) -> list[OutboxMessage]:
        """Messages that their senders left behind, leased to this caller."""

    def forget_sent(self, outbox_ids: Sequence[int]) -> None:
        """These messages were sent."""

    def find_job(self, job_id: str) -> JobSnapshot | None:
        """The job as it stands, or None."""

    def find_job_by_provider(self, provider: str, provider_job_id: str) -> tuple[str, int] | None:
        """(job id, attempt) of a provider's own job id, or None."""

    def claimed_predictions(self, provider: str, after: datetime, before: datetime) -> frozenset[str]:
        """The provider's job ids that belong to attempts created in this window."""

    def list_jobs(self, wanted: JobFilter) -> list[JobSnapshot]:
        """One page of a user's jobs and one row more if there are more, newest first."""

    def count_jobs(self, wanted: JobFilter, limit: int) -> int:
        """How many jobs the filter has, counted up to `limit`."""
