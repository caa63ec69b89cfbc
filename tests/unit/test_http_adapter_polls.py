"""A provider that is all data: what its answers to polls mean, and how long to wait for the next."""

from typing import Any

import pytest

from lib.domain.errors import ProviderError
from lib.domain.provider import FailureKind, OutputKind, ProviderOutput, RemoteJob, RemoteStatus
from tests.fakes.http_answers import KEY, REMOTE, VIDEO, answer, job, kling, luma, task
from tests.fakes.http_entries import adapter_of, luma_entry


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
