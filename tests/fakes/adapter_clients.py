"""Our client of a provider over the real transport, with little patience, and what its submits must come to."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lib.domain.provider import FailureKind, ProviderUpdate, SubmitOutcome, SubmitResult
from lib.ports.provider import Operation, ProviderAdapter
from lib.providers.client import HttpProviderClient
from lib.providers.transport import Limits, RequestsTransport

LIMITS = dict.fromkeys(Operation, Limits(connect=2.0, read=2.0, total=8.0))

SUBMIT_FAULTS = [
    ("429=30s", SubmitOutcome.DEFERRED, FailureKind.RATE_LIMITED),
    ("500", SubmitOutcome.DEFERRED, FailureKind.OUTAGE),
    ("503", SubmitOutcome.DEFERRED, FailureKind.OUTAGE),
    ("502-html", SubmitOutcome.UNKNOWN, FailureKind.OUTAGE),
    ("reset", SubmitOutcome.UNKNOWN, FailureKind.OUTAGE),
    ("no-answer", SubmitOutcome.UNKNOWN, FailureKind.OUTAGE),
    ("accept-no-answer", SubmitOutcome.UNKNOWN, FailureKind.OUTAGE),
    ("401", SubmitOutcome.REFUSED, FailureKind.AUTHENTICATION),
    ("402", SubmitOutcome.REFUSED, FailureKind.BILLING),
    ("422", SubmitOutcome.REFUSED, FailureKind.INVALID_INPUT),
]
"""Each request fault of the simulators, for providers whose own 5xx says that nothing was taken."""


@contextmanager
def client_of(adapter: ProviderAdapter) -> Iterator[HttpProviderClient]:
    """A client of the adapter; its connections are closed at the end."""
    transport = RequestsTransport(limits=LIMITS)
    try:
        yield HttpProviderClient(adapter, transport)
    finally:
        transport.close()


def accepted(result: SubmitResult) -> ProviderUpdate:
    """What an accepted submit says."""
    assert result.outcome is SubmitOutcome.ACCEPTED, result.failure
    assert result.update is not None
    return result.update


def until_final(ask: Callable[[], ProviderUpdate]) -> ProviderUpdate:
    """Polls as fast as the simulator answers, until the end of the job or of the test's time limit."""
    while not (update := ask()).status.final:
        pass
    return update


def assert_came_to(result: SubmitResult, fault: str, outcome: SubmitOutcome, kind: FailureKind) -> None:
    """The submit under a fault came to this, and waits as long as the fault says."""
    assert result.failure is not None
    assert (result.outcome, result.failure.kind) == (outcome, kind)
    assert result.failure.retry_after_seconds == (30.0 if fault == "429=30s" else None)
