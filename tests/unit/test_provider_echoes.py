"""A provider that echoes the key that it was sent: nothing of it goes on to jobs, callers, logs or stores."""

import json
from dataclasses import replace

import pytest

from lib.domain.credential import credential_of, without_secrets
from lib.domain.errors import ConfigurationError, ProviderError
from lib.domain.http_exchange import HttpResponse
from lib.domain.provider import Credential, FailureKind, RemoteJob, Submission, SubmitOutcome
from lib.providers.client import HttpProviderClient
from lib.providers.gemini import GeminiAdapter
from lib.providers.google_veo import GoogleVeoAdapter
from lib.providers.platform_keys import read_platform_key
from lib.providers.replicate import ReplicateAdapter
from tests.fakes.credentials import key_like, leaks
from tests.fakes.google_keys import key_file
from tests.fakes.scripted_transport import ScriptedTransport
from tests.fakes.stored_answers import stored_answer

SUBMISSION = Submission(
    "01a1fbb0-cf23-747a-9d00-dfe374a9d28b", 1, "black-forest-labs/flux-schnell", {"prompt": "x"}, 60
)
REMOTE = RemoteJob("gm3qorzdhgbfurvjtvhg6dckhu")


def client(status: int, body: object) -> HttpProviderClient:
    answer = HttpResponse(status, {"content-type": "application/json"}, json.dumps(body).encode())
    return HttpProviderClient(ReplicateAdapter(), ScriptedTransport([answer] * 3))


@pytest.mark.parametrize("status", [400, 401, 402, 403, 422, 429, 500])
def test_a_refused_submit_does_not_tell_the_key(status: int) -> None:
    key = key_like()
    echo = {"title": "No", "detail": f"the token {key} is none, nor is {key[:14]}***{key[-5:]}"}
    result = client(status, echo).submit(SUBMISSION, Credential("replicate", key), None)
    assert leaks(repr(result), key) == []


@pytest.mark.parametrize("ask", ["poll", "cancel", "test"])
def test_an_error_does_not_tell_the_key(ask: str) -> None:
    key = key_like()
    credential = Credential("replicate", key, extra={"more": key[::-1]})
    asked = client(401, {"detail": f"{key} and {key[::-1]} are none"})
    with pytest.raises(ProviderError) as refused:
        asked.test(credential) if ask == "test" else getattr(asked, ask)(REMOTE, credential)
    error = refused.value
    assert error.message
    assert leaks(f"{error} {error!r} {error.message} {error.args}", key, key[::-1]) == []


def test_a_job_that_failed_does_not_tell_the_key() -> None:
    key = key_like()
    failed = {
        "id": REMOTE.provider_job_id,
        "status": "failed",
        "error": f"could not use {key}",
        "urls": {},
    }
    asked, credential = client(200, failed), Credential("replicate", key)
    submitted = asked.submit(SUBMISSION, credential, None).update
    for update in (submitted, asked.poll(REMOTE, credential), asked.cancel(REMOTE, credential)):
        assert update is not None
        assert update.failure is not None
        assert "could not use ***" in update.failure.message
        assert leaks(repr(update), key) == []


def test_a_result_that_is_apart_and_failed_does_not_tell_the_key() -> None:
    key = key_like()
    done = stored_answer("gemini", "completed_file")
    failed = stored_answer("gemini", "file_failed", error={"code": 13, "message": f"could not use {key}"})
    asked = HttpProviderClient(GeminiAdapter(), ScriptedTransport([done, failed]))
    remote = RemoteJob(str(GeminiAdapter().parse_poll(done).provider_job_id))

    update = asked.poll(remote, Credential("gemini", key))

    assert update.failure is not None
    assert "could not use ***" in update.failure.message
    assert leaks(repr(update), key) == []


VEO = "projects/example-project/locations/us-central1/publishers/google/models/veo-3.1-generate-001/operations/o1"


@pytest.mark.parametrize("ask", ["submit", "poll", "test"])
def test_an_access_token_is_as_secret_as_the_key_that_it_was_given_for(ask: str) -> None:
    token = key_like("ya29.", 60)
    given = HttpResponse(200, {}, json.dumps({"access_token": token, "expires_in": 3599}).encode())
    words = {"error": {"code": 401, "message": f"no use for {token}", "status": "UNAUTHENTICATED"}}
    refused = HttpResponse(401, {"content-type": "application/json"}, json.dumps(words).encode())
    asked = HttpProviderClient(GoogleVeoAdapter(), ScriptedTransport([given, refused]))
    credential = Credential("google_veo", key_file(), "own:01a1fbb0-cf23-747a-9d00-dfe374a9d28b")

    try:
        match ask:
            case "submit":
                submission = replace(SUBMISSION, model_ref="veo-3.1-generate-001")
                said = repr(asked.submit(submission, credential, None))
            case "poll":
                said = repr(asked.poll(RemoteJob(VEO), credential))
            case _:
                said = asked.test(credential)
    except ProviderError as error:
        said = f"{error} {error.args}"

    assert "no use for ***" in said
    assert leaks(said, token) == []


@pytest.mark.parametrize("echo", ["as it is", "as JSON", "a line"])
def test_what_is_secret_in_a_service_accounts_file_is_hidden(echo: str) -> None:
    file = key_file()
    secret = json.loads(file)["private_key"]
    said = {"as it is": secret, "as JSON": json.dumps({"a": secret}), "a line": secret.splitlines()[3]}[echo]
    told = without_secrets(f"bad: {said}", Credential("google_veo", file))
    assert told.startswith("bad: ")
    assert leaks(told, "".join(secret.splitlines()[1:-1])) == []


def test_a_message_of_googles_is_told_with_its_project_and_its_link() -> None:
    words = (
        "Vertex AI API is disabled in project example-project, location us-central1. Enable it at "
        "https://console.developers.google.com/apis/api/aiplatform.googleapis.com/overview?project=example-project"
    )
    values = {"projectId": "example-project", "location": "us-central1"}
    fields = GoogleVeoAdapter().traits.credential_fields
    own = credential_of("google_veo", {fields[0].name: key_file(), **values}, fields, "own:1")
    operators = read_platform_key(
        GoogleVeoAdapter(), json.dumps({fields[0].name: json.loads(key_file()), **values})
    )
    for credential in (own, operators):
        assert credential.extra == values
        assert without_secrets(words, credential) == words


def test_an_account_that_is_called_like_the_key_is_not_told() -> None:
    key = key_like()
    account = client(200, {"type": "user", "username": f"owner of {key}"}).test(Credential("replicate", key))
    assert account == "owner of ***"


def test_a_webhook_secret_that_is_not_told_does_not_tell_the_key() -> None:
    key = key_like()
    with pytest.raises(ProviderError) as refused:
        client(401, {"detail": f"{key} is none"}).webhook_secret(Credential("replicate", key))
    assert leaks(f"{refused.value} {refused.value.args}", key) == []


@pytest.mark.parametrize("wrong", [{"private_key": "none"}, {"project_id": "../other"}])
def test_a_users_key_that_is_none_is_refused_as_their_provider_would_refuse_it(wrong: dict[str, str]) -> None:
    token = HttpResponse(200, {}, b'{"access_token": "ya29.example", "expires_in": 3599}')
    asked = HttpProviderClient(GoogleVeoAdapter(), ScriptedTransport([token]))
    own = Credential("google_veo", key_file(**wrong), "own:01a1fbb0-cf23-747a-9d00-dfe374a9d28b")

    with pytest.raises(ProviderError) as refused:
        asked.test(own)
    assert refused.value.code == FailureKind.AUTHENTICATION.value

    with pytest.raises(ConfigurationError):
        HttpProviderClient(GoogleVeoAdapter(), ScriptedTransport([token])).test(
            replace(own, version="platform")
        )


def test_a_job_with_a_users_key_that_is_none_is_refused_unsent_and_unbilled() -> None:
    own = Credential("google_veo", key_file(private_key="none"), "own:01a1fbb0-cf23-747a-9d00-dfe374a9d28b")
    result = HttpProviderClient(GoogleVeoAdapter(), ScriptedTransport([])).submit(SUBMISSION, own, None)
    assert result.outcome is SubmitOutcome.REFUSED
    assert result.failure is not None
    assert (result.failure.kind, result.failure.unbilled) == (FailureKind.AUTHENTICATION, True)
