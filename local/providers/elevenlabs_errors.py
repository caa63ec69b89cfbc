"""ElevenLabs's errors in their three forms."""

import secrets
from collections.abc import Mapping

from starlette.responses import JSONResponse, Response

STATUSES: Mapping[str, int] = {
    "validation_error": 400,
    "authentication_error": 401,
    "payment_required": 402,
    "authorization_error": 403,
    "not_found": 404,
    "rate_limit_error": 429,
    "internal_error": 500,
    "service_unavailable": 503,
}


def request_id() -> str:
    """As ElevenLabs's are: 20 letters and digits."""
    return secrets.token_hex(10)


def refusal(
    kind: str, code: str, message: str, *, param: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """The present form: ``detail`` with ``type`` and ``code``."""
    identity = request_id()
    detail = {"type": kind, "code": code, "message": message, "status": code, "request_id": identity}
    if param:
        detail["param"] = param
    return JSONResponse({"detail": detail}, STATUSES[kind], {"request-id": identity, **(headers or {})})


def old_refusal(status: int, word: str, message: str, **more: object) -> Response:
    """The older form, still met: ``detail`` with ``status`` and ``message``."""
    return JSONResponse({"detail": {"status": word, "message": message, **more}}, status)


def invalid_list(*problems: tuple[str, str]) -> Response:
    """FastAPI's list: pairs of a dotted place and what is wrong there."""
    detail = [{"loc": place.split("."), "msg": message, "type": "value_error"} for place, message in problems]
    return JSONResponse({"detail": detail}, 422)


def by_status(status: int, retry_after: int) -> Response:
    """What a request fault is answered with."""
    words = f"simulated {status}"
    match status:
        case 401:
            return refusal("authentication_error", "invalid_api_key", words)
        case 402:
            return refusal("payment_required", "insufficient_credits", words)
        case 422:
            return invalid_list(("body.text", words))
        case 429:
            wait = {"retry-after": str(retry_after)}
            return refusal("rate_limit_error", "rate_limit_exceeded", words, headers=wait)
        case 503:
            return refusal("service_unavailable", "service_unavailable", words)
        case _:
            return refusal("internal_error", "internal_error", words)
