"""What every function behind the HTTP API does alike: routes by Powertools, problems, request ids, log."""

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from lib.api import incoming
from lib.api.compact_json import compact_json
from lib.api.operations import Operation, operations_at
from lib.api.problem import (
    MethodNotAllowedError,
    as_gateway_error,
    problem_body,
    problem_headers,
    status_of,
)
from lib.aws import logging as logs
from lib.domain.caller import Caller
from lib.domain.errors import ForbiddenError, GatewayError, NotFoundError
from lib.ports.actor import act_for, acting_as, current_actor
from lib.ports.correlation import current_request_id, working_for

if TYPE_CHECKING:
    from lib.domain.security_event import Refusal

logger = logging.getLogger(__name__)

REFUSING = frozenset({401, 403, 404, 429})

Answered = Response[Any]
Route = Callable[..., Answered]


class Identify(Protocol):
    """Finds out who presents a key."""

    def __call__(self, presented: str | None, *, allow_stale: bool = False) -> Caller:
        """The caller; see `lib.services.authenticate.Authenticator`."""


class HttpFunction:
    """One Lambda function of the HTTP API.

    `event` is the event that is being answered; what is put into `headers` meanwhile is on its answer, whether
    that is a success or a problem. Each request begins with nobody to act for; whom it acts for once its caller is
    known ends with it.

    Args:
        identify: finds out who presents a key.
        report: is told of what was refused.
    """

    def __init__(self, identify: Identify, report: Callable[["Refusal"], None]) -> None:
        self._identify = identify
        self._report = report
        self.resolver = APIGatewayHttpResolver()
        self.resolver.exception_handler(Exception)(self._problem)
        self.resolver.not_found(self._not_found)
        self.event: incoming.Event = {}
        self.headers: dict[str, str] = {}

    def route(self, operation: Operation) -> Callable[[Route], Route]:
        """Register the decorated function for an operation; it takes the path's parameters."""
        return self.resolver.route(
            operation.rule,
            method=operation.method,
            summary=operation.summary,
            operation_id=operation.name,
            tags=[operation.tag],
        )

    def __call__(self, event: incoming.Event, context: Any) -> dict[str, Any]:
        """Answer one event; never raises."""
        logs.configure()
        request_id = incoming.request_id(event)
        self.event, self.headers = event, {"X-Request-Id": request_id}
        with working_for(request_id), acting_as(None):
            try:
                answer = self.resolver.resolve(dict(event), context)
            except Exception as error:  # noqa: BLE001 - the last resort: an answer is owed, and the log has the reason
                answer = _plain(self._problem(error))
        answer["headers"] = {**answer.get("headers", {}), **self.headers}
        return answer

    def caller(self, *, allow_stale: bool = False) -> Caller:
        """Who is calling; the record acts for the caller for the rest of the request.

        With `allow_stale`, for reads, a key that was good a moment ago will do while the record is away. Raises
        UnauthenticatedError, RecordUnavailableError.
        """
        caller = self._identify(incoming.presented_key(self.event), allow_stale=allow_stale)
        self.act_for(caller)
        return caller

    def admin(self, *, allow_stale: bool = False) -> Caller:
        """As `caller`. Raises ForbiddenError for anybody but an admin."""
        caller = self.caller(allow_stale=allow_stale)
        if not caller.is_admin:
            raise ForbiddenError("this is for admins of the gateway")
        return caller

    def act_for(self, caller: Caller) -> None:
        """Act for a caller who was found out about otherwise, for the rest of the request."""
        act_for(caller.actor)

    def _problem(self, error: Exception) -> Answered:
        shown = as_gateway_error(error)
        status = status_of(shown)
        if status in REFUSING:
            self._tell(shown)
        if status == 500:
            logger.exception("unexpected error", exc_info=error)
        elif status == 503:
            logger.warning("not available", extra={"code": shown.code, "reason": str(error)})
        body = compact_json(problem_body(shown, current_request_id() or ""))
        return Response(status_code=status, body=body, headers=problem_headers(shown))

    def _tell(self, error: GatewayError) -> None:
        """Report what was refused, if anything was; whatever goes wrong with that, the answer is the same."""
        from lib.api.refusals import refusal_of  # noqa: PLC0415 - most requests refuse nothing

        try:
            refusal = refusal_of(error, self.event, current_actor(), current_request_id())
            if refusal is not None:
                self._report(refusal)
        except Exception as trouble:
            logger.exception("a refusal could not be told of", exc_info=trouble)

    def _not_found(self, _error: Exception) -> Answered:
        http = (self.event.get("requestContext") or {}).get("http") or {}
        method, path = str(http.get("method", "")), str(self.event.get("rawPath", ""))
        return self._problem(unknown_route(method, path))


def unknown_route(method: str, path: str) -> GatewayError:
    """The error for a path that is not served, or not by this method."""
    allowed = sorted(operation.method for operation in operations_at(path))
    if allowed and method not in allowed:
        return MethodNotAllowedError(
            f"{path[:200]} takes {' and '.join(allowed)}, not {method}", ", ".join(allowed)
        )
    return NotFoundError(f"there is nothing at {path[:200]}; GET /docs tells what there is")


def json_answer(status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Answered:
    """A JSON answer that nobody may keep."""
    return text_answer(status, compact_json(body), headers)


def text_answer(status: int, text: str, headers: Mapping[str, str] | None = None) -> Answered:
    """The same, of JSON that is text already."""
    return Response(
        status_code=status,
        content_type="application/json",
        body=text,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def _plain(response: Answered) -> dict[str, Any]:
    return {
        "statusCode": response.status_code,
        "headers": dict(response.headers),
        "body": response.body,
        "isBase64Encoded": False,
    }
