"""When another model may be tried: each kind of failure, each kind of key, and how long is waited first."""

import pytest

from lib.domain.fallback import LONGEST_WAIT_SECONDS, PATIENCE, gives_way, may_fall_back
from lib.domain.provider import Failure, FailureKind

OF_THE_CALLER = {FailureKind.MODERATION, FailureKind.INVALID_INPUT, FailureKind.CANCELED}
OF_THE_KEY = {FailureKind.AUTHENTICATION, FailureKind.BILLING}


def failure(kind: FailureKind, *, unbilled: bool = True) -> Failure:
    """A failure of this kind."""
    return Failure(kind, "words", unbilled=unbilled)


@pytest.mark.parametrize("kind", FailureKind)
def test_another_model_may_follow_unless_it_is_billed_or_against_the_caller_or_about_their_key(
    kind: FailureKind,
) -> None:
    may = kind not in OF_THE_CALLER
    assert may_fall_back(failure(kind), own_key=False) is may
    assert may_fall_back(failure(kind), own_key=True) is (may and kind not in OF_THE_KEY)
    assert not may_fall_back(failure(kind, unbilled=False), own_key=False)


@pytest.mark.parametrize(
    ("kind", "wait", "submits", "gives"),
    [
        (FailureKind.RATE_LIMITED, LONGEST_WAIT_SECONDS, PATIENCE - 1, False),
        (FailureKind.RATE_LIMITED, LONGEST_WAIT_SECONDS + 1, 1, True),
        (FailureKind.RATE_LIMITED, 1.0, PATIENCE, True),
        (FailureKind.CIRCUIT_OPEN, 1.0, 1, True),
        (FailureKind.MODERATION, LONGEST_WAIT_SECONDS + 1, PATIENCE, False),
    ],
)
def test_a_submit_that_was_not_taken_gives_way_after_a_long_wait_or_many_tries(
    kind: FailureKind, wait: float, submits: int, gives: bool
) -> None:
    assert gives_way(failure(kind), wait, submits) is gives
    assert not gives_way(failure(kind, unbilled=False), wait, submits)
