"""Our forms on the wire are those that requests and httpx make of the same fields: Stability has no client itself."""

import base64
import io
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest
import requests

from lib.domain.provider import Credential, RemoteJob, Submission
from lib.ports.provider import Operation
from lib.providers.stability import StabilityAdapter
from lib.providers.transport import RequestsTransport
from tests.fakes.multipart import parts_of
from tests.fakes.scripted_http import Received, Say, ScriptedServer, serving

KEY = Credential("stability", "sk-contract")
HEADERS = {"Authorization": "Bearer sk-contract", "Accept": "image/*"}
PIXELS = bytes(range(256)) * 3
RESULT_ID = "a6dc6c6e20acda010fe14d71f180658f2896ed9b4ec25aa99a6ff06c796987c4"
TEXTS = {"prompt": 'a "red" fox; café\r\nat night', "seed": "7", "output_format": "webp"}

Theirs = Callable[[str, Mapping[str, str], bytes | None], object]


def by_requests(url: str, fields: Mapping[str, str], image: bytes | None) -> object:
    """As the examples of Stability's reference: `files` has something even where there is no file."""
    files: Any = {"image": ("image.png", io.BytesIO(image), "image/png")} if image else {"none": ""}
    return requests.post(url, headers=HEADERS, data=fields, files=files, timeout=5)


def by_httpx(url: str, fields: Mapping[str, str], image: bytes | None) -> object:
    files: Any = {"image": ("image.png", image, "image/png")} if image else {"none": (None, b"")}
    return httpx.post(url, headers=HEADERS, data=fields, files=files, trust_env=False)


def ours(server: ScriptedServer, fields: Mapping[str, str], image: bytes | None) -> Received:
    values: dict[str, Any] = dict(fields)
    if image:
        values["image"] = f"data:image/png;base64,{base64.b64encode(image).decode()}"
    adapter = StabilityAdapter(base_url=server.url)
    submission = Submission("j1", 1, "stable-image/generate/ultra", values, 600)
    transport = RequestsTransport()
    transport.send(
        adapter.submit_request(submission, KEY, None), provider="stability", operation=Operation.GENERATE
    )
    transport.close()
    return server.received[-1]


@pytest.mark.parametrize("send_theirs", [by_requests, by_httpx])
@pytest.mark.parametrize("image", [None, PIXELS], ids=["texts", "texts and a file"])
def test_the_same_form_is_on_the_wire(send_theirs: Theirs, image: bytes | None) -> None:
    with serving(Say(body=b"{}", headers={"Content-Type": "application/json"})) as server:
        send_theirs(f"{server.url}/v2beta/stable-image/generate/ultra", TEXTS, image)
        theirs, mine = server.received[-1], ours(server, TEXTS, image)
    assert (mine.method, mine.path) == (theirs.method, theirs.path)
    for name in ("authorization", "accept"):
        assert mine.headers[name] == theirs.headers[name]
    their_parts = parts_of(theirs.headers["content-type"], theirs.body)
    # the empty part is what makes their libraries send a form without a file; ours needs none
    wanted = [part for part in their_parts if part.name != "none"]
    assert parts_of(mine.headers["content-type"], mine.body) == wanted


@pytest.mark.parametrize(
    ("model_ref", "path", "accept"),
    [
        ("stable-image/upscale/creative", f"/v2beta/results/{RESULT_ID}", "image/*"),
        ("audio/stable-audio/text-to-audio", f"/v2beta/audio/results/{RESULT_ID}", "audio/*"),
    ],
)
def test_a_result_is_asked_for_with_the_key_alone(model_ref: str, path: str, accept: str) -> None:
    with serving(Say(202, b"{}", {"Content-Type": "application/json"})) as server:
        request = StabilityAdapter(base_url=server.url).poll_request(RemoteJob(RESULT_ID, model_ref), KEY)
        assert request is not None
        transport = RequestsTransport()
        transport.send(request, provider="stability", operation=Operation.POLL)
        transport.close()
        received = server.received[-1]
    assert (received.method, received.path, received.body) == ("GET", path, b"")
    assert (received.headers["authorization"], received.headers["accept"]) == ("Bearer sk-contract", accept)
