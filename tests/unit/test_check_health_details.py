"""All checks at once, each within its limit: what hangs is said to, and holds up nobody."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from lib.domain.health import VITAL, CheckName, CheckResult, Finding, Health, judge, summarise
from lib.services.check_details import MOST_RUNS, Check, CheckDetails

GOOD = Finding(Health.HEALTHY)
WAIT_SECONDS = 10


class Hanging:
    """A check that ends when the test lets it."""

    def __init__(self) -> None:
        self.runs = 0
        self.begun, self.go_on = threading.Event(), threading.Event()

    def __call__(self) -> Finding:
        self.runs += 1
        self.begun.set()
        assert self.go_on.wait(WAIT_SECONDS)
        return GOOD


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    check = Hanging()
    yield check
    check.go_on.set()


@pytest.mark.parametrize("name", CheckName)
@pytest.mark.parametrize("status", Health)
def test_the_whole_is_unhealthy_only_with_a_vital_part(name: CheckName, status: Health) -> None:
    results = [_result(each, Health.HEALTHY) for each in CheckName if each is not name]
    report = summarise([*results, _result(name, status)])
    expected = status if name in VITAL else min(status, Health.DEGRADED, key=list(Health).index)
    assert report.status is expected
    assert {check.name for check in report.checks} == set(CheckName)


def test_the_vital_parts_are_connection_read_and_write() -> None:
    assert {str(name) for name in VITAL} == {"connection", "read", "write"}


@pytest.mark.parametrize(
    ("latency_ms", "status", "detail"),
    [(500, "healthy", ""), (501, "degraded", "slow: over half of its limit")],
)
def test_over_half_of_the_limit_is_slow(latency_ms: float, status: str, detail: str) -> None:
    result = judge(CheckName.READ, GOOD, latency_ms, 1000)
    assert (result.status, result.detail, result.latency_ms) == (status, detail, latency_ms)


def test_being_slow_makes_no_unhealthy_part_better_and_keeps_what_was_said() -> None:
    bad, off = Finding(Health.UNHEALTHY, "failed (X)"), Finding(Health.HEALTHY, "off")
    assert judge(CheckName.READ, bad, 900, 1000).status is Health.UNHEALTHY
    assert judge(CheckName.READ, off, 900, 1000).detail == "off; slow: over half of its limit"


def test_each_part_is_reported_with_its_latency_and_limit() -> None:
    checks = [Check(name, 1000, lambda: GOOD) for name in CheckName]
    report = CheckDetails(checks).report()
    assert report.status is Health.HEALTHY
    assert [check.name for check in report.checks] == list(CheckName)
    assert all(0 <= check.latency_ms <= 1000 == check.limit_ms for check in report.checks)


def test_checks_run_at_the_same_time() -> None:
    meeting = threading.Barrier(len(CheckName))

    def meet() -> Finding:
        meeting.wait(WAIT_SECONDS)
        return GOOD

    report = CheckDetails([Check(name, 5000, meet) for name in CheckName]).report()
    assert report.status is Health.HEALTHY


def test_what_hangs_is_unhealthy_and_holds_up_nobody(hanging: Hanging) -> None:
    details = CheckDetails(
        [Check(CheckName.MIRROR, 100, hanging), Check(CheckName.READ, 100, hanging), _good(CheckName.CACHE)]
    )
    start = time.monotonic()
    report = details.report()
    assert 0.09 < time.monotonic() - start < 5  # it would hang for ever
    mirror, read, cache = report.checks
    assert (mirror.status, mirror.latency_ms, mirror.detail) == ("unhealthy", 100, "no answer within 100 ms")
    assert (read.status, cache.status, report.status) == ("unhealthy", "healthy", "unhealthy")


def test_what_hangs_leaves_few_threads_behind_and_then_costs_no_time(hanging: Hanging) -> None:
    details = CheckDetails([Check(CheckName.QUEUE, 200, hanging)])
    for _ in range(MOST_RUNS):
        details.report()
    start = time.monotonic()
    reports = [details.report() for _ in range(20)]
    assert time.monotonic() - start < 2  # each would take 0.2 s
    assert {report.checks[0].detail for report in reports} == {"no answer within 200 ms"}
    assert hanging.runs == MOST_RUNS


def test_what_hung_is_asked_anew_once_it_answers_again(hanging: Hanging) -> None:
    details = CheckDetails([Check(CheckName.QUEUE, 50, hanging)])
    for _ in range(MOST_RUNS):
        assert details.report().status is Health.DEGRADED
    hanging.go_on.set()
    _until(lambda: details.report().status is Health.HEALTHY)


def test_an_answer_after_the_limit_is_no_answer() -> None:
    clock = [0.0]

    def slow() -> Finding:
        clock[0] += 0.2
        return GOOD

    result = CheckDetails([Check(CheckName.READ, 100, slow)], lambda: clock[0]).report().checks[0]
    assert (result.status, result.detail) == (Health.UNHEALTHY, "no answer within 100 ms")


def test_callers_at_the_same_time_share_a_run(hanging: Hanging) -> None:
    details = CheckDetails([Check(CheckName.READ, 5000, hanging)])
    reports: list[Health] = []
    callers = [threading.Thread(target=lambda: reports.append(details.report().status)) for _ in range(4)]
    callers[0].start()
    assert hanging.begun.wait(WAIT_SECONDS)
    for caller in callers[1:]:
        caller.start()
    hanging.go_on.set()
    for caller in callers:
        caller.join(WAIT_SECONDS)
    assert len(reports) == 4
    assert set(reports) <= {Health.HEALTHY, Health.DEGRADED}


def test_a_second_caller_waits_for_the_run_of_the_first(hanging: Hanging) -> None:
    details = CheckDetails([Check(CheckName.READ, 300, hanging)])
    first = threading.Thread(target=details.report)
    first.start()
    assert hanging.begun.wait(WAIT_SECONDS)
    assert details.report().status is Health.UNHEALTHY
    first.join(WAIT_SECONDS)
    assert hanging.runs == 1


def test_an_error_is_reported_by_its_kind_alone() -> None:
    def fail() -> Finding:
        try:
            raise ConnectionRefusedError("postgresql://user:secret@10.0.0.1/db refused")
        except OSError as error:
            raise RuntimeError("no connection to 10.0.0.1 as user") from error

    result = CheckDetails([Check(CheckName.READ, 1000, fail)]).report().checks[0]
    assert (result.status, result.detail) == (Health.UNHEALTHY, "failed (ConnectionRefusedError)")


def test_a_process_without_threads_to_spare_still_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    details = CheckDetails([_good(CheckName.READ)])
    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert details.report().checks[0].detail == "failed (RuntimeError)"
    monkeypatch.undo()
    assert details.report().status is Health.HEALTHY


def _good(name: CheckName) -> Check:
    return Check(name, 5000, lambda: GOOD)


def _result(name: CheckName, status: Health) -> CheckResult:
    return CheckResult(name, status, 1.0, 1000)


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline
