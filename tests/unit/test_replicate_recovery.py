"""Finding the prediction of a submit that had no answer: claimed when it is sure, left alone when it is not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lib.domain.errors import ProviderError
from lib.domain.http_exchange import HttpResponse
from lib.domain.provider import Credential, RecoveredPrediction, RemoteJob, RemoteStatus, Submission
from lib.providers.client import MAX_RECOVER_PAGES, RECOVER_SECONDS, HttpProviderClient
from lib.providers.replicate import ReplicateAdapter
from lib.providers.replicate_models import Prediction
from lib.providers.replicate_recovery import ListedPrediction
from tests.fakes.replicate_answers import answer, body_of
from tests.fakes.scripted_transport import ScriptedTransport

KEY = Credential("replicate", "r8_secret")
JOB = "01937b7e-0000-7000-8000-000000000001"
OURS = f"https://gateway.example/webhook/replicate?job={JOB}&attempt=1&token=abc"
FLUX = Submission(JOB, 1, "black-forest-labs/flux-schnell", {"prompt": "a red fox"}, 600)
AFTER = datetime(2026, 11, 20, 17, 59, tzinfo=UTC)
BEFORE = AFTER + timedelta(minutes=10)
VERSION = "39ed52f2a78e934b3ba6e2a89f5b1c712de7dfea535525255b1aa35c5565e08b"

adapter = ReplicateAdapter()


def listed(prediction_id: str, **changes: Any) -> ListedPrediction:
    found = ListedPrediction.of(Prediction.model_validate(body_of("created", id=prediction_id, **changes)))
    assert found is not None
    return found


def match(
    *candidates: RecoveredPrediction, submission: Submission = FLUX, complete: bool = True
) -> str | None:
    found = adapter.match_recovered(submission, OURS, candidates, complete=complete)
    return found.provider_job_id if found else None


A, B = "a" * 26, "b" * 26


def test_a_page_gives_its_readable_predictions_and_the_next_address() -> None:
    found, next_url = adapter.parse_recover(answer("page"))
    assert [p.provider_job_id for p in found] == [A, B]
    assert [p.callback_url for p in found] == [OURS, None]
    assert [p.update.status for p in found] == [RemoteStatus.QUEUED, RemoteStatus.RUNNING]
    assert next_url is not None
    assert "cursor=" in next_url


def test_the_exact_webhook_address_wins_over_anything_alike() -> None:
    assert match(listed(B), listed(A, webhook=OURS, input={})) == A


def test_job_and_attempt_are_enough_when_our_address_has_moved() -> None:
    assert match(listed(A, webhook=f"https://old.example/hook?attempt=1&job={JOB}&token=x")) == A


@pytest.mark.parametrize(
    "theirs",
    [OURS.replace("attempt=1", "attempt=2"), OURS.replace("0001&", "0002&"), "https://other.example/"],
)
def test_another_attempts_prediction_is_never_taken_however_alike(theirs: str) -> None:
    assert match(listed(A, webhook=theirs)) is None


def test_two_with_our_address_are_ambiguous() -> None:
    assert match(listed(A, webhook=OURS), listed(B, webhook=OURS)) is None


def test_without_addresses_the_single_one_of_same_model_and_input_is_ours() -> None:
    assert match(listed(A), listed(B, input={"prompt": "a blue fox"})) == A


def test_without_addresses_two_alike_are_ambiguous() -> None:
    assert match(listed(A), listed(B)) is None


def test_without_addresses_a_window_not_seen_whole_proves_nothing() -> None:
    assert match(listed(A), complete=False) is None
    assert match(listed(A, webhook=OURS), complete=False) == A


@pytest.mark.parametrize(
    "changes", [{"model": "another/model"}, {"input": {"prompt": "a red fox", "seed": 1}}, {"input": None}]
)
def test_another_model_or_input_is_not_alike(changes: dict[str, Any]) -> None:
    assert match(listed(A, **changes)) is None


@pytest.mark.parametrize("model_ref", [VERSION, f"stability-ai/sdxl:{VERSION}"])
def test_a_model_by_version_is_recognised_by_its_version(model_ref: str) -> None:
    submission = replace(FLUX, model_ref=model_ref)
    assert match(listed(A, model="stability-ai/sdxl", version=VERSION), submission=submission) == A
    assert match(listed(A, model="stability-ai/sdxl", version="f" * 64), submission=submission) is None


def test_a_prediction_without_a_time_has_no_place_in_a_window() -> None:
    assert ListedPrediction.of(Prediction.model_validate(body_of("created", created_at=None))) is None


def recover(*pages: HttpResponse, claimed: frozenset[str] = frozenset()) -> tuple[str | None, list[str]]:
    transport = ScriptedTransport(list(pages))
    found = HttpProviderClient(adapter, transport).recover(
        FLUX, KEY, OURS, created_after=AFTER, created_before=BEFORE, claimed=claimed
    )
    return (found.provider_job_id if found else None), [request.url for request in transport.sent]


def test_recover_walks_the_pages() -> None:
    first = answer("page", results=[])
    found, urls = recover(first, answer("page", next=None))
    assert found == A
    assert urls[1].startswith("https://api.replicate.com/v1/predictions?cursor=")


def test_recover_skips_what_is_claimed_and_what_is_outside_the_window() -> None:
    early = body_of("created", id="c" * 26, created_at="2026-11-20T17:58:59Z")
    late = body_of("created", id="d" * 26, created_at="2026-11-20T18:09:01Z")
    both = [body_of("created", id=A), body_of("created", id=B)]
    page = answer("page", next=None, results=[late, *both, early])
    assert recover(page)[0] is None
    assert recover(page, claimed=frozenset({A}))[0] == B


def test_recover_stops_in_time_and_then_trusts_only_the_address() -> None:
    endless = [answer("page", results=[body_of("created", id=f"{n:026d}", input={})]) for n in range(9)]
    alike = answer("page", results=[body_of("created", id=B)])
    found, urls = recover(*endless, alike)
    assert (found, len(urls)) == (None, MAX_RECOVER_PAGES)


def test_recover_asks_for_no_further_page_when_its_time_is_up() -> None:
    transport = ScriptedTransport([answer("page"), answer("page", next=None)])
    moments = iter([0.0, RECOVER_SECONDS])
    client = HttpProviderClient(adapter, transport, monotonic=lambda: next(moments))
    client.recover(FLUX, KEY, OURS, created_after=AFTER, created_before=BEFORE)
    assert len(transport.sent) == 1


def test_a_listing_that_is_refused_is_raised_not_taken_as_empty() -> None:
    with pytest.raises(ProviderError, match="valid authentication token"):
        recover(answer("unauthenticated"))


def test_a_poll_that_answers_about_another_prediction_is_an_error() -> None:
    client = HttpProviderClient(adapter, ScriptedTransport([answer("processing")]))
    with pytest.raises(ProviderError, match="was asked for"):
        client.poll(RemoteJob(A), KEY)


def test_a_client_reads_what_it_asks_for() -> None:
    transport = ScriptedTransport(
        [answer("processing"), answer("canceled"), answer("account"), answer("webhook_secret")]
    )
    client = HttpProviderClient(adapter, transport)
    prediction = "gm3qorzdhgbfurvjtvhg6dckhu"
    assert client.poll(RemoteJob(prediction), KEY).status is RemoteStatus.RUNNING
    assert client.cancel(RemoteJob(prediction), KEY).status is RemoteStatus.CANCELED
    assert client.test(KEY) == "acme"
    assert (client.webhook_secret(KEY) or "").startswith("whsec_")
    assert [request.method for request in transport.sent] == ["GET", "POST", "GET", "GET"]
