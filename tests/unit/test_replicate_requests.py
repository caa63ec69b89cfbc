"""What the Replicate adapter sends, and where to."""

from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import pytest

from lib.domain.errors import ConfigurationError, InvalidError
from lib.domain.http_exchange import HttpRequest
from lib.domain.provider import Credential, RemoteJob, Submission, SubmitSafety
from lib.ports.provider import ProviderAdapter
from lib.providers.registry import ADAPTERS, load_adapter
from lib.providers.replicate import ReplicateAdapter

KEY = Credential("replicate", " r8_secret\n")
VERSION = "39ed52f2a78e934b3ba6e2a89f5b1c712de7dfea535525255b1aa35c5565e08b"
CALLBACK = "https://gateway.example/webhook/replicate?job=j1&attempt=1&token=t"
ID = "gm3qorzdhgbfurvjtvhg6dckhu"

adapter = ReplicateAdapter()


def submit(model_ref: str, deadline_seconds: int = 600, callback: str | None = CALLBACK) -> HttpRequest:
    submission = Submission("j1", 1, model_ref, {"prompt": "a red fox"}, deadline_seconds)
    return adapter.submit_request(submission, KEY, callback)


def test_an_official_model_is_created_by_its_name_without_a_version() -> None:
    request = submit("black-forest-labs/flux-schnell")
    assert request.method == "POST"
    assert request.url == "https://api.replicate.com/v1/models/black-forest-labs/flux-schnell/predictions"
    assert request.json_body == {
        "input": {"prompt": "a red fox"},
        "webhook": CALLBACK,
        "webhook_events_filter": ["start", "completed"],
    }


@pytest.mark.parametrize("model_ref", [VERSION, f"stability-ai/sdxl:{VERSION}"])
def test_any_other_model_is_created_by_its_version(model_ref: str) -> None:
    request = submit(model_ref)
    assert request.url == "https://api.replicate.com/v1/predictions"
    assert request.json_body["version"] == VERSION


@pytest.mark.parametrize(
    "model_ref",
    ["", "sdxl", "a/b/c", "../x", "a/..", "a/b:1.0", f"a:{VERSION}", VERSION[:-1], f"{VERSION}\n", "a/b?x=1"],
)
def test_a_reference_that_is_no_model_is_refused(model_ref: str) -> None:
    with pytest.raises(ConfigurationError, match="is no Replicate model"):
        submit(model_ref)


@pytest.mark.parametrize(("deadline", "header"), [(600, "600s"), (5, "5s"), (1, "5s"), (-3, "5s")])
def test_replicate_is_told_the_deadline_and_never_less_than_its_minimum(deadline: int, header: str) -> None:
    assert submit("a/b", deadline).headers["Cancel-After"] == header


def test_without_a_callback_no_webhook_is_asked_for() -> None:
    assert submit("a/b", callback=None).json_body == {"input": {"prompt": "a red fox"}}


def test_the_key_is_sent_as_a_bearer_without_stray_spaces_and_hidden_from_repr() -> None:
    request = submit("a/b")
    assert request.headers["Authorization"] == "Bearer r8_secret"
    assert "r8_secret" not in f"{request!r} {KEY!r}"


def test_polls_and_cancels_are_built_from_the_id() -> None:
    poll, cancel = adapter.poll_request(RemoteJob(ID), KEY), adapter.cancel_request(RemoteJob(ID), KEY)
    assert (poll.method, poll.url) == ("GET", f"https://api.replicate.com/v1/predictions/{ID}")
    assert (cancel.method, cancel.url) == ("POST", f"https://api.replicate.com/v1/predictions/{ID}/cancel")
    assert cancel.json_body is None


@pytest.mark.parametrize("bad", ["", "short", "../account", f"{ID}/cancel", ID.upper(), f"{ID}\n", "a" * 65])
def test_an_impossible_id_never_becomes_a_url(bad: str) -> None:
    for build in (adapter.poll_request, adapter.cancel_request):
        with pytest.raises(InvalidError, match="is not the id"):
            build(RemoteJob(bad), KEY)


def test_the_window_of_a_listing_is_sent_in_utc() -> None:
    after = datetime(2026, 11, 20, 20, 0, tzinfo=timezone(timedelta(hours=2)))
    request = adapter.recover_request(after, datetime(2026, 11, 20, 18, 5, tzinfo=UTC), KEY)
    assert parse_qs(urlsplit(request.url).query) == {
        "created_after": ["2026-11-20T18:00:00.000000Z"],
        "created_before": ["2026-11-20T18:05:00.000000Z"],
    }


def test_the_next_page_keeps_its_query_but_never_its_host() -> None:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    request = adapter.recover_request(now, now, KEY, "https://evil.example/v1/predictions?cursor=cD0%3D&x=1")
    assert request.url == "https://api.replicate.com/v1/predictions?cursor=cD0%3D&x=1"


def test_the_key_test_and_the_webhook_secret_are_plain_questions() -> None:
    assert adapter.test_request(KEY).url == "https://api.replicate.com/v1/account"
    assert adapter.webhook_secret_request(KEY).url == "https://api.replicate.com/v1/webhooks/default/secret"


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("https://api.replicate.com/", "https://api.replicate.com"),
        ("https://api.replicate.com/v1/", "https://api.replicate.com"),
        ("https://proxy.example/replicate", "https://proxy.example/replicate"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_the_base_url_may_be_https_or_this_machine(given: str, used: str) -> None:
    assert ReplicateAdapter(base_url=given).base_url == used


@pytest.mark.parametrize(
    "unfit",
    [
        "",
        "api.replicate.com",
        "http://api.replicate.com",
        "ftp://x",
        "https://u:p@x",
        "https://x?y=1",
        "http://8.8.8.8",
    ],
)
def test_an_address_on_which_a_key_could_be_read_is_refused(unfit: str) -> None:
    with pytest.raises(ConfigurationError, match="base URL"):
        ReplicateAdapter(base_url=unfit)


def test_replicate_offers_no_way_to_repeat_a_submit() -> None:
    assert adapter.traits.submit_safety is SubmitSafety.NONE


def test_every_registered_adapter_loads_under_its_name() -> None:
    for name in ADAPTERS:
        loaded: ProviderAdapter = load_adapter(name)
        assert loaded.name == name
    request = load_adapter("replicate", {"base_url": "http://127.0.0.1:1"}).poll_request(RemoteJob(ID), KEY)
    assert request is not None
    assert request.url.startswith("http://127")


def test_an_unknown_provider_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match=r"known are: .*replicate"):
        load_adapter("replicat")
