"""`/providers/{provider}/credentials` and `/test` over the real record: masked answers, problems, no part of a key."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from handlers import manage_providers
from lib import bootstrap
from lib.api.answer_models import Problem
from lib.api.credential_models import CredentialAnswer, CredentialCheckAnswer
from lib.domain.errors import NotFoundError, ProviderError
from lib.domain.http_exchange import HttpResponse
from lib.domain.provider import FailureKind
from lib.ports.provider import ProviderAdapter
from lib.providers.client import HttpProviderClient
from lib.stores.postgres.connection import RecordConnection
from tests.fakes.credentials import key_like, leaks, master_text
from tests.fakes.events import Context, body_of, request
from tests.fakes.scripted_transport import ScriptedTransport
from tests.fakes.wired import Wired

PATH = "/providers/replicate/credentials"


def says(status: int, **body: str) -> HttpResponse:
    return HttpResponse(status, {"content-type": "application/json"}, json.dumps(body).encode())


ACCOUNT = says(200, type="user", username="ana", name="Ana")
WRONG = says(401, title="Unauthenticated", detail="You did not pass a valid authentication token")


@pytest.fixture
def transport(wired: Wired, api_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedTransport]:
    """The provider's answers, behind the real adapter; the record as the functions have it."""
    scripted = ScriptedTransport([])
    connection = RecordConnection(lambda: api_url)
    monkeypatch.setenv("ENCRYPTION_KEY", master_text())
    monkeypatch.setattr(bootstrap, "record_connection", lambda: connection)
    monkeypatch.setattr(
        bootstrap, "provider", lambda name: HttpProviderClient(bootstrap.adapter(name), scripted)
    )
    yield scripted
    connection.close()


@pytest.fixture
def key(wired: Wired, transport: ScriptedTransport) -> str:
    """The caller's key of ours."""
    return wired.key()


def ask(key: str, method: str = "GET", path: str = PATH, **more: Any) -> dict[str, Any]:
    return manage_providers.handler(
        request("generate_media", key=key, path=path, method=method, **{"body": "", **more}), Context()
    )


def put(key: str, secret: str) -> dict[str, Any]:
    return ask(key, "PUT", body={"credentials": {"apiKey": secret}})


def ask_for_test(key: str, **query: str) -> dict[str, Any]:
    return ask(key, "POST", "/providers/replicate/test", query=query)


def test_a_key_is_answered_masked_as_documented_and_kept_by_nobody(key: str) -> None:
    secret = key_like()
    for answer in (put(key, secret), ask(key)):
        assert answer["statusCode"] == 200, answer
        CredentialAnswer.model_validate(body_of(answer))
        assert body_of(answer)["data"]["credentials"] == {"apiToken": f"…{secret[-4:]}"}
        assert answer["headers"]["Cache-Control"] == "no-store"
        assert leaks(str(answer), secret) == []


def test_a_key_that_was_taken_away_is_gone(key: str) -> None:
    put(key, key_like())
    answer = ask(key, "DELETE")
    assert (answer["statusCode"], answer["body"]) == (204, "")
    for again in (ask(key), ask(key, "DELETE"), ask_for_test(key)):
        assert again["statusCode"] == 404
        Problem.model_validate(body_of(again))


def test_a_key_that_stands_twice_where_a_name_should_is_quoted_by_nobody(key: str) -> None:
    secret = key_like()
    answer = ask(key, "PUT", body=f'{{"{secret}": 1, "{secret}": 2}}')
    assert answer["statusCode"] == 400
    Problem.model_validate(body_of(answer))
    assert leaks(str(answer), secret) == []


@pytest.mark.parametrize(
    "body", [{}, {"credentials": {"apiKey": "short"}}, {"credentials": 7}, {"apiKey": "x" * 5000}]
)
def test_a_wrong_body_is_a_problem_with_all_its_faults_and_changes_nothing(key: str, body: Any) -> None:
    put(key, key_like())
    before = body_of(ask(key))
    answer = ask(key, "PUT", body=body)
    assert answer["statusCode"] == 422
    assert body_of(answer)["errors"]
    assert body_of(ask(key)) == before


def test_whoever_shows_no_key_is_not_told_anything(key: str) -> None:
    for method, path in (
        ("PUT", PATH),
        ("GET", PATH),
        ("DELETE", PATH),
        ("POST", "/providers/replicate/test"),
    ):
        assert ask("vsl_" + "A" * 43, method, path)["statusCode"] == 401


def test_a_guest_has_no_keys(wired: Wired, key: str) -> None:
    guest = wired.guest_key()
    for answer in (put(guest, key_like()), ask(guest), ask(guest, "DELETE"), ask_for_test(guest)):
        assert answer["statusCode"] == 403


def test_a_key_can_be_taken_away_where_the_operator_took_its_provider_away(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(name: str) -> ProviderAdapter:
        raise NotFoundError(f"there is no provider {name!r}")

    put(key, key_like())
    monkeypatch.setattr(bootstrap, "adapter", gone)
    assert ask(key, "DELETE")["statusCode"] == 204
    assert ask(key, "DELETE")["statusCode"] == 404
    assert ask(key, "DELETE", "/providers/%00/credentials")["statusCode"] == 404
    assert ask(key, "DELETE", "/providers/\x00/credentials")["statusCode"] == 404


def test_a_provider_that_nobody_knows_is_not_there(key: str) -> None:
    assert ask(key, "PUT", "/providers/nobody/credentials", body={"apiKey": key_like()})["statusCode"] == 404


@pytest.mark.parametrize("call", [lambda key: put(key, key_like()), ask_for_test])
def test_whoever_puts_or_tests_keys_all_the_time_is_told_to_wait(
    wired: Wired, key: str, transport: ScriptedTransport, call: Callable[[str], dict[str, Any]]
) -> None:
    put(key, key_like())
    for _ in range(manage_providers.MOST_AN_HOUR - 1):
        transport.script.append(ACCOUNT)
        assert call(key)["statusCode"] == 200
    asked = len(transport.sent)
    refused = call(key)
    assert refused["statusCode"] == 429
    assert "120 keys were put or tested this hour" in Problem.model_validate(body_of(refused)).detail
    assert int(refused["headers"]["Retry-After"]) > 0
    assert len(transport.sent) == asked
    assert ask(key)["statusCode"] == 200
    assert ask(key, "DELETE")["statusCode"] == 204
    assert put(wired.key("somebody-else"), key_like())["statusCode"] == 200


@pytest.mark.parametrize("weak", ["", "my passphrase", "00" * 32])
def test_without_a_good_master_key_the_answer_says_what_would_be_right(
    key: str, monkeypatch: pytest.MonkeyPatch, weak: str
) -> None:
    monkeypatch.setenv("ENCRYPTION_KEY", weak)
    answer = put(key, key_like())
    problem = body_of(answer)
    assert (answer["statusCode"], problem["code"]) == (503, "encryption_not_configured")
    assert problem["detail"].startswith("Encryption service is not properly configured: ")
    assert "32 random bytes" in problem["detail"]
    assert ask(key)["statusCode"] == 404


def test_a_good_key_is_valid_and_told_with_its_account(key: str, transport: ScriptedTransport) -> None:
    secret = key_like()
    put(key, secret)
    transport.script.append(ACCOUNT)
    tested = body_of(ask_for_test(key))
    CredentialCheckAnswer.model_validate(tested)
    assert tested["success"] is True
    assert tested["data"]["account"] == "ana"
    known = body_of(ask(key))["data"]
    assert (known["isValid"], known["account"]) == (True, "ana")
    assert known["checkedAt"] == tested["data"]["checkedAt"]
    (sent,) = transport.sent
    assert (sent.method, sent.headers["Authorization"]) == ("GET", f"Bearer {secret}")


def test_a_key_that_the_provider_refuses_is_invalid_and_its_echo_is_taken_out(
    key: str, transport: ScriptedTransport
) -> None:
    secret = key_like()
    put(key, secret)
    transport.script.append(says(401, detail=f"the token {secret} is none"))
    tested = body_of(ask_for_test(key))
    assert (tested["success"], tested["data"]["isValid"]) == (False, False)
    assert tested["data"]["errorCode"] == FailureKind.AUTHENTICATION
    assert leaks(str(tested), secret) == []
    known = body_of(ask(key))["data"]
    assert (known["isValid"], known["failureCode"]) == (False, FailureKind.AUTHENTICATION)
    assert put(key, key_like())["statusCode"] == 200
    assert body_of(ask(key))["data"]["isValid"] is None


@pytest.mark.parametrize("status", [500, 503, 429])
def test_an_outage_says_nothing_of_a_key(key: str, transport: ScriptedTransport, status: int) -> None:
    put(key, key_like())
    transport.script.append(ACCOUNT)
    ask_for_test(key)
    transport.script.append(says(status, detail="busy"))
    tested = body_of(ask_for_test(key))
    assert (tested["success"], tested["data"]["isValid"]) == (False, None)
    assert body_of(ask(key))["data"]["isValid"] is True


def test_only_an_admin_tests_the_operators_key_and_nothing_of_it_is_kept(
    wired: Wired, key: str, transport: ScriptedTransport
) -> None:
    assert ask_for_test(key, source="platform")["statusCode"] == 403
    transport.script.append(ACCOUNT)
    tested = ask_for_test(wired.admin_key(), source="platform")
    assert body_of(tested)["data"]["isValid"] is True
    assert ask_for_test(key, source="mine")["statusCode"] == 422


def test_changes_are_told_to_the_workers_without_the_key(wired: Wired, key: str) -> None:
    secret = key_like()
    put(key, secret)
    ask(key, "DELETE")
    told = [message["event"] for message in (sent.message for sent in wired.note_queue.sent)]
    assert [event["kind"] for event in told] == ["credential_stored", "credential_deleted"]
    assert all(event["userId"] == "user-1" and event["details"]["provider"] == "replicate" for event in told)
    assert leaks(str(told), secret) == []


def test_nothing_of_a_key_is_logged_whatever_becomes_of_it(
    key: str, transport: ScriptedTransport, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = key_like()
    put(key, secret)
    transport.script.append(WRONG)
    ask_for_test(key)
    ask(key, "PUT", body={secret: secret})
    ask(key, "PUT", body=f'{{"apiKey": "{secret}"')

    def broken(*_: Any) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr("lib.services.credential_vault.masked_fields", broken)
    assert put(key, secret)["statusCode"] == 500
    assert "a fault of ours" in caplog.text
    assert leaks(caplog.text + str([record.__dict__ for record in caplog.records]), secret) == []


def test_a_provider_without_a_test_leaves_it_unknown(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent:
        def test(self, _credential: object) -> str:
            raise ProviderError("it has no call that proves a key", code=FailureKind.UNKNOWN.value)

    monkeypatch.setattr(bootstrap, "provider", lambda _name: Silent())
    put(key, key_like())
    assert body_of(ask_for_test(key))["data"]["isValid"] is None
