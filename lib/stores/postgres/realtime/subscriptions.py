"""Subscriptions to the record over LISTEN and NOTIFY; see docs/realtime.md."""

import threading
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID, uuid4

from lib.domain.actor import Actor
from lib.domain.errors import RecordUnavailableError
from lib.ports.subscriptions import JobCallback, RealtimeStatistics, StepCallback
from lib.stores.postgres.realtime.delivery import Delivery
from lib.stores.postgres.realtime.listener import Listener
from lib.stores.postgres.realtime.mailbox import Mailbox
from lib.stores.postgres.realtime.pace import Pace
from lib.stores.postgres.realtime.steps import AllStepsWatch, JobStepsWatch
from lib.stores.postgres.realtime.tally import Tally
from lib.stores.postgres.realtime.watch import FeedWatch, JobWatch, Watch

CLOSE_SECONDS = 0.9

MakeWatch = Callable[[str, Mailbox, Delivery], Watch]


class PostgresSubscriptions:
    """`lib.ports.subscriptions.Subscriptions`: one connection and a few threads, begun with the first subscription.

    Args:
        url: gives the connection string, again for each connection; that of a pooler by transaction hears no
            NOTIFY and is served by the clock, that of a read-only copy is refused by Postgres.
        actor: for whom the record is read: needed with the login that answers callers, which sees nothing without.
        pace: how often it looks, and its limits of time.
    """

    def __init__(
        self, url: Callable[[], str], *, actor: Actor | None = None, pace: Pace | None = None
    ) -> None:
        self._url = url
        self._actor = actor
        self._pace = pace or Pace()
        self._tally = Tally()
        self._watches: dict[str, Watch] = {}
        self._lock = threading.Lock()
        self._closed = False
        self._listener: Listener | None = None
        self._delivery: Delivery | None = None

    def subscribe_to_job(self, job_id: str, callback: JobCallback, after_version: int | None = None) -> str:
        """See the port."""
        job = str(UUID(job_id))
        return self._subscribe(callback, lambda name, box, by: JobWatch(name, box, by, job, after_version))

    def subscribe_to_all_jobs(self, callback: JobCallback) -> str:
        """See the port."""
        return self._subscribe(callback, FeedWatch)

    def subscribe_to_processing_updates(self, callback: StepCallback, job_id: str | None = None) -> str:
        """See the port."""
        if job_id is None:
            return self._subscribe(callback, AllStepsWatch)
        job = str(UUID(job_id))
        return self._subscribe(callback, lambda name, box, by: JobStepsWatch(name, box, by, job))

    def unsubscribe(self, subscription_id: str) -> bool:
        """See the port."""
        with self._lock:
            watch = self._watches.pop(subscription_id, None)
        if watch is not None:
            watch.end()
        return watch is not None

    def unsubscribe_all(self) -> int:
        """See the port."""
        with self._lock:
            watches, self._watches = self._watches, {}
        for watch in watches.values():
            watch.end()
        return len(watches)

    @property
    def active_count(self) -> int:
        """See the port."""
        with self._lock:
            return len(self._watches)

    def get_active_subscriptions_count(self) -> int:
        """See the port."""
        return self.active_count

    def statistics(self) -> RealtimeStatistics:
        """See the port."""
        counts = ("deliveries", "failures", "doorbells", "looks", "rows", "reconnects", "rewinds")
        return RealtimeStatistics(
            active=self.active_count,
            connected=self._listener is not None and self._listener.connected,
            **{name: self._tally.of(name) for name in counts},
        )

    def close(self) -> None:
        """See the port. A connection that is just being made to a silent server is given up a little later."""
        with self._lock:
            self._closed = True
            listener, delivery = self._listener, self._delivery
        self.unsubscribe_all()
        if listener is not None and delivery is not None:
            listener.close(CLOSE_SECONDS / 2)
            delivery.close(CLOSE_SECONDS / 2)

    def _subscribe(self, callback: Callable[[Any], object], make: MakeWatch) -> str:
        subscription_id = str(uuid4())
        with self._lock:
            if self._closed:
                raise RuntimeError("these subscriptions are closed; make new ones")
            delivery = self._delivery = self._delivery or Delivery()
            watch = make(
                subscription_id, Mailbox(callback, self._wake, self._tally, self._pace.page), delivery
            )
            self._watches[subscription_id] = watch
            self._listener = self._listener or Listener(
                self._url, self._actor, self._current_watches, self._tally, self._pace
            )
        self._wake()
        if not watch.begun.wait(self._pace.begin_seconds):
            self.unsubscribe(subscription_id)
            raise RecordUnavailableError(
                "The record of jobs cannot be listened to right now; try again shortly.",
                retry_after_seconds=5,
            )
        return subscription_id

    def _current_watches(self) -> Sequence[Watch]:
        with self._lock:
            return list(self._watches.values())

    def _wake(self) -> None:
        listener = self._listener
        if listener is not None:
            listener.wake()
