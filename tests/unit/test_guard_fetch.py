"""The guarded download itself: ranges, redirects, statuses, slow and broken answers."""

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from lib.domain.errors import OutputError
from lib.domain.stored_output import OutputFault
from lib.ports.storage import OutputStream
from lib.providers.fetch import FetchTimes, GuardedOutputSource
from lib.providers.guard import AddressGuard
from tests.fakes.file_server import FileServer, Reply, serves, serves_ranges

BODY = bytes(range(256)) * 40
QUICK = FetchTimes(connect=2, answer=0.3, read=0.3)


def source_for(server: FileServer, times: FetchTimes | None = None) -> GuardedOutputSource:
    return GuardedOutputSource(AddressGuard(server.authority), times)


def rest(stream: OutputStream) -> bytes:
    try:
        return b"".join(iter(lambda: stream.read(1000), b""))
    finally:
        stream.close()


def refusal(reply: Reply, times: FetchTimes | None = None) -> OutputError:
    with FileServer(reply) as server, pytest.raises(OutputError) as caught:
        rest(source_for(server, times).open(server.url()))
    return caught.value


def test_a_whole_output_with_its_size_and_version() -> None:
    with FileServer(serves_ranges(BODY)) as server:
        stream = source_for(server).open(server.url())
        assert (stream.start, stream.total, stream.validator) == (0, len(BODY), '"v1"')
        assert rest(stream) == BODY


def test_nothing_secret_and_no_compression_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with FileServer(serves(BODY)) as server:
        rest(source_for(server).open(server.url("/a?b=c")))
        lines = server.requests[0].split("\r\n")
    assert lines[0] == "GET /a?b=c HTTP/1.1"
    names = {line.partition(":")[0].lower() for line in lines[1:] if line}
    assert names == {"host", "user-agent", "accept", "accept-encoding", "connection"}
    assert "Accept-Encoding: identity" in lines


def test_a_range_continues_where_it_was_asked_to() -> None:
    with FileServer(serves_ranges(BODY)) as server:
        stream = source_for(server).open(server.url(), 5000, '"v1"')
        assert (stream.start, stream.total) == (5000, len(BODY))
        assert rest(stream) == BODY[5000:]
        assert 'Range: bytes=5000-\r\nIf-Range: "v1"' in server.requests[0]


def test_another_version_is_sent_from_zero() -> None:
    with FileServer(serves_ranges(BODY, etag='"v2"')) as server:
        stream = source_for(server).open(server.url(), 5000, '"v1"')
        assert (stream.start, stream.validator) == (0, '"v2"')
        assert rest(stream) == BODY


def test_a_server_without_ranges_sends_from_zero() -> None:
    with FileServer(serves(BODY)) as server:
        stream = source_for(server).open(server.url(), 5000)
        assert stream.start == 0
        assert rest(stream) == BODY


def test_a_range_that_begins_at_the_end_is_empty() -> None:
    with FileServer(serves_ranges(BODY)) as server:
        stream = source_for(server).open(server.url(), len(BODY))
        assert (stream.start, stream.total) == (len(BODY), len(BODY))
        assert rest(stream) == b""


def test_a_range_beyond_the_end_is_read_from_zero() -> None:
    with FileServer(serves_ranges(BODY)) as server:
        stream = source_for(server).open(server.url(), len(BODY) + 5)
        assert stream.start == 0
        assert rest(stream) == BODY


def test_a_weak_etag_does_not_identify_bytes_but_a_date_does() -> None:
    date = "Sat, 31 Jan 2026 10:00:00 GMT"
    with FileServer(serves(BODY, 'ETag: W/"v1"', f"Last-Modified: {date}")) as server:
        stream = source_for(server).open(server.url())
        assert stream.validator == date
        stream.close()


def test_a_chunked_output_has_no_size_and_arrives_whole() -> None:
    chunks = b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with FileServer(lambda _, connection: connection.sendall(head + chunks)) as server:
        stream = source_for(server).open(server.url())
        assert stream.total is None
        assert rest(stream) == b"hello world"


def test_a_chunked_output_that_breaks_off_is_not_taken_for_whole() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n wo"
    error = refusal(lambda _, connection: connection.sendall(head))
    assert (error.code, error.retryable) == (OutputFault.UNAVAILABLE, True)


def test_a_redirect_within_the_exception_is_followed() -> None:
    def reply(request: str, connection: socket.socket) -> None:
        if request.startswith("GET /old"):
            serves(b"moved", "Location: /new?x=1", status="301 Moved Permanently")(request, connection)
        else:
            serves(BODY)(request, connection)

    with FileServer(reply) as server:
        assert rest(source_for(server).open(server.url("/old"), 10)) == BODY
        assert server.requests[1].startswith("GET /new?x=1")
        assert "Range: bytes=10-" in server.requests[1]


def test_endless_redirects_are_given_up() -> None:
    with FileServer(serves(b"", "Location: /again", status="302 Found")) as server:
        with pytest.raises(OutputError, match="redirects") as caught:
            source_for(server).open(server.url())
        assert (caught.value.code, caught.value.retryable) == (OutputFault.UNAVAILABLE, False)
        assert len(server.requests) == 6


def test_a_redirect_to_no_address_is_refused() -> None:
    error = refusal(serves(b"", "Location: http://[x", status="302 Found"))
    assert (error.code, error.retryable) == (OutputFault.UNAVAILABLE, False)


@pytest.mark.parametrize("numbers", ["0-9/" + "9" * 5000, "9" * 5000 + "-9/*"])
def test_a_range_of_endless_digits_says_nothing(numbers: str) -> None:
    ranged = serves(BODY, f"Content-Range: bytes {numbers}", status="206 Partial Content")
    with FileServer(ranged) as server:
        stream = source_for(server).open(server.url())
        assert (stream.start, stream.total) == (0, None)
        assert rest(stream) == BODY


@pytest.mark.parametrize("status", ["403 Forbidden", "404 Not Found", "410 Gone", "401 Unauthorized"])
def test_an_output_that_is_gone_has_expired(status: str) -> None:
    error = refusal(serves(b"no", status=status))
    assert (error.code, error.retryable) == (OutputFault.EXPIRED, False)


@pytest.mark.parametrize("status", ["500 Oops", "502 Bad", "503 Busy", "504 Late", "429 Slow", "408 Late"])
def test_a_server_in_trouble_is_worth_another_try(status: str) -> None:
    error = refusal(serves(b"no", "Retry-After: 7", status=status))
    assert (error.code, error.retryable, error.retry_after_seconds) == (OutputFault.UNAVAILABLE, True, 7.0)


@pytest.mark.parametrize("status", ["400 Bad Request", "418 Teapot", "300 Choices", "416 Range", "304 Same"])
def test_another_refusal_is_final(status: str) -> None:
    error = refusal(serves(b"", status=status))
    assert (error.code, error.retryable) == (OutputFault.UNAVAILABLE, False)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"rubbish\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 500,
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 99_999,
    ],
)
def test_garbage_is_worth_another_try(answer: bytes) -> None:
    error = refusal(lambda _, connection: connection.sendall(answer))
    assert (error.code, error.retryable) == (OutputFault.UNAVAILABLE, True)


def test_nobody_at_the_port_is_worth_another_try() -> None:
    with FileServer(serves(b"")) as server:
        source = source_for(server)
    with pytest.raises(OutputError) as caught:
        source.open(server.url())
    assert (caught.value.code, caught.value.retryable) == (OutputFault.UNAVAILABLE, True)


@pytest.fixture
def over() -> Iterator[threading.Event]:
    """Set when the test is over: a server that hangs may go."""
    event = threading.Event()
    yield event
    event.set()


def hangs_after(sent: bytes, over: threading.Event, drip: bytes = b"") -> Reply:
    def reply(_: str, connection: socket.socket) -> None:
        connection.sendall(sent)
        while not over.wait(0.02):
            connection.sendall(drip)

    return reply


@pytest.mark.parametrize(
    ("sent", "drip"),
    [
        (b"", b""),
        (b"HTTP/1.1 200 OK\r\nX-Long: ", b"y"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", b""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
    ],
    ids=["no answer", "dripping header", "stalled body", "dripping chunk size"],
)
def test_a_server_that_hangs_or_drips_is_given_up_in_time(
    sent: bytes, drip: bytes, over: threading.Event
) -> None:
    with FileServer(hangs_after(sent, over, drip)) as server:
        with pytest.raises(OutputError) as caught:
            rest(source_for(server, QUICK).open(server.url()))
        over.set()
    assert (caught.value.code, caught.value.retryable) == (OutputFault.UNAVAILABLE, True)


def ticking(step: float) -> Callable[[], float]:
    """A clock that is `step` seconds further at each look."""
    times = iter(range(1_000_000))
    return lambda: next(times) * step


def test_a_body_that_only_trickles_is_given_up() -> None:
    with FileServer(serves(BODY)) as server:
        source = GuardedOutputSource(
            AddressGuard(server.authority), FetchTimes(window=30, window_bytes=8192), clock=ticking(10)
        )
        stream = source.open(server.url())
        with pytest.raises(OutputError, match="too slow"):
            rest(stream)


def test_a_slow_reader_is_not_the_sources_fault() -> None:
    now = [0.0]
    with FileServer(serves(BODY)) as server:
        stream = GuardedOutputSource(AddressGuard(server.authority), clock=lambda: now[0]).open(server.url())
        received = b""
        while data := stream.read(100):
            received += data
            now[0] += 60
        stream.close()
    assert received == BODY
