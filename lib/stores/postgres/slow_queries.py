"""Slow statements in the log, each with its plan now and then."""

import logging
import time
from collections.abc import Callable

logger = logging.getLogger(__name__)

PLAN_EVERY_SECONDS = 600.0
LONGEST_STATEMENT = 2000  # characters
MOST_STATEMENTS = 500  # whose last plan is remembered


class SlowQueryLog:
    """Writes one warning for each slow statement: its text without parameters, its duration in ms, and its plan.

    The plan is asked for at most once in `plan_every_seconds` for each statement, so that a record that is slow
    all over is not asked for more. There is none before Postgres 16, nor after a failure.
    """

    def __init__(
        self,
        threshold_ms: int,
        *,
        plan_every_seconds: float = PLAN_EVERY_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._threshold_seconds = threshold_ms / 1000
        self._plan_every_seconds = plan_every_seconds
        self._monotonic = monotonic
        self._planned: dict[str, float] = {}

    @property
    def threshold_seconds(self) -> float:
        """From how long on a statement is slow."""
        return self._threshold_seconds

    def __call__(self, statement: str, seconds: float, plan: Callable[[], str | None]) -> None:
        """Log it."""
        text = " ".join(statement.split())[:LONGEST_STATEMENT]
        extra = {
            "event": "slow_statement",
            "statement": text,
            "durationMs": round(seconds * 1000),
            "plan": plan() if self._wants_plan(text) else None,
        }
        logger.warning("slow statement", extra=extra)

    def _wants_plan(self, text: str) -> bool:
        now = self._monotonic()
        last = self._planned.get(text)
        if last is not None and now - last < self._plan_every_seconds:
            return False
        if len(self._planned) >= MOST_STATEMENTS:
            self._planned.clear()
        self._planned[text] = now
        return True


def slow_query_log(threshold_ms: int) -> SlowQueryLog | None:
    """The log of statements that take so many ms; None, which watches nothing, for 0."""
    return SlowQueryLog(threshold_ms) if threshold_ms > 0 else None
