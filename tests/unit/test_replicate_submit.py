"""What became of a submit: row by row of the table in `submit_judgement`, and the rules of `submit`."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from lib.domain.flow import CircuitRules
from lib.domain.http_exchange import Delivery, HttpResponse
from lib.domain.provider import (
    AdapterTraits,
    Credential,
    FailureKind,
    RemoteStatus,
    Submission,
    SubmitOutcome,
    SubmitResult,
    SubmitSafety,
)
from lib.ports.provider import TransportError
from lib.providers.answers import retry_after_seconds
from lib.providers.client import HttpProviderClient
from lib.providers.replicate import ReplicateAdapter
from lib.providers.submit import submit
from lib.services.flow_control import SharedFlow
from lib.stores.flow_memory import MemoryFlowStore
from tests.fakes.flow import Clock
from tests.fakes.journal import FakeJournal
from tests.fakes.replicate_answers import PREDICTION_ID, answer
from tests.fakes.scripted_transport import ScriptedTransport

KEY = Credential("replicate", "r8_secret")
SUBMISSION = Submission("j1", 1, "black-forest-labs/flux-schnell", {"prompt": "a red fox"}, 600)
CALLBACK = "https://gateway.example/webhook/replicate?job=j1&attempt=1&token=t"

adapter = ReplicateAdapter()


class RepeatableAdapter(ReplicateAdapter):
    """As if Replicate took an idempotency key."""

    @property
    def traits(self) -> AdapterTraits:
        return replace(super().traits, submit_safety=SubmitSafety.IDEMPOTENCY_KEY)


class BrokenAdapter(ReplicateAdapter):
    """With a bug in its parser."""

    def parse_submit(self, response: HttpResponse) -> SubmitResult:
        raise KeyError("id")


def http(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> HttpResponse:
    return HttpResponse(status, headers or {}, body)


def submitted(
    step: HttpResponse | Exception, using: ReplicateAdapter = adapter, **changes: Any
) -> SubmitResult:
    submission = Submission(**{**SUBMISSION.__dict__, **changes})
    return submit(using, ScriptedTransport([step]), submission, KEY, CALLBACK)


@pytest.mark.parametrize("name", ["created", "created_with_deadline", "processing"])
def test_a_prediction_in_the_answer_is_accepted(name: str) -> None:
    result = submitted(answer(name))
    assert result.outcome is SubmitOutcome.ACCEPTED
    assert result.update is not None
    assert result.update.provider_job_id == PREDICTION_ID


def test_a_prediction_that_has_ended_already_is_accepted_with_its_end() -> None:
    result = submitted(answer("failed_sensitive"))
    assert result.outcome is SubmitOutcome.ACCEPTED
    assert result.update is not None
    assert result.update.status is RemoteStatus.FAILED


@pytest.mark.parametrize(
    ("response", "outcome"),
    [
        (http(201, b"<html>"), SubmitOutcome.UNKNOWN),
        (http(202), SubmitOutcome.UNKNOWN),
        (http(201, b'{"status":"starting"}'), SubmitOutcome.UNKNOWN),
        (answer("unauthenticated"), SubmitOutcome.REFUSED),
        (answer("insufficient_credit"), SubmitOutcome.REFUSED),
        (answer("forbidden"), SubmitOutcome.REFUSED),
        (answer("not_found"), SubmitOutcome.REFUSED),
        (answer("invalid_version"), SubmitOutcome.REFUSED),
        (answer("invalid_input"), SubmitOutcome.REFUSED),
        (http(400, b"<html>"), SubmitOutcome.REFUSED),
        (http(413), SubmitOutcome.REFUSED),
        (http(408), SubmitOutcome.UNKNOWN),
        (answer("throttled"), SubmitOutcome.DEFERRED),
        (http(429, b"slow down"), SubmitOutcome.DEFERRED),
        (answer("internal_error"), SubmitOutcome.DEFERRED),
        (answer("unavailable"), SubmitOutcome.DEFERRED),
        (http(503), SubmitOutcome.DEFERRED),
        (http(503, b"<html>busy</html>", {"retry-after": "3"}), SubmitOutcome.DEFERRED),
        (answer("unavailable_proxy"), SubmitOutcome.UNKNOWN),
        (http(500), SubmitOutcome.UNKNOWN),
        (http(500, b"<html>"), SubmitOutcome.UNKNOWN),
        (http(500, b'{"error":{"code":1}}'), SubmitOutcome.UNKNOWN),
        (answer("bad_gateway"), SubmitOutcome.UNKNOWN),
        (http(502, b'{"title":"Bad gateway"}'), SubmitOutcome.UNKNOWN),
        (http(504, b'{"detail":"Gateway timeout"}'), SubmitOutcome.UNKNOWN),
        (http(520, b'{"title":"Web server returned an unknown error"}'), SubmitOutcome.UNKNOWN),
        (http(524), SubmitOutcome.UNKNOWN),
        (http(301), SubmitOutcome.REFUSED),
        (http(308), SubmitOutcome.REFUSED),
        (http(302), SubmitOutcome.UNKNOWN),
        (http(303), SubmitOutcome.UNKNOWN),
    ],
)
def test_each_answer_has_its_outcome(response: HttpResponse, outcome: SubmitOutcome) -> None:
    result = submitted(response)
    assert (result.outcome, result.update) == (outcome, None)
    assert result.failure is not None
    assert result.failure.message
    assert result.failure.unbilled is (outcome is not SubmitOutcome.UNKNOWN and response.status != 500)


def test_a_throttled_submit_says_when_to_come_back() -> None:
    failure = submitted(answer("throttled")).failure
    assert failure is not None
    assert (failure.kind, failure.retryable, failure.retry_after_seconds) == (
        FailureKind.RATE_LIMITED,
        True,
        30.0,
    )


def test_a_refused_input_keeps_replicates_words() -> None:
    failure = submitted(answer("invalid_input")).failure
    assert failure is not None
    assert failure.kind is FailureKind.INVALID_INPUT
    assert failure.message == "Input validation failed: - input: prompt is required"


def test_a_moderated_input_is_not_shown_as_wrong_input() -> None:
    failure = submitted(answer("invalid_input", detail="Flagged as sensitive (E005)")).failure
    assert failure is not None
    assert failure.kind is FailureKind.MODERATION


@pytest.mark.parametrize(
    ("safety_of", "delivery", "outcome", "unbilled"),
    [
        (adapter, Delivery.NEVER_LEFT, SubmitOutcome.DEFERRED, True),
        (adapter, Delivery.UNKNOWN, SubmitOutcome.UNKNOWN, False),
        (RepeatableAdapter(), Delivery.NEVER_LEFT, SubmitOutcome.DEFERRED, True),
        (RepeatableAdapter(), Delivery.UNKNOWN, SubmitOutcome.DEFERRED, False),
    ],
)
def test_silence_is_judged_by_what_left_and_by_the_adapters_safety(
    safety_of: ReplicateAdapter, delivery: Delivery, outcome: SubmitOutcome, *, unbilled: bool
) -> None:
    result = submitted(TransportError("replicate submit: ReadTimeout", delivery=delivery), safety_of)
    assert result.outcome is outcome
    assert result.failure is not None
    assert (result.failure.kind, result.failure.unbilled) == (FailureKind.OUTAGE, unbilled)


def test_an_unclear_answer_may_be_repeated_where_that_is_safe_and_may_cost_all_the_same() -> None:
    result = submitted(answer("bad_gateway"), RepeatableAdapter())
    assert result.outcome is SubmitOutcome.DEFERRED
    assert result.failure is not None
    assert not result.failure.unbilled


def test_a_bug_in_a_parser_never_sends_twice() -> None:
    assert submitted(answer("created"), BrokenAdapter()).outcome is SubmitOutcome.UNKNOWN


def test_a_submission_that_cannot_be_built_is_refused_unsent() -> None:
    transport = ScriptedTransport([])
    result = submit(adapter, transport, Submission("j1", 1, "no model", {}, 60), KEY, None)
    assert (result.outcome, transport.sent) == (SubmitOutcome.REFUSED, [])
    assert result.failure is not None
    assert result.failure.unbilled


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"retry-after": "7"}, b"", 7.0),
        ({"retry-after": "1.5"}, b"", 1.5),
        ({"retry-after": "7"}, b'{"retry_after": 3}', 3.0),
        ({"retry-after": "7"}, b'{"retry_after": true}', 7.0),
        ({"retry-after": "7"}, b'{"retry_after": "soon"}', 7.0),
        (
            {"retry-after": "Fri, 20 Nov 2026 18:01:00 GMT", "date": "Fri, 20 Nov 2026 18:00:00 GMT"},
            b"",
            60.0,
        ),
        ({"retry-after": "Fri, 20 Nov 2026 17:00:00 GMT", "date": "Fri, 20 Nov 2026 18:00:00 GMT"}, b"", 0.0),
        ({"retry-after": "Fri, 20 Nov 2026 18:01:00 GMT"}, b"", None),
        ({"retry-after": "-5"}, b"", None),
        ({"retry-after": "nan"}, b"", None),
        ({"retry-after": "1e9"}, b"", 86_400.0),
        ({}, b"[1]", None),
        ({}, b"", None),
    ],
)
def test_the_wait_is_read_from_the_body_then_the_header(
    headers: dict[str, str], body: bytes, seconds: float | None
) -> None:
    assert retry_after_seconds(HttpResponse(429, headers, body)) == seconds


def test_after_a_429_the_next_submit_of_that_key_waits_without_a_call() -> None:
    clock = Clock()
    transport = ScriptedTransport([answer("throttled"), answer("created")])
    flow = SharedFlow(MemoryFlowStore(), CircuitRules(), FakeJournal(), jitter=lambda: 0.0)
    client = HttpProviderClient(adapter, transport, lambda: flow, clock=clock)
    client.submit(SUBMISSION, KEY, None)
    waiting = client.submit(SUBMISSION, KEY, None)
    assert waiting.outcome is SubmitOutcome.DEFERRED
    assert waiting.failure is not None
    assert waiting.failure.retry_after_seconds == 30.0
    assert len(transport.sent) == 1
    clock.move(30)
    assert client.submit(SUBMISSION, KEY, None).outcome is SubmitOutcome.ACCEPTED
