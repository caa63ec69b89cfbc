"""The threads that call subscribers: few, and none belongs to one subscriber."""

import threading
import time
from queue import SimpleQueue

from lib.stores.postgres.realtime.mailbox import Mailbox

DELIVERY_THREADS = 4


class Delivery:
    """Tells what waits in mailboxes; a subscriber that takes its time holds one thread and no other subscriber's order.

    As many slow subscribers as there are threads delay the others; they never delay the reading of the record.
    """

    def __init__(self, threads: int = DELIVERY_THREADS) -> None:
        self._turns: SimpleQueue[Mailbox | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, daemon=True, name=f"realtime-delivery-{number}")
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def enqueue(self, mailbox: Mailbox) -> None:
        """Give the mailbox a turn; for whom its `put` told so."""
        self._turns.put(mailbox)

    def close(self, seconds: float) -> None:
        """End the threads, and wait at most so long; one that is in a callback ends after it."""
        for _ in self._threads:
            self._turns.put(None)
        until = time.monotonic() + seconds
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, until - time.monotonic()))

    def _run(self) -> None:
        while (mailbox := self._turns.get()) is not None:
            if mailbox.tell():
                self._turns.put(mailbox)
