"""The transport against a real server on loopback: what left, what is tried again, what is never said."""

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lib.domain.errors import ConfigurationError, InvalidError
from lib.domain.http_exchange import Delivery, HttpRequest, HttpResponse
from lib.ports.provider import Operation, TransportError
from lib.providers.transport import LIMITS, Limits, RequestsTransport
from lib.providers.wire import NotingAdapter
from tests.fakes.scripted_http import Act, Say, drip, garbage, never_answer, reset, serving
from tests.fakes.tls import untrusted_context

KEY = "r8_very_secret_key"
HEADERS = {"Authorization": f"Bearer {KEY}"}
QUICK = dict.fromkeys(Operation, Limits(connect=0.3, read=0.3, total=5.0))

Call = tuple[str, Operation, int | None]


class Rig:
    """A transport with recorded pauses and calls; nothing in it sleeps."""

    def __init__(self, limits: Limits | None = None, max_answer_bytes: int = 100_000) -> None:
        self.pauses: list[float] = []
        self.calls: list[Call] = []
        self.transport = RequestsTransport(
            limits=dict.fromkeys(Operation, limits) if limits else QUICK,
            max_answer_bytes=max_answer_bytes,
            on_call=lambda provider, operation, status, seconds: self.calls.append(
                (provider, operation, status)
            ),
            sleep=self.pauses.append,
            jitter=lambda: 1.0,
        )

    def get(self, url: str) -> HttpResponse:
        return self.transport.send(
            HttpRequest("GET", url, HEADERS), provider="replicate", operation=Operation.POLL
        )

    def post(self, url: str, body: object = None) -> HttpResponse:
        request = HttpRequest("POST", url, HEADERS, {"input": {}} if body is None else body)
        return self.transport.send(request, provider="replicate", operation=Operation.SUBMIT)


@pytest.fixture
def rig() -> Iterator[Rig]:
    made = Rig()
    yield made
    made.transport.close()


@contextmanager
def listening_but_silent() -> Iterator[int]:
    """A port that accepts connections in its backlog and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(5)
        yield listener.getsockname()[1]


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def delivery_of_a_post(rig: Rig, url: str) -> Delivery:
    with pytest.raises(TransportError) as caught:
        rig.post(url)
    return caught.value.delivery


def test_a_refused_port_proves_that_nothing_left(rig: Rig) -> None:
    assert delivery_of_a_post(rig, f"http://127.0.0.1:{unused_port()}/") is Delivery.NEVER_LEFT
    assert rig.calls == [("replicate", Operation.SUBMIT, None)]


def test_a_name_that_does_not_resolve_proves_that_nothing_left(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_such_name(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_name)
    assert delivery_of_a_post(rig, "https://api.replicate.invalid/") is Delivery.NEVER_LEFT


def test_a_connect_timeout_proves_that_nothing_left(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_slow(self: socket.socket, address: object) -> None:
        raise TimeoutError("timed out")

    monkeypatch.setattr(socket.socket, "connect", too_slow)
    assert delivery_of_a_post(rig, "http://127.0.0.1:9/") is Delivery.NEVER_LEFT


def test_a_failed_tls_handshake_proves_that_nothing_left(rig: Rig) -> None:
    with serving(Say()) as server:
        assert delivery_of_a_post(rig, f"https://127.0.0.1:{server.server_port}/") is Delivery.NEVER_LEFT
        assert server.received == []


def test_a_tls_handshake_that_times_out_proves_that_nothing_left(rig: Rig) -> None:
    with listening_but_silent() as port:
        assert delivery_of_a_post(rig, f"https://127.0.0.1:{port}/") is Delivery.NEVER_LEFT


@pytest.mark.parametrize("fault", [never_answer, reset, garbage], ids=["silence", "reset", "garbage"])
def test_a_submit_without_an_answer_is_of_unknown_fate_and_is_sent_once(rig: Rig, fault: Act) -> None:
    with serving(fault) as server:
        assert delivery_of_a_post(rig, server.url) is Delivery.UNKNOWN
        assert len(server.received) == 1
    assert rig.pauses == []


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_submit_that_is_refused_is_not_tried_again_here(rig: Rig, status: int) -> None:
    with serving(Say(status), Say(201)) as server:
        assert rig.post(server.url).status == status
        assert len(server.received) == 1


def test_a_submit_never_goes_over_a_connection_that_was_kept_alive(rig: Rig) -> None:
    with serving(Say()) as server:
        rig.get(server.url)
        rig.get(server.url)
        rig.post(server.url)
        rig.post(server.url)
        peers = [received.peer for received in server.received]
    assert peers[0] == peers[1], "questions share a connection"
    assert len(set(peers[1:])) == 3, "each submit has its own"


def test_a_question_over_a_connection_that_died_is_asked_again(rig: Rig) -> None:
    with serving(Say(), reset, Say(body=b'{"n": 3}')) as server:
        rig.get(server.url)
        assert rig.get(server.url).body == b'{"n": 3}'


@pytest.mark.parametrize("fault", [never_answer, reset, garbage], ids=["silence", "reset", "garbage"])
def test_a_question_is_asked_again_after_a_fault(rig: Rig, fault: Act) -> None:
    with serving(fault, Say()) as server:
        assert rig.get(server.url).status == 200
    assert rig.pauses == [0.2]
    assert [status for *_, status in rig.calls] == [None, 200]


def test_the_pauses_between_questions_grow_and_the_last_answer_stands(rig: Rig) -> None:
    with serving(Say(502)) as server:
        assert rig.get(server.url).status == 502
        assert len(server.received) == 3
    assert rig.pauses == [0.2, 0.4]


def test_a_question_that_brings_no_answer_at_all_raises_in_the_end(rig: Rig) -> None:
    with serving(reset) as server, pytest.raises(TransportError, match="replicate poll"):
        rig.get(server.url)
    assert len(rig.calls) == 3


def test_retry_after_is_waited_for_when_there_is_time(rig: Rig) -> None:
    with serving(Say(429, headers={"Retry-After": "2"}), Say()) as server:
        assert rig.get(server.url).status == 200
    assert rig.pauses == [2.0]


def test_an_answer_that_asks_for_a_long_wait_is_handed_on_at_once(rig: Rig) -> None:
    with serving(Say(429, b'{"retry_after": 60}')) as server:
        answer = rig.get(server.url)
        assert (answer.status, len(server.received)) == (429, 1)
    assert rig.pauses == []


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_redirect_is_an_answer_and_nobody_goes_there(rig: Rig, status: int, method: str) -> None:
    with serving(Say()) as elsewhere, serving(Say(status, headers={"Location": elsewhere.url})) as server:
        assert getattr(rig, method)(server.url).status == status
        assert elsewhere.received == []


def test_a_huge_answer_is_not_read_to_its_end_and_leaves_the_fate_unknown(rig: Rig) -> None:
    with serving(Say(201, b"x" * 500_000)) as server:
        assert delivery_of_a_post(rig, server.url) is Delivery.UNKNOWN


def test_a_refusal_with_a_huge_body_is_still_a_refusal(rig: Rig) -> None:
    with serving(Say(422, b"x" * 500_000)) as server:
        answer = rig.post(server.url)
    assert (answer.status, len(answer.body)) == (422, 100_000)


def test_an_answer_that_drips_is_given_up_after_the_total(rig: Rig) -> None:
    slow = Rig(Limits(connect=0.3, read=0.3, total=0.3))
    with serving(drip) as server:
        assert delivery_of_a_post(slow, server.url) is Delivery.UNKNOWN


def test_the_last_try_gets_only_what_is_left_of_the_total(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[float, float]] = []
    moments = iter([0.0, 0.0, 0.0, 0.0, 0.0, 8.0, 8.0, 8.0, 20.0, 20.0])

    def refuse(_adapter: object, _request: object, timeout: tuple[float, float], _total: float) -> None:
        given.append(timeout)
        raise OSError

    monkeypatch.setattr(NotingAdapter, "exchange", refuse)
    transport = RequestsTransport(
        limits=dict.fromkeys(Operation, Limits(connect=3, read=5, total=10)),
        sleep=lambda _: None,
        monotonic=lambda: next(moments),
    )
    with pytest.raises(TransportError):
        transport.send(HttpRequest("GET", "http://127.0.0.1:9/"), provider="p", operation=Operation.POLL)
    assert given == [(3, 5), (2, 2)]


def test_a_refusal_whose_body_breaks_off_is_still_a_refusal(rig: Rig) -> None:
    with serving(Say(402, b"{}", {"Content-Length": "50"}, close=True)) as server:
        assert rig.post(server.url).status == 402


def test_a_success_whose_body_breaks_off_is_of_unknown_fate(rig: Rig) -> None:
    with serving(Say(201, b"{}", {"Content-Length": "50"}, close=True)) as server:
        assert delivery_of_a_post(rig, server.url) is Delivery.UNKNOWN


def test_environment_proxies_netrc_and_cookies_are_not_used(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{unused_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with serving(Say(headers={"Set-Cookie": "session=1"})) as server:
        rig.get(server.url)
        rig.get(server.url)
        assert [received.headers["authorization"] for received in server.received] == [f"Bearer {KEY}"] * 2
        assert all("cookie" not in received.headers for received in server.received)


def test_a_body_is_sent_as_json_and_its_absence_as_nothing(rig: Rig) -> None:
    with serving(Say()) as server:
        rig.post(server.url, {"input": {"prompt": "café \ud83e\udd8a"}})
        rig.get(server.url)
        sent, asked = server.received
    assert sent.body == rb'{"input":{"prompt":"caf\u00e9 \ud83e\udd8a"}}'
    assert sent.headers["content-type"] == "application/json"
    assert (asked.body, asked.headers.get("content-type")) == (b"", None)


@pytest.mark.parametrize("body", [{"input": {"x": object()}}, {"input": {"x": float("nan")}}])
def test_a_body_that_is_no_json_is_refused_unsent(rig: Rig, body: object) -> None:
    with serving(Say()) as server, pytest.raises(InvalidError, match="cannot be written as JSON"):
        rig.post(server.url, body)
    assert server.received == []


@pytest.mark.parametrize("key", ["r8_a\r\nX-Evil: 1", "r8_\N{LATIN SMALL LETTER E WITH ACUTE}"])
def test_a_key_that_cannot_be_a_header_is_named_without_its_value(rig: Rig, key: str) -> None:
    request = HttpRequest("GET", "http://127.0.0.1:9/", {"Authorization": key})
    with pytest.raises(ConfigurationError) as caught:
        rig.transport.send(request, provider="replicate", operation=Operation.POLL)
    assert "r8_" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("fault", [reset, garbage], ids=["reset", "garbage"])
def test_the_key_is_in_no_log_and_no_error(rig: Rig, fault: Act, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(fault) as server, pytest.raises(TransportError) as caught:
        rig.post(server.url)
    assert KEY not in repr(caught.value)
    assert caught.value.__cause__ is None, "the cause of some faults quotes the header"
    assert caught.value.__suppress_context__
    said = " ".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert "/" in said
    assert KEY not in said
    assert KEY not in repr(HttpRequest("GET", "http://x/", HEADERS))


def test_a_server_with_an_untrusted_certificate_gets_nothing(rig: Rig, tmp_path: Path) -> None:
    with serving(Say(), tls=untrusted_context(tmp_path)) as server:
        assert delivery_of_a_post(rig, f"https://localhost:{server.server_port}/") is Delivery.NEVER_LEFT
        assert server.received == []


def test_header_names_come_back_in_lower_case(rig: Rig) -> None:
    with serving(Say(headers={"Retry-AFTER": "1"})) as server:
        assert rig.get(server.url).headers["retry-after"] == "1"


def test_the_limits_stay_within_the_functions_that_call() -> None:
    """The functions' own limits are held against these in tests/infra/test_time_limits.py."""
    assert set(LIMITS) == set(Operation)
    assert all(limits.connect + limits.read <= limits.total + 1 for limits in LIMITS.values())
