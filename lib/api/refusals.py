"""Which answers tell of somebody who was refused something: the one table from errors to security events."""

from lib.api import incoming
from lib.api.operations import Operation, operation_at
from lib.aws.redaction import redact
from lib.domain.actor import Actor
from lib.domain.caller import Origin
from lib.domain.errors import (
    ForbiddenError,
    GatewayError,
    NotFoundError,
    RateLimitedError,
    UnauthenticatedError,
)
from lib.domain.ids import parse_job_id
from lib.domain.observations import SecurityEventKind as Kind
from lib.domain.security_event import Refusal

FORGERIES = frozenset({"webhook_token_wrong", "webhook_signature_wrong", "upload_token_wrong"})
LONGEST_DETAIL = 100


def refusal_of(
    error: GatewayError, event: incoming.Event, actor: Actor | None, request_id: str | None
) -> Refusal | None:
    """What was refused by this error; None for errors that refuse nobody anything.

    Of a webhook the job is what the sender says: it proved nothing.
    """
    http = (event.get("requestContext") or {}).get("http") or {}
    path = str(event.get("rawPath", ""))
    operation = operation_at(str(http.get("method", "")), path)
    named = (operation.parameters_in(path) if operation else None) or {}
    job_id, output_id = parse_job_id(named.get("jobId", "")), parse_job_id(named.get("outputId", ""))
    kind = _kind(error, event, known=actor is not None, about=job_id or output_id)
    if kind is None:
        return None
    if kind is Kind.FORGED_WEBHOOK:
        job_id = parse_job_id(incoming.query(event).get("job", ""))
    seen = incoming.origin(event)
    return Refusal(
        kind=kind,
        user_id=actor.user_id if actor else None,
        job_id=job_id,
        output_id=output_id,
        origin=Origin(seen.client_ip, redact(seen.user_agent) if seen.user_agent else None),
        request_id=redact(request_id) if request_id else None,
        details=_details(error, operation, named),
    )


def _kind(error: GatewayError, event: incoming.Event, *, known: bool, about: str | None) -> Kind | None:
    match error:
        case UnauthenticatedError() if error.code in FORGERIES:
            return Kind.FORGED_WEBHOOK
        case UnauthenticatedError() if error.code == UnauthenticatedError.code:
            return Kind.WRONG_KEY if incoming.presented_key(event) else None
        case RateLimitedError():
            return Kind.RATE_LIMITED
        case ForbiddenError():
            return Kind.ACCESS_REFUSED
        case NotFoundError() if known and about is not None:
            return Kind.ACCESS_REFUSED
        case _:
            return None


def _details(error: GatewayError, operation: Operation | None, named: dict[str, str]) -> dict[str, str]:
    details = {"code": error.code}
    if operation is not None:
        details["operation"] = operation.name
    if "provider" in named:
        details["provider"] = redact(named["provider"][:LONGEST_DETAIL])
    return details
