"""What is checked of each part, within how many ms, and what its answer means."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from lib.domain.health import CheckName, Finding, Health
from lib.ports.health import Backlog, RecordProbe
from lib.services.check_details import Check

LIMITS_MS: Mapping[CheckName, int] = {
    CheckName.CONNECTION: 2000,
    CheckName.READ: 2000,
    CheckName.WRITE: 2000,
    CheckName.REALTIME: 2000,
    CheckName.MIGRATIONS: 2000,
    CheckName.CACHE: 500,
    CheckName.MIRROR: 2000,
    CheckName.QUEUE: 3000,
}
"""Over half of it is slow. They leave room for what a cold environment loads: TLS, a secret, boto3."""

LONG_BACKLOG = 1000  # messages that wait

_GOOD = Finding(Health.HEALTHY)


def health_checks(
    *,
    record: RecordProbe,
    expected_migrations: Callable[[], Mapping[str, str]],
    notifications: bool,
    cache: Callable[[], object] | None,
    mirror: Callable[[], object],
    backlog: Callable[[], Backlog],
    long_backlog: int = LONG_BACKLOG,
    limits_ms: Mapping[CheckName, int] = LIMITS_MS,
) -> tuple[Check, ...]:
    """All checks.

    Args:
        record: probes Postgres.
        expected_migrations: the checksums of the migrations that this code comes with, by name.
        notifications: whether the way to the database can carry notifications (a transaction pooler cannot).
        cache: one round trip to Redis, which raises if it fails; None where there is no Redis by setting.
        mirror: one read of the jobs' table in DynamoDB, which raises if it fails.
        backlog: counts the messages of the work queues.
        long_backlog: how many waiting messages are too many.
        limits_ms: the limit of each check.
    """
    asks: Mapping[CheckName, Callable[[], Finding]] = {
        CheckName.CONNECTION: partial(_done, record.connect),
        CheckName.READ: partial(_done, record.read),
        CheckName.WRITE: partial(_done, record.write),
        CheckName.REALTIME: partial(_realtime, record.notify if notifications else None),
        CheckName.MIGRATIONS: lambda: compare_migrations(record.applied_migrations(), expected_migrations()),
        CheckName.CACHE: partial(_done, cache)
        if cache
        else lambda: Finding(Health.HEALTHY, "absent by setting"),
        CheckName.MIRROR: partial(_done, mirror),
        CheckName.QUEUE: lambda: judge_backlog(backlog(), long_backlog),
    }
    return tuple(Check(name, limits_ms[name], ask) for name, ask in asks.items())


def compare_migrations(applied: Mapping[str, str], expected: Mapping[str, str]) -> Finding:
    """Healthy if the database has exactly the migrations of this code; otherwise degraded, and how they differ."""
    both = sorted(applied.keys() & expected.keys())
    faults = [
        *_named("not applied yet", sorted(expected.keys() - applied.keys())),
        *_named("applied by newer code", sorted(applied.keys() - expected.keys())),
        *_named("edited since", [name for name in both if applied[name] != expected[name]]),
    ]
    return Finding(Health.DEGRADED, "; ".join(faults)) if faults else _GOOD


def judge_backlog(found: Backlog, long_backlog: int) -> Finding:
    """Degraded if too many messages wait, or any could not be processed."""
    long = found.waiting > long_backlog
    faults = [f"waiting messages: {found.waiting}"] if long else []
    faults += [f"dead letters: {found.dead_letters}"] if found.dead_letters else []
    return Finding(Health.DEGRADED, "; ".join(faults)) if faults else _GOOD


def _done(ask: Callable[[], object]) -> Finding:
    ask()
    return _GOOD


def _realtime(round_trip: Callable[[], bool] | None) -> Finding:
    return _GOOD if round_trip is not None and round_trip() else Finding(Health.HEALTHY, "off")


def _named(what: str, names: Sequence[str]) -> list[str]:
    return [f"{what}: {', '.join(names)}"] if names else []
