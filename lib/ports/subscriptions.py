"""Hearing of changes to jobs as they happen, in a process that lives long enough to listen."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from lib.domain.job_change import JobChange, StepChange

JobCallback = Callable[[JobChange], object]
StepCallback = Callable[[StepChange], object]


@dataclass(frozen=True)
class RealtimeStatistics:
    """Counts since the start, and how it stands.

    Args:
        active: subscriptions that have not ended.
        connected: whether it listens at this moment.
        deliveries: calls of callbacks that returned.
        failures: calls of callbacks that raised; such a change is not told again.
        doorbells: notifications that arrived.
        looks: readings of the record, each for all doorbells that came meanwhile.
        rows: what these readings found.
        reconnects: connections after the first.
        rewinds: times that the record turned out to be another one than before, such as a restored backup.
    """

    active: int
    connected: bool
    deliveries: int
    failures: int
    doorbells: int
    looks: int
    rows: int
    reconnects: int
    rewinds: int


class Subscriptions(Protocol):
    """Subscribers to the record. What is committed after a subscription began is delivered, also what was missed
    while the record was away. A callback is called for one change at a time, in the order of versions of each job.

    All `subscribe_*` return an id for `unsubscribe`; callbacks may be called before that. They raise
    RecordUnavailableError if the record cannot be asked where to begin; then there is no subscription.
    """

    def subscribe_to_job(self, job_id: str, callback: JobCallback, after_version: int | None = None) -> str:
        """How the job stands, or every version after `after_version`; then every later version exactly once.

        Raises ValueError for what is not a UUID. A job that is not there, or not to be seen, is waited for.
        """

    def subscribe_to_all_jobs(self, callback: JobCallback) -> str:
        """Every version of every job that may be seen, exactly once, from now on.

        Across jobs the order is that of the transactions' numbers, which is nearly that of time.
        """

    def subscribe_to_processing_updates(self, callback: StepCallback, job_id: str | None = None) -> str:
        """Every start and end of a step of the job, or of all jobs, once each; those of the past first.

        Of one job: its steps so far, then each change. Of all jobs: from the first news of a job on, beginning with
        its steps so far, whose end of the job is not known yet to this subscription. A step's progress is a state
        and not a history: of several values between two looks the last one is told. Where doorbells are lost (a
        reconnect, NOTIFY switched off), a change comes with the next look at the open jobs that it knows, and at
        the latest with the next version of its job. With more than 10,000 open jobs at once, those that were
        silent for longest are forgotten, and told from the start when they change again.

        Raises ValueError for a `job_id` that is not a UUID.
        """

    def unsubscribe(self, subscription_id: str) -> bool:
        """No further call of the callback, but for one that has begun; false if there was no such subscription.

        A callback may call it.
        """

    def unsubscribe_all(self) -> int:
        """End all subscriptions; how many there were."""

    @property
    def active_count(self) -> int:
        """How many subscriptions there are."""

    def get_active_subscriptions_count(self) -> int:
        """How many subscriptions there are."""

    def statistics(self) -> RealtimeStatistics:
        """Counts since the start, and whether it listens."""

    def close(self) -> None:
        """End all subscriptions and the threads, within a second unless a callback takes longer."""
