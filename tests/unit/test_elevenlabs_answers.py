"""What ElevenLabs's answers mean: audio, and each error in each of its three forms."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain.errors import ProviderError
from lib.domain.http_exchange import HttpResponse
from lib.domain.provider import Failure, FailureKind, OutputKind, ProviderUpdate, RemoteStatus, SubmitOutcome
from lib.providers.elevenlabs import ElevenLabsAdapter
from tests.fakes.stored_answers import FIXTURES, stored_answer

REFUSED, DEFERRED, UNKNOWN = SubmitOutcome.REFUSED, SubmitOutcome.DEFERRED, SubmitOutcome.UNKNOWN

adapter = ElevenLabsAdapter()


def answer(name: str) -> HttpResponse:
    return stored_answer("elevenlabs", name)


def accepted(response: HttpResponse) -> ProviderUpdate:
    result = adapter.parse_submit(response)
    assert result.outcome is SubmitOutcome.ACCEPTED
    assert result.update is not None
    return result.update


def refused(response: HttpResponse) -> tuple[SubmitOutcome, Failure]:
    result = adapter.parse_submit(response)
    assert result.failure is not None
    return result.outcome, result.failure


def test_the_audio_is_the_result_and_the_request_id_its_name() -> None:
    response = answer("audio")
    update = accepted(response)
    assert (update.status, update.provider_job_id) == (RemoteStatus.SUCCEEDED, "vYkJrKkQ8m3nBq0TxAbC")
    [output] = update.outputs
    assert output.kind is OutputKind.DATA_URL
    head, _, data = output.value.partition(",")
    assert (head, base64.b64decode(data)) == ("data:audio/mpeg;base64", response.body)
    assert update.raw_status == "200, 28 credits"


def test_audio_without_the_headers_is_taken_all_the_same() -> None:
    update = accepted(answer("audio_without_headers"))
    assert (update.status, update.provider_job_id, update.raw_status) == (RemoteStatus.SUCCEEDED, None, "200")


def test_a_request_id_that_cannot_be_one_is_not_taken() -> None:
    stored = answer("audio")
    odd = HttpResponse(200, {**stored.headers, "request-id": "a/../b?"}, stored.body)
    assert accepted(odd).provider_job_id is None


@pytest.mark.parametrize("name", ["cut_off", "empty"])
def test_a_success_without_audio_may_have_been_charged(name: str) -> None:
    outcome, failure = refused(answer(name))
    assert (outcome, failure.unbilled) == (UNKNOWN, False)


ROWS: dict[str, tuple[SubmitOutcome, FailureKind]] = {
    **dict.fromkeys(
        (
            *("invalid_parameters", "missing_required_field", "text_too_long", "empty_text"),
            *("invalid_voice_settings", "invalid_voice_id", "unsupported_model", "invalid_output_format"),
            *("bad_request", "malformed_json", "invalid_content_type", "request_too_large"),
            *("voice_access_denied", "model_access_denied", "old_max_character_limit", "validation_list"),
        ),
        (REFUSED, FailureKind.INVALID_INPUT),
    ),
    **dict.fromkeys(
        (
            *("invalid_api_key", "missing_api_key", "unauthorized", "old_invalid_api_key"),
            "insufficient_permissions",
        ),
        (REFUSED, FailureKind.AUTHENTICATION),
    ),
    **dict.fromkeys(
        (
            *("insufficient_credits", "feature_not_available", "subscription_required"),
            *("old_quota_exceeded", "quota_by_429"),
        ),
        (REFUSED, FailureKind.BILLING),
    ),
    **dict.fromkeys(
        (
            *("voice_not_found", "model_not_found", "history_item_not_found", "old_voice_not_found"),
            "plain_detail",
        ),
        (REFUSED, FailureKind.NOT_FOUND),
    ),
    **dict.fromkeys(("old_bad_prompt", "old_bad_composition_plan"), (REFUSED, FailureKind.MODERATION)),
    "already_running": (REFUSED, FailureKind.UNKNOWN),
    **dict.fromkeys(
        (
            *("rate_limit_exceeded", "concurrent_limit_exceeded", "system_busy"),
            *("old_too_many_concurrent", "old_system_busy"),
        ),
        (DEFERRED, FailureKind.RATE_LIMITED),
    ),
    **dict.fromkeys(
        ("service_unavailable", "maintenance", "unavailable"),
        (DEFERRED, FailureKind.OUTAGE),
    ),
    "internal_error": (
        REFUSED,
        FailureKind.OUTAGE,
    ),  # it may have come after the work: sent again it is paid twice
    **dict.fromkeys(("bad_gateway", "error_page"), (UNKNOWN, FailureKind.OUTAGE)),
}


@pytest.mark.parametrize("name", ROWS)
def test_each_error_has_its_meaning(name: str) -> None:
    outcome, failure = refused(answer(name))
    assert (outcome, failure.kind) == ROWS[name]
    assert failure.retryable is (failure.kind in (FailureKind.RATE_LIMITED, FailureKind.OUTAGE))


def test_every_stored_error_is_a_row() -> None:
    stored = {path.stem for path in (FIXTURES / "elevenlabs").glob("*.json")}
    results = {"audio", "audio_without_headers", "cut_off", "empty", "subscription"}
    assert stored - results == set(ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_only_what_provably_costs_nothing_is_unbilled(name: str) -> None:
    outcome, failure = refused(answer(name))
    doubtful = name in ("already_running", "internal_error")
    assert failure.unbilled is (outcome is not UNKNOWN and not doubtful)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("text_too_long", "text_too_long: The text has 12000 characters; 10000 are allowed. (text)"),
        ("old_invalid_api_key", "invalid_api_key: Invalid API key"),
        (
            "validation_list",
            "body.text: field required; query.output_format: unexpected value",
        ),
        ("plain_detail", "Not Found"),
        ("bad_gateway", "HTTP 502, with no readable reason"),
    ],
)
def test_its_own_words_are_kept_in_each_form(name: str, words: str) -> None:
    assert refused(answer(name))[1].message == words


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("rate_limit_exceeded", 3),
        ("concurrent_limit_exceeded", 5),
        ("old_too_many_concurrent", 5),
        ("system_busy", 10),
        ("unavailable", 2),
        ("internal_error", None),
    ],
)
def test_it_waits_as_long_as_it_is_told_or_until_its_own_requests_have_ended(
    name: str, seconds: float | None
) -> None:
    assert refused(answer(name))[1].retry_after_seconds == seconds


@pytest.mark.parametrize(
    "detail", ["", None, 7, [], {}, [7, None], {"message": 7, "code": []}, {"type": "NOT_FOUND", "extra": {}}]
)
def test_a_detail_of_another_shape_does_not_break_it(detail: Any) -> None:
    outcome, failure = refused(HttpResponse(404, {}, json.dumps({"detail": detail}).encode()))
    assert (outcome, failure.kind) == (REFUSED, FailureKind.NOT_FOUND)
    assert failure.message


@pytest.mark.parametrize("detail", ["", " ", None, 7, [], {}, [7, None], [{}], {"reason": "upstream"}])
def test_a_5xx_in_none_of_its_forms_is_not_its_own_and_proves_nothing(detail: Any) -> None:
    outcome, failure = refused(stored_answer("elevenlabs", "maintenance", detail=detail))
    assert (outcome, failure.unbilled) == (UNKNOWN, False)
    assert failure.message == "HTTP 503, with no readable reason"


@pytest.mark.parametrize(
    "detail", ["Busy.", [{"msg": "Busy."}], {"message": "Busy."}, {"type": "internal_error"}]
)
def test_a_5xx_in_any_of_its_forms_is_taken_for_what_it_says(detail: Any) -> None:
    outcome, failure = refused(stored_answer("elevenlabs", "maintenance", detail=detail))
    assert (outcome, failure.unbilled) == (DEFERRED, True)


def test_what_is_right_in_a_list_of_problems_is_kept() -> None:
    items = [
        7,
        {"loc": ["body", {}, 0], "msg": "wrong"},
        {"loc": "?", "msg": "bad"},
        {"loc": ["x"], "msg": 5},
    ]
    assert refused(stored_answer("elevenlabs", "validation_list", detail=items))[1].message == (
        "body.0: wrong; bad; x"
    )


@pytest.mark.parametrize(
    ("kind_word", "kind"),
    [
        ("validation_error", FailureKind.INVALID_INPUT),
        ("invalid_request", FailureKind.INVALID_INPUT),
        ("authentication_error", FailureKind.AUTHENTICATION),
        ("payment_required", FailureKind.BILLING),
        ("authorization_error", FailureKind.AUTHENTICATION),
        ("not_found", FailureKind.NOT_FOUND),
        ("rate_limit_error", FailureKind.RATE_LIMITED),
        ("internal_error", FailureKind.OUTAGE),
        ("service_unavailable", FailureKind.OUTAGE),
        ("conflict", FailureKind.UNKNOWN),
    ],
)
def test_a_type_counts_where_the_code_is_new_whatever_the_status(kind_word: str, kind: FailureKind) -> None:
    body = json.dumps({"detail": {"type": kind_word, "code": "came_later", "message": "No."}}).encode()
    assert refused(HttpResponse(418, {}, body))[1].kind is kind


def test_codes_are_read_in_any_case() -> None:
    body = json.dumps({"detail": {"status": "Quota_Exceeded", "message": "No more."}}).encode()
    assert refused(HttpResponse(401, {}, body))[1].kind is FailureKind.BILLING


@given(st.integers(100, 599), st.binary(max_size=60), st.booleans())
def test_no_answer_at_all_can_break_it(status: int, body: bytes, is_json: bool) -> None:
    headers = {"content-type": "application/json" if is_json else "audio/mpeg"}
    result = adapter.parse_submit(HttpResponse(status, headers, body))
    assert (result.update is None) is (result.outcome is not SubmitOutcome.ACCEPTED)


def test_the_subscription_proves_the_key() -> None:
    assert adapter.parse_test(answer("subscription")) == "creator plan, 1200 of 100000 credits used"
    with pytest.raises(ProviderError) as raised:
        adapter.parse_test(answer("invalid_api_key"))
    assert raised.value.code == FailureKind.AUTHENTICATION.value
    with pytest.raises(ProviderError, match="no subscription"):
        adapter.parse_test(HttpResponse(200, {}, b"[]"))
    with pytest.raises(ProviderError, match="no subscription"):
        adapter.parse_test(stored_answer("elevenlabs", "subscription", tier=7))
    for unsaid in ({"character_count": None}, {"character_limit": "many"}):
        assert adapter.parse_test(stored_answer("elevenlabs", "subscription", **unsaid)) == "creator plan"
