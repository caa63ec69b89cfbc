"""Does harm to a running local cloud, one thing after another, and mends it again."""

import random
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from local.cloud import LocalCloud

FUNCTIONS = ("generate-media", "process-webhook", "advance-job", "store-result", "get-status")
LONGEST_OUTAGE_SECONDS = 2.0


class Monkey:
    """A thread that kills workers and takes stores away for a moment, until its context ends."""

    def __init__(self, cloud: LocalCloud, seed: int) -> None:
        self._cloud = cloud
        self._random = random.Random(seed)  # noqa: S311 - harm must be repeatable, not secret
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="monkey")
        self.harm: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        deeds: list[Callable[[], None]] = [
            self._kill_workers,
            self._kill_workers,
            self._take_away,
            self._sweep,
        ]
        while not self._stop.wait(self._random.uniform(0.2, 0.8)):
            self._random.choice(deeds)()

    def _kill_workers(self) -> None:
        name = f"vsl-local-{self._random.choice(FUNCTIONS)}"
        self.harm.append(f"killed {self._cloud.kill_workers(name)} of {name}")

    def _take_away(self) -> None:
        store = self._random.choice(("redis", "postgres"))
        strike, mend = self._random.choice((("kill", "start"), ("freeze", "thaw")))
        self.harm.append(f"{strike} {store}")
        self._cloud.backing(store, strike)
        time.sleep(self._random.uniform(0.1, LONGEST_OUTAGE_SECONDS))
        self._cloud.backing(store, mend)

    def _sweep(self) -> None:
        from local.runtime import FunctionError  # noqa: PLC0415 - only here, and it says what is expected

        for name in self._cloud.deployment.schedules:
            try:
                self._cloud.run_schedule(name)
            except FunctionError as error:
                self.harm.append(f"the sweep failed: {error}")
