"""Starts a job: validate, quote, record, send. Nothing is spent before it is recorded."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from lib.domain.caller import Caller
from lib.domain.catalogue import Catalogue
from lib.domain.errors import (
    CommitUnknownError,
    FieldError,
    ForbiddenError,
    GatewayError,
    IdempotencyMismatchError,
    InvalidCredentialError,
    NoCredentialError,
    ProviderError,
    StillRunningError,
)
from lib.domain.fallback import may_fall_back
from lib.domain.ids import short_id, uuid7
from lib.domain.job import JobStatus, JobStep
from lib.domain.model_config import ModelConfig
from lib.domain.model_input import build_input
from lib.domain.parameters import merge_prompt, validate_parameters
from lib.domain.pricing import UnpricedModels, quote
from lib.domain.provider import FailureKind, Submission, SubmitOutcome
from lib.domain.snapshot import JobSnapshot
from lib.domain.timing import Timing
from lib.ports.holds import Holds
from lib.ports.provider import ProviderClient
from lib.ports.record import Answer, JobRecord, NewJob, PlannedAttempt, Transition
from lib.ports.storage import MediaBucket
from lib.services.after_commit import AfterCommit
from lib.services.choose_key import ChooseKey, OpenCredential
from lib.services.generate_request import GenerateRequest
from lib.services.plan_fallbacks import PlanFallbacks
from lib.services.submit_attempt import SubmitAttempt, Submitted

INLINE_REQUEST_BYTES = 64 * 1024
REQUESTS_PREFIX = "requests/"


@dataclass(frozen=True)
class GenerateMedia:
    """The use case of `POST /generate-media`.

    `credential` opens the key that the record chose; `keys` says whose may be used; `plan` names what may be tried
    if the model fails. `bucket` is called for, not given, because only a request over 64 KB needs one.
    """

    record: JobRecord
    catalogue: Catalogue
    provider: Callable[[str], ProviderClient]
    credential: OpenCredential
    keys: ChooseKey
    plan: PlanFallbacks
    submit: SubmitAttempt
    after_commit: AfterCommit
    holds: Holds
    bucket: Callable[[], MediaBucket]
    clock: Callable[[], datetime]
    timing: Timing
    unpriced: UnpricedModels = UnpricedModels.REFUSED

    def start(self, caller: Caller, request: GenerateRequest) -> Answer:
        """Record the job, send it or queue it, and answer 202; a repeated Idempotency-Key gets the first answer.

        Raises:
            ForbiddenError: the body names another user.
            InvalidError: unknown model, wrong parameters, unknown price, no key or a wrong one for the provider, or an
                Idempotency-Key used with another body.
            StillRunningError: the first request with this key has not answered yet.
            RecordUnavailableError: nothing was sent yet; what was recorded waits for its key to come again, or fails.
            ProviderError: the provider refused; the job is recorded as failed, `job_id` names it.
        """
        _check_owner(caller, request)
        model = self.catalogue.validate_model_id(request.model_id, request.media_type)
        parameters = validate_parameters(model, merge_prompt(request.prompt, request.parameters))
        price = quote(model, parameters, self.unpriced)
        provider_input = build_input(model, parameters)
        client = self.provider(model.provider)
        policy = self.keys(model, caller)
        now = self.clock()
        waits = client.adapter.is_synchronous(model.version)
        fallbacks = self.plan(caller, model, request, price)
        job = NewJob(
            job_id=str(uuid7(now)),
            short_id=short_id(),
            user_id=caller.user_id,
            media_type=model.media_type.value,
            model_id=model.id,
            provider=model.provider,
            model_ref=model.version,
            credentials=policy.value,
            estimated_time_seconds=float(price.estimated_time_seconds),
            estimated_cost=str(price.amount),
            deadline_at=Timing.after(now, self.timing.job_deadline),
            lease_until=None if waits else Timing.after(now, self.timing.submit_lease),
            warnings=(*request.warnings, *parameters.warnings, *price.warnings),
            idempotency_key=_own_key(caller, request.idempotency_key),
            request_hash=request.raw_hash,
            idempotency_expires_at=now + timedelta(seconds=self.timing.idempotency_life),
            guest_token=caller.guest_token,
            client_ip=request.origin.client_ip,
            user_agent=request.origin.user_agent,
            **self._kept(model, parameters.values, provider_input, fallbacks, now),
        )
        if waits:
            job = replace(job, answer=_answer(job, None))
        self.holds.reserve(caller.user_id, job.job_id, price.amount)
        created = self._created(job, now)
        if created.outcome != "created":
            self._mirror_again(created, now)
            return _not_created(created, model)
        if waits:
            self.after_commit(created, now)
            return _answer(job, None)
        self.after_commit.announce(created)
        return self._send(job, provider_input, client, created)

    def _mirror_again(self, known: Transition, now: datetime) -> None:
        """Whoever made the job may have died before any mirror heard of it, and the sweep asks a mirror what is due."""
        if known.snapshot is not None and not known.snapshot.final:
            self.after_commit.mirror(known.snapshot, now)

    def _created(self, job: NewJob, now: datetime) -> Transition:
        """The job in the record; where that cannot be known, it is not sent, and who asked is told to ask again."""
        try:
            return self.record.create_job(job, now)
        except CommitUnknownError:
            self.submit.not_sent(job.job_id, keyed=job.idempotency_key is not None)
            raise

    def _send(
        self, job: NewJob, provider_input: Mapping[str, Any], client: ProviderClient, created: Transition
    ) -> Answer:
        try:
            chosen = created.extra["credential"]
            credential = self.credential(job.provider, chosen["version"], chosen.get("sealed"))
        except GatewayError as error:
            self._not_opened(job, error)
            raise
        seconds = max(5, int(self.timing.job_deadline))
        submitted = self.submit.send(
            client,
            Submission(job.job_id, 1, job.model_ref, provider_input, seconds, user_id=job.user_id),
            credential,
            claim=job.job_id,
            answer=lambda remote: _answer(job, remote),
        )
        return _answered(job, submitted, own_key=credential.is_own)

    def _not_opened(self, job: NewJob, error: GatewayError) -> None:
        """The key cannot be had now: nothing was sent, the job fails, and whoever asked is told why."""
        error.job_id = job.job_id
        now = self.clock()
        failed = self.record.fail_job(
            job.job_id,
            code=error.code,
            message=error.message,
            retryable=error.retryable,
            now=now,
            refused=True,
            attempt=1,
        )
        self.after_commit(failed, now)

    def _kept(
        self,
        model: ModelConfig,
        parameters: Mapping[str, Any],
        provider_input: Mapping[str, Any],
        fallbacks: Sequence[PlannedAttempt],
        now: datetime,
    ) -> dict[str, Any]:
        """The request as the record keeps it: in the row, or by reference to an object where it is large."""
        kept = {"parameters": dict(parameters), "input": dict(provider_input)}
        inputs = {planned.model_id: planned.input for planned in fallbacks}
        body = json.dumps({**kept, "fallbacks": inputs}, separators=(",", ":")).encode()
        if len(body) <= INLINE_REQUEST_BYTES:
            return {**kept, "fallbacks": fallbacks}
        key = f"{REQUESTS_PREFIX}{now:%Y/%m/%d}/{uuid7(now)}.json"
        metadata = {"model-id": model.id}
        self.bucket().put(key, body, content_type="application/json", metadata=metadata)
        return {"request_ref": key, "fallbacks": [replace(planned, input=None) for planned in fallbacks]}


def _not_created(created: Transition, model: ModelConfig) -> Answer:
    """The answer of the job that the Idempotency-Key stands for; or why there is none."""
    match created.outcome:
        case "credential_invalid":
            raise InvalidCredentialError(
                "Provider credentials are not valid. Please verify your API keys. "
                f"Yours for {model.provider} were refused: put new ones at /providers/{model.provider}/credentials."
            )
        case "credential_none":
            raise NoCredentialError(
                f"{model.id} is made with your own key for {model.provider}, and there is none: "
                f"put one at /providers/{model.provider}/credentials."
            )
        case _:
            return _replayed(created)


def _check_owner(caller: Caller, request: GenerateRequest) -> None:
    if request.user_id is not None and request.user_id != caller.user_id:
        msg = "userId must be the user of the API key; leave it out or correct it"
        raise ForbiddenError(msg, errors=[FieldError("userId", "is not the user of the API key")])


def _own_key(caller: Caller, key: str | None) -> str | None:
    """The Idempotency-Key as the record keeps it for the user; guests share a user, and not each other's answers."""
    if key is None or caller.guest_token is None:
        return key
    return hashlib.sha256(f"{caller.guest_token}:{key}".encode()).hexdigest()


def _answer(job: NewJob, provider_job_id: str | None) -> Answer:
    """The 202 for a job that was just recorded."""
    return _accepted(
        {
            "jobId": job.job_id,
            "shortId": job.short_id,
            "status": JobStatus.PENDING.value,
            "modelId": job.model_id,
            "estimatedTime": job.estimated_time_seconds,
            "estimatedCost": float(job.estimated_cost),
            "provider": job.provider,
            "providerJobId": provider_job_id,
            "warnings": list(job.warnings),
        }
    )


def _accepted(job: Mapping[str, Any]) -> Answer:
    """The body of a 202, from a job's fields; `warnings` only where there are some."""
    remote = job.get("providerJobId")
    body = {
        "jobId": job["jobId"],
        "shortId": job["shortId"],
        "status": job["status"],
        "modelId": job["modelId"],
        "estimatedTime": job["estimatedTime"],
        "estimatedCost": job["estimatedCost"],
        "replicateId": remote if job["provider"] == "replicate" else None,
        "provider": job["provider"],
        "providerJobId": remote,
    }
    if job.get("warnings"):
        body["warnings"] = job["warnings"]
    return Answer(202, body)


def _answered(job: NewJob, submitted: Submitted, *, own_key: bool) -> Answer:
    result, failure = submitted.result, submitted.result.failure
    if submitted.transition is not None:
        goes_on = not submitted.transition.job.final
    else:  # the record hears of the refusal later, and may try a fallback then
        goes_on = bool(job.fallbacks and failure and may_fall_back(failure, own_key=own_key))
    if result.outcome is SubmitOutcome.REFUSED and not goes_on:
        message = failure.message if failure else "The provider refused the job."
        code = failure.kind if failure else FailureKind.UNKNOWN
        raise _refused(job.job_id, message, code.value, retryable=bool(failure and failure.retryable))
    return _answer(job, result.update.provider_job_id if result.update else None)


def _replayed(created: Transition) -> Answer:
    match created.outcome:
        case "mismatch":
            msg = "this Idempotency-Key was used with another body; use a new key for a new request"
            raise IdempotencyMismatchError(msg)
        case "in_progress":
            msg = (
                "the first request with this Idempotency-Key is still being answered; repeat this one shortly"
            )
            raise StillRunningError(msg, retry_after_seconds=1)
        case "replay":
            answer = created.extra["answer"]
            return Answer(int(answer["statusCode"]), answer["body"])
        case _:
            return _from_job(created.job)


def _from_job(job: JobSnapshot) -> Answer:
    """The answer that the first request did not live to give, or its refusal again."""
    error = job.data.get("error")
    if error and job.step in (JobStep.QUEUED, JobStep.SUBMITTING):
        raise _refused(job.job_id, error["message"], error["code"], retryable=bool(error["retryable"]))
    return _accepted(job.data)


def _refused(job_id: str, message: str, code: str, *, retryable: bool) -> ProviderError:
    error = ProviderError(message, code=code)
    error.retryable = retryable
    error.job_id = job_id
    return error
