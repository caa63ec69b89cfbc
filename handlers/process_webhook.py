"""`POST /webhook/{provider}`: what a provider says of a prediction, checked and put into the queue."""

from typing import Any

from lib import bootstrap
from lib.api import incoming, operations
from lib.api.function import Answered, HttpFunction, json_answer
from lib.services.accept_webhook import Delivery

LIMIT_BYTES = 6 * incoming.MIB

http = HttpFunction(bootstrap.identify, bootstrap.report)


@http.route(operations.RECEIVE_WEBHOOK)
def receive(provider: str) -> Answered:
    """Accept the delivery."""
    headers = {name.lower(): value for name, value in (http.event.get("headers") or {}).items()}
    body = incoming.raw_body(http.event, LIMIT_BYTES)
    bootstrap.accept_webhook().accept(Delivery(provider, headers, incoming.query(http.event), body))
    return json_answer(200, {"received": True})


def handler(event: incoming.Event, context: Any) -> dict[str, Any]:
    """The Lambda function."""
    return http(event, context)
