"""How the gateway does: each part by itself, and what that makes of the whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """HEALTHY; DEGRADED: slower, nothing is lost; UNHEALTHY: no job can be started."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


class CheckName(StrEnum):
    """The parts that are checked; the first three the gateway cannot do without."""

    CONNECTION = "connection"
    READ = "read"
    WRITE = "write"
    REALTIME = "realtime"
    MIGRATIONS = "migrations"
    CACHE = "cache"
    MIRROR = "mirror"
    QUEUE = "queue"


VITAL = frozenset({CheckName.CONNECTION, CheckName.READ, CheckName.WRITE})


@dataclass(frozen=True)
class Finding:
    """What a check found. `detail` names the kind of trouble: never an address, a user, a secret or an error's text."""

    status: Health
    detail: str = ""


@dataclass(frozen=True)
class CheckResult:
    """One part: what was found, in how many ms of those that it may take."""

    name: CheckName
    status: Health
    latency_ms: float
    limit_ms: int
    detail: str = ""


@dataclass(frozen=True)
class HealthReport:
    """The whole, and each of its parts."""

    status: Health
    checks: tuple[CheckResult, ...]


def judge(name: CheckName, finding: Finding, latency_ms: float, limit_ms: int) -> CheckResult:
    """The result of a check that answered: what is healthy but took over half of its limit is degraded."""
    status, detail = finding.status, finding.detail
    if status is Health.HEALTHY and latency_ms > limit_ms / 2:
        slow = "slow: over half of its limit"
        status, detail = Health.DEGRADED, f"{detail}; {slow}" if detail else slow
    return CheckResult(name, status, round(latency_ms, 1), limit_ms, detail)


def summarise(checks: Sequence[CheckResult]) -> HealthReport:
    """Unhealthy if a vital part is; degraded if any part is not healthy; healthy otherwise."""
    if any(check.status is Health.UNHEALTHY and check.name in VITAL for check in checks):
        return HealthReport(Health.UNHEALTHY, tuple(checks))
    if any(check.status is not Health.HEALTHY for check in checks):
        return HealthReport(Health.DEGRADED, tuple(checks))
    return HealthReport(Health.HEALTHY, tuple(checks))
