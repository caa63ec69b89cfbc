"""Veo on Vertex AI: what is sent where, and what an operation's answers mean."""

import base64
from collections.abc import Mapping
from typing import Any

import pytest

from lib.domain.errors import ConfigurationError, InvalidError, ProviderError
from lib.domain.provider import (
    Credential,
    FailureKind,
    OutputKind,
    RemoteJob,
    RemoteStatus,
    Submission,
    SubmitOutcome,
    SubmitSafety,
)
from lib.providers.google_veo import GoogleVeoAdapter
from tests.fakes.google_keys import key_file
from tests.fakes.stored_answers import stored_answer

MODEL = "veo-3.1-generate-001"
PARENT = "projects/example-project/locations/us-central1"
OPERATION = f"{PARENT}/publishers/google/models/{MODEL}/operations/a1b07c8e-7b5a-4aba-bb34-3e1ccb8afcc8"
HOST = "https://us-central1-aiplatform.googleapis.com"
IMAGE = "data:image/png;base64,iVBORw0KGgo="
INPUT = {
    "prompt": "a red fox, café",
    "durationSeconds": 8,
    "generateAudio": False,
    "sampleCount": 2,
    "labels": {"team": "films"},
}

adapter = GoogleVeoAdapter()


def opened(**extra: str) -> Credential:
    return Credential("google_veo", key_file(), extra={"accessToken": "ya29.token", **extra})


def submission(values: Mapping[str, Any] = INPUT, model: str = MODEL) -> Submission:
    return Submission("j1", 1, model, values, 600)


def test_a_submit_divides_the_input_between_instance_and_parameters() -> None:
    request = adapter.submit_request(submission(), opened(), "https://gateway.example/webhook")

    assert (request.method, request.url) == (
        "POST",
        f"{HOST}/v1/{PARENT}/publishers/google/models/{MODEL}:predictLongRunning",
    )
    assert request.headers["Authorization"] == "Bearer ya29.token"
    assert request.json_body == {
        "instances": [{"prompt": "a red fox, café"}],
        "parameters": {"durationSeconds": 8, "generateAudio": False, "sampleCount": 2},
        "labels": {"team": "films"},
    }


def test_media_go_into_the_instance_as_base64() -> None:
    values = {"prompt": "", "image": IMAGE, "lastFrame": IMAGE, "referenceImages": [IMAGE], "video": IMAGE}
    media = {"bytesBase64Encoded": "iVBORw0KGgo=", "mimeType": "image/png"}

    body = adapter.submit_request(submission(values), opened(), None).json_body

    assert body["instances"] == [
        {
            "prompt": "",
            "image": media,
            "lastFrame": media,
            "referenceImages": [{"image": media, "referenceType": "ASSET"}],
            "video": media,
        }
    ]
    assert body["parameters"] == {}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"image": "https://example.com/a.png"}, "image is not fetched .* send it as a data: URL"),
        ({"lastFrame": 5}, "lastFrame is not fetched"),
        ({"storageUri": "gs://bucket/"}, "storageUri is not supported"),
    ],
)
def test_what_vertex_would_have_to_fetch_or_keep_is_refused_before_it_is_sent(
    values: Mapping[str, Any], words: str
) -> None:
    with pytest.raises(InvalidError, match=words):
        adapter.submit_request(submission(values), opened(), None)


@pytest.mark.parametrize(
    ("extra", "url"),
    [
        (
            {"location": "europe-west4"},
            "https://europe-west4-aiplatform.googleapis.com/v1/projects/example-project",
        ),
        (
            {"location": "global"},
            "https://aiplatform.googleapis.com/v1/projects/example-project/locations/global",
        ),
        ({"projectId": "other-project"}, f"{HOST}/v1/projects/other-project/locations/us-central1"),
    ],
)
def test_the_credential_says_the_project_and_the_region(extra: dict[str, str], url: str) -> None:
    assert adapter.submit_request(submission(), opened(**extra), None).url.startswith(url)
    local = GoogleVeoAdapter(base_url="http://127.0.0.1:9/")
    assert local.submit_request(submission(), opened(**extra), None).url.startswith(
        "http://127.0.0.1:9/v1/projects/"
    )


@pytest.mark.parametrize(
    "extra",
    [
        {"location": "evil.example/"},
        {"location": "us-central1.evil.example/"},
        {"location": "us"},
        {"projectId": "a/b"},
        {"projectId": "../.."},
        {"projectId": "example-project/../other-project"},
    ],
)
def test_a_project_or_region_that_is_none_is_never_part_of_an_address(extra: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError):
        adapter.submit_request(submission(), opened(**extra), None)


def test_a_model_that_is_none_and_a_missing_token_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="no model of Vertex AI"):
        adapter.submit_request(submission(model="veo/../x"), opened(), None)
    with pytest.raises(ConfigurationError, match="access token"):
        adapter.submit_request(submission(), Credential("google_veo", key_file()), None)


def test_an_operation_is_asked_for_below_its_model() -> None:
    request = adapter.poll_request(RemoteJob(OPERATION, MODEL), opened())

    assert request.url == f"{HOST}/v1/{PARENT}/publishers/google/models/{MODEL}:fetchPredictOperation"
    assert request.json_body == {"operationName": OPERATION}
    assert request.media_answer


def test_an_operation_may_name_the_project_by_its_number() -> None:
    numbered = OPERATION.replace("example-project", "123456789012")
    request = adapter.poll_request(RemoteJob(numbered, MODEL), opened())
    assert request.url.startswith(f"{HOST}/v1/{PARENT}/")
    assert request.json_body == {"operationName": numbered}


@pytest.mark.parametrize(
    "name",
    [
        OPERATION.replace("example-project", "other-project"),
        OPERATION.replace("us-central1", "us-east4"),
        OPERATION.replace(MODEL, "veo-2.0-generate-001"),
        f"{PARENT}/operations/1",
        OPERATION + "/../x",
        "",
    ],
)
def test_a_name_that_lies_elsewhere_is_not_asked_for(name: str) -> None:
    with pytest.raises(InvalidError):
        adapter.poll_request(RemoteJob(name, MODEL), opened())


def test_a_created_operation_is_accepted_under_its_name() -> None:
    result = adapter.parse_submit(stored_answer("google_veo", "created"))
    assert result.outcome is SubmitOutcome.ACCEPTED
    assert result.update is not None
    assert (result.update.status, result.update.provider_job_id) == (RemoteStatus.QUEUED, OPERATION)


@pytest.mark.parametrize(
    "changes", [{"name": "operations/1"}, {"name": None}, {"name": 5}, {"name": f"{OPERATION}\n"}]
)
def test_a_success_without_a_usable_name_may_have_been_accepted(changes: dict[str, Any]) -> None:
    result = adapter.parse_submit(stored_answer("google_veo", "created", **changes))
    assert result.outcome is SubmitOutcome.UNKNOWN
    assert result.failure is not None
    assert not result.failure.unbilled


@pytest.mark.parametrize("changes", [{}, {"done": False}, {"done": "true"}, {"extra": {"a": 1}}])
def test_an_operation_that_is_not_done_is_running(changes: dict[str, Any]) -> None:
    update = adapter.parse_poll(stored_answer("google_veo", "running", **changes))
    assert (update.status, update.provider_job_id, update.outputs) == (RemoteStatus.RUNNING, OPERATION, ())


def test_the_videos_come_with_the_operation() -> None:
    update = adapter.parse_poll(stored_answer("google_veo", "succeeded"))
    assert (update.status, update.progress) == (RemoteStatus.SUCCEEDED, 1.0)
    assert [output.kind for output in update.outputs] == [OutputKind.DATA_URL] * 2
    head, _, data = update.outputs[0].value.partition(",")
    assert head == "data:video/mp4;base64"
    assert base64.b64decode(data)[4:8] == b"ftyp"


@pytest.mark.parametrize("content_type", [None, "", 5, ["video/webm"]])
def test_a_video_without_a_type_is_an_mp4(content_type: object) -> None:
    made = {"videos": [None, {"bytesBase64Encoded": "AAAA", "mimeType": content_type}]}
    [output] = adapter.parse_poll(stored_answer("google_veo", "succeeded", response=made)).outputs
    assert output.value == "data:video/mp4;base64,AAAA"


def test_what_the_filter_left_is_a_success() -> None:
    update = adapter.parse_poll(stored_answer("google_veo", "partly_filtered"))
    assert (update.status, len(update.outputs), update.failure) == (RemoteStatus.SUCCEEDED, 1, None)


@pytest.mark.parametrize(
    ("name", "kind", "unbilled", "words"),
    [
        ("filtered", FailureKind.MODERATION, True, "usage guidelines"),
        ("operation_prompt_refused", FailureKind.MODERATION, True, "Responsible AI"),
        ("operation_invalid_argument", FailureKind.INVALID_INPUT, False, "Unsupported output resolution"),
        ("operation_internal", FailureKind.OUTAGE, False, "Internal error"),
        ("operation_exhausted", FailureKind.RATE_LIMITED, False, "capacity"),
        ("in_a_bucket", FailureKind.MODEL_ERROR, False, "bucket"),
        ("done_with_nothing", FailureKind.MODEL_ERROR, False, "without a reason"),
    ],
)
def test_an_operation_without_a_video_says_why(
    name: str, kind: FailureKind, unbilled: bool, words: str
) -> None:
    update = adapter.parse_poll(stored_answer("google_veo", name))
    assert update.status is RemoteStatus.FAILED
    assert update.failure is not None
    assert (update.failure.kind, update.failure.unbilled) == (kind, unbilled)
    assert words in update.failure.message


def test_a_filter_without_words_still_refuses() -> None:
    filtered = {"raiMediaFilteredCount": 2, "videos": []}
    update = adapter.parse_poll(stored_answer("google_veo", "filtered", response=filtered))
    assert update.failure is not None
    assert (update.failure.kind, update.failure.message) == (
        FailureKind.MODERATION,
        "Google's filter held back all videos (2)",
    )


@pytest.mark.parametrize("reasons", ["Not this.", ["Not this."], [5, "Not this.", None]])
def test_the_filter_keeps_its_words_without_a_number(reasons: object) -> None:
    filtered = {"raiMediaFilteredReasons": reasons, "raiMediaFilteredCount": "?"}
    failure = adapter.parse_poll(stored_answer("google_veo", "filtered", response=filtered)).failure
    assert failure is not None
    assert (failure.kind, failure.message, failure.unbilled) == (FailureKind.MODERATION, "Not this.", True)


@pytest.mark.parametrize("error", [None, "odd", [{"code": 3}], 7])
def test_an_error_that_is_none_hides_no_video(error: object) -> None:
    update = adapter.parse_poll(stored_answer("google_veo", "succeeded", error=error))
    assert (update.status, len(update.outputs)) == (RemoteStatus.SUCCEEDED, 2)


@pytest.mark.parametrize(
    "response",
    [5, {"videos": "x"}, {"videos": [5, {"bytesBase64Encoded": ""}]}, {"raiMediaFilteredReasons": []}],
)
def test_a_response_of_another_shape_fails_the_job_and_breaks_nothing(response: Any) -> None:
    update = adapter.parse_poll(stored_answer("google_veo", "filtered", response=response))
    assert update.failure is not None
    assert (update.status, update.failure.kind) == (RemoteStatus.FAILED, FailureKind.MODEL_ERROR)


def test_an_answer_that_is_no_operation_is_asked_for_again() -> None:
    with pytest.raises(ProviderError) as raised:
        adapter.parse_poll(stored_answer("google_veo", "running", name="something/else"))
    assert raised.value.retryable


def test_the_key_test_reads_a_model_of_the_project() -> None:
    request = adapter.test_request(opened())
    assert (request.method, request.url) == (
        "GET",
        f"{HOST}/v1/publishers/google/models/veo-3.1-fast-generate-001",
    )
    assert (
        adapter.parse_test(stored_answer("google_veo", "model"))
        == "publishers/google/models/veo-3.1-fast-generate-001"
    )
    with pytest.raises(ProviderError):
        adapter.parse_test(stored_answer("google_veo", "permission_denied"))


def test_nothing_can_be_canceled_listed_or_heard_of() -> None:
    traits = adapter.traits
    assert traits.submit_safety is SubmitSafety.NONE
    assert not traits.claimable
    assert not traits.cancels
    assert adapter.cancel_request(RemoteJob(OPERATION, MODEL), opened()) is None


def test_no_request_shows_its_key() -> None:
    for request in (
        adapter.submit_request(submission(), opened(), None),
        adapter.poll_request(RemoteJob(OPERATION, MODEL), opened()),
    ):
        assert "ya29" not in repr(request)
        assert "ya29" not in request.url
