"""The traffic to one credential of a provider: a token bucket, and circuits that open when nobody answers. Pure.

Moments are milliseconds since 1970. The bucket exists a second time in Lua (`lib/stores/flow_redis.py`); tests hold
both to the same promises.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from lib.domain.provider import Credential, RateLimit

LONGEST_LEASE_SECONDS = 3.0
LEASED_SHARE = 0.25
"""How much of a burst may lie with processes that took tokens and have not used them yet."""


class Traffic(StrEnum):
    """What a call is: a provider may take no jobs while it answers questions about those that it has."""

    SUBMITS = "submits"
    QUESTIONS = "questions"


def flow_name(credential: Credential) -> str:
    """What a credential's traffic is kept under: never the key itself, and never shared between two keys."""
    return f"{credential.provider}:{credential.version}"


def milliseconds(moment: datetime) -> int:
    """The moment as this module counts."""
    return round(moment.timestamp() * 1000)


@dataclass(frozen=True)
class Allowance:
    """A documented limit, in the form in which processes share it without asking for every single call.

    A process takes up to `batch` tokens at once and uses them within `lease_seconds`. Since a token may be used that
    long after it was taken, the bucket holds so much less than the burst:

        taken in (a - lease, b]  <=  capacity + rate * (b - a + lease)  =  burst + rate * (b - a)

    so that never more calls begin between a and b than the provider allows. A limit too small to be shared has no
    lease: each call takes its own token.
    """

    per_second: float
    capacity: float
    lease_seconds: float = 0.0
    batch: int = 1

    @classmethod
    def of(cls, limit: RateLimit) -> Self:
        """The allowance of a documented limit."""
        rate = limit.per_minute / 60
        lease = min(LONGEST_LEASE_SECONDS, LEASED_SHARE * limit.burst / rate)
        if rate * lease < 2:
            return cls(rate, float(limit.burst))
        return cls(rate, limit.burst - rate * lease, lease, int(rate * lease / 2))


@dataclass(frozen=True)
class Bucket:
    """The tokens that were left at a moment, and until when nobody gets any. `filled_at` 0: it was never used."""

    tokens: float = 0.0
    filled_at: int = 0
    closed_until: int = 0

    def taken(self, allowance: Allowance, want: int, now: int) -> tuple[Self, int, int]:
        """The bucket after up to `want` tokens were taken, how many, and if none, the milliseconds until there is one.

        A clock that is behind the one that filled it last gains nothing.
        """
        if self.closed_until > now:
            return self, 0, self.closed_until - now
        if not self.filled_at:
            tokens, filled_at = allowance.capacity, now
        else:
            gained = max(0, now - self.filled_at) * allowance.per_second / 1000
            tokens, filled_at = min(allowance.capacity, self.tokens + gained), max(now, self.filled_at)
        granted = min(want, int(tokens))
        wait = 0 if granted else 1 + int((1 - tokens) * 1000 / allowance.per_second)
        return replace(self, tokens=tokens - granted, filled_at=filled_at), granted, wait

    def closed(self, until: int) -> Self:
        """The bucket after the provider asked for a pause; it opens with one token. A longer pause stays."""
        if until <= self.closed_until:
            return self
        return replace(self, tokens=1.0, filled_at=until, closed_until=until)


NEVER_USED = Bucket()

MOST_DOUBLINGS = 3


@dataclass(frozen=True)
class CircuitRules:
    """After how many failures on end a circuit opens, for how long, and how old a failure may be to count on.

    Each probe that fails doubles the time that it stays open, up to eight times `open_seconds`: of those who wait
    for a provider that is away for long, ever fewer come to ask.
    """

    failures: int = 5
    open_seconds: float = 30.0
    streak_seconds: float = 120.0

    def open_ms(self, failures: int) -> int:
        """How long it is open after so many failures."""
        doublings = min(max(0, failures - self.failures), MOST_DOUBLINGS)
        return round(self.open_seconds * 1000 * (1 << doublings))


@dataclass(frozen=True)
class Circuit:
    """Whether calls are made: closed while `open_until` is 0; open; half open once that moment has passed.

             `failures` on end                    the wait is over
    closed ---------------------> open <-----------------------------> half open: one probe at a time
      ^                                        it failed                   |
      +------------------------------- it was answered -------------------+

    A probe whose process died is taken over at `probe_until`. A circuit that is in doubt is half open without a failure
    of its own: the other one has opened.

    `only_for`: all failures on end were errors that the provider answered to this one user, whose input may have caused
    them. It opens for that user alone; the first failure of another kind, or of another user, makes it everybody's.
    """

    failures: int = 0
    failed_at: int = 0
    open_until: int = 0
    probe_until: int = 0
    only_for: str = ""

    @property
    def is_open(self) -> bool:
        """Open or half open."""
        return self.open_until > 0

    @property
    def has_failed(self) -> bool:
        """Open or half open after failures of its own, for everybody."""
        return self.is_open and self.failures > 0 and not self.only_for

    def seen_by(self, user_id: str) -> Self:
        """As it is for this user's calls: closed where it is another's alone."""
        return self if self.only_for in ("", user_id) else type(self)()

    def wait(self, now: int) -> int:
        """The milliseconds until a call may be made; of a half-open circuit only by whoever gets the probe."""
        return max(0, self.open_until - now, self.probe_until - now)

    def probed(self, now: int, lease_seconds: float) -> Self:
        """After somebody took the probe."""
        return replace(self, probe_until=now + round(lease_seconds * 1000))

    def unprobed(self) -> Self:
        """After the probe was given back unused."""
        return replace(self, probe_until=0)

    def failed(self, now: int, rules: CircuitRules, error_for: str = "") -> Self:
        """After a call that failed; `error_for` is the user whose input may be why, "" where it cannot be.

        While it is open, calls that began before say nothing new.
        """
        if self.is_open and self.only_for in ("", error_for):
            failures = max(self.failures + 1, rules.failures)
            return self._opened(failures, now, rules, self.only_for) if now >= self.open_until else self
        goes_on = self.failures > 0 and now - self.failed_at <= rules.streak_seconds * 1000
        only_for = error_for if not goes_on or error_for == self.only_for else ""
        failures = min(self.failures + 1 if goes_on else 1, rules.failures)
        if failures >= rules.failures:
            return self._opened(failures, now, rules, only_for)
        return type(self)(failures, now, only_for=only_for)

    def answered(self, now: int, user_id: str = "") -> Self:
        """After an answer. One to a call from before it opened does not close it, unless it is open for another."""
        return type(self)() if now >= self.seen_by(user_id).open_until else self

    def doubted(self, now: int) -> Self:
        """After the other circuit opened: one call finds out whether this one is to open, too."""
        already = self.is_open and not self.only_for
        return self if already else type(self)(failed_at=self.failed_at, open_until=now)

    def _opened(self, failures: int, now: int, rules: CircuitRules, only_for: str) -> Self:
        return type(self)(failures, now, open_until=now + rules.open_ms(failures), only_for=only_for)


CLOSED = Circuit()


@dataclass(frozen=True)
class Circuits:
    """Both circuits of a credential."""

    submits: Circuit = CLOSED
    questions: Circuit = CLOSED

    def of(self, traffic: Traffic) -> Circuit:
        """The circuit of this traffic."""
        return self.submits if traffic is Traffic.SUBMITS else self.questions

    def with_one(self, traffic: Traffic, circuit: Circuit, now: int) -> Self:
        """Both, one of them replaced; where it has just opened, the other is in doubt."""
        both = replace(self, **{traffic.value: circuit})
        if not circuit.has_failed or self.of(traffic).has_failed:
            return both
        other = Traffic.QUESTIONS if traffic is Traffic.SUBMITS else Traffic.SUBMITS
        return replace(both, **{other.value: both.of(other).doubted(now)})

    def as_text(self) -> str:
        """Always the same text for the same circuits; empty while both are as they began."""
        return "" if self == BOTH_CLOSED else json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> Self:
        """What `as_text` wrote; closed circuits from anything else."""
        try:
            value: Any = json.loads(text) if text else {}
            return cls(**{name: _circuit(fields) for name, fields in value.items()})
        except (ValueError, TypeError, AttributeError):
            return cls()


BOTH_CLOSED = Circuits()


def _circuit(fields: Mapping[str, Any]) -> Circuit:
    numbers: dict[str, Any] = {name: int(value) for name, value in fields.items() if name != "only_for"}
    return Circuit(**numbers, only_for=str(fields.get("only_for", "")))


@dataclass(frozen=True)
class FlowAsk:
    """What a process wants of a credential's traffic: to know how it stands, and up to `want` tokens."""

    name: str
    allowance: Allowance | None = None
    want: int = 0


@dataclass(frozen=True)
class FlowReport:
    """How a credential's traffic stands: the tokens that were granted, or the wait for one, and what is shut."""

    granted: int = 0
    wait: int = 0
    closed_until: int = 0
    circuits: Circuits = BOTH_CLOSED
