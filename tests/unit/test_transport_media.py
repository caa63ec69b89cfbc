"""Answers that bring media: on disk and not in memory, within the limits, gone when they are let go."""

import base64
import copy
import gc
import gzip
import json
import logging
import os
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.domain.http_exchange import Delivery, HttpRequest, HttpResponse
from lib.domain.provider import ProviderUpdate, RemoteStatus
from lib.ports.provider import Operation, TransportError
from lib.providers.spool import Spool
from lib.providers.transport import Limits, RequestsTransport
from tests.fakes.scripted_http import Act, Handler, Say, drip, drip_headers, serving

MIB = 1024 * 1024
MEDIA = bytes(range(256)) * 64
LIMITS = Limits(connect=0.3, read=0.3, total=0.4)
JSON_TYPE = {"Content-Type": "application/json"}


@pytest.fixture
def transport() -> Iterator[RequestsTransport]:
    made = RequestsTransport(
        limits=dict.fromkeys(Operation, LIMITS), max_answer_bytes=100_000, max_media_bytes=MIB
    )
    yield made
    made.close()


def answer(transport: RequestsTransport, act: Act, method: str = "POST") -> HttpResponse:
    with serving(act) as server:
        request = HttpRequest(method, server.url, media_answer=True)
        return transport.send(request, provider="openai", operation=Operation.GENERATE)


@pytest.fixture
def spools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory in which answers are kept."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def open_below(directory: Path) -> bool:
    """Whether this process has an open file in it, even one without a name."""
    gc.collect()
    links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return any(str(directory) in str(link.readlink()) for link in links)


@pytest.mark.parametrize(
    "content_type",
    ["image/png", "Audio/MPEG; rate=44100", "video/mp4", "application/octet-stream", "image/svg+xml"],
)
def test_a_body_of_media_is_the_one_blob(transport: RequestsTransport, content_type: str) -> None:
    got = answer(transport, Say(200, MEDIA, {"Content-Type": content_type}))
    (blob,) = got.blobs
    assert got.body == b""
    assert (blob.content_type, blob.size) == (content_type.partition(";")[0].lower(), len(MEDIA))
    with blob.open() as first, blob.open() as second:
        assert (first.read(10), second.read(), first.read()) == (MEDIA[:10], MEDIA, MEDIA[10:])


def test_long_base64_leaves_the_json_and_the_rest_stays(transport: RequestsTransport) -> None:
    said = {"data": [{"b64_json": base64.b64encode(MEDIA).decode()}, {"b64_json": "QUJD"}], "seed": 7}
    got = answer(transport, Say(200, json.dumps(said).encode(), JSON_TYPE))
    (blob,) = got.blobs
    assert json.loads(got.body) == {"data": [{"b64_json": blob.name}, {"b64_json": "QUJD"}], "seed": 7}
    assert blob.open().read() == MEDIA


def test_without_the_wish_for_media_an_answer_is_left_alone(transport: RequestsTransport) -> None:
    body = json.dumps({"a": base64.b64encode(MEDIA).decode()}).encode()
    with serving(Say(200, body, JSON_TYPE)) as server:
        got = transport.send(HttpRequest("GET", server.url), provider="p", operation=Operation.POLL)
    assert (got.body, got.blobs) == (body, ())


@pytest.mark.parametrize("status", [400, 422, 500])
def test_an_error_is_read_as_ever_whatever_type_it_claims(transport: RequestsTransport, status: int) -> None:
    got = answer(transport, Say(status, b"x" * 500_000, {"Content-Type": "image/png"}))
    assert (got.status, len(got.body), got.blobs) == (status, 100_000, ())


def test_a_question_about_media_is_asked_again_after_an_outage() -> None:
    pauses: list[float] = []
    transport = RequestsTransport(sleep=pauses.append)
    with serving(Say(503), Say(200, MEDIA, {"Content-Type": "audio/mpeg"})) as server:
        request = HttpRequest("GET", server.url, media_answer=True)
        got = transport.send(request, provider="elevenlabs", operation=Operation.RESULT)
    transport.close()
    assert (got.blobs[0].size, len(pauses)) == (len(MEDIA), 1)


def test_a_compressed_answer_is_counted_as_what_it_becomes(transport: RequestsTransport) -> None:
    headers = {"Content-Type": "audio/wav", "Content-Encoding": "gzip"}
    got = answer(transport, Say(200, gzip.compress(MEDIA), headers))
    assert got.blobs[0].open().read() == MEDIA
    with pytest.raises(TransportError, match="over 1048576 bytes"):
        answer(transport, Say(200, gzip.compress(bytes(2 * MIB)), headers))


def chunked(size: int) -> Act:
    def act(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "image/png")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for _ in range(size // 65536):
            handler.wfile.write(b"10000\r\n" + bytes(65536) + b"\r\n")
        handler.wfile.write(b"0\r\n\r\n")

    return act


@pytest.mark.parametrize("act", [Say(200, bytes(MIB + 1), {"Content-Type": "image/png"}), chunked(2 * MIB)])
def test_an_answer_over_the_limit_is_of_unknown_fate_and_leaves_no_file(
    transport: RequestsTransport, act: Act, spools: Path
) -> None:
    with pytest.raises(TransportError, match="openai generate: an answer over 1048576 bytes") as caught:
        answer(transport, act)
    assert caught.value.delivery is Delivery.UNKNOWN
    assert not open_below(spools)


def test_what_is_no_media_in_a_json_is_bounded_as_ever(transport: RequestsTransport) -> None:
    body = json.dumps({"text": "not base64, " * 20_000}).encode()
    with pytest.raises(TransportError, match="over 100000 bytes beside its media"):
        answer(transport, Say(200, body, JSON_TYPE))


def test_an_answer_for_which_there_is_no_room_says_so(
    transport: RequestsTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(TransportError, match="no room on disk for the answer: No space left"):
        answer(transport, Say(200, MEDIA, {"Content-Type": "image/png"}))


@pytest.mark.parametrize("act", [drip, drip_headers], ids=["body", "headers"])
def test_an_answer_that_drips_is_given_up_after_the_whole_time(
    transport: RequestsTransport, act: Act
) -> None:
    begun = time.monotonic()
    with pytest.raises(TransportError) as caught:
        answer(transport, act)
    assert time.monotonic() - begun < 5
    assert caught.value.delivery is Delivery.UNKNOWN


def test_the_wait_for_one_more_byte_ends_with_the_whole_time() -> None:
    """The read limit is far longer than what is left when the body stands still."""
    limits = Limits(connect=0.3, read=20.0, total=0.3)
    transport = RequestsTransport(limits=dict.fromkeys(Operation, limits))

    def stand_still(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "10")
        handler.end_headers()
        handler.wfile.write(b"x")
        handler.server.released.wait(20)

    begun = time.monotonic()
    with pytest.raises(TransportError):
        answer(transport, stand_still)
    assert time.monotonic() - begun < 5


def test_a_media_body_that_breaks_off_is_of_unknown_fate(transport: RequestsTransport) -> None:
    broken = Say(200, MEDIA, {"Content-Type": "image/png", "Content-Length": "999999"}, close=True)
    with pytest.raises(TransportError) as caught:
        answer(transport, broken)
    assert caught.value.delivery is Delivery.UNKNOWN


def test_the_file_has_no_name_and_vanishes_with_the_last_blob_or_reader(
    transport: RequestsTransport, spools: Path
) -> None:
    got = answer(transport, Say(200, MEDIA, {"Content-Type": "image/png"}))
    assert list(spools.iterdir()) == []
    reader = got.blobs[0].open()
    del got
    assert open_below(spools)
    assert reader.read() == MEDIA
    del reader
    assert not open_below(spools)


def test_a_spool_that_was_closed_reads_nothing_of_another_file() -> None:
    spool = Spool()
    spool.append(b"abc")
    spool.close()
    with Path(__file__).open("rb"), pytest.raises(ValueError, match="closed"):
        spool.read(0, 3)


def test_blobs_are_neither_pickled_nor_copied_nor_shown(
    transport: RequestsTransport, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    got = answer(transport, Say(200, b"secret picture" * 500, {"Content-Type": "image/png"}))
    update = ProviderUpdate(RemoteStatus.SUCCEEDED, blobs=got.blobs)
    for value in (got, update, got.blobs[0]):
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(value)
        with pytest.raises(TypeError, match="cannot be pickled"):
            copy.deepcopy(value)
    assert "blob" not in repr(got)
    assert "blob" not in repr(update)
    assert "secret picture" not in caplog.text + repr(got.blobs)


CHILD = """
import sys
from pathlib import Path
from lib.domain.http_exchange import HttpRequest
from lib.ports.provider import Operation
from lib.providers.transport import RequestsTransport
transport = RequestsTransport()
request = HttpRequest("POST", sys.argv[1], media_answer=True)
got = transport.send(request, provider="openai", operation=Operation.GENERATE)
total = 0
with got.blobs[0].open() as file:
    while piece := file.read(1 << 20):
        total += len(piece)
peak = Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]
print(len(got.body), len(got.blobs), got.blobs[0].size, total, peak)
"""


def test_three_hundred_megabytes_of_base64_cost_no_memory() -> None:
    size, piece = 300 * MIB, b"QUJD" * (MIB // 4)

    def huge(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(size + 10))
        handler.end_headers()
        handler.wfile.write(b'{"b64":"')
        for _ in range(size // MIB):
            handler.wfile.write(piece)
        handler.wfile.write(b'"}')

    with serving(huge) as server:
        child = subprocess.run(
            [sys.executable, "-c", CHILD, server.url], capture_output=True, text=True, timeout=60, check=True
        )
    body, blobs, blob_size, total, peak_kib = map(int, child.stdout.split())
    assert blobs == 1
    assert body < 100
    assert blob_size == total == size * 3 // 4
    assert peak_kib < 64 * 1024
