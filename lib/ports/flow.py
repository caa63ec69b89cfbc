"""Who says whether a provider may be called now, and who keeps that for all processes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from lib.domain.flow import Circuits, FlowAsk, FlowReport, Traffic
from lib.domain.provider import AdapterTraits, Credential, Failure, FailureKind


@dataclass(frozen=True)
class Pause:
    """No call now, and for about how long; `code` is `circuit_open` or `provider_rate_limited`."""

    seconds: float
    code: FailureKind
    words: str


class FlowControl(Protocol):
    """Spares a provider the calls that it would refuse or leave unanswered. No method raises.

    What one credential does is of no consequence to another: each has a bucket and circuits of its own. `user_id` is
    whose job a submit is for: an error that one user's input provokes is to be of no consequence to the others.
    """

    def before(
        self,
        credential: Credential,
        traits: AdapterTraits,
        now: datetime,
        *,
        traffic: Traffic = Traffic.SUBMITS,
        user_id: str = "",
    ) -> Pause | None:
        """None: call now, and tell `after` or `unsent`. Questions take no token, and obey pauses and their circuit."""
        ...

    def after(
        self,
        credential: Credential,
        failure: Failure | None,
        now: datetime,
        *,
        traffic: Traffic = Traffic.SUBMITS,
        user_id: str = "",
        inside: bool = False,
    ) -> None:
        """What a call came to. OUTAGE counts against the circuit; anything else is an answer, and resets it.

        `inside`: the provider was there, and answered with an error of its own, which the user's input may have caused.
        RATE_LIMITED, and any `retry_after_seconds`, closes the bucket for everybody.
        """
        ...

    def unsent(
        self,
        credential: Credential,
        now: datetime,
        *,
        traffic: Traffic = Traffic.SUBMITS,
        user_id: str = "",
    ) -> None:
        """The call was not made after all: if it was the probe, somebody else may make it."""
        ...


class OpenFlow:
    """The `FlowControl` that never pauses, for clients that stand alone."""

    def before(
        self,
        credential: Credential,
        traits: AdapterTraits,
        now: datetime,
        *,
        traffic: Traffic = Traffic.SUBMITS,
        user_id: str = "",
    ) -> Pause | None:
        """Never a pause."""

    def after(
        self,
        credential: Credential,
        failure: Failure | None,
        now: datetime,
        *,
        traffic: Traffic = Traffic.SUBMITS,
        user_id: str = "",
        inside: bool = False,
    ) -> None:
        """Learns nothing."""

    def unsent(
        self,
        credential: Credential,
        now: datetime,
        *,
        traffic: Traffic = Traffic.SUBMITS,
        user_id: str = "",
    ) -> None:
        """Learns nothing."""


class FlowStore(Protocol):
    """Keeps buckets and circuits by name, for all processes. All methods raise TierUnavailableError when it is away.

    Moments are milliseconds by the caller's clock.
    """

    name: str

    def ask(self, ask: FlowAsk, now: int) -> FlowReport:
        """How the traffic stands; tokens that are granted are gone from the bucket. Atomic."""
        ...

    def close(self, name: str, until: int) -> None:
        """Nobody gets a token before; a longer pause stays."""
        ...

    def swap(self, name: str, old: Circuits, new: Circuits) -> tuple[bool, Circuits]:
        """Put `new` in the place of `old`: whether `old` was there, and what is there now. Atomic."""
        ...


class FlowNews(Protocol):
    """A process's memory of traffic, for whoever asks a store anyway and can bring news along."""

    def wanted(self, now: datetime) -> Sequence[FlowAsk]:
        """What it would ask for now: a few credentials that it used a short while ago."""
        ...

    def told(self, ask: FlowAsk, report: FlowReport, now: datetime) -> None:
        """The answer to one of them."""
        ...
