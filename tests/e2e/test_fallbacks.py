"""Faults where money is at stake, over HTTP: what is tried instead and what never is, cancels, outages, lost workers.

The cloud is one of its own, where a circuit opens for a second only.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest

from local.cloud import LocalCloud
from local.replicate.world import fingerprint
from local.settings import CloudSettings, Part
from tests.e2e.caller import Caller
from tests.e2e.test_own_keys import Owner

WAITING, ASYNCHRONOUS, SPEAKING = "stability-core", "runway-gen4-image", "elevenlabs-flash-v2.5"
"""One whose answer is the result, one that is polled, and one that has no fallback; the first two may fall back."""
INSTEAD = {WAITING: ("flux-schnell", "replicate"), ASYNCHRONOUS: ("fal-flux-schnell", "fal")}
RACES, AT_ONCE = 18, 6
CIRCUIT_FAILURES = 4  # one more than are waited for before a fallback


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    settings = CloudSettings(
        port=0,
        directory=tmp_path_factory.mktemp("fallbacks") / ".local",
        parameters={
            "PollAfterSeconds": "2",
            "RateLimitPerHour": "100000",
            "UnpricedModels": "allowed",
            "CircuitFailures": str(CIRCUIT_FAILURES),
            "CircuitOpenSeconds": "1",
        },
        parts=frozenset(Part) - {Part.COG},
    )
    with LocalCloud(settings) as cloud:
        yield cloud


class Providers:
    """The simulated providers, with their dials and their logs."""

    def __init__(self, caller: Caller) -> None:
        assert caller.endpoints.provider_urls
        self.urls = {**caller.endpoints.provider_urls, "replicate": caller.endpoints.replicate_url}
        self._http = httpx.Client(timeout=10, trust_env=False)

    def dial(self, provider: str, *faults: str) -> None:
        """These faults strike every request from now on, and no others."""
        answer = self._http.put(
            f"{self.urls[provider]}/_sim/faults", json={"faults": dict.fromkeys(faults, 1.0)}
        )
        assert answer.status_code == 200, answer.text

    def received(self, provider: str, prompt: str, method: str = "POST") -> list[dict[str, Any]]:
        """What it was asked to make with this prompt."""
        found = self._http.get(f"{self.urls[provider]}/_sim/log").json()["requests"]
        return [entry for entry in found if entry["method"] == method and prompt in str(entry["body"])]

    def prediction(self, provider_job_id: str) -> Mapping[str, Any]:
        """A prediction of Replicate's, of any account."""
        url = f"{self.urls['replicate']}/_sim/predictions/{provider_job_id}"
        found: Mapping[str, Any] = self._http.get(url).json()["prediction"]
        return found

    def well(self) -> None:
        """All dials as at the start."""
        for provider in ("stability", "runway", "replicate", "fal"):
            self.dial(provider)

    def close(self) -> None:
        """The end of the test."""
        self.well()
        self._http.close()


@pytest.fixture
def providers(caller: Caller) -> Iterator[Providers]:
    providers = Providers(caller)
    yield providers
    providers.close()


@pytest.fixture
def outage(caller: Caller, providers: Providers) -> Iterator[Providers]:
    """The providers, of which some will be away; afterwards all are well, and known to be."""
    yield providers
    providers.well()
    jobs = [start(caller, a_prompt(), model, fallback=False) for model in INSTEAD]
    assert {caller.ended(job_id)["status"] for job_id in jobs} == {"completed"}


def a_prompt(*markers: str) -> str:
    return " ".join([f"a lighthouse {uuid4().hex}", *(f"[sim:{marker}]" for marker in markers)])


def ask(caller: Caller, prompt: str, model: str, **more: Any) -> httpx.Response:
    media = "audio" if model == SPEAKING else "image"
    body = {"mediaType": media, "modelId": model, "parameters": {"prompt": prompt}}
    return caller.api.post("/generate-media", json={**body, **more})


def start(caller: Caller, prompt: str, model: str, **more: Any) -> str:
    answer = ask(caller, prompt, model, **more)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["jobId"])


def details(caller: Caller, job_id: str) -> dict[str, Any]:
    found: dict[str, Any] = caller.api.get(f"/jobs/{job_id}").json()
    return found


def history(caller: Caller, job_id: str) -> list[tuple[str, str]]:
    """Each attempt's model and how it ended."""
    return [(attempt["modelId"], attempt["state"]) for attempt in details(caller, job_id)["attempts"]]


def ended_once(caller: Caller, job_id: str) -> bool:
    rows = caller.query(
        "select count(*) from job_transitions where job_id = %s and status in ('completed', 'failed', 'canceled')",
        job_id,
    )
    return bool(rows == [(1,)])


def forget_lease(caller: Caller, job_id: str) -> None:
    """The time that a worker may be at a submit is over."""
    caller.query("update attempts set lease_until = now() where job_id = %s returning 1", job_id)
    caller.make_due(job_id)


@pytest.mark.parametrize("model", [WAITING, ASYNCHRONOUS])
@pytest.mark.parametrize(("fault", "code"), [("402", "provider_billing"), ("401", "provider_authentication")])
def test_a_refusal_that_costs_nothing_is_followed_and_the_status_says_by_what_and_why(
    caller: Caller, providers: Providers, model: str, fault: str, code: str
) -> None:
    first = model.partition("-")[0]
    other, provider = INSTEAD[model]
    providers.dial(first, fault)
    prompt = a_prompt()
    job_id = start(caller, prompt, model)
    status = caller.ended(job_id)
    assert (status["status"], status["modelId"], status["provider"]) == ("completed", other, provider), status
    assert f"{model} failed ({code}): {other} is tried instead" in status["warnings"]
    assert history(caller, job_id) == [(model, "refused"), (other, "succeeded")]
    assert details(caller, job_id)["attempts"][0]["failureKind"] == code
    assert len(providers.received(first, prompt)) == 1


def test_a_repeated_key_gets_the_first_answer_whatever_was_tried_since(
    caller: Caller, providers: Providers
) -> None:
    providers.dial("runway", "402")
    providers.dial("fal", "402")
    prompt, key = a_prompt(), {"Idempotency-Key": uuid4().hex}
    body = {"mediaType": "image", "modelId": ASYNCHRONOUS, "parameters": {"prompt": prompt}}
    first = caller.api.post("/generate-media", json=body, headers=key)
    assert first.status_code == 202, first.text
    status = caller.ended(first.json()["jobId"])
    assert (status["status"], status["errorCode"]) == ("failed", "provider_billing")
    again = caller.api.post("/generate-media", json=body, headers=key)
    assert (again.status_code, again.json()) == (202, first.json())
    assert len(providers.received("runway", prompt)) == len(providers.received("fal", prompt)) == 1


def test_a_provider_that_does_not_take_it_is_waited_for_and_then_gives_way(
    caller: Caller, outage: Providers
) -> None:
    outage.dial("stability", "503")
    job_id = start(caller, a_prompt(), WAITING)
    seen = caller.until(lambda: caller.status(job_id), lambda now: now["waiting"] is not None)
    assert seen["waiting"]["code"] == "provider_outage"
    assert seen["modelId"] == WAITING
    assert caller.ended(job_id)["modelId"] == INSTEAD[WAITING][0]
    assert caller.status(job_id)["waiting"] is None


@pytest.mark.parametrize("fault", ["accept-no-answer", "reset"])
def test_a_submit_of_which_nothing_is_known_is_neither_followed_nor_sent_again(
    caller: Caller, outage: Providers, fault: str
) -> None:
    prompt = a_prompt(fault)
    job_id = start(caller, prompt, ASYNCHRONOUS)
    caller.make_due(job_id)
    status = caller.swept(job_id)
    assert (status["status"], status["errorCode"]) == ("failed", "submit_unknown")
    assert history(caller, job_id) == [(ASYNCHRONOUS, "unknown")]
    assert len(outage.received("runway", prompt)) == 1
    assert outage.received("fal", prompt) == []


@pytest.mark.parametrize(("model", "marker"), [(WAITING, "nsfw=prompt"), (ASYNCHRONOUS, "nsfw")])
def test_what_one_provider_refuses_on_moral_grounds_is_offered_to_no_other(
    caller: Caller, model: str, marker: str
) -> None:
    job_id = start(caller, a_prompt(marker), model)
    status = caller.ended(job_id)
    assert (status["status"], status["errorCode"]) == ("failed", "moderation_refused"), status
    assert [name for name, _ in history(caller, job_id)] == [model]


def test_a_cancel_reaches_the_attempt_that_runs_with_its_own_key_and_id(
    caller: Caller, providers: Providers
) -> None:
    owner = Owner(caller)
    owner.put(owner.key)
    providers.dial("stability", "402")
    providers.dial("replicate", "never-finishes")
    body = {"mediaType": "image", "modelId": WAITING, "parameters": {"prompt": a_prompt()}}
    job_id = str(owner.api.post("/generate-media", json=body).json()["jobId"])
    status = caller.until(lambda: owner.status(job_id), lambda now: now["status"] == "processing")
    assert status["modelId"] == "flux-schnell"
    assert owner.api.post(f"/jobs/{job_id}/cancel").status_code in (200, 202)
    assert owner.ended(job_id)["status"] == "canceled"
    (submit,) = owner.caller.submits(job_id)
    assert submit["auth"] == fingerprint(owner.key)  # an account sees its own predictions alone
    assert submit["predictionId"] == status["providerJobId"]
    assert providers.prediction(status["providerJobId"])["status"] == "canceled"
    states = [(attempt["state"], attempt["credential"]) for attempt in owner.attempts(job_id)]
    assert states == [("refused", "platform"), ("canceled", "own")]
    owner.api.close()


def test_when_cancel_and_success_race_one_wins_and_the_record_and_the_provider_agree(
    caller: Caller, providers: Providers
) -> None:
    def race(number: int) -> str:
        milliseconds = 20 * number**2  # from a success that is there first to a cancel that surely is
        prompt = a_prompt(f"slow={milliseconds}ms")
        job_id = start(caller, prompt, "flux-schnell")
        assert caller.api.post(f"/jobs/{job_id}/cancel").status_code in (200, 202, 409)
        status = caller.ended(job_id)
        (attempt,) = details(caller, job_id)["attempts"]
        remote = providers.prediction(attempt["providerJobId"])["status"]
        won = {"completed": "succeeded", "canceled": "canceled"}[status["status"]]
        assert (attempt["state"], remote) == (won, won)
        assert ended_once(caller, job_id)
        assert bool(caller.objects(job_id)) is (won == "succeeded")
        return won

    with ThreadPoolExecutor(AT_ONCE) as threads:
        outcomes = list(threads.map(race, range(RACES)))
    assert "canceled" in outcomes


def test_while_a_circuit_is_open_jobs_wait_or_fall_back_and_the_first_answer_closes_it(
    caller: Caller, outage: Providers
) -> None:
    outage.dial("runway", "503")

    for _ in range(CIRCUIT_FAILURES):
        start(caller, a_prompt(), ASYNCHRONOUS, fallback=False)
    patient = start(caller, a_prompt(), ASYNCHRONOUS, fallback=False)
    assert caller.status(patient)["waiting"]["code"] == "circuit_open"
    in_haste = caller.ended(start(caller, a_prompt(), ASYNCHRONOUS))
    other = INSTEAD[ASYNCHRONOUS][0]
    assert (in_haste["status"], in_haste["modelId"]) == ("completed", other)
    assert f"{ASYNCHRONOUS} failed (circuit_open): {other} is tried instead" in in_haste["warnings"]
    assert caller.status(patient)["modelId"] == ASYNCHRONOUS
    outage.dial("runway")
    assert caller.ended(patient)["status"] == "completed"
    assert history(caller, patient) == [(ASYNCHRONOUS, "succeeded")]
    afterwards = caller.ended(start(caller, a_prompt(), ASYNCHRONOUS))
    assert afterwards["modelId"] == ASYNCHRONOUS
    events = [event for event in ("circuit_opened", "circuit_closed") if event in caller.logs()]
    assert events == ["circuit_opened", "circuit_closed"]


def test_what_a_killed_worker_waited_for_is_never_sent_again(caller: Caller, outage: Providers) -> None:
    prompt = a_prompt("slow=10s")
    job_id = start(caller, prompt, WAITING)
    caller.until(lambda: outage.received("stability", prompt), bool)
    assert caller.cloud.kill_workers("vsl-local-submit-job") >= 1
    forget_lease(caller, job_id)
    status = caller.swept(job_id)
    assert (status["status"], status["errorCode"]) == ("failed", "submit_unknown")
    assert history(caller, job_id) == [(WAITING, "unknown")]
    assert len(outage.received("stability", prompt)) == 1


def test_a_throttled_worker_waits_and_says_so(caller: Caller, providers: Providers) -> None:
    prompt = a_prompt("429=1s")
    job_id = start(caller, prompt, SPEAKING)
    seen = caller.until(lambda: caller.status(job_id), lambda now: now["waiting"] is not None)
    assert seen["waiting"]["code"] == "provider_rate_limited"
    assert caller.ended(job_id)["status"] == "completed"
    assert len(providers.received("elevenlabs", prompt)) == 2


def test_a_cancel_while_it_waits_to_be_sent_ends_it_there(caller: Caller, providers: Providers) -> None:
    prompt = a_prompt("429=5s")
    job_id = start(caller, prompt, SPEAKING)
    caller.until(lambda: caller.status(job_id), lambda now: now["waiting"] is not None)
    assert caller.api.post(f"/jobs/{job_id}/cancel").json()["status"] == "canceled"
    assert history(caller, job_id) == [(SPEAKING, "canceled")]
    assert len(providers.received("elevenlabs", prompt)) == 1


def test_a_cancel_while_the_worker_waits_is_noted_and_the_result_that_was_paid_for_is_kept(
    caller: Caller, providers: Providers
) -> None:
    prompt = a_prompt("slow=4s")
    job_id = start(caller, prompt, WAITING)
    caller.until(lambda: providers.received("stability", prompt), bool)
    assert caller.api.post(f"/jobs/{job_id}/cancel").json()["cancelRequested"] is True
    status = caller.ended(job_id)
    assert (status["status"], status["cancelRequested"]) == ("completed", True)
    assert history(caller, job_id) == [(WAITING, "succeeded")]
    assert ended_once(caller, job_id)
