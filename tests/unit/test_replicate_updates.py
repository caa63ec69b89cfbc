"""What Replicate's predictions mean, from stored answers."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from lib.domain.errors import ProviderError
from lib.domain.http_exchange import HttpResponse
from lib.domain.provider import FailureKind, OutputKind, ProviderUpdate, RemoteStatus
from lib.providers.replicate import ReplicateAdapter
from tests.fakes.replicate_answers import PREDICTION_ID, answer

adapter = ReplicateAdapter()


def poll(name: str, **changes: Any) -> ProviderUpdate:
    return adapter.parse_poll(answer(name, **changes))


def outputs(value: Any) -> list[tuple[str, str]]:
    return [(o.kind.value, o.value) for o in poll("succeeded_video", output=value).outputs]


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("created", RemoteStatus.QUEUED),
        ("processing", RemoteStatus.RUNNING),
        ("succeeded_images", RemoteStatus.SUCCEEDED),
        ("failed_interrupted", RemoteStatus.FAILED),
        ("canceled", RemoteStatus.CANCELED),
        ("aborted", RemoteStatus.CANCELED),
        ("unknown_status", RemoteStatus.UNKNOWN),
    ],
)
def test_each_status_has_its_meaning(name: str, status: RemoteStatus) -> None:
    update = poll(name)
    assert (update.status, update.provider_job_id) == (status, PREDICTION_ID)


@pytest.mark.parametrize("word", ["Succeeded", "SUCCEEDED", " succeeded "])
def test_the_letter_case_of_a_status_does_not_matter(word: str) -> None:
    update = poll("succeeded_video", status=word)
    assert (update.status, update.raw_status) == (RemoteStatus.SUCCEEDED, word.strip())


@pytest.mark.parametrize("word", ["rebooting", "", None, 7])
def test_a_status_that_nobody_knows_is_not_final(word: Any) -> None:
    assert not poll("created", status=word).status.final


def test_a_success_carries_what_was_measured() -> None:
    update = poll("succeeded_images")
    assert update.billed_seconds == 1.5
    assert update.started_at == datetime(2026, 11, 20, 18, 0, 1, tzinfo=UTC)
    assert update.completed_at == datetime(2026, 11, 20, 18, 0, 2, 500000, tzinfo=UTC)
    assert (update.progress, update.failure) == (1.0, None)


def test_progress_is_the_last_percentage_in_the_log() -> None:
    assert poll("processing").progress == 0.5


@pytest.mark.parametrize(
    ("logs", "progress"),
    [
        (None, None),
        ("", None),
        ("Loading 100% of weights", None),
        ("  7%|▋  | 7/100 [00:01<00:10]", 0.07),
        ("10%|█ | 1/10\n100%|██████████| 10/10\nUploading", 1.0),
        (" 25%|##  | 1/4 [00:01]\r 50%|####| 2/4 [00:02]", 0.5),
        ("250%|█ | 5/2", 1.0),
        ("99%|x| 1/2" + "." * 10_000, None),
    ],
)
def test_progress_is_read_from_tqdm_lines_only(logs: str | None, progress: float | None) -> None:
    assert poll("processing", logs=logs).progress == progress


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "succeeded_images",
            [
                ("url", "https://replicate.delivery/xezq/aaa/out-0.webp"),
                ("url", "https://replicate.delivery/xezq/bbb/out-1.webp"),
            ],
        ),
        ("succeeded_video", [("url", "https://replicate.delivery/xezq/ccc/video.mp4")]),
        ("succeeded_text", [("text", "Visit https://example.com/, it is calm.")]),
        ("succeeded_data_url", [("data_url", "data:image/webp;base64,UklGRg==")]),
        (
            "succeeded_object",
            [
                ("url", "https://replicate.delivery/xezq/ddd/a.mp3"),
                ("url", "https://replicate.delivery/xezq/eee/b.wav"),
            ],
        ),
    ],
)
def test_each_shape_of_output_is_found(name: str, expected: list[tuple[str, str]]) -> None:
    assert [(o.kind.value, o.value) for o in poll(name).outputs] == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, []),
        ("", []),
        ([], []),
        ({}, []),
        ([None, ""], []),
        ("a haiku", [("text", "a haiku")]),
        ("see https://example.com", [("text", "see https://example.com")]),
        ("/tmp/out.png", [("text", "/tmp/out.png")]),
        ("data: a, b", [("text", "data: a, b")]),
        ("HTTPS://X.example/a", [("url", "HTTPS://X.example/a")]),
        ([" a", "", "b "], [("text", " ab ")]),
        (["https://x.example/a", None], [("url", "https://x.example/a")]),
        (
            [["https://x.example/a"], {"b": "https://x.example/b"}],
            [("url", "https://x.example/a"), ("url", "https://x.example/b")],
        ),
        ({"words": 3, "language": "pt"}, [("text", '{"words": 3, "language": "pt"}')]),
        (0, [("text", "0")]),
        (False, [("text", "false")]),
    ],
)
def test_odd_outputs_are_read_as_what_they_are(value: Any, expected: list[tuple[str, str]]) -> None:
    assert outputs(value) == expected


def test_a_running_prediction_has_no_outputs_yet() -> None:
    assert poll("processing", output=["https://replicate.delivery/half.png"]).outputs == ()


@pytest.mark.parametrize(
    ("name", "kind", "retryable"),
    [
        ("failed_sensitive", FailureKind.MODERATION, False),
        ("failed_interrupted", FailureKind.OUTAGE, True),
        ("failed_out_of_memory", FailureKind.MODEL_ERROR, False),
        ("canceled", FailureKind.CANCELED, False),
        ("aborted", FailureKind.ABORTED, False),
    ],
)
def test_each_bad_end_has_its_kind(name: str, kind: FailureKind, retryable: bool) -> None:
    failure = poll(name).failure
    assert failure is not None
    assert (failure.kind, failure.retryable) == (kind, retryable)


@pytest.mark.parametrize(
    ("error", "kind", "retryable"),
    [
        ("NSFW content detected. Try another prompt.", FailureKind.MODERATION, False),
        ("E1000", FailureKind.OUTAGE, True),
        ("E1001: out of memory", FailureKind.MODEL_ERROR, False),
        ("Timed out starting (E6716)", FailureKind.OUTAGE, True),
        ("E10001 is a part number", FailureKind.MODEL_ERROR, False),
        ("File names are case-sensitive", FailureKind.MODEL_ERROR, False),
        ("CUDA out of memory", FailureKind.MODEL_ERROR, False),
        (None, FailureKind.MODEL_ERROR, False),
        ({"detail": "boom"}, FailureKind.MODEL_ERROR, False),
    ],
)
def test_a_failed_prediction_is_classified_by_its_code(
    error: Any, kind: FailureKind, retryable: bool
) -> None:
    failure = poll("failed_interrupted", error=error).failure
    assert failure is not None
    assert (failure.kind, failure.retryable) == (kind, retryable)
    assert failure.message


def test_the_providers_own_words_are_kept_and_clipped() -> None:
    failure = poll("failed_interrupted", error="boom " * 1_000).failure
    assert failure is not None
    assert failure.message.startswith("boom boom")
    assert len(failure.message) <= 2_000


def test_a_success_whose_data_is_gone_is_a_failure_that_says_so() -> None:
    update = poll("data_removed")
    assert (update.status, update.raw_status) == (RemoteStatus.FAILED, "succeeded")
    assert update.failure is not None
    assert update.failure.kind is FailureKind.DATA_EXPIRED
    assert update.billed_seconds == 1.5


def test_an_output_that_is_still_there_counts_whatever_else_was_removed() -> None:
    update = poll("data_removed", output="https://replicate.delivery/xezq/out.png")
    assert (update.status, len(update.outputs)) == (RemoteStatus.SUCCEEDED, 1)
    assert update.failure is None


@pytest.mark.parametrize("name", ["failed_sensitive", "canceled"])
def test_removed_data_does_not_hide_another_end(name: str) -> None:
    failure = poll(name, data_removed=True).failure
    assert failure is not None
    assert failure.kind is not FailureKind.DATA_EXPIRED


def test_missing_surprising_and_extra_fields_are_tolerated() -> None:
    bare = HttpResponse(200, {}, json.dumps({"id": PREDICTION_ID, "status": "succeeded"}).encode())
    assert adapter.parse_poll(bare).status is RemoteStatus.SUCCEEDED
    odd = poll(
        "succeeded_video",
        logs=["x"],
        metrics="fast",
        created_at="yesterday",
        started_at=[],
        input=3,
        new={"a": 1},
    )
    assert (odd.status, odd.started_at, odd.billed_seconds) == (RemoteStatus.SUCCEEDED, None, None)
    assert odd.outputs[0].kind is OutputKind.URL


@pytest.mark.parametrize("predict_time", [-1, 1e12, "NaN", "soon", None, []])
def test_a_time_that_cannot_be_billed_is_no_time(predict_time: Any) -> None:
    assert poll("succeeded_video", metrics={"predict_time": predict_time}).billed_seconds is None


def test_a_time_without_a_zone_is_taken_as_utc() -> None:
    assert poll("processing", started_at="2026-11-20T18:00:01").started_at == datetime(
        2026, 11, 20, 18, 0, 1, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("name", "kind", "retryable", "wait"),
    [
        ("bad_request", FailureKind.INVALID_INPUT, False, None),
        ("unauthenticated", FailureKind.AUTHENTICATION, False, None),
        ("insufficient_credit", FailureKind.BILLING, False, None),
        ("forbidden", FailureKind.AUTHENTICATION, False, None),
        ("not_found", FailureKind.NOT_FOUND, False, None),
        ("invalid_version", FailureKind.NOT_FOUND, False, None),
        ("invalid_input", FailureKind.INVALID_INPUT, False, None),
        ("throttled", FailureKind.RATE_LIMITED, True, 30.0),
        ("internal_error", FailureKind.OUTAGE, True, None),
        ("unavailable", FailureKind.OUTAGE, True, 45.0),
        ("bad_gateway", FailureKind.OUTAGE, True, None),
    ],
)
@pytest.mark.parametrize(
    "parse", ["parse_poll", "parse_cancel", "parse_test", "parse_recover", "parse_webhook_secret"]
)
def test_an_answer_that_is_an_error_is_raised_with_its_kind(
    parse: str, name: str, kind: FailureKind, retryable: bool, wait: float | None
) -> None:
    with pytest.raises(ProviderError) as caught:
        getattr(adapter, parse)(answer(name))
    error = caught.value
    assert (error.code, error.retryable, error.retry_after_seconds) == (kind.value, retryable, wait)


def test_a_404_of_some_other_server_does_not_say_that_the_prediction_is_lost() -> None:
    with pytest.raises(ProviderError) as caught:
        adapter.parse_poll(HttpResponse(404, {}, b"<html>no such bucket</html>"))
    assert caught.value.code == FailureKind.UNKNOWN.value


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"status":"succeeded"}', b'{"id":"NOT-AN-ID"}', b"\xff\xfe"]
)
def test_a_success_that_is_no_prediction_may_be_asked_again(body: bytes) -> None:
    with pytest.raises(ProviderError, match="is no prediction") as caught:
        adapter.parse_poll(HttpResponse(200, {}, body))
    assert caught.value.retryable


@pytest.mark.parametrize("body", [b"", b"{}", b"null"])
def test_a_cancel_that_says_nothing_leaves_the_verdict_to_a_poll(body: bytes) -> None:
    assert not adapter.parse_cancel(HttpResponse(200, {}, body)).status.final


def test_a_cancel_may_find_that_it_came_too_late() -> None:
    assert adapter.parse_cancel(answer("succeeded_video")).status is RemoteStatus.SUCCEEDED


def test_the_account_and_the_webhook_secret_are_read() -> None:
    assert adapter.parse_test(answer("account")) == "acme"
    assert adapter.parse_webhook_secret(answer("webhook_secret")).startswith("whsec_AAEC")
