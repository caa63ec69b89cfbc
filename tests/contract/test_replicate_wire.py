"""Our adapter over our transport says on the wire what Replicate's official client says."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from replicate.client import Client
from replicate.webhook import Webhooks, WebhookSigningSecret

from lib.domain.http_exchange import HttpRequest
from lib.domain.provider import Credential, OutputKind, RemoteJob, Submission
from lib.ports.provider import Operation
from lib.providers import standard_webhooks
from lib.providers.replicate import ReplicateAdapter
from lib.providers.transport import RequestsTransport
from tests.fakes.replicate_answers import PREDICTION_ID, answer, body_of
from tests.fakes.scripted_http import Received, Say, ScriptedServer, serving

TOKEN = "r8_contract"
KEY = Credential("replicate", TOKEN)
VERSION = "39ed52f2a78e934b3ba6e2a89f5b1c712de7dfea535525255b1aa35c5565e08b"
INPUT = {"prompt": "a red fox, café", "num_outputs": 2, "guidance": 3.5, "go_fast": True}
CALLBACK = "https://gateway.example/webhook/replicate?job=j1&attempt=1&token=t"
EVENTS = ["start", "completed"]
NEXT = "/v1/predictions?cursor=cD0yMDI2LTExLTIw&x=a%2Fb"

Theirs = Callable[[Client, str], object]
Ours = Callable[[ReplicateAdapter], HttpRequest]


def submission(model_ref: str) -> Submission:
    return Submission("j1", 1, model_ref, INPUT, 600)


def moment() -> datetime:
    return datetime(2026, 11, 20, tzinfo=UTC)


CALLS: dict[str, tuple[str, Theirs, Ours]] = {
    "create by name": (
        "created",
        lambda client, _: client.models.predictions.create("black-forest-labs/flux-schnell", INPUT),
        lambda ours: ours.submit_request(submission("black-forest-labs/flux-schnell"), KEY, None),
    ),
    "create by name with a webhook": (
        "created",
        lambda client, _: client.predictions.create(
            model="black-forest-labs/flux-schnell",
            input=INPUT,
            webhook=CALLBACK,
            webhook_events_filter=EVENTS,
        ),
        lambda ours: ours.submit_request(submission("black-forest-labs/flux-schnell"), KEY, CALLBACK),
    ),
    "create by version": (
        "created",
        lambda client, _: client.predictions.create(
            version=VERSION, input=INPUT, webhook=CALLBACK, webhook_events_filter=EVENTS
        ),
        lambda ours: ours.submit_request(submission(f"stability-ai/sdxl:{VERSION}"), KEY, CALLBACK),
    ),
    "get": (
        "processing",
        lambda client, _: client.predictions.get(PREDICTION_ID),
        lambda ours: ours.poll_request(RemoteJob(PREDICTION_ID), KEY),
    ),
    "cancel": (
        "canceled",
        lambda client, _: client.predictions.cancel(PREDICTION_ID),
        lambda ours: ours.cancel_request(RemoteJob(PREDICTION_ID), KEY),
    ),
    "next page": (
        "empty_page",
        lambda client, url: client.predictions.list(cursor=f"{url}{NEXT}"),
        lambda ours: ours.recover_request(moment(), moment(), KEY, f"{ours.base_url}{NEXT}"),
    ),
    "account": (
        "account",
        lambda client, _: client.accounts.current(),
        lambda ours: ours.test_request(KEY),
    ),
    "webhook secret": (
        "webhook_secret",
        lambda client, _: client.webhooks.default.secret(),
        lambda ours: ours.webhook_secret_request(KEY),
    ),
}


def said(name: str) -> Say:
    if name == "empty_page":
        return Say(body=json.dumps({"next": None, "previous": None, "results": []}).encode())
    stored = answer(name)
    return Say(stored.status, stored.body, {"Content-Type": stored.headers["content-type"]})


def send_theirs(server: ScriptedServer, call: Theirs) -> Received:
    client = Client(api_token=TOKEN, base_url=server.url)
    call(client, server.url)
    client._client.close()
    return server.received[-1]


def send_ours(server: ScriptedServer, build: Ours) -> Received:
    transport = RequestsTransport()
    request = build(ReplicateAdapter(base_url=server.url))
    transport.send(request, provider="replicate", operation=Operation.SUBMIT)
    transport.close()
    return server.received[-1]


def on_the_wire(received: Received) -> tuple[str, str, str | None, str | None, object]:
    return (
        received.method,
        received.path,
        received.headers.get("authorization"),
        received.headers.get("content-type"),
        json.loads(received.body) if received.body else None,
    )


@pytest.mark.parametrize("call", CALLS)
def test_we_say_what_the_official_client_says(call: str) -> None:
    name, theirs, ours = CALLS[call]
    with serving(said(name)) as server:
        assert on_the_wire(send_ours(server, ours)) == on_the_wire(send_theirs(server, theirs))


def test_a_listing_goes_where_the_official_client_lists() -> None:
    with serving(said("empty_page")) as server:
        theirs = send_theirs(server, lambda client, _: client.predictions.list())
        ours = send_ours(server, lambda adapter: adapter.recover_request(moment(), moment(), KEY))
    assert ours.path.partition("?")[0] == theirs.path


def test_only_the_deadline_is_said_beyond_the_official_client() -> None:
    name, theirs, ours = CALLS["create by version"]
    with serving(said(name)) as server:
        extra = set(send_ours(server, ours).headers) - set(send_theirs(server, theirs).headers)
    assert extra == {"cancel-after"}


@pytest.mark.parametrize("name", ["created", "processing", "succeeded_images", "succeeded_video", "canceled"])
def test_the_official_client_reads_the_stored_answers_as_we_do(name: str) -> None:
    with serving(said(name)) as server:
        client = Client(api_token=TOKEN, base_url=server.url)
        theirs = client.predictions.get(PREDICTION_ID)
        client._client.close()
    ours = ReplicateAdapter().parse_poll(answer(name))
    assert (ours.provider_job_id, ours.raw_status) == (theirs.id, theirs.status)
    urls = [output.value for output in ours.outputs if output.kind is OutputKind.URL]
    assert urls == (
        theirs.output if isinstance(theirs.output, list) else [theirs.output] * bool(theirs.output)
    )
    if theirs.progress is not None and theirs.status == "processing":
        assert ours.progress == theirs.progress.percentage


def test_the_official_check_accepts_our_signatures() -> None:
    secret = body_of("webhook_secret")["key"]
    body = answer("succeeded_video").body
    stamp = int(datetime.now(UTC).timestamp())
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(stamp),
        "webhook-signature": standard_webhooks.sign(secret, "msg_1", stamp, body),
    }
    Webhooks.validate(
        headers=headers, body=body.decode(), secret=WebhookSigningSecret(key=secret), tolerance=60
    )
    ReplicateAdapter().parse_webhook(headers, body, [secret], datetime.now(UTC))
