"""Figures for operators, computed once in a while."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lib.domain.analytics import DailyReport, ProcessingReport, StorageReport
from lib.domain.errors import FieldError, InvalidError
from lib.domain.time_range import TimeRange, read_day_range, read_time_range
from lib.domain.wire_json import wire_json
from lib.ports.repositories import AnalyticsQueries
from lib.services.remembered import RememberedAnswers, actor_segment, digest

SYSTEM_SECONDS = 10
LONGEST_MODEL_ID = 200


@dataclass(frozen=True)
class Analytics:
    """The use cases of `GET /analytics/...`.

    Each answers JSON: the dataclass of `lib.domain.analytics` that is named, as `wire_json` writes it. Answers are
    kept for each actor, since each may see other rows, and for the cache's own time (CACHE_TTL_SECONDS) unless it is
    said otherwise; whether somebody may ask is for the caller to decide.

    Each raises InvalidError naming what is wrong with the range, RecordUnavailableError when the record is away.
    """

    queries: AnalyticsQueries
    cache: RememberedAnswers
    clock: Callable[[], datetime]

    def system(self) -> dict[str, Any]:
        """`SystemStatistics`, at most 10 seconds old."""
        return self._kept("system", lambda: self.queries.system_statistics(self.clock()), SYSTEM_SECONDS)

    def processing(
        self, from_: str | None = None, to: str | None = None, *, model_id: str | None = None
    ) -> dict[str, Any]:
        """`ProcessingReport` of jobs made in the range (the last 24 hours), of all models or of one."""
        wanted = read_time_range(from_, to, self.clock())
        _check_model(model_id)

        def compute() -> ProcessingReport:
            return ProcessingReport(
                from_=wanted.start,
                to=wanted.end,
                models=self.queries.model_metrics(wanted, model_id=model_id),
                steps=self.queries.step_metrics(wanted, model_id=model_id),
            )

        return self._kept(f"processing:{_name(wanted)}:{digest(model_id)}", compute)

    def storage(self, from_: str | None = None, to: str | None = None) -> dict[str, Any]:
        """`StorageReport` of jobs made in the range (the last 24 hours)."""
        wanted = read_time_range(from_, to, self.clock())

        def compute() -> StorageReport:
            return StorageReport(
                from_=wanted.start, to=wanted.end, operations=self.queries.storage_metrics(wanted)
            )

        return self._kept(f"storage:{_name(wanted)}", compute)

    def daily(self, from_: str | None = None, to: str | None = None) -> dict[str, Any]:
        """`DailyReport` of the days from `from` to `to`, both included (the last 30)."""
        wanted = read_day_range(from_, to, self.clock())

        def compute() -> DailyReport:
            return DailyReport(from_=wanted.first, to=wanted.last, days=self.queries.daily_stats(wanted))

        return self._kept(f"daily:{wanted.first}..{wanted.last}", compute)

    def _kept(self, what: str, compute: Callable[[], Any], seconds: float | None = None) -> dict[str, Any]:
        key = f"analytics:{actor_segment()}:{what}"
        answer: dict[str, Any] = self.cache.get_or_set(key, lambda: wire_json(compute()), seconds)
        return answer


def _name(wanted: TimeRange) -> str:
    """Without `:`, which parts the segments of a key."""
    return f"{wanted.start.timestamp()}..{wanted.end.timestamp()}"


def _check_model(model_id: str | None) -> None:
    if model_id is not None and not 1 <= len(model_id) <= LONGEST_MODEL_ID:
        problem = f"must be 1 to {LONGEST_MODEL_ID} characters"
        raise InvalidError(f"modelId {problem}", errors=[FieldError("modelId", problem)])
