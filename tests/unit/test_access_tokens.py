"""Access tokens: asked for once, kept for their life, and forgotten when their provider refuses one."""

from datetime import UTC, datetime
from typing import cast

import pytest

from lib.domain.errors import ProviderError
from lib.domain.http_exchange import HttpRequest, HttpResponse
from lib.domain.provider import (
    AdapterTraits,
    Credential,
    Failure,
    FailureKind,
    ProviderUpdate,
    RemoteJob,
    Submission,
    SubmitOutcome,
    SubmitSafety,
)
from lib.ports.provider import Operation, ProviderAdapter
from lib.providers.access_tokens import MOST_TOKENS, TOKEN_MARGIN_SECONDS, AccessTokens
from lib.providers.adapter import BaseAdapter
from lib.providers.answers import error_of
from lib.providers.client import HttpProviderClient

KEY = Credential("example", "a key")


class Exchanging(BaseAdapter):
    """A provider that exchanges keys for tokens that live an hour."""

    name = "example"

    def token_request(self, credential: Credential, now: datetime) -> HttpRequest:
        return HttpRequest("POST", "https://token.example")

    def parse_token(self, response: HttpResponse) -> tuple[str, float]:
        return response.body.decode(), 3600.0


class Asking(Exchanging):
    """The same, which refuses every question."""

    traits = AdapterTraits(SubmitSafety.NONE)

    def poll_request(self, remote: RemoteJob, credential: Credential) -> HttpRequest:
        return HttpRequest("GET", f"https://api.example/{credential.extra['accessToken']}")

    def parse_poll(self, response: HttpResponse) -> ProviderUpdate:
        raise error_of(Failure(FailureKind.AUTHENTICATION, "the token is none"))


class Refusing(Exchanging):
    """The same, which gives no token; `kind` says why."""

    traits = AdapterTraits(SubmitSafety.NONE)

    def __init__(self, kind: FailureKind) -> None:
        self.kind = kind

    def parse_token(self, response: HttpResponse) -> tuple[str, float]:
        raise error_of(Failure(self.kind, "no token", retryable=self.kind is FailureKind.OUTAGE))


class Counting:
    """A transport whose answers are numbered tokens."""

    asked = 0

    def send(self, request: HttpRequest, *, provider: str, operation: Operation) -> HttpResponse:
        self.asked += 1
        return HttpResponse(200, {}, f"token {self.asked}".encode())


class World:
    def __init__(self) -> None:
        self.seconds, self.transport = 0.0, Counting()
        adapter = cast("ProviderAdapter", Exchanging())
        self.tokens = AccessTokens(adapter, lambda: self.seconds, lambda: datetime.now(UTC))

    def token(self, credential: Credential = KEY) -> str:
        return self.tokens.opened(credential, self.transport).extra["accessToken"]


def test_a_token_is_asked_for_once_and_again_shortly_before_its_end() -> None:
    world = World()
    assert [world.token(), world.token()] == ["token 1", "token 1"]
    world.seconds = 3600 - TOKEN_MARGIN_SECONDS
    assert world.token() == "token 2"


def test_a_token_that_was_refused_is_forgotten() -> None:
    world = World()
    world.token()
    world.tokens.forget(KEY)
    assert world.tokens.held(KEY).extra == {}
    assert world.token() == "token 2"


def test_the_tokens_of_many_keys_do_not_pile_up() -> None:
    world = World()
    for number in range(MOST_TOKENS + 1):
        world.token(Credential("example", f"key {number}"))
    asked = world.transport.asked
    world.token(Credential("example", f"key {MOST_TOKENS}"))
    assert world.transport.asked == asked
    world.token(Credential("example", "key 0"))
    assert world.transport.asked == asked + 1


def test_a_client_whose_question_is_refused_asks_for_another_token() -> None:
    transport = Counting()
    client = HttpProviderClient(cast("ProviderAdapter", Asking()), transport)
    for _ in range(2):
        with pytest.raises(ProviderError):
            client.poll(RemoteJob("1"), KEY)
    assert transport.asked == 4


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        (FailureKind.OUTAGE, SubmitOutcome.DEFERRED),
        (FailureKind.AUTHENTICATION, SubmitOutcome.REFUSED),
    ],
)
def test_without_a_token_nothing_is_submitted_so_nothing_is_billed_and_it_waits_where_that_may_help(
    kind: FailureKind, outcome: SubmitOutcome
) -> None:
    transport = Counting()
    client = HttpProviderClient(cast("ProviderAdapter", Refusing(kind)), transport)

    result = client.submit(Submission("job", 1, "model", {}, 60), KEY, None)

    assert result.outcome is outcome
    assert result.failure is not None
    assert (result.failure.kind, result.failure.unbilled) == (kind, True)
    assert transport.asked == 1
