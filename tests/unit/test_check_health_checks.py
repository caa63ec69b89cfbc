"""What each part's answer means, and that no detail shows where a part is or who asks."""

from collections.abc import Mapping
from typing import Any

import pytest

from lib.domain.health import CheckName, Finding, Health
from lib.ports.health import Backlog
from lib.services.check_details import Check
from lib.services.health_checks import LIMITS_MS, compare_migrations, health_checks, judge_backlog

MIGRATIONS = {"001_schema": "a", "002_functions": "b"}


class FakeRecordProbe:
    """A record that does well; set `notifies` to what comes of a notification."""

    def __init__(self) -> None:
        self.notifies = True
        self.asked: list[str] = []

    def connect(self) -> None:
        self.asked.append("connect")

    def read(self) -> None:
        self.asked.append("read")

    def write(self) -> None:
        self.asked.append("write")

    def notify(self) -> bool:
        self.asked.append("notify")
        return self.notifies

    def applied_migrations(self) -> Mapping[str, str]:
        return MIGRATIONS


def checks_of(record: FakeRecordProbe, **changes: Any) -> dict[CheckName, Check]:
    parts: dict[str, Any] = {
        "expected_migrations": lambda: MIGRATIONS,
        "notifications": True,
        "cache": lambda: b"PONG",
        "mirror": lambda: None,
        "backlog": lambda: Backlog(0, 0),
    }
    return {check.name: check for check in health_checks(record=record, **{**parts, **changes})}


def test_there_is_a_check_with_a_limit_for_every_part() -> None:
    record = FakeRecordProbe()
    checks = checks_of(record)
    assert list(checks) == list(CheckName)
    assert {name: check.limit_ms for name, check in checks.items()} == LIMITS_MS
    assert {check.ask() for check in checks.values()} == {Finding(Health.HEALTHY)}
    assert record.asked == ["connect", "read", "write", "notify"]


def test_the_limits_may_be_others() -> None:
    checks = checks_of(FakeRecordProbe(), limits_ms=dict.fromkeys(CheckName, 7))
    assert {check.limit_ms for check in checks.values()} == {7}


def test_a_cache_that_is_absent_by_setting_is_no_fault() -> None:
    assert checks_of(FakeRecordProbe(), cache=None)[CheckName.CACHE].ask() == Finding(
        Health.HEALTHY, "absent by setting"
    )


def test_notifications_that_are_off_by_option_or_cannot_pass_are_no_fault() -> None:
    record, off = FakeRecordProbe(), Finding(Health.HEALTHY, "off")
    assert checks_of(record, notifications=False)[CheckName.REALTIME].ask() == off
    assert record.asked == []
    record.notifies = False
    assert checks_of(record)[CheckName.REALTIME].ask() == off


@pytest.mark.parametrize(
    ("applied", "detail"),
    [
        ({"001_schema": "a"}, "not applied yet: 002_functions"),
        ({}, "not applied yet: 001_schema, 002_functions"),
        ({**MIGRATIONS, "003_more": "c"}, "applied by newer code: 003_more"),
        ({**MIGRATIONS, "001_schema": "x"}, "edited since: 001_schema"),
        ({"001_schema": "x", "003_more": "c"}, None),
    ],
)
def test_migrations_that_differ_from_the_code_degrade(applied: dict[str, str], detail: str | None) -> None:
    found = compare_migrations(applied, MIGRATIONS)
    all_faults = "not applied yet: 002_functions; applied by newer code: 003_more; edited since: 001_schema"
    assert (found.status, found.detail) == (Health.DEGRADED, detail or all_faults)


@pytest.mark.parametrize(
    ("backlog", "detail"),
    [
        (Backlog(11, 0), "waiting messages: 11"),
        (Backlog(0, 1), "dead letters: 1"),
        (Backlog(11, 2), "waiting messages: 11; dead letters: 2"),
    ],
)
def test_a_long_queue_and_dead_letters_degrade(backlog: Backlog, detail: str) -> None:
    assert judge_backlog(backlog, 10) == Finding(Health.DEGRADED, detail)


def test_a_short_queue_is_no_fault() -> None:
    assert judge_backlog(Backlog(10, 0), 10) == Finding(Health.HEALTHY)


def test_the_length_of_a_long_queue_can_be_chosen() -> None:
    checks = checks_of(FakeRecordProbe(), backlog=lambda: Backlog(5, 0), long_backlog=4)
    assert checks[CheckName.QUEUE].ask().status is Health.DEGRADED
