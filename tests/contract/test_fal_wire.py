"""Our adapter over our transport says on the wire what fal's official client says."""

import json
from collections.abc import Callable

import pytest
from fal_client import SyncClient

from lib.domain.http_exchange import HttpRequest
from lib.domain.provider import Credential, RemoteJob, Submission
from lib.ports.provider import Operation
from lib.providers.fal import FalAdapter
from lib.providers.transport import RequestsTransport
from tests.fakes.fal_hosts import fal_client_of
from tests.fakes.scripted_http import Received, Say, ScriptedServer, serving
from tests.fakes.stored_answers import stored_answer

KEY = Credential("fal", "id:secret")
MODEL = "fal-ai/kling-video/v2.6/pro/text-to-video"
ID = "764cabcf-b745-4b3e-ae38-1200304cf45b"
INPUT = {"prompt": "a red fox, café", "duration": "5", "image_size": {"width": 512, "height": 512}}
CALLBACK = "https://gateway.example/webhook/fal?job=j1&attempt=1&token=t"
LIFE = '{"expiration_duration_seconds":86400}'

Theirs = Callable[[SyncClient], object]
Ours = Callable[[FalAdapter], HttpRequest]


def submission() -> Submission:
    return Submission("j1", 1, MODEL, INPUT, 600)


CALLS: dict[str, tuple[str, Theirs, Ours]] = {
    "submit": (
        "accepted",
        lambda client: client.submit(MODEL, INPUT, start_timeout=600),
        lambda ours: ours.submit_request(submission(), KEY, None),
    ),
    "submit with a webhook": (
        "accepted",
        lambda client: client.submit(MODEL, INPUT, webhook_url=CALLBACK, start_timeout=600),
        lambda ours: ours.submit_request(submission(), KEY, CALLBACK),
    ),
    "status": (
        "completed",
        lambda client: client.status(MODEL, ID),
        lambda ours: ours.poll_request(RemoteJob(ID, MODEL), KEY),
    ),
    "cancel": (
        "cancel_requested",
        lambda client: client.cancel(MODEL, ID),
        lambda ours: ours.cancel_request(RemoteJob(ID, MODEL), KEY),
    ),
}


def said(name: str) -> Say:
    stored = stored_answer("fal", name)
    return Say(stored.status, stored.body, {"Content-Type": stored.headers["content-type"]})


def send_theirs(server: ScriptedServer, call: Theirs) -> Received:
    with fal_client_of(server.url, KEY.secret) as client:
        call(client)
    return server.received[-1]


def send_ours(server: ScriptedServer, build: Ours) -> Received:
    transport = RequestsTransport()
    adapter = FalAdapter(queue_url=server.url)
    transport.send(build(adapter), provider="fal", operation=Operation.SUBMIT)
    transport.close()
    return server.received[-1]


def on_the_wire(received: Received) -> tuple[object, ...]:
    return (
        received.method,
        received.path.removesuffix("?logs=false"),  # their client asks for what is the default
        received.headers.get("authorization"),
        received.headers.get("content-type"),
        received.headers.get("x-fal-request-timeout"),
        json.loads(received.body) if received.body else None,
    )


@pytest.mark.parametrize("call", CALLS)
def test_we_say_what_the_official_client_says(call: str) -> None:
    name, theirs, ours = CALLS[call]
    with serving(said(name)) as server:
        assert on_the_wire(send_ours(server, ours)) == on_the_wire(send_theirs(server, theirs))


def test_a_result_is_asked_for_where_the_official_client_asks() -> None:
    with serving(said("completed"), said("result_images")) as server:
        theirs = send_theirs(server, lambda client: client.result(MODEL, ID))
    with serving(said("result_images")) as server:
        ours = send_ours(server, lambda adapter: adapter.result_request(RemoteJob(ID, MODEL), KEY))
    assert on_the_wire(ours) == on_the_wire(theirs)


def test_only_how_long_to_keep_files_is_said_beyond_the_official_client() -> None:
    name, theirs, ours = CALLS["submit"]
    with serving(said(name)) as server:
        sent = send_ours(server, ours)
        extra = set(sent.headers) - set(send_theirs(server, theirs).headers)
    assert extra == {"x-fal-object-lifecycle-preference"}
    assert sent.headers["x-fal-object-lifecycle-preference"] == LIFE


def test_a_submit_is_sent_once_whatever_comes_of_it() -> None:
    with serving(Say(503, b"{}", {"Content-Type": "application/json"})) as server:
        send_ours(server, CALLS["submit"][2])
        assert len(server.received) == 1
