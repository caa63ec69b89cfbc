"""Our clients for Veo, Gemini and OpenAI over the real transport, against the simulators, faults included."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest

from lib.domain.errors import ProviderError
from lib.domain.provider import (
    Credential,
    FailureKind,
    OutputKind,
    ProviderUpdate,
    RemoteJob,
    RemoteStatus,
    Submission,
    SubmitOutcome,
    SubmitResult,
)
from lib.providers.client import HttpProviderClient
from lib.providers.registry import load_adapter
from lib.providers.transport import LIMITS, RequestsTransport
from local.providers.registry import load
from local.providers.server import Providers, running
from local.providers.settings import Settings
from tests.fakes.google_keys import key_file
from tests.fakes.until import until

NAMES = ("google_veo", "gemini", "openai")
VEO, OMNI, IMAGES = "veo-3.1-fast-generate-001", "gemini-omni-1.1-flash", "images/gpt-image-1-mini"
QUICK = {operation: replace(limits, connect=1.0, read=1.0, total=2.0) for operation, limits in LIMITS.items()}


@pytest.fixture(scope="module")
def simulators() -> Iterator[Providers]:
    with running(*NAMES, settings=Settings(latency=0.2)) as providers:
        yield providers


class Talk:
    """One provider's client, and a key for it."""

    def __init__(self, simulators: Providers, name: str, transport: RequestsTransport) -> None:
        simulated = load(name)
        self.name, self.url = name, simulators.urls[name]
        self.key = Credential(name, simulated.LOCAL_KEY)
        self.client = HttpProviderClient(load_adapter(name, simulated.addresses(self.url)), transport)

    def submit(self, model: str, **values: Any) -> SubmitResult:
        return self.client.submit(Submission("j1", 1, model, values, 600), self.key, None)

    def end_of(self, model: str, **values: Any) -> ProviderUpdate:
        """Submits and polls to the end."""
        result = self.submit(model, **values)
        assert result.update is not None, result.failure
        remote = RemoteJob(str(result.update.provider_job_id), model)
        return until(lambda: self.client.poll(remote, self.key), lambda update: update.status.final)


@pytest.fixture
def talk(simulators: Providers) -> Iterator[Callable[[str], Talk]]:
    transport = RequestsTransport(sleep=lambda _: None)
    yield lambda name: Talk(simulators, name, transport)
    transport.close()


@contextmanager
def impatient(simulators: Providers, name: str) -> Iterator[Talk]:
    transport = RequestsTransport(limits=QUICK, sleep=lambda _: None)
    yield Talk(simulators, name, transport)
    transport.close()


def bytes_of(update: ProviderUpdate, number: int = 0) -> bytes:
    output = update.outputs[number]
    assert output.kind is OutputKind.BLOB
    blob = next(blob for blob in update.blobs if blob.name == output.value)
    with blob.open() as file:
        return file.read()


def test_veo_makes_videos_that_come_with_the_operation(talk: Callable[[str], Talk]) -> None:
    update = talk("google_veo").end_of(VEO, prompt="a red fox", durationSeconds=4, sampleCount=2)
    assert update.status is RemoteStatus.SUCCEEDED
    assert [bytes_of(update, number)[4:8] for number in (0, 1)] == [b"ftyp", b"ftyp"]


def test_one_access_token_serves_many_calls(simulators: Providers, talk: Callable[[str], Talk]) -> None:
    veo = talk("google_veo")
    httpx.post(f"{veo.url}/_sim/reset")
    veo.end_of(VEO, prompt="a fox", durationSeconds=4)
    requests = httpx.get(f"{veo.url}/_sim/log").json()["requests"]
    assert [request["path"] for request in requests].count("/token") == 1


def test_a_key_of_another_account_gets_no_token_and_submits_nothing(talk: Callable[[str], Talk]) -> None:
    veo = talk("google_veo")
    veo.key = Credential("google_veo", key_file())
    result = veo.submit(VEO, prompt="a fox")
    assert result.outcome is SubmitOutcome.REFUSED
    assert result.failure is not None
    assert (result.failure.kind, result.failure.unbilled) == (FailureKind.AUTHENTICATION, True)
    with pytest.raises(ProviderError, match="invalid_grant"):
        veo.client.test(veo.key)


def test_another_project_is_denied(talk: Callable[[str], Talk]) -> None:
    veo = talk("google_veo")
    veo.key = replace(veo.key, extra={"projectId": "other-project"})
    result = veo.submit(VEO, prompt="a fox")
    assert result.failure is not None
    assert (result.outcome, result.failure.kind) == (SubmitOutcome.REFUSED, FailureKind.AUTHENTICATION)
    assert "denied" in result.failure.message


def test_omni_makes_a_video_that_is_fetched_from_its_file(talk: Callable[[str], Talk]) -> None:
    gemini = talk("gemini")
    httpx.post(f"{gemini.url}/_sim/reset")
    update = gemini.end_of(OMNI, prompt="a kite", response_format={"duration": 3, "resolution": "360p"})
    assert update.status is RemoteStatus.SUCCEEDED
    assert bytes_of(update)[4:8] == b"ftyp"
    asked = httpx.get(f"{gemini.url}/_sim/log", params={"path": "/files/"}).json()["requests"]
    *states, last = [request["path"].partition("v1beta/files/")[0] for request in asked]
    assert last == "/download/"
    assert states
    assert set(states) == {"/"}


def test_omni_is_canceled(talk: Callable[[str], Talk]) -> None:
    gemini = talk("gemini")
    result = gemini.submit(OMNI, prompt="[sim:never-finishes]")
    assert result.update is not None
    remote = RemoteJob(str(result.update.provider_job_id))
    assert gemini.client.cancel(remote, gemini.key).status is RemoteStatus.CANCELED
    assert gemini.client.poll(remote, gemini.key).status is RemoteStatus.CANCELED


def test_openai_answers_with_all_images(talk: Callable[[str], Talk]) -> None:
    result = talk("openai").submit(
        IMAGES, prompt="a lighthouse", n=2, size="1024x1024", quality="low", output_format="jpeg"
    )
    assert result.outcome is SubmitOutcome.ACCEPTED
    assert result.update is not None
    assert str(result.update.provider_job_id).startswith("req_")
    first, second = (bytes_of(result.update, number) for number in (0, 1))
    assert first[:3] == second[:3] == b"\xff\xd8\xff"
    assert first != second


def test_openai_edits_an_image_that_is_given(simulators: Providers, talk: Callable[[str], Talk]) -> None:
    openai = talk("openai")
    result = openai.submit(IMAGES, prompt="a hat", image=["data:image/png;base64,iVBORw0KGgo="], n=1)
    assert result.update is not None
    assert bytes_of(result.update).startswith(b"\x89PNG")
    [entry] = httpx.get(f"{openai.url}/_sim/log", params={"path": "edits"}).json()["requests"]
    assert {part["name"] for part in entry["body"]} == {"model", "prompt", "image[]", "n"}


def test_openai_speaks(talk: Callable[[str], Talk]) -> None:
    result = talk("openai").submit(
        "speech/tts-1", input="Good evening.", voice="coral", response_format="wav", speed=2
    )
    assert result.update is not None
    assert bytes_of(result.update)[:4] == b"RIFF"


@pytest.mark.parametrize(
    ("name", "model"), [("google_veo", VEO), ("gemini", OMNI), ("openai", IMAGES)], ids=NAMES
)
@pytest.mark.parametrize(
    ("fault", "outcome", "kind"),
    [
        ("401", SubmitOutcome.REFUSED, FailureKind.AUTHENTICATION),
        ("402", SubmitOutcome.REFUSED, FailureKind.BILLING),
        ("422", SubmitOutcome.REFUSED, FailureKind.INVALID_INPUT),
        ("429", SubmitOutcome.DEFERRED, FailureKind.RATE_LIMITED),
        ("500", SubmitOutcome.UNKNOWN, FailureKind.OUTAGE),
        ("502-html", SubmitOutcome.UNKNOWN, FailureKind.OUTAGE),
        ("reset", SubmitOutcome.UNKNOWN, FailureKind.OUTAGE),
    ],
)
def test_a_submit_that_goes_wrong_has_the_outcome_of_its_answer(
    talk: Callable[[str], Talk], name: str, model: str, fault: str, outcome: SubmitOutcome, kind: FailureKind
) -> None:
    result = talk(name).submit(model, prompt=f"[sim:{fault}]")
    assert result.outcome is outcome
    assert result.failure is not None
    assert result.failure.kind is kind
    if kind is FailureKind.RATE_LIMITED:
        assert result.failure.retry_after_seconds == 1


@pytest.mark.parametrize(
    ("name", "model"), [("google_veo", VEO), ("gemini", OMNI), ("openai", IMAGES)], ids=NAMES
)
def test_a_submit_that_nobody_answers_is_unknown(simulators: Providers, name: str, model: str) -> None:
    with impatient(simulators, name) as talk:
        assert talk.submit(model, prompt="[sim:accept-no-answer]").outcome is SubmitOutcome.UNKNOWN


def test_what_is_refused_by_moderation_is_told_as_such(talk: Callable[[str], Talk]) -> None:
    held_back = talk("google_veo").end_of(VEO, prompt="[sim:nsfw]", durationSeconds=4)
    assert held_back.failure is not None
    assert (held_back.failure.kind, held_back.failure.unbilled) == (FailureKind.MODERATION, True)
    blocked = talk("gemini").end_of(OMNI, prompt="[sim:nsfw]")
    assert blocked.failure is not None
    assert blocked.failure.kind is FailureKind.MODERATION
    for result in (
        talk("google_veo").submit(VEO, prompt="[sim:nsfw=prompt]"),
        talk("openai").submit(IMAGES, prompt="[sim:nsfw]"),
    ):
        assert result.outcome is SubmitOutcome.REFUSED
        assert result.failure is not None
        assert result.failure.kind is FailureKind.MODERATION


@pytest.mark.parametrize(("name", "model"), [("google_veo", VEO), ("gemini", OMNI)])
def test_a_status_that_nobody_knows_does_not_end_the_job(
    talk: Callable[[str], Talk], name: str, model: str
) -> None:
    prompt = "[sim:unknown-status]"
    assert talk(name).end_of(model, prompt=prompt).status is RemoteStatus.SUCCEEDED


@pytest.mark.parametrize(("name", "model"), [("google_veo", VEO), ("gemini", OMNI)])
def test_a_failed_model_is_a_failure_with_its_words(
    talk: Callable[[str], Talk], name: str, model: str
) -> None:
    update = talk(name).end_of(model, prompt="[sim:fail=out of ideas]")
    assert update.status is RemoteStatus.FAILED
    assert update.failure is not None
    assert update.failure.message == "out of ideas"


def test_a_file_that_google_no_longer_has_ends_the_job(talk: Callable[[str], Talk]) -> None:
    update = talk("gemini").end_of(OMNI, prompt="[sim:purged]")
    assert update.failure is not None
    assert update.failure.kind is FailureKind.DATA_EXPIRED


@pytest.mark.parametrize("name", NAMES)
def test_the_key_test_tells_a_good_key_from_a_bad_one(talk: Callable[[str], Talk], name: str) -> None:
    one = talk(name)
    assert one.client.test(one.key)
    bad = {"google_veo": key_file(), "gemini": "AIzaInvalid-key", "openai": "sk-invalid-key"}[name]
    with pytest.raises(ProviderError) as raised:
        one.client.test(Credential(name, bad))
    assert raised.value.code == FailureKind.AUTHENTICATION.value
    assert not raised.value.retryable
    assert bad not in str(raised.value)
