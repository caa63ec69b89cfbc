"""Runs the checks of all parts at once, each within its own limit, whatever hangs."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lib.domain.health import CheckName, CheckResult, Finding, Health, HealthReport, judge, summarise

MOST_RUNS = 3  # of one check that hang at the same time; then no more are begun until one of them ends


@dataclass(frozen=True)
class Check:
    """How to ask one part; whatever `ask` raises is a finding too."""

    name: CheckName
    limit_ms: int
    ask: Callable[[], Finding]


class CheckDetails:
    """Says how every part does, for operators.

    The answer takes as long as the longest limit at most. A check that hangs is left behind in its (daemon) thread;
    there are never more than `MOST_RUNS` threads for one check. Callers at the same time share their runs.
    """

    def __init__(self, checks: Sequence[Check], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._checks = tuple(checks)
        self._monotonic = monotonic
        self._runs: dict[CheckName, list[_Run]] = {check.name: [] for check in checks}
        self._lock = threading.Lock()

    def report(self) -> HealthReport:
        """How every part does now. Never raises."""
        runs = [self._run(check) for check in self._checks]
        return summarise([run.result() for run in runs])

    def _run(self, check: Check) -> "_Run":
        with self._lock:
            runs = self._runs[check.name] = [run for run in self._runs[check.name] if not run.ended]
            if runs and (runs[-1].seconds_left > 0 or len(runs) >= MOST_RUNS):
                return runs[-1]
            run = _Run(check, self._monotonic)
            runs.append(run)
        run.start()
        return run


class _Run:
    """One run of one check, in a thread of its own."""

    def __init__(self, check: Check, monotonic: Callable[[], float]) -> None:
        self._check = check
        self._monotonic = monotonic
        self._begun_at = monotonic()
        self._result: CheckResult | None = None
        self._ended = threading.Event()

    @property
    def ended(self) -> bool:
        """Whether its thread is done."""
        return self._ended.is_set()

    @property
    def seconds_left(self) -> float:
        """Until its limit."""
        return max(0.0, self._begun_at + self._check.limit_ms / 1000 - self._monotonic())

    def start(self) -> None:
        """Begin, and do not wait."""
        try:
            threading.Thread(target=self._ask, daemon=True, name=f"check-{self._check.name}").start()
        except RuntimeError as error:  # there can be no more threads
            self._end(_failed(error))

    def result(self) -> CheckResult:
        """What was found, within its limit."""
        self._ended.wait(self.seconds_left)
        limit = self._check.limit_ms
        silent = CheckResult(
            self._check.name, Health.UNHEALTHY, float(limit), limit, f"no answer within {limit} ms"
        )
        return self._result or silent

    def _ask(self) -> None:
        try:
            finding = self._check.ask()
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a part is what the check is to find
            finding = _failed(error)
        self._end(finding)

    def _end(self, finding: Finding) -> None:
        latency_ms = (self._monotonic() - self._begun_at) * 1000
        if latency_ms <= self._check.limit_ms:
            self._result = judge(self._check.name, finding, latency_ms, self._check.limit_ms)
        self._ended.set()


def _failed(error: Exception) -> Finding:
    """Only the kind of the trouble: the text of an error may hold an address, a user or worse."""
    return Finding(Health.UNHEALTHY, f"failed ({type(error.__cause__ or error).__name__})")
