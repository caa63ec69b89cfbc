"""The `RateLimit-*` headers (draft-ietf-httpapi-ratelimit-headers-07), and the refusal that goes with them."""

from lib.domain.errors import RateLimitedError
from lib.ports.cache import RateDecision


def rate_headers(decision: RateDecision) -> dict[str, str]:
    """How many requests there are, are left, and after how many seconds they are all there again."""
    return {
        "RateLimit-Limit": str(decision.limit),
        "RateLimit-Remaining": str(decision.remaining),
        "RateLimit-Reset": str(decision.reset_seconds),
    }


def refuse_if_over(decision: RateDecision, what: str = "jobs were started") -> None:
    """Raise RateLimitedError for a decision against the caller; `what` is counted."""
    if not decision.allowed:
        raise RateLimitedError(
            f"more than {decision.limit} {what} this hour; "
            f"try again in {decision.retry_after_seconds} seconds",
            retry_after_seconds=decision.retry_after_seconds,
        )
