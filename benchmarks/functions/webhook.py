"""A warm `process_webhook`: one round trip, to the queue; nothing is downloaded before the answer."""

import json
import time
from typing import Any

from benchmarks.bench import Bench
from benchmarks.callers import Caller, small_image
from benchmarks.figures import Bound, Figure, Measurement
from benchmarks.functions.counting import count_trips
from benchmarks.functions.invocation import endpoints_of, http_event, query_of
from lib.aws.secrets import plain_value
from lib.domain.webhook_token import CallbackTarget, callback_url
from local.cloud import LocalCloud
from local.replicate.signing import webhook_headers
from local.settings import STAGE

FUNCTION = "process-webhook"
ROUTE = "POST /webhook/{provider}"
COUNTED_CALLS = 10


def measure(bench: Bench) -> Measurement:
    """Deliver a finished prediction's webhook again and again, each time with another id."""
    cloud = bench.cloud()
    with Caller(endpoints_of(cloud)) as caller:
        events = _events(cloud, caller, COUNTED_CALLS + 2)
    trips = count_trips(cloud, FUNCTION, warm=events[:2], counted=events[2:])
    return Measurement(
        "Webhook",
        [
            Figure("webhook: round trips in all", trips.in_all, 1),
            Figure(
                "webhook: round trips to the queue", trips.by_server.get("queue", 0), 1, bound=Bound.AT_LEAST
            ),
        ],
        [f"The most of any of {COUNTED_CALLS} signed deliveries: {trips}."],
    )


def _events(cloud: LocalCloud, caller: Caller, number: int) -> list[dict[str, Any]]:
    job = caller.completed(small_image("a bridge"))
    body = json.dumps(caller.prediction(job["providerJobId"])).encode()
    secret = caller.simulator.get(
        "/v1/webhooks/default/secret",
        headers={"Authorization": f"Bearer {_secret(cloud, 'providers/replicate')}"},
    )
    signing_key = secret.raise_for_status().json()["key"]
    target = CallbackTarget("replicate", job["jobId"], 1)
    query = query_of(callback_url("http://127.0.0.1", _secret(cloud, "webhook/token-key"), target))
    now = int(time.time())
    return [
        http_event(
            ROUTE,
            "/webhook/replicate",
            query=query,
            body=body,
            headers={
                "Content-Type": "application/json",
                **webhook_headers(
                    [signing_key], message_id=f"msg_benchmark_{now}_{n}", timestamp=now, body=body
                ),
            },
        )
        for n in range(number)
    ]


def _secret(cloud: LocalCloud, name: str) -> str:
    full = f"vsl/{STAGE}/{name}"
    value = cloud.aws().client("secretsmanager").get_secret_value(SecretId=full)["SecretString"]
    return plain_value(full, value)
