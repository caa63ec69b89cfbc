"""What each subscription wants to know. Only the listener's thread changes a watch once it is registered."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

from lib.domain.job_change import JobChange
from lib.stores.postgres.realtime.delivery import Delivery
from lib.stores.postgres.realtime.doorbells import Doorbells
from lib.stores.postgres.realtime.feed import Place
from lib.stores.postgres.realtime.mailbox import Mailbox


class Watch(ABC):
    """One subscription: where it stands in the record, and the mailbox of its callback."""

    def __init__(self, watch_id: str, mailbox: Mailbox, delivery: Delivery) -> None:
        self.watch_id = watch_id
        self.begun = threading.Event()
        self.stale = True
        self._mailbox = mailbox
        self._delivery = delivery

    @abstractmethod
    def hear(self, doorbells: Doorbells) -> None:
        """Become stale if what rang may concern it."""

    def doubt(self) -> None:
        """Become stale: anything may have happened."""
        self.stale = True

    def wants_more(self) -> bool:
        """Whether the record is to be read for it now: it is stale, and its subscriber keeps up."""
        return self.stale and self._mailbox.has_room()

    def tell(self, changes: Iterable[Any]) -> None:
        """Have the subscriber told, soon and in this order."""
        if self._mailbox.put(changes):
            self._delivery.enqueue(self._mailbox)

    def end(self) -> None:
        """Tell the subscriber nothing more, and whoever waits for the beginning that there is none."""
        self._mailbox.close()
        self.begun.set()


class JobWatch(Watch):
    """The versions of one job after the last that was told; None for the newest one that there is."""

    def __init__(
        self, watch_id: str, mailbox: Mailbox, delivery: Delivery, job_id: str, after: int | None
    ) -> None:
        super().__init__(watch_id, mailbox, delivery)
        self.job_id = job_id
        self.after = after
        self._ended = False

    def hear(self, doorbells: Doorbells) -> None:
        """See the base."""
        if doorbells.too_many or self.job_id in doorbells.jobs:
            self.doubt()

    def doubt(self) -> None:
        """See the base; a job that has ended never changes."""
        self.stale = not self._ended

    def found(self, changes: Sequence[JobChange], *, more: bool) -> None:
        """Go on after these, the next versions that there are."""
        self.after = changes[-1].version if changes else self.after or 0
        self._ended = bool(changes) and changes[-1].status.final
        self.stale = more and not self._ended
        self.tell(changes)
        self.begun.set()


class FeedWatch(Watch):
    """Every version of every job after a place in the feed; None until the first look."""

    def __init__(self, watch_id: str, mailbox: Mailbox, delivery: Delivery) -> None:
        super().__init__(watch_id, mailbox, delivery)
        self.place: Place | None = None

    def hear(self, doorbells: Doorbells) -> None:
        """See the base."""
        if doorbells.too_many or doorbells.jobs:
            self.doubt()

    def begin(self, place: Place) -> None:
        """Stand at the place of the first look."""
        self.place = place
        self.stale = False
        self.begun.set()

    def found(self, changes: Sequence[JobChange], place: Place, *, more: bool) -> None:
        """Go on at the place after these."""
        self.place = place
        self.stale = more
        self.take(changes)

    def take(self, changes: Sequence[JobChange]) -> None:
        """What to do with changes: they are told."""
        self.tell(changes)
