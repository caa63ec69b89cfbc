"""A provider that echoes the key that it was sent: nothing of it goes on to jobs, callers, logs or stores."""

import json

import pytest

from lib.domain.errors import ProviderError
from lib.domain.provider import Credential, HttpResponse, RemoteJob, Submission
from lib.providers.client import HttpProviderClient
from lib.providers.replicate import ReplicateAdapter
from tests.fakes.credentials import key_like, leaks
from tests.fakes.scripted_transport import ScriptedTransport

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
    update = client(200, failed).poll(REMOTE, Credential("replicate", key))
    assert update.failure is not None
    assert "could not use ***" in update.failure.message
    assert leaks(repr(update), key) == []
