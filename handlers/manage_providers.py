"""`/providers`: AI providers and what they can do; users' own keys there, put, shown in part, tested, taken away."""

from typing import Any

from aws_lambda_powertools.event_handler import Response

from lib import bootstrap
from lib.api import incoming, operations
from lib.api.credential_views import check_view, credential_view
from lib.api.function import Answered, HttpFunction, json_answer
from lib.api.rate_headers import refuse_if_over
from lib.domain.api_key import credential_limit_key
from lib.domain.caller import Caller
from lib.domain.errors import FieldError, InvalidError

LARGEST_KEY_BYTES = 64 * 1024
MOST_AN_HOUR = 120
"""Keys put and tested by one user: each leaves a row for good or asks a provider, and nobody is to sift found keys."""

http = HttpFunction(bootstrap.identify, bootstrap.report)


@http.route(operations.LIST_PROVIDERS)
def list_providers() -> Answered:
    """All providers, and what the caller could use of each."""
    from lib.domain.wire_json import wire_json  # noqa: PLC0415 - a key needs none of it

    standings = bootstrap.gateway().get_available_providers(http.caller(allow_stale=True))
    return json_answer(200, {"success": True, "data": wire_json(standings)})


@http.route(operations.GET_CAPABILITIES)
def get_capabilities(provider: str) -> Answered:
    """What a provider can do."""
    from lib.domain.wire_json import wire_json  # noqa: PLC0415 - as above

    http.caller(allow_stale=True)
    return json_answer(
        200, {"success": True, "data": wire_json(bootstrap.gateway().get_provider_capabilities(provider))}
    )


@http.route(operations.PUT_CREDENTIALS)
def put_credentials(provider: str) -> Answered:
    """Take a key of the caller's own, sealed before it is kept."""
    caller = _counted_caller()
    body = incoming.json_object(http.event, LARGEST_KEY_BYTES, secret=True)
    stored = bootstrap.credential_vault().put(caller, provider, body, incoming.origin(http.event))
    return json_answer(200, credential_view(stored))


@http.route(operations.GET_CREDENTIALS)
def get_credentials(provider: str) -> Answered:
    """What may be shown of the caller's key."""
    return json_answer(200, credential_view(bootstrap.credential_vault().get(http.caller(), provider)))


@http.route(operations.DELETE_CREDENTIALS)
def delete_credentials(provider: str) -> Answered:
    """Take the caller's key away from new jobs."""
    bootstrap.credential_vault().delete(http.caller(), provider, incoming.origin(http.event))
    return Response(204, headers={"Cache-Control": "no-store"}, body="")


@http.route(operations.TEST_PROVIDER)
def test_provider(provider: str) -> Answered:
    """Ask the provider whether the key is good: the caller's own, or for an admin the operator's."""
    if _source(incoming.query(http.event)) == "platform":
        http.admin()
        return json_answer(200, check_view(bootstrap.check_credential().platform(provider)))
    return json_answer(
        200, check_view(bootstrap.gateway().test_provider_connection(_counted_caller(), provider))
    )


def handler(event: incoming.Event, context: Any) -> dict[str, Any]:
    """The Lambda function."""
    return http(event, context)


def _counted_caller() -> Caller:
    """Who puts or tests a key. Raises RateLimitedError, as well as what `HttpFunction.caller` does."""
    caller = http.caller()
    key, now = credential_limit_key(caller.user_id), bootstrap.clock()
    refuse_if_over(bootstrap.shared_cache().count(key, MOST_AN_HOUR, 3600, now), "keys were put or tested")
    return caller


def _source(query: Any) -> str:
    source = query.get("source", "own")
    if source not in ("own", "platform"):
        raise InvalidError("source is wrong", errors=[FieldError("source", "must be own or platform")])
    return str(source)
