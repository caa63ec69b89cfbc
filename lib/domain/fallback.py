"""When another model may be tried: only where the provider provably charges nothing, and not against the caller."""

from lib.domain.provider import Failure, FailureKind

LONGEST_WAIT_SECONDS = 60.0
"""A provider that asks for a longer pause gives way to a planned fallback."""
PATIENCE = 3
"""After so many submits that were not taken a fallback is tried."""

_THE_CALLERS = frozenset({FailureKind.MODERATION, FailureKind.INVALID_INPUT, FailureKind.CANCELED})
_OF_THE_KEY = frozenset({FailureKind.AUTHENTICATION, FailureKind.BILLING})


def may_fall_back(failure: Failure, *, own_key: bool) -> bool:
    """Whether a planned fallback may follow this failure of an attempt, made with a key of the user's own or not.

    Never after a refusal of what was asked for: another provider is not to be talked into it. Nor after trouble with
    a key that the user brought: they must hear of it, and not pay for another.
    """
    if not failure.unbilled or failure.kind in _THE_CALLERS:
        return False
    return not (own_key and failure.kind in _OF_THE_KEY)


def gives_way(failure: Failure, wait_seconds: float, submits: int) -> bool:
    """Whether a submit that was not taken gives way to a fallback instead of waiting.

    One that is sent again because that is safe, and not because it was not taken, does not.
    """
    if not failure.unbilled or failure.kind in _THE_CALLERS:
        return False
    return (
        failure.kind is FailureKind.CIRCUIT_OPEN or wait_seconds > LONGEST_WAIT_SECONDS or submits >= PATIENCE
    )
