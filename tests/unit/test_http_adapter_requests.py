"""A provider that is all data: what is sent to it, and where the entry has it stand."""

import pytest

from lib.domain.errors import ConfigurationError, InvalidError
from lib.domain.provider import Credential, RemoteJob
from tests.fakes.http_answers import CALLBACK, KEY, REMOTE, kling, luma, submission
from tests.fakes.http_entries import adapter_of, luma_entry


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


def test_no_error_and_no_repr_shows_the_key() -> None:
    request = luma.submit_request(submission(), KEY, CALLBACK)
    assert "secret-key" not in repr(request) + repr(KEY) + request.url
