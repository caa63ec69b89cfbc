"""All problems that callers can meet, from the error tree itself."""

from collections.abc import Iterator

from lib.api.problem import MethodNotAllowedError, status_of
from lib.domain.errors import ConfigurationError, GatewayError, OutputError, ProviderError
from lib.domain.provider import FailureKind

NEVER_ANSWERED = frozenset({OutputError, ConfigurationError, ProviderError})


def problem_rows() -> list[tuple[str, str, str]]:
    """(code, HTTP status, meaning), by status and code; an error without a code of its own is told as its parent."""
    rows = [
        (kind.code, str(_status(kind)), (kind.__doc__ or "").partition("\n")[0])
        for kind in _below(GatewayError)
        if "code" in vars(kind) and kind not in NEVER_ANSWERED
    ]
    rows.append(("internal_error", "500", "Something went wrong in the gateway."))
    for failure in FailureKind:
        error = ProviderError("", code=failure.value)
        rows.append(
            (failure.value, str(status_of(error)), "The provider refused the job; detail has its words.")
        )
    return sorted(rows, key=lambda row: (row[1], row[0]))


def _status(kind: type[GatewayError]) -> int:
    return 405 if kind is MethodNotAllowedError else status_of(kind(""))


def _below(kind: type[GatewayError]) -> Iterator[type[GatewayError]]:
    for child in kind.__subclasses__():
        if child.__module__ in ("lib.domain.errors", "lib.api.problem"):
            yield child
            yield from _below(child)
