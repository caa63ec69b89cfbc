"""A provider without a network: it accepts, refuses, throttles or goes silent as told, and keeps a log of submits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from io import BytesIO
from typing import Any, BinaryIO
from uuid import uuid4

from lib.domain.errors import ProviderError
from lib.domain.provider import (
    AdapterTraits,
    Credential,
    Failure,
    FailureKind,
    OutputKind,
    ProviderOutput,
    ProviderUpdate,
    RecoveredPrediction,
    RemoteJob,
    RemoteStatus,
    Submission,
    SubmitOutcome,
    SubmitResult,
)
from lib.ports.provider import ProviderAdapter
from lib.providers.replicate import TRAITS, ReplicateAdapter


class OnSubmit(StrEnum):
    """What the provider does with the next submit."""

    ACCEPT = "accept"
    ACCEPT_SILENTLY = "accept_silently"
    LOSE = "lose"
    THROTTLE = "throttle"
    REFUSE = "refuse"
    SAFE_SILENCE = "safe_silence"
    ANSWER = "answer"


@dataclass
class Prediction:
    """A prediction as the provider has it."""

    provider_job_id: str
    job_id: str
    attempt: int
    callback_url: str | None
    created_at: datetime
    deadline_at: datetime
    input: Mapping[str, Any]
    status: RemoteStatus = RemoteStatus.QUEUED
    failure: Failure | None = None

    def update(self) -> ProviderUpdate:
        """What the provider says of it now."""
        done = self.status is RemoteStatus.SUCCEEDED
        url = f"https://replicate.delivery/{self.provider_job_id}/out.webp"
        return ProviderUpdate(
            status=self.status,
            provider_job_id=self.provider_job_id,
            outputs=(ProviderOutput(OutputKind.URL, url),) if done else (),
            failure=self.failure,
            raw_status=self.status.value,
        )


@dataclass(frozen=True)
class FakeBlob:
    """Bytes that came with an answer."""

    body: bytes
    name: str = "blob:1"
    content_type: str = "image/png"

    @property
    def size(self) -> int:
        """How many."""
        return len(self.body)

    def open(self) -> BinaryIO:
        """Them."""
        return BytesIO(self.body)


def made_update(body: bytes) -> ProviderUpdate:
    """What a synchronous provider answers: the result itself, without an id of its own."""
    blob = FakeBlob(body)
    output = ProviderOutput(OutputKind.BLOB, blob.name)
    return ProviderUpdate(RemoteStatus.SUCCEEDED, outputs=(output,), blobs=(blob,), cost_usd=Decimal("0.04"))


def written_update(text: str) -> ProviderUpdate:
    """The same of one that writes."""
    return ProviderUpdate(RemoteStatus.SUCCEEDED, outputs=(ProviderOutput(OutputKind.TEXT, text),))


@dataclass(frozen=True)
class FakeAdapter(ReplicateAdapter):
    """Replicate's adapter with the traits that a test wants."""

    wanted: AdapterTraits = TRAITS

    @property
    def traits(self) -> AdapterTraits:
        """What the test wants."""
        return self.wanted


@dataclass
class FakeProvider:
    """`ProviderClient` in memory. It honours the deadline it was given, as Replicate does with `Cancel-After`."""

    clock: Callable[[], datetime]
    predictions: dict[str, Prediction] = field(default_factory=dict)
    received: list[tuple[str, int]] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    on_submit: OnSubmit = OnSubmit.ACCEPT
    away: bool = False
    refuses_cancel: bool = False
    refuses_key: bool = False
    retry_after: float = 3.0
    traits: AdapterTraits = TRAITS
    refusals: list[Failure] = field(default_factory=list)
    made: bytes = b""
    written: str = ""
    during_answer: Callable[[], None] = lambda: None

    @property
    def adapter(self) -> ProviderAdapter:
        """Replicate's traits, unless a test says otherwise."""
        return FakeAdapter(wanted=self.traits)

    def submit(
        self, submission: Submission, credential: Credential, callback_url: str | None
    ) -> SubmitResult:
        """See the port."""
        self.users.append(submission.user_id)
        if self.refusals:
            self.received.append((submission.job_id, submission.attempt))
            return SubmitResult(SubmitOutcome.REFUSED, failure=self.refusals.pop(0))
        match self.on_submit:
            case OnSubmit.THROTTLE:
                failure = Failure(
                    FailureKind.RATE_LIMITED, "throttled", True, self.retry_after, unbilled=True
                )
                return SubmitResult(SubmitOutcome.DEFERRED, failure=failure)
            case OnSubmit.SAFE_SILENCE:  # perhaps it was taken; it may be sent again, under the same id
                self.during_answer()
                failure = Failure(FailureKind.OUTAGE, "no answer", True)
                return SubmitResult(SubmitOutcome.DEFERRED, failure=failure)
            case OnSubmit.REFUSE:
                failure = Failure(FailureKind.INVALID_INPUT, "prompt is too rude")
                return SubmitResult(SubmitOutcome.REFUSED, failure=failure)
            case OnSubmit.ANSWER:
                self.received.append((submission.job_id, submission.attempt))
                self.during_answer()
                update = written_update(self.written) if self.written else made_update(self.made)
                return SubmitResult(SubmitOutcome.ACCEPTED, update=update)
            case OnSubmit.LOSE:
                return SubmitResult(SubmitOutcome.UNKNOWN)
            case _:
                prediction = self._accept(submission, callback_url)
        if self.on_submit is OnSubmit.ACCEPT_SILENTLY:
            return SubmitResult(SubmitOutcome.UNKNOWN)
        return SubmitResult(SubmitOutcome.ACCEPTED, update=prediction.update())

    def poll(self, remote: RemoteJob, credential: Credential) -> ProviderUpdate:
        """See the port."""
        return self._known(remote.provider_job_id).update()

    def cancel(self, remote: RemoteJob, credential: Credential) -> ProviderUpdate:
        """See the port."""
        prediction = self._known(remote.provider_job_id)
        if self.refuses_cancel:
            raise ProviderError("it cannot be canceled", code=FailureKind.INVALID_INPUT.value)
        if not prediction.status.final:
            prediction.status = RemoteStatus.CANCELED
        return prediction.update()

    def recover(
        self,
        submission: Submission,
        credential: Credential,
        callback_url: str | None,
        *,
        created_after: datetime,
        created_before: datetime,
        claimed: frozenset[str] = frozenset(),
    ) -> RecoveredPrediction | None:
        """See the port: found by its callback address alone."""
        self._reachable()
        for prediction in self.predictions.values():
            inside = created_after <= prediction.created_at <= created_before
            if inside and prediction.callback_url == callback_url and callback_url is not None:
                return RecoveredPrediction(
                    prediction.provider_job_id,
                    prediction.created_at,
                    prediction.callback_url,
                    prediction.input,
                    prediction.update(),
                )
        return None

    def refuse_once(self, kind: FailureKind, *, unbilled: bool) -> None:
        """The next submit is refused."""
        self.refusals.append(Failure(kind, "the provider said no", unbilled=unbilled))

    @property
    def latest(self) -> str:
        """The prediction that was made last."""
        return list(self.predictions)[-1]

    @property
    def last_input(self) -> Mapping[str, Any]:
        """What the prediction that was made last was asked for."""
        return self.predictions[self.latest].input

    def fail_running(self, kind: FailureKind, *, unbilled: bool) -> None:
        """The latest prediction fails."""
        prediction = self.predictions[self.latest]
        prediction.status = RemoteStatus.FAILED
        prediction.failure = Failure(kind, "it went wrong", unbilled=unbilled)

    def work(self, provider_job_id: str, *, fail: bool = False) -> None:
        """The prediction goes one step on."""
        prediction = self.predictions[provider_job_id]
        if prediction.status is RemoteStatus.QUEUED:
            prediction.status = RemoteStatus.RUNNING
        elif prediction.status is RemoteStatus.RUNNING:
            prediction.status = RemoteStatus.FAILED if fail else RemoteStatus.SUCCEEDED
            prediction.failure = Failure(FailureKind.MODEL_ERROR, "out of paint") if fail else None

    def enforce_deadlines(self) -> None:
        """Cancel what ran over its deadline."""
        for prediction in self.predictions.values():
            if not prediction.status.final and self.clock() >= prediction.deadline_at:
                prediction.status = RemoteStatus.CANCELED

    def _accept(self, submission: Submission, callback_url: str | None) -> Prediction:
        now = self.clock()
        prediction = Prediction(
            uuid4().hex[:26],
            submission.job_id,
            submission.attempt,
            callback_url,
            now,
            now + timedelta(seconds=submission.deadline_seconds),
            submission.input,
        )
        self.predictions[prediction.provider_job_id] = prediction
        self.received.append((submission.job_id, submission.attempt))
        return prediction

    def _known(self, provider_job_id: str) -> Prediction:
        self._reachable()
        if provider_job_id not in self.predictions:
            raise ProviderError("not found", code=FailureKind.NOT_FOUND.value)
        return self.predictions[provider_job_id]

    def _reachable(self) -> None:
        if self.refuses_key:
            raise ProviderError("who are you?", code=FailureKind.AUTHENTICATION.value)
        if self.away:
            error = ProviderError("away", code=FailureKind.OUTAGE.value, retry_after_seconds=3)
            error.retryable = True
            raise error
