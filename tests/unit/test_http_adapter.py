"""A provider that is all data: what is sent and what answers mean, shaped like Luma, and with codes in an envelope."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain.errors import (
    BadRequestError,
    ConfigurationError,
    InvalidError,
    ProviderError,
    UnauthenticatedError,
)
from lib.domain.http_exchange import HttpResponse
from lib.domain.provider import (
    Credential,
    FailureKind,
    OutputKind,
    ProviderOutput,
    RemoteJob,
    RemoteStatus,
    Submission,
    SubmitOutcome,
)
from tests.fakes.http_entries import KLING_LIKE, adapter_of, luma_entry

JOB_ID = "019aa3b2-c4d5-7e8f-9a0b-1c2d3e4f5a6b"
REMOTE = "b7e0bd2a-5c2f-4f7e-9a51-0d3a3f3c2b11"
KEY = Credential("luma", "luma-secret-key")
CALLBACK = "https://gateway.example/webhook/luma?job=j&attempt=1&token=t"
NOW = datetime(2026, 11, 21, tzinfo=UTC)
VIDEO = "https://storage.cdn-luma.example/1.mp4"

luma = adapter_of(luma_entry(), "luma")
kling = adapter_of(KLING_LIKE)


def submission(model_ref: str = "video/ray-2", **values: Any) -> Submission:
    return Submission(JOB_ID, 1, model_ref, {"prompt": "a fox", **values}, 600)


def answer(status: int, body: Any = None, **headers: str) -> HttpResponse:
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return HttpResponse(status, headers, raw)


def job(state: Any = "dreaming", **changes: Any) -> dict[str, Any]:
    """Luma's object of a generation."""
    return {"id": REMOTE, "state": state, "failure_reason": None, "assets": None, "model": "ray-2", **changes}


def task(status: str = "processing", code: int = 0, **changes: Any) -> dict[str, Any]:
    """An envelope with a task."""
    data = {"task_id": "8313", "task_status": status, **changes}
    return {"code": code, "message": "", "request_id": "r", "data": data}


def test_a_submit_is_the_input_with_what_is_ours_over_it() -> None:
    request = luma.submit_request(submission(loop=True, model="ours counts"), KEY, CALLBACK)

    assert (request.method, request.url) == (
        "POST",
        "https://api.lumalabs.ai/dream-machine/v1/generations/video",
    )
    assert request.headers == {"Accept": "application/json", "Authorization": "Bearer luma-secret-key"}
    assert request.json_body == {
        "prompt": "a fox",
        "loop": True,
        "model": "ray-2",
        "callback_url": CALLBACK,
    }


def test_without_a_webhook_none_is_asked_for() -> None:
    assert "callback_url" not in luma.submit_request(submission(), KEY, None).json_body


def test_the_same_attempt_has_the_same_id_each_time_where_the_provider_takes_ours() -> None:
    bodies = [kling.submit_request(submission("text2video/v2"), KEY, None).json_body for _ in range(2)]

    assert bodies[0] == bodies[1]
    assert bodies[0]["external_task_id"] == "019aa3b2c4d57e8f9a0b1c2d3e4f5a6b-1"


def test_keys_headers_constants_and_the_inputs_place_are_the_entrys() -> None:
    entry = luma_entry() | {
        "auth": {"header": "X-Key", "prefix": "", "field": "token"},
        "credentials": [{"name": "apiKey"}, {"name": "token"}],
        "headers": {"X-Version": "2"},
        "submitSafety": "idempotency_key",
        "submit": {
            "method": "PUT",
            "path": "/run/{kind}/{model}",
            "query": {"mode": "async"},
            "constants": {"options": {"hd": True}},
            "input": "options.input",
            "callback": "hook.url",
            "idempotencyHeader": "Idempotency-Key",
            "deadline": {"header": "Cancel-After", "suffix": "s"},
        },
    }
    key = Credential("shaped", "not this", extra={"token": "this-one"})

    request = adapter_of(entry).submit_request(submission(), key, CALLBACK)

    assert request.url.endswith("/run/video/ray-2?mode=async")
    assert request.method == "PUT"
    assert request.headers == {
        "Accept": "application/json",
        "X-Version": "2",
        "X-Key": "this-one",
        "Idempotency-Key": "019aa3b2c4d57e8f9a0b1c2d3e4f5a6b-1",
        "Cancel-After": "600s",
    }
    assert request.json_body == {
        "options": {"hd": True, "input": {"prompt": "a fox"}},
        "hook": {"url": CALLBACK},
    }


def test_constants_are_not_changed_by_a_submit() -> None:
    shaped = adapter_of(
        luma_entry() | {"submit": {"path": "/g", "constants": {"a": {}}, "input": "a", "callback": "c"}}
    )
    shaped.submit_request(submission(), KEY, CALLBACK)
    assert shaped.entry.submit.constants == {"a": {}}


@pytest.mark.parametrize("model", ["ray-2", "video/", "video/../x", "text/ray-2", "video/ray-2?x=1", ""])
def test_a_model_that_the_pattern_does_not_know_is_refused(model: str) -> None:
    with pytest.raises(ConfigurationError, match="is no model of luma"):
        luma.submit_request(submission(model), KEY, CALLBACK)


def test_an_input_that_stands_in_our_way_is_refused() -> None:
    shaped = adapter_of(
        luma_entry() | {"submit": {"path": "/g", "callback": "hooks.done"}},
    )
    with pytest.raises(InvalidError, match="which is no object"):
        shaped.submit_request(submission(hooks="mine"), KEY, CALLBACK)


@pytest.mark.parametrize("wrong", ["", "..", "../x", REMOTE + "/x", REMOTE.upper(), "a?b", "%2e%2e"])
def test_an_impossible_id_reaches_no_address(wrong: str) -> None:
    for build in (luma.poll_request, luma.cancel_request):
        with pytest.raises(InvalidError):
            build(RemoteJob(wrong, "video/ray-2"), KEY)


def test_polls_and_cancels_are_about_one_job() -> None:
    remote = RemoteJob(REMOTE, "video/ray-2")
    poll, cancel = luma.poll_request(remote, KEY), luma.cancel_request(remote, KEY)

    assert poll is not None
    assert cancel is not None
    base = "https://api.lumalabs.ai/dream-machine/v1/generations"
    assert (poll.method, poll.url) == ("GET", f"{base}/{REMOTE}")
    assert (cancel.method, cancel.url) == ("DELETE", f"{base}/{REMOTE}")
    asked = kling.poll_request(RemoteJob("8313", "image2video/v2"), KEY)
    assert asked is not None
    assert asked.url == "https://api.kling.example/v1/videos/image2video/8313"
    assert kling.cancel_request(RemoteJob("8313", "image2video/v2"), KEY) is None


def test_every_address_begins_at_the_base_url_that_the_operator_gave() -> None:
    moved = adapter_of(luma_entry(), base_url="http://127.0.0.1:8123/v1/")
    request = moved.test_request(KEY)
    assert request is not None
    assert request.url == "http://127.0.0.1:8123/v1/credits"
    with pytest.raises(ConfigurationError, match="must be https"):
        adapter_of(luma_entry(), base_url="http://api.example")


@pytest.mark.parametrize(
    ("status", "body", "outcome", "kind"),
    [
        (201, job("queued"), SubmitOutcome.ACCEPTED, None),
        (200, job("queued"), SubmitOutcome.ACCEPTED, None),
        (201, {"state": "queued"}, SubmitOutcome.UNKNOWN, FailureKind.UNKNOWN),
        (201, b"<html>", SubmitOutcome.UNKNOWN, FailureKind.UNKNOWN),
        (201, job("queued", id="../../x"), SubmitOutcome.UNKNOWN, FailureKind.UNKNOWN),
        (400, {"detail": "prompt: too long"}, SubmitOutcome.REFUSED, FailureKind.INVALID_INPUT),
        (400, {"detail": "Failed moderation"}, SubmitOutcome.REFUSED, FailureKind.MODERATION),
        (400, {"detail": "Insufficient credits"}, SubmitOutcome.REFUSED, FailureKind.BILLING),
        (401, {"detail": "Not authenticated"}, SubmitOutcome.REFUSED, FailureKind.AUTHENTICATION),
        (402, {"detail": "Pay"}, SubmitOutcome.REFUSED, FailureKind.BILLING),
        (403, {"detail": "No"}, SubmitOutcome.REFUSED, FailureKind.AUTHENTICATION),
        (404, {"detail": "Not Found"}, SubmitOutcome.REFUSED, FailureKind.NOT_FOUND),
        (404, b"<html>", SubmitOutcome.REFUSED, FailureKind.UNKNOWN),
        (422, {"detail": [{"msg": "x"}]}, SubmitOutcome.REFUSED, FailureKind.INVALID_INPUT),
        (429, {"detail": "Slow down"}, SubmitOutcome.DEFERRED, FailureKind.RATE_LIMITED),
        (408, None, SubmitOutcome.UNKNOWN, FailureKind.UNKNOWN),
        (307, None, SubmitOutcome.REFUSED, FailureKind.UNKNOWN),
        (303, None, SubmitOutcome.UNKNOWN, FailureKind.UNKNOWN),
        (500, {"detail": "oops"}, SubmitOutcome.UNKNOWN, FailureKind.OUTAGE),
        (502, b"<html>", SubmitOutcome.UNKNOWN, FailureKind.OUTAGE),
        (503, None, SubmitOutcome.UNKNOWN, FailureKind.OUTAGE),
    ],
)
def test_the_answer_to_a_submit_is_judged(
    status: int, body: Any, outcome: SubmitOutcome, kind: FailureKind | None
) -> None:
    result = luma.parse_submit(answer(status, body))

    assert result.outcome is outcome
    assert (result.failure.kind if result.failure else None) is kind
    if outcome is SubmitOutcome.REFUSED:
        assert result.failure is not None
        assert result.failure.unbilled


def test_what_is_documented_as_said_before_any_work_may_be_sent_again() -> None:
    rule = {"http": [503], "kind": "outage", "beforeWork": True}
    shaped = adapter_of(luma_entry() | {"failure": {"rules": [rule]}})

    result = shaped.parse_submit(answer(503, None, **{"retry-after": "7"}))

    assert result.outcome is SubmitOutcome.DEFERRED
    assert result.failure is not None
    assert result.failure.retry_after_seconds == 7


@pytest.mark.parametrize(
    ("http", "code", "outcome", "kind"),
    [
        (200, 1200, SubmitOutcome.REFUSED, FailureKind.INVALID_INPUT),
        (200, 1302, SubmitOutcome.DEFERRED, FailureKind.RATE_LIMITED),
        (401, 1004, SubmitOutcome.REFUSED, FailureKind.AUTHENTICATION),
        (429, 1101, SubmitOutcome.REFUSED, FailureKind.BILLING),
        (429, 1303, SubmitOutcome.DEFERRED, FailureKind.RATE_LIMITED),
        (400, 1301, SubmitOutcome.REFUSED, FailureKind.MODERATION),
        (404, 1203, SubmitOutcome.REFUSED, FailureKind.NOT_FOUND),
        (500, 5000, SubmitOutcome.UNKNOWN, FailureKind.OUTAGE),
        (200, 9999, SubmitOutcome.REFUSED, FailureKind.UNKNOWN),
    ],
)
def test_codes_in_an_envelope_say_more_than_the_http_status(
    http: int, code: int, outcome: SubmitOutcome, kind: FailureKind
) -> None:
    result = kling.parse_submit(answer(http, {"code": code, "message": "their words", "data": None}))

    assert result.outcome is outcome
    assert result.failure is not None
    assert (result.failure.kind, result.failure.message) == (kind, "their words")


@pytest.mark.parametrize(
    ("http", "code", "outcome", "unbilled"),
    [
        (200, 1302, SubmitOutcome.DEFERRED, True),
        (200, 1200, SubmitOutcome.REFUSED, False),
        (200, 5000, SubmitOutcome.REFUSED, False),
        (400, 1200, SubmitOutcome.REFUSED, True),
    ],
)
def test_an_error_under_a_200_may_have_been_work_and_is_neither_sent_again_nor_called_free(
    http: int, code: int, outcome: SubmitOutcome, *, unbilled: bool
) -> None:
    result = kling.parse_submit(answer(http, {"code": code, "message": "their words", "data": None}))
    assert result.failure is not None
    assert (result.outcome, result.failure.unbilled) == (outcome, unbilled)


@pytest.mark.parametrize("code", [0, "0"])
def test_a_code_of_success_is_one_as_number_or_text(code: Any) -> None:
    result = kling.parse_submit(answer(200, {**task("submitted"), "code": code}))

    assert result.outcome is SubmitOutcome.ACCEPTED
    assert result.update is not None
    assert (result.update.provider_job_id, result.update.status) == ("8313", RemoteStatus.QUEUED)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (job("queued"), RemoteStatus.QUEUED),
        (job("DREAMING"), RemoteStatus.RUNNING),
        (job("Completed", assets={"video": VIDEO}), RemoteStatus.SUCCEEDED),
        (job("failed", failure_reason="boom"), RemoteStatus.FAILED),
        (job("resting"), RemoteStatus.UNKNOWN),
        (job(None), RemoteStatus.UNKNOWN),
        (job({"odd": 1}, extra=[1]), RemoteStatus.UNKNOWN),
        ({}, RemoteStatus.UNKNOWN),
    ],
)
def test_a_poll_is_read_whatever_its_letter_case_and_however_odd(body: Any, status: RemoteStatus) -> None:
    assert luma.parse_poll(answer(200, body)).status is status


def test_a_success_has_its_outputs_and_nothing_else_has() -> None:
    assets = {"video": VIDEO, "image": "https://a.example/1.jpg", "progress_video": "https://a.example/p.mp4"}

    done = luma.parse_poll(answer(200, job("completed", assets=assets)))

    assert done.outputs == (
        ProviderOutput(OutputKind.URL, VIDEO),
        ProviderOutput(OutputKind.URL, "https://a.example/1.jpg"),
    )
    assert (done.progress, done.raw_status) == (1.0, "completed")
    assert luma.parse_poll(answer(200, job("dreaming", assets=assets))).outputs == ()


def test_a_list_in_an_envelope_is_several_outputs() -> None:
    result = {"videos": [{"id": "1", "url": VIDEO}, {"id": "2", "url": VIDEO + "?2"}, {"id": "3"}]}
    done = kling.parse_poll(answer(200, task("succeed", task_result=result)))
    assert [output.value for output in done.outputs] == [VIDEO, VIDEO + "?2"]


def test_base64_is_an_output_of_the_type_that_the_entry_names() -> None:
    shaped = adapter_of(
        luma_entry() | {"outputs": [{"at": "assets.image", "contentType": "image/png"}, "assets.video"]}
    )
    done = shaped.parse_poll(answer(200, job("completed", assets={"image": "iVBORw0K", "video": VIDEO})))

    assert done.outputs == (
        ProviderOutput(OutputKind.DATA_URL, "data:image/png;base64,iVBORw0K"),
        ProviderOutput(OutputKind.URL, VIDEO),
    )
    request = shaped.poll_request(RemoteJob(REMOTE, "video/ray-2"), KEY)
    assert request is not None
    assert request.media_answer


def test_a_failure_is_told_in_the_providers_words() -> None:
    said = luma.parse_poll(
        answer(200, job("failed", failure_reason="400: prompt not allowed, Moderation failed"))
    )
    plain = luma.parse_poll(answer(200, job("failed", failure_reason="boom")))
    silent = luma.parse_poll(answer(200, job("failed")))

    assert said.failure is not None
    assert plain.failure is not None
    assert silent.failure is not None
    assert said.failure.kind is FailureKind.MODERATION
    assert (plain.failure.kind, plain.failure.message) == (FailureKind.MODEL_ERROR, "boom")
    assert not plain.failure.unbilled
    assert silent.failure.message == "Luma Dream Machine gave no reason"


@pytest.mark.parametrize(
    ("given_", "of", "progress"),
    [(50, 100, 0.5), ("0.25", 1, 0.25), (120, 100, 1.0), (-1, 100, 0.0), (True, 1, None)],
)
def test_progress_is_a_share(given_: Any, of: float, progress: float | None) -> None:
    shaped = adapter_of(luma_entry() | {"progress": {"at": "done", "of": of}})
    assert shaped.parse_poll(answer(200, job(done=given_))).progress == progress


@pytest.mark.parametrize(
    ("status", "body", "kind", "retryable"),
    [
        (404, {"detail": "Generation not found"}, FailureKind.NOT_FOUND, False),
        (404, b"<html>no such host</html>", FailureKind.UNKNOWN, False),
        (429, {"detail": "Slow down"}, FailureKind.RATE_LIMITED, True),
        (503, None, FailureKind.OUTAGE, True),
        (401, {"detail": "Not authenticated"}, FailureKind.AUTHENTICATION, False),
    ],
)
def test_a_poll_that_fails_says_why(status: int, body: Any, kind: FailureKind, retryable: bool) -> None:
    with pytest.raises(ProviderError) as caught:
        luma.parse_poll(answer(status, body))
    assert (caught.value.code, caught.value.retryable) == (kind.value, retryable)


def test_how_long_to_wait_is_read_from_the_body_or_the_header() -> None:
    shaped = adapter_of(luma_entry() | {"failure": {"retryAfter": "wait.seconds"}})
    for said in (
        shaped.parse_submit(answer(429, {"wait": {"seconds": 3}}, **{"retry-after": "9"})),
        shaped.parse_submit(answer(429, {"wait": {"seconds": "soon"}}, **{"retry-after": "3"})),
    ):
        assert said.failure is not None
        assert said.failure.retry_after_seconds == 3


def test_a_delete_is_the_end_of_it() -> None:
    said = luma.parse_cancel(answer(204))
    assert (said.status, said.failure and said.failure.kind) == (RemoteStatus.CANCELED, FailureKind.CANCELED)


def test_a_cancel_that_only_asks_tells_the_status() -> None:
    shaped = adapter_of(luma_entry() | {"cancel": {"path": "/g/{id}/stop", "ok": [202]}})

    assert shaped.parse_cancel(answer(202, job("dreaming"))).status is RemoteStatus.RUNNING
    with pytest.raises(ProviderError, match="HTTP 200 to a cancel"):
        shaped.parse_cancel(answer(200, job("dreaming")))


def test_a_cancel_of_what_is_gone_is_not_found() -> None:
    with pytest.raises(ProviderError) as caught:
        luma.parse_cancel(answer(404, {"detail": "Generation not found"}))
    assert caught.value.code == FailureKind.NOT_FOUND.value


def test_a_cancel_may_be_refused_by_a_code_though_http_says_yes() -> None:
    shaped = adapter_of(KLING_LIKE | {"cancel": {"path": "/v1/videos/{id}/cancel"}})
    with pytest.raises(ProviderError, match="too late"):
        shaped.parse_cancel(answer(200, {"code": 1200, "message": "too late"}))


def test_a_result_that_is_apart_is_asked_for_after_the_poll() -> None:
    shaped = adapter_of(luma_entry() | {"result": {"path": "/generations/{id}/result"}, "outputs": ["video"]})
    remote = RemoteJob(REMOTE, "video/ray-2")

    polled = shaped.parse_poll(answer(200, job("completed")))
    request = shaped.result_request(remote, KEY)
    result = shaped.parse_result(answer(200, {"video": VIDEO}))

    assert (polled.status, polled.outputs) == (RemoteStatus.SUCCEEDED, ())
    assert request is not None
    assert request.url.endswith(f"/generations/{REMOTE}/result")
    assert (result.status, result.outputs) == (
        RemoteStatus.SUCCEEDED,
        (ProviderOutput(OutputKind.URL, VIDEO),),
    )


def test_a_synchronous_answer_is_the_result() -> None:
    entry = {
        "baseUrl": "https://api.example",
        "synchronous": True,
        "submit": {"path": "/draw", "model": "model"},
        "outputs": [{"body": True}],
    }
    shaped = adapter_of(entry)

    assert shaped.submit_request(submission("sketch"), KEY, None).media_answer
    result = shaped.parse_submit(HttpResponse(200, {"content-type": "image/png"}, b"\x89PNG"))
    assert result.outcome is SubmitOutcome.ACCEPTED
    assert result.update is not None
    assert result.update.status is RemoteStatus.SUCCEEDED
    assert [output.kind for output in result.update.outputs] == [OutputKind.DATA_URL]


def test_the_test_shows_what_the_entry_names_of_the_account() -> None:
    assert luma.parse_test(answer(200, {"credit_balance": 1250})) == "1250"
    assert luma.parse_test(answer(200, {"odd": {}})) == "Luma Dream Machine"
    assert kling.parse_test(answer(200, {"code": 0, "data": []})) == "Kling-like"
    with pytest.raises(ProviderError, match="Not authenticated"):
        luma.parse_test(answer(401, {"detail": "Not authenticated"}))
    with pytest.raises(ProviderError, match="expired"):
        kling.parse_test(answer(200, {"code": 1004, "message": "expired"}))


def test_a_webhooks_body_is_as_that_of_a_poll() -> None:
    body = json.dumps(job("completed", assets={"video": VIDEO})).encode()
    update = luma.parse_webhook({}, body, (), NOW)

    assert (update.status, update.provider_job_id) == (RemoteStatus.SUCCEEDED, REMOTE)
    assert luma.hinted_job_id(body) == REMOTE
    assert luma.hinted_job_id(b"x") is None


@pytest.mark.parametrize("body", [task("succeed"), task("succeed")["data"]])
def test_a_webhook_may_come_in_its_envelope_or_bare(body: Any) -> None:
    update = kling.parse_webhook({}, json.dumps(body).encode(), (), NOW)
    assert (update.status, update.provider_job_id) == (RemoteStatus.SUCCEEDED, "8313")


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff", b'{"id": "../x", "state": "completed"}'])
def test_a_webhook_that_names_no_job_is_refused(body: bytes) -> None:
    for adapter in (luma, kling):
        with pytest.raises(BadRequestError, match="is not a job of"):
            adapter.parse_webhook({}, body, (), NOW)


def test_a_provider_that_does_not_call_back_is_not_heard() -> None:
    shaped = adapter_of(luma_entry() | {"webhook": {"proof": "none"}})
    with pytest.raises(UnauthenticatedError):
        shaped.parse_webhook({}, json.dumps(job()).encode(), (), NOW)


@given(
    status=st.integers(200, 599),
    body=st.binary(max_size=40) | st.sampled_from([b"{}", b'{"code":1}', b"null"]),
)
def test_no_answer_to_a_submit_raises(status: int, body: bytes) -> None:
    for adapter in (luma, kling):
        adapter.parse_submit(HttpResponse(status, {}, body))


def test_no_error_and_no_repr_shows_the_key() -> None:
    request = luma.submit_request(submission(), KEY, CALLBACK)
    assert "secret-key" not in repr(request) + repr(KEY) + request.url
