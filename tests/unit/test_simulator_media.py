"""The media host and the files API: ranges, leaks, and files that are not what they should be."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import httpx
import pytest

from local.replicate import file_routes, uploads
from local.replicate.signing import download_query
from tests.fakes.simulator_client import Talk, talking


@pytest.fixture(scope="module")
def talk() -> Iterator[Talk]:
    with talking() as talk:
        yield talk


@pytest.fixture
def anonymous() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=20) as client:
        yield client


def output(talk: Talk, prompt: str) -> str:
    url: str = talk.run(prompt, input={"output_format": "png"})["output"][0]
    return url


def test_a_file_has_length_type_and_etag_and_comes_in_parts(talk: Talk, anonymous: httpx.Client) -> None:
    url = output(talk, "a kite")
    whole = anonymous.get(url)
    assert (whole.status_code, whole.headers["content-type"]) == (200, "image/png")
    assert int(whole.headers["content-length"]) == len(whole.content)
    part = anonymous.get(url, headers={"range": "bytes=100-199", "if-range": whole.headers["etag"]})
    assert (part.status_code, part.content) == (206, whole.content[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(whole.content)}"
    assert anonymous.get(url, headers={"range": "bytes=0-9", "if-range": '"other"'}).status_code == 200
    beyond = anonymous.get(url, headers={"range": f"bytes={len(whole.content)}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(whole.content)}")
    head = anonymous.head(url)
    assert (head.headers["content-length"], head.content) == (whole.headers["content-length"], b"")


def test_the_media_host_is_another_port_with_a_path_that_cannot_be_guessed(
    talk: Talk, anonymous: httpx.Client
) -> None:
    url = output(talk, "a kite")
    assert urlsplit(url).port != urlsplit(talk.simulator.api_base).port
    assert len(urlsplit(url).path.split("/")[2]) >= 40
    assert anonymous.get(f"{talk.simulator.media_base}/xezq/guess/out-0.png").status_code == 404
    assert anonymous.get(url.replace("out-0", "out-1")).status_code == 404


def test_a_token_that_reaches_the_media_host_is_a_leak(talk: Talk, anonymous: httpx.Client) -> None:
    talk.http.post("/_sim/reset")
    url = output(talk, "a kite")
    anonymous.get(url)
    assert talk.http.get("/_sim/leaks").json() == {"requests": 1, "leaks": []}
    talk.http.get(url)
    [leak] = talk.http.get("/_sim/leaks").json()["leaks"]
    assert (leak["path"], leak["token"]) == (urlsplit(url).path, talk.creates()[-1]["auth"])
    assert len(talk.http.get("/_sim/media").json()["requests"]) == 2


def test_expired_empty_and_wrong_files(talk: Talk, anonymous: httpx.Client) -> None:
    assert anonymous.get(output(talk, "[sim:expired-output]")).status_code == 404
    empty = anonymous.get(output(talk, "[sim:empty-output]"))
    assert (empty.status_code, empty.content, empty.headers["content-length"]) == (200, b"", "0")
    wrong = anonymous.get(output(talk, "[sim:wrong-type]"))
    assert wrong.headers["content-type"] == "image/png"
    assert wrong.text.startswith("<!doctype html>")


def test_a_huge_file_is_made_while_it_is_sent_and_resumes_with_the_same_bytes(
    talk: Talk, anonymous: httpx.Client
) -> None:
    url = output(talk, "[sim:huge-output=20MB]")
    digest, size = hashlib.sha256(), 0
    with anonymous.stream("GET", url) as answer:
        assert answer.headers["content-length"] == "20000000"
        for chunk in answer.iter_bytes():
            digest.update(chunk)
            size += len(chunk)
    assert size == 20_000_000
    parts = hashlib.sha256()
    for part in ("0-7000000", "7000001-13000000", "13000001-"):
        parts.update(anonymous.get(url, headers={"range": f"bytes={part}"}).content)
    assert parts.hexdigest() == digest.hexdigest()
    assert anonymous.get(url, headers={"range": "bytes=0-7"}).content == b"\x89PNG\r\n\x1a\n"


def test_a_slow_file_trickles(talk: Talk, anonymous: httpx.Client) -> None:
    url = output(talk, "[sim:slow-output=500ms]")
    with anonymous.stream("GET", url) as answer:
        chunks = list(answer.iter_raw())
        assert sum(map(len, chunks)) == int(answer.headers["content-length"])
    assert len(chunks) > 5
    assert answer.elapsed.total_seconds() >= 0.4


def test_a_truncated_file_breaks_off_and_can_be_resumed(talk: Talk, anonymous: httpx.Client) -> None:
    url = output(talk, "[sim:truncated-output]")
    received = b""
    with anonymous.stream("GET", url) as answer, suppress(httpx.RemoteProtocolError):
        for chunk in answer.iter_raw():
            received += chunk
    assert 0 < len(received) < int(answer.headers["content-length"])
    rest = anonymous.get(url, headers={"range": f"bytes={len(received)}-"})
    assert rest.status_code == 206
    assert (received + rest.content)[-8:] == b"IEND\xaeB`\x82"


@pytest.mark.parametrize(
    ("marker", "location"),
    [
        ("redirect-inside", "http://127.0.0.1:1/"),
        (
            "redirect-inside=http://169.254.169.254/latest/meta-data/",
            "http://169.254.169.254/latest/meta-data/",
        ),
        ("redirect-outside", "https://example.com/out"),
    ],
)
def test_redirects_lead_where_they_should_not(
    talk: Talk, anonymous: httpx.Client, marker: str, location: str
) -> None:
    answer = anonymous.get(output(talk, f"[sim:{marker}]"))
    assert (answer.status_code, answer.headers["location"]) == (302, location)


def test_a_harmless_redirect_leads_to_the_file(talk: Talk, anonymous: httpx.Client) -> None:
    url = output(talk, "[sim:redirect-output]")
    assert anonymous.get(url).status_code == 302
    assert anonymous.get(url, follow_redirects=True).content.startswith(b"\x89PNG")


def test_wait_mode_gives_urls_where_the_file_is_to_misbehave(talk: Talk) -> None:
    prediction = talk.create("[sim:expired-output]", headers={"prefer": "wait"})
    assert prediction["output"][0].startswith(talk.simulator.media_base)


def test_an_upload_is_described_listed_downloaded_and_deleted(talk: Talk, anonymous: httpx.Client) -> None:
    parts = {
        "content": ("hello.txt", b"hello", "text/plain"),
        "metadata": (None, b'{"a": 1}', "application/json"),
    }
    made = talk.http.post("/v1/files", files=parts)
    file = made.json()
    assert (made.status_code, file["name"], file["content_type"], file["size"]) == (
        201,
        "hello.txt",
        "text/plain",
        5,
    )
    assert file["checksums"] == {"sha256": hashlib.sha256(b"hello").hexdigest()}
    assert file["metadata"] == {"a": 1}
    path = f"/v1/files/{file['id']}"
    assert talk.http.get(path).json() == file
    assert file in talk.http.get("/v1/files").json()["results"]
    assert talk.http.get(path, headers={"authorization": "Bearer r8_other"}).status_code == 404
    query = download_query(
        file_routes.SIGNING_KEY, owner="simulator", file_id=file["id"], expiry=4_000_000_000
    )
    assert anonymous.get(f"{talk.simulator.api_base}{path}/download?{query}").content == b"hello"
    assert anonymous.get(f"{talk.simulator.api_base}{path}/download?{query}x").status_code == 404
    late = download_query(
        file_routes.SIGNING_KEY, owner="simulator", file_id=file["id"], expiry=1_000_000_000
    )
    assert anonymous.get(f"{talk.simulator.api_base}{path}/download?{late}").status_code == 404
    assert talk.http.delete(path).status_code == 204
    gone = talk.http.get(path)
    assert (gone.status_code, gone.json()["detail"]) == (404, "File not found")


def test_an_upload_is_gone_after_its_hour(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    file = talk.http.post("/v1/files", files={"content": ("x.txt", b"x")}).json()
    created, expires = (datetime.fromisoformat(file[name]) for name in ("created_at", "expires_at"))
    assert expires - created == timedelta(hours=1)
    monkeypatch.setattr(uploads, "LIFETIME", timedelta(0))
    assert talk.http.get(f"/v1/files/{file['id']}").status_code == 404
    assert talk.http.get("/v1/files").json()["results"] == []


def test_uploads_without_content_or_over_the_limit_are_refused(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert talk.http.post("/v1/files", data={"filename": "x"}).status_code == 400
    files = {"content": ("x.bin", b"x" * 2000)}
    assert talk.http.post("/v1/files", files=files, data={"metadata": "no json"}).status_code == 400
    monkeypatch.setattr(file_routes, "MAX_BYTES", 1000)
    refused = talk.http.post("/v1/files", files=files)
    assert (refused.status_code, refused.json()["detail"]) == (413, "Files must be less than 100MB in size")
    monkeypatch.setattr(file_routes, "FORM_ROOM", -1000)
    assert talk.http.post("/v1/files", files=files).status_code == 413
