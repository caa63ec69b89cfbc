"""What is sent to a Cog server, to which server, and what is refused before anything is sent."""

import pytest

from lib.domain.errors import ConfigurationError, InvalidError, ProviderError
from lib.domain.http_exchange import HttpResponse
from lib.domain.provider import Credential, RemoteJob, RemoteStatus, Submission
from lib.providers.cog import CogAdapter
from lib.providers.platform_keys import read_platform_key
from lib.providers.registry import load_adapter
from tests.fakes.cog_answers import JOB_ID, PREDICTION_ID, answer

NO_KEY = Credential("cog", "")
CALLBACK = "https://gateway.example/webhook/cog?job=j&attempt=1&token=t"

adapter = CogAdapter("https://gpu.example", {"sketch": "https://sketch.example/"})


def submission(server: str = "default") -> Submission:
    return Submission(JOB_ID, 1, server, {"prompt": "a fox"}, 600)


def test_a_submit_puts_a_prediction_under_an_id_of_ours_and_asks_for_a_webhook() -> None:
    request = adapter.submit_request(submission(), NO_KEY, CALLBACK)

    assert (request.method, request.url) == ("PUT", f"https://gpu.example/predictions/{PREDICTION_ID}")
    assert request.headers == {"Accept": "application/json", "Prefer": "respond-async"}
    assert request.json_body == {
        "id": PREDICTION_ID,
        "input": {"prompt": "a fox"},
        "webhook": CALLBACK,
        "webhook_events_filter": ["start", "completed"],
    }


def test_another_server_is_chosen_by_its_name() -> None:
    request = adapter.submit_request(submission("sketch"), NO_KEY, CALLBACK)

    assert request.url.startswith("https://sketch.example/predictions/")


def test_an_unknown_server_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        ConfigurationError, match="no Cog server is called 'other'; known are: default, sketch"
    ):
        adapter.submit_request(submission("other"), NO_KEY, CALLBACK)


def test_without_webhooks_nothing_is_sent_since_the_result_could_never_be_heard_of() -> None:
    with pytest.raises(ConfigurationError, match="PROVIDER_WEBHOOKS must be enabled"):
        adapter.submit_request(submission(), NO_KEY, None)


def test_a_key_is_sent_to_the_server_as_a_bearer_token() -> None:
    request = adapter.submit_request(submission(), Credential("cog", " proxy-key "), CALLBACK)

    assert request.headers["Authorization"] == "Bearer proxy-key"
    assert "proxy-key" not in request.url


def test_a_cancel_goes_to_the_server_that_runs_it() -> None:
    request = adapter.cancel_request(RemoteJob(PREDICTION_ID, "sketch"), NO_KEY)

    assert (request.method, request.url, request.json_body) == (
        "POST",
        f"https://sketch.example/predictions/{PREDICTION_ID}/cancel",
        None,
    )


@pytest.mark.parametrize("wrong", ["", "../health-check", "019AA3B2", f"{PREDICTION_ID}/x", "0" * 32 + "-0"])
def test_an_id_that_is_none_of_ours_reaches_no_address(wrong: str) -> None:
    with pytest.raises(InvalidError):
        adapter.cancel_request(RemoteJob(wrong, "default"), NO_KEY)


def test_a_cancel_that_was_taken_says_nothing_yet() -> None:
    assert adapter.parse_cancel(answer("cancel_accepted")).status is RemoteStatus.UNKNOWN


def test_what_the_server_does_not_run_is_canceled() -> None:
    assert adapter.parse_cancel(answer("cancel_unknown")).status is RemoteStatus.CANCELED


def test_a_404_that_is_not_cogs_own_proves_nothing() -> None:
    other = answer("cancel_unknown")
    with pytest.raises(ProviderError):
        adapter.parse_cancel(type(other)(404, {"content-type": "text/html"}, b"<h1>no such host</h1>"))


def test_there_is_nothing_to_poll() -> None:
    assert adapter.poll_request(RemoteJob(PREDICTION_ID, "default"), NO_KEY) is None


def test_the_test_asks_for_the_health_of_the_default_server() -> None:
    request = adapter.test_request(NO_KEY)

    assert (request.method, request.url) == ("GET", "https://gpu.example/health-check")


@pytest.mark.parametrize("name", ["health_ready", "health_busy"])
def test_a_server_that_works_passes_the_test(name: str) -> None:
    assert adapter.parse_test(answer(name)) == "coglet 0.23.1"


@pytest.mark.parametrize("odd", ["{}", "null", '{"coglet": null}', '{"coglet": 0.23}', '"0.23.1"'])
def test_a_server_that_works_need_not_say_what_it_is(odd: str) -> None:
    said = f'{{"status": "ready", "setup": [], "version": {odd}}}'
    assert adapter.parse_test(HttpResponse(200, {}, said.encode())) == "cog"


def test_a_server_that_starts_is_to_be_asked_again() -> None:
    with pytest.raises(ProviderError, match="is starting") as caught:
        adapter.parse_test(answer("health_starting"))
    assert caught.value.retryable
    assert caught.value.retry_after_seconds == 5.0


def test_a_setup_that_failed_is_told_in_the_models_own_words() -> None:
    with pytest.raises(ProviderError, match=r"setup failed: .*RuntimeError: no weights") as caught:
        adapter.parse_test(answer("health_setup_failed"))
    assert not caught.value.retryable


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("DEFUNCT", "must be started again"),
        ("UNHEALTHY", "not healthy"),
        ("Odd", "health is ODD"),
        ("", "not said"),
    ],
)
def test_any_other_health_is_an_error(status: str, words: str) -> None:
    ready = answer("health_ready")
    with pytest.raises(ProviderError, match=words):
        adapter.parse_test(type(ready)(200, {}, f'{{"status": "{status}"}}'.encode()))


def test_http_is_for_this_machine_unless_the_operator_allows_it_for_private_addresses() -> None:
    with pytest.raises(ConfigurationError, match="must be https"):
        CogAdapter("http://10.0.0.5:5000")

    allowed = CogAdapter("http://10.0.0.5:5000/", plain_http="private")
    assert allowed.servers == {"default": "http://10.0.0.5:5000"}


@pytest.mark.parametrize(
    "wrong", ["http://8.8.8.8", "http://gpu.internal", "http://169.254.169.254", "http://user@10.0.0.5"]
)
def test_what_is_not_a_private_address_needs_https_even_then(wrong: str) -> None:
    with pytest.raises(ConfigurationError):
        CogAdapter(wrong, plain_http="private")


@pytest.mark.parametrize("wrong", [{"Not A Name": "https://a.example"}, ["https://a.example"]])
def test_servers_must_be_addresses_by_name(wrong: object) -> None:
    with pytest.raises(ConfigurationError, match="servers of cog"):
        load_adapter("cog", {"servers": wrong})  # type: ignore[dict-item]  # what an operator may write


def test_a_credential_may_be_empty_or_hold_the_webhooks_token_alone() -> None:
    assert read_platform_key(adapter, "{}").secret == ""
    held = read_platform_key(adapter, '{"webhookToken": "server-secret"}')
    assert (held.secret, dict(held.extra)) == ("", {"webhookToken": "server-secret"})
