"""Replicate's error answers: one exception that carries the status and the body as Replicate words them."""

from typing import Any

ERROR_MEDIA_TYPE = "application/problem+json"


class ApiProblemError(Exception):
    """An answer that is not a success; the API turns it into a response."""

    def __init__(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        super().__init__(body.get("detail", status))
        self.status = status
        self.body = body
        self.headers = headers or {}


def problem(status: int, title: str, detail: str, **extra: Any) -> ApiProblemError:
    """A problem body with ``title``, ``detail`` and ``status``, and whatever else Replicate adds for it."""
    return ApiProblemError(status, {"title": title, "detail": detail, "status": status, **extra})


def unauthenticated(*, passed: bool) -> ApiProblemError:
    """401 in both of Replicate's wordings: no token, or a token that is not valid."""
    detail = (
        "You did not pass a valid authentication token"
        if passed
        else "You did not pass an authentication token"
    )
    return problem(401, "Unauthenticated", detail)


def bad_request(detail: str) -> ApiProblemError:
    """400 for what cannot be read."""
    return problem(400, "Bad request", detail)


def not_found(detail: str = "The requested resource could not be found.") -> ApiProblemError:
    """404; the detail differs for files."""
    return ApiProblemError(404, {"detail": detail, "status": 404})


def invalid_version() -> ApiProblemError:
    """422 for a version or model that does not exist or is not the account's to use."""
    return problem(
        422,
        "Invalid version or not permitted",
        "The specified version does not exist (or perhaps you don't have permission to use it?)",
    )


def invalid_input(fields: list[dict[str, str]]) -> ApiProblemError:
    """422 with one line per wrong field in ``detail`` and the same in ``invalid_fields``."""
    lines = [
        f"- {f['field']}: {f['description']}\n" if f["field"] else f"- {f['description']}\n" for f in fields
    ]
    return problem(422, "Input validation failed", "".join(lines), invalid_fields=fields)


def insufficient_credit() -> ApiProblemError:
    """402, as an account without credit sees it."""
    return problem(
        402,
        "Insufficient credit",
        "You have insufficient credit to run this model. Go to https://replicate.com/account/billing#billing to "
        "purchase credit. Once you purchase credit, please wait a few minutes before trying again.",
    )


def throttled(retry_after: int) -> ApiProblemError:
    """429 with the wait in whole seconds, in the body and in ``Retry-After``."""
    answer = problem(
        429,
        "Request was throttled",
        f"Request was throttled. Your rate limit resets in ~{retry_after}s.",
        retry_after=retry_after,
    )
    answer.headers["Retry-After"] = str(retry_after)
    return answer


def server_error(status: int) -> ApiProblemError:
    """A 5xx that is JSON."""
    return problem(status, "Internal server error", "Something went wrong on our side. Please try again.")


def file_too_large() -> ApiProblemError:
    """413 of the files API."""
    return problem(413, "Request Entity Too Large", "Files must be less than 100MB in size")
