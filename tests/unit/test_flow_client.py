"""When a provider's client calls, what it defers, and what of the answers it passes on."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import pytest

from lib.domain.errors import ProviderError
from lib.domain.flow import CircuitRules
from lib.domain.http_exchange import Delivery, HttpResponse
from lib.domain.provider import AdapterTraits, FailureKind, RateLimit, RemoteJob, Submission, SubmitOutcome
from lib.ports.provider import TransportError
from lib.providers.client import HttpProviderClient
from lib.providers.replicate import ReplicateAdapter
from lib.services.flow_control import SharedFlow
from lib.stores.flow_memory import MemoryFlowStore
from tests.fakes.flow import KEY, Clock
from tests.fakes.journal import FakeJournal
from tests.fakes.replicate_answers import PREDICTION_ID, answer
from tests.fakes.scripted_transport import ScriptedTransport

SUBMISSION = Submission("j1", 1, "black-forest-labs/flux-schnell", {"prompt": "a red fox"}, 600)
REMOTE = RemoteJob(PREDICTION_ID)
SILENCE = TransportError("replicate submit: ReadTimeout (unknown)", delivery=Delivery.UNKNOWN)
UNREACHED = TransportError("replicate submit: ConnectTimeout (never_left)", delivery=Delivery.NEVER_LEFT)


class World:
    """A client over a scripted transport, with its clock."""

    def __init__(self, *script: HttpResponse | Exception, adapter: ReplicateAdapter | None = None) -> None:
        self.clock, self.journal = Clock(), FakeJournal()
        self.transport = ScriptedTransport(list(script))
        flow = SharedFlow(MemoryFlowStore(), CircuitRules(), self.journal, jitter=lambda: 0.0)
        self.client = HttpProviderClient(
            adapter or ReplicateAdapter(), self.transport, lambda: flow, clock=self.clock
        )

    def submit(self) -> tuple[SubmitOutcome, FailureKind | None, float | None]:
        result = self.client.submit(SUBMISSION, KEY, None)
        failure = result.failure
        return (
            result.outcome,
            failure.kind if failure else None,
            failure.retry_after_seconds if failure else None,
        )


def http(status: int, headers: Mapping[str, str] | None = None, body: bytes = b"") -> HttpResponse:
    return HttpResponse(status, headers or {}, body)


class SmallAdapter(ReplicateAdapter):
    """As if Replicate let us submit once, and then six times a minute."""

    @property
    def traits(self) -> AdapterTraits:
        return replace(super().traits, rate_limit=RateLimit(6, 1))


@pytest.mark.parametrize(
    "trouble", [SILENCE, UNREACHED, http(500), http(502), http(503), answer("bad_gateway")]
)
def test_after_five_outages_on_end_a_submit_is_deferred_without_a_call(
    trouble: HttpResponse | Exception,
) -> None:
    world = World(*[trouble] * 5, answer("created"))
    for _ in range(5):
        assert world.submit()[0] in (SubmitOutcome.UNKNOWN, SubmitOutcome.DEFERRED)
    result = world.client.submit(SUBMISSION, KEY, None)
    assert result.outcome is SubmitOutcome.DEFERRED
    assert result.failure is not None
    assert (result.failure.kind, result.failure.retryable, result.failure.unbilled) == (
        FailureKind.CIRCUIT_OPEN,
        True,
        True,
    )
    assert result.failure.retry_after_seconds == 30.0
    assert "circuit open" in result.failure.message
    assert len(world.transport.sent) == 5
    world.clock.move(30)
    assert world.submit()[0] is SubmitOutcome.ACCEPTED
    assert world.journal.counts == {"CircuitOpened": 1, "CircuitClosed": 1}
    assert [event for event, _ in world.journal.events] == ["circuit_opened", "circuit_closed"]


@pytest.mark.parametrize("name", ["unauthenticated", "insufficient_credit", "not_found", "invalid_input"])
def test_refusals_of_the_callers_own_making_never_open_the_circuit(name: str) -> None:
    world = World(*[answer(name)] * 12)
    assert {world.submit()[0] for _ in range(12)} == {SubmitOutcome.REFUSED}
    assert not world.journal.counts


def test_a_429_pauses_submits_and_questions_for_as_long_as_it_says() -> None:
    world = World(answer("throttled"), answer("processing"))
    assert world.submit() == (SubmitOutcome.DEFERRED, FailureKind.RATE_LIMITED, 30.0)
    for ask in (world.client.poll, world.client.cancel):
        with pytest.raises(ProviderError) as caught:
            ask(REMOTE, KEY)
        error = caught.value
        assert (error.code, error.retryable, error.retry_after_seconds) == (
            "provider_rate_limited",
            True,
            30.0,
        )
    assert len(world.transport.sent) == 1
    world.clock.move(30)
    assert world.client.poll(REMOTE, KEY).provider_job_id == PREDICTION_ID


@pytest.mark.parametrize("status", [429, 503])
def test_the_retry_after_of_a_poll_closes_the_bucket_too(status: int) -> None:
    world = World(http(status, {"retry-after": "7"}, b"busy"))
    with pytest.raises(ProviderError):
        world.client.poll(REMOTE, KEY)
    assert world.submit() == (SubmitOutcome.DEFERRED, FailureKind.RATE_LIMITED, 7.0)


def test_our_own_limit_defers_until_there_is_a_token_and_questions_need_none() -> None:
    world = World(answer("created"), answer("processing"), answer("created"), adapter=SmallAdapter())
    assert world.submit()[0] is SubmitOutcome.ACCEPTED
    outcome, kind, wait = world.submit()
    assert (outcome, kind) == (SubmitOutcome.DEFERRED, FailureKind.RATE_LIMITED)
    assert wait == pytest.approx(10.0, abs=0.01)
    assert world.client.poll(REMOTE, KEY).provider_job_id == PREDICTION_ID
    world.clock.move(10.01)
    assert world.submit()[0] is SubmitOutcome.ACCEPTED


def test_questions_that_nobody_answers_open_a_circuit_of_their_own() -> None:
    world = World(*[SILENCE] * 5, answer("created"), answer("processing"))
    for _ in range(5):
        with pytest.raises(TransportError):
            world.client.poll(REMOTE, KEY)
    with pytest.raises(ProviderError) as caught:
        world.client.poll(REMOTE, KEY)
    assert (caught.value.code, caught.value.retry_after_seconds) == ("circuit_open", 30.0)
    with pytest.raises(ProviderError, match="circuit open"):
        world.client.recover(SUBMISSION, KEY, None, created_after=_at(world), created_before=_at(world))
    assert world.submit()[0] is SubmitOutcome.ACCEPTED
    world.clock.move(30)
    assert world.client.poll(REMOTE, KEY).provider_job_id == PREDICTION_ID


def test_a_probe_that_could_not_be_built_is_given_back() -> None:
    world = World(*[SILENCE] * 5, answer("created"))
    for _ in range(5):
        world.submit()
    world.clock.move(30)
    unbuildable = replace(SUBMISSION, model_ref="no/such/model:x")
    assert world.client.submit(unbuildable, KEY, None).outcome is SubmitOutcome.REFUSED
    assert len(world.transport.sent) == 5
    assert world.submit()[0] is SubmitOutcome.ACCEPTED


def test_the_secret_of_webhooks_is_asked_for_whatever_stands_open() -> None:
    world = World(*[SILENCE] * 5, http(200, body=b'{"key":"whsec_c2VjcmV0"}'))
    for _ in range(5):
        world.submit()
    assert world.client.webhook_secret(KEY) == "whsec_c2VjcmV0"


def _at(world: World) -> datetime:
    return world.clock()
