"""What Stability's answers mean: results, ids, polls, and each error."""

import base64
from dataclasses import replace

import pytest

from lib.domain.errors import ProviderError
from lib.domain.http_exchange import HttpResponse
from lib.domain.provider import Failure, FailureKind, OutputKind, ProviderUpdate, RemoteStatus, SubmitOutcome
from lib.providers.stability import StabilityAdapter
from tests.fakes.stored_answers import stored_answer

RESULT_ID = "a6dc6c6e20acda010fe14d71f180658f2896ed9b4ec25aa99a6ff06c796987c4"

adapter = StabilityAdapter()


def answer(name: str) -> HttpResponse:
    return stored_answer("stability", name)


def accepted(response: HttpResponse) -> ProviderUpdate:
    result = adapter.parse_submit(response)
    assert result.outcome is SubmitOutcome.ACCEPTED
    assert result.update is not None
    return result.update


def refused(name: str) -> tuple[SubmitOutcome, Failure]:
    result = adapter.parse_submit(answer(name))
    assert result.failure is not None
    return result.outcome, result.failure


@pytest.mark.parametrize(
    ("name", "content_type", "seed"),
    [
        ("image", "image/png", "343940597"),
        ("image_in_json", "image/png", "343940597"),
        ("audio", "audio/mpeg", "343940597"),
        ("audio_in_json", "audio/mpeg", "7"),
    ],
)
def test_a_result_in_the_answer_is_taken_with_its_seed(name: str, content_type: str, seed: str) -> None:
    update = accepted(answer(name))
    assert update.status is RemoteStatus.SUCCEEDED
    [output] = update.outputs
    assert output.kind is OutputKind.DATA_URL
    assert output.value.startswith(f"data:{content_type};base64,")
    assert update.raw_status == f"SUCCESS, seed {seed}"


def test_the_bytes_are_those_that_came() -> None:
    response = answer("image")
    [output] = accepted(response).outputs
    assert base64.b64decode(output.value.partition(",")[2]) == response.body


def test_the_request_id_names_a_result_and_a_strange_one_does_not() -> None:
    response = answer("image")
    assert accepted(response).provider_job_id == "5b3c0a1f9e8d7c6b5a49382716051423"
    strange = replace(response, headers={**response.headers, "x-request-id": "a b\n"})
    assert accepted(strange).provider_job_id is None


@pytest.mark.parametrize("name", ["image_filtered", "image_in_json_filtered"])
def test_a_filtered_result_is_moderation_though_the_status_is_200(name: str) -> None:
    update = accepted(answer(name))
    assert (update.status, update.outputs) == (RemoteStatus.FAILED, ())
    assert update.failure is not None
    assert update.failure.kind is FailureKind.MODERATION
    assert not update.failure.unbilled  # it was made
    assert update.raw_status.startswith("CONTENT_FILTERED")


def test_the_word_filtered_is_read_in_any_case() -> None:
    response = answer("image_filtered")
    lower = replace(response, headers={**response.headers, "finish-reason": "content_filtered"})
    assert accepted(lower).status is RemoteStatus.FAILED


def test_a_finish_reason_that_nobody_knows_does_not_break_a_paid_result() -> None:
    response = answer("image")
    odd = replace(response, headers={"content-type": "IMAGE/PNG", "finish-reason": "SPLENDID"})
    assert accepted(odd).status is RemoteStatus.SUCCEEDED
    assert accepted(replace(odd, headers={"content-type": "image/png"})).raw_status == "SUCCESS"


@pytest.mark.parametrize(
    ("seed", "shown"), [(0, ", seed 0"), ("7", ", seed 7"), ([7], ""), (None, ""), ("", "")]
)
def test_what_is_odd_beside_a_paid_result_does_not_break_it(seed: object, shown: str) -> None:
    odd = stored_answer("stability", "audio_in_json", seed=seed, finish_reason={"?": 1}, image=8)
    update = accepted(odd)
    assert (update.status, len(update.outputs)) == (RemoteStatus.SUCCEEDED, 1)
    assert update.raw_status == f"SUCCESS{shown}"


@pytest.mark.parametrize("name", ["started", "started_audio"])
def test_an_accepted_job_has_its_id(name: str) -> None:
    update = accepted(answer(name))
    assert (update.status, update.provider_job_id) == (RemoteStatus.QUEUED, RESULT_ID)


@pytest.mark.parametrize(
    "response",
    [
        answer("cut_off"),
        HttpResponse(200, {}, b""),
        HttpResponse(200, {"content-type": "image/png"}, b""),
        HttpResponse(200, {"content-type": "application/json"}, b'{"id": "../etc"}'),
        HttpResponse(200, {"content-type": "application/json"}, b'{"id": 7, "image": 8}'),
        HttpResponse(204, {}, b""),
        HttpResponse(302, {"location": "https://elsewhere.example"}, b""),
    ],
)
def test_what_cannot_be_read_may_have_been_taken(response: HttpResponse) -> None:
    result = adapter.parse_submit(response)
    assert result.outcome is SubmitOutcome.UNKNOWN
    assert result.failure is not None
    assert not result.failure.unbilled


@pytest.mark.parametrize(
    ("name", "outcome", "kind", "words"),
    [
        ("bad_request", SubmitOutcome.REFUSED, FailureKind.INVALID_INPUT, "prompt: must be at least 1"),
        ("unauthorized", SubmitOutcome.REFUSED, FailureKind.AUTHENTICATION, "missing or invalid key"),
        (
            "unauthorized_v1",
            SubmitOutcome.REFUSED,
            FailureKind.AUTHENTICATION,
            "missing authorization header",
        ),
        ("payment_required", SubmitOutcome.REFUSED, FailureKind.BILLING, "lack sufficient credits"),
        ("content_moderation", SubmitOutcome.REFUSED, FailureKind.MODERATION, "flagged by our content"),
        ("forbidden", SubmitOutcome.REFUSED, FailureKind.AUTHENTICATION, "may not use this operation"),
        ("not_found", SubmitOutcome.REFUSED, FailureKind.NOT_FOUND, "was not found"),
        ("payload_too_large", SubmitOutcome.REFUSED, FailureKind.INVALID_INPUT, "10MiB"),
        ("unsupported_media_type", SubmitOutcome.REFUSED, FailureKind.INVALID_INPUT, "multipart/form-data"),
        ("invalid_language", SubmitOutcome.REFUSED, FailureKind.INVALID_INPUT, "English is the only"),
        ("public_figure", SubmitOutcome.REFUSED, FailureKind.INVALID_INPUT, "public figure"),
        ("rate_limit_exceeded", SubmitOutcome.DEFERRED, FailureKind.RATE_LIMITED, "150 requests"),
        ("internal_error", SubmitOutcome.DEFERRED, FailureKind.OUTAGE, "unexpected server error"),
        ("unavailable", SubmitOutcome.DEFERRED, FailureKind.OUTAGE, "HTTP 503"),
    ],
)
def test_each_error_has_its_meaning_costs_nothing_and_keeps_its_words(
    name: str, outcome: SubmitOutcome, kind: FailureKind, words: str
) -> None:
    became, failure = refused(name)
    assert (became, failure.kind) == (outcome, kind)
    assert words in failure.message
    assert failure.unbilled
    assert failure.retryable is (outcome is SubmitOutcome.DEFERRED)


@pytest.mark.parametrize("name", ["bad_gateway", "error_page"])
def test_a_page_of_a_proxy_proves_nothing(name: str) -> None:
    became, failure = refused(name)
    assert (became, failure.kind, failure.unbilled) == (SubmitOutcome.UNKNOWN, FailureKind.OUTAGE, False)


@pytest.mark.parametrize(
    "changes",
    [{"name": None}, {"name": " "}, {"name": ["internal_error"]}, {"errors": None}, {"errors": "?"}],
)
def test_an_error_without_a_name_or_a_place_for_reasons_is_not_stabilitys_and_proves_nothing(
    changes: dict[str, object],
) -> None:
    result = adapter.parse_submit(stored_answer("stability", "internal_error", **changes))
    assert result.failure is not None
    assert (result.outcome, result.failure.unbilled) == (SubmitOutcome.UNKNOWN, False)
    assert result.failure.message == "HTTP 500, with no readable reason"


def test_reasons_are_kept_in_whichever_shape_they_come_and_names_are_read_in_any_case() -> None:
    odd = stored_answer(
        "stability", "forbidden", name=" Content_Moderation", errors=[{"at": 1}, "", "b"], message="c"
    )
    failure = adapter.parse_submit(odd).failure
    assert failure is not None
    assert (failure.kind, failure.message) == (FailureKind.MODERATION, "content_moderation: {'at': 1}; b; c")
    bare = adapter.parse_submit(stored_answer("stability", "forbidden", errors=[])).failure
    assert bare is not None
    assert bare.message == "forbidden"


def test_a_proxy_that_gave_up_waiting_proves_nothing() -> None:
    result = adapter.parse_submit(HttpResponse(408, {}, b""))
    assert result.outcome is SubmitOutcome.UNKNOWN
    assert result.failure is not None
    assert not result.failure.unbilled


def test_a_locked_out_key_waits_a_minute_unless_another_wait_is_said() -> None:
    assert refused("rate_limit_exceeded")[1].retry_after_seconds == 60
    assert refused("rate_limited_with_wait")[1].retry_after_seconds == 7
    with pytest.raises(ProviderError) as raised:
        adapter.parse_poll(answer("rate_limit_exceeded"))
    assert (raised.value.retryable, raised.value.retry_after_seconds) == (True, 60)


def test_a_poll_sees_it_run_and_then_its_result() -> None:
    running = adapter.parse_poll(answer("in_progress"))
    assert (running.status, running.provider_job_id) == (RemoteStatus.RUNNING, RESULT_ID)
    assert running.raw_status == "in-progress"
    done = adapter.parse_poll(answer("audio"))
    # the request's id is not the job's
    assert (done.status, done.provider_job_id, len(done.outputs)) == (RemoteStatus.SUCCEEDED, None, 1)


def test_a_poll_of_a_filtered_result_is_moderation() -> None:
    update = adapter.parse_poll(answer("image_filtered"))
    assert update.failure is not None
    assert (update.status, update.failure.kind) == (RemoteStatus.FAILED, FailureKind.MODERATION)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("content_moderation", FailureKind.MODERATION), ("bad_request", FailureKind.INVALID_INPUT)],
)
def test_what_stability_says_of_the_job_itself_ends_it_unbilled(name: str, kind: FailureKind) -> None:
    update = adapter.parse_poll(answer(name))
    assert update.status is RemoteStatus.FAILED
    assert update.failure is not None
    assert (update.failure.kind, update.failure.unbilled) == (kind, True)


@pytest.mark.parametrize(
    ("name", "kind", "retryable"),
    [
        ("not_found", FailureKind.NOT_FOUND, False),
        ("not_found_page", FailureKind.OUTAGE, True),
        ("unauthorized", FailureKind.AUTHENTICATION, False),
        ("internal_error", FailureKind.OUTAGE, True),
        ("bad_gateway", FailureKind.OUTAGE, True),
    ],
)
def test_what_a_poll_cannot_answer_does_not_end_the_job_by_itself(
    name: str, kind: FailureKind, retryable: bool
) -> None:
    with pytest.raises(ProviderError) as raised:
        adapter.parse_poll(answer(name))
    assert (raised.value.code, raised.value.retryable) == (kind.value, retryable)


def test_a_result_that_cannot_be_read_leaves_the_job_open() -> None:
    assert adapter.parse_poll(answer("cut_off")).status is RemoteStatus.UNKNOWN
    odd = adapter.parse_poll(HttpResponse(202, {}, b'{"id": 7, "status": ["?"]}'))
    assert (odd.status, odd.provider_job_id) == (RemoteStatus.RUNNING, None)


def test_the_balance_proves_the_key() -> None:
    assert adapter.parse_test(answer("balance")) == "0.63 credits"
    with pytest.raises(ProviderError) as raised:
        adapter.parse_test(answer("unauthorized_v1"))
    assert raised.value.code == FailureKind.AUTHENTICATION.value
    with pytest.raises(ProviderError, match="no balance"):
        adapter.parse_test(HttpResponse(200, {}, b'{"credits": true}'))
