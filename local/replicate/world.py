"""Everything that one running simulator knows and has made; the control API's reset empties it."""

import asyncio
import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local.replicate.catalogue import Catalogue, load_catalogue
from local.replicate.prediction import Prediction
from local.replicate.settings import Settings
from local.replicate.signing import derive_secret
from local.replicate.uploads import Upload
from local.simulation.faults import Dial, FaultSet, parse_dial
from local.simulation.media_items import MediaItem


def fingerprint(text: str) -> str:
    """A short name for a token or an input that does not give it away."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def hash_input(model: str, values: Mapping[str, Any]) -> str:
    """The same for the same model and input, whatever the order of the names."""
    return fingerprint(json.dumps([model, values], sort_keys=True))


@dataclass
class World:
    """The state behind both ports. Only the event loop's thread touches it."""

    settings: Settings
    catalogue: Catalogue = field(default_factory=load_catalogue)
    api_base: str = ""
    media_base: str = ""
    dial: Dial = field(init=False)
    latency: float = field(init=False)
    retention_seconds: float = field(init=False)
    secrets: list[str] = field(init=False)
    predictions: dict[str, Prediction] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    media: dict[str, tuple[Prediction, MediaItem]] = field(default_factory=dict)
    submit_log: list[dict[str, Any]] = field(default_factory=list)
    media_log: list[dict[str, Any]] = field(default_factory=list)
    strikes: dict[tuple[str, str], int] = field(default_factory=dict)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    lives: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.pool = ThreadPoolExecutor(self.settings.render_threads, thread_name_prefix="draw")
        self._submits = 0
        self._sequence = 0
        self._rotations = 0
        self.restore_dials()
        self._folder = tempfile.TemporaryDirectory(prefix="replicate-simulator-")

    def restore_dials(self) -> None:
        """Faults, latency, retention and secret as the settings have them."""
        self.dial = parse_dial(self.settings.faults)
        self.latency = self.settings.latency
        self.retention_seconds = self.settings.retention_seconds
        self.secrets = [self.settings.secret]

    @property
    def folder(self) -> Path:
        """Where output files and uploads lie; it goes with the simulator."""
        return Path(self._folder.name)

    def now(self) -> datetime:
        """The time, in UTC."""
        return datetime.now(UTC)

    def next_number(self) -> int:
        """1, 2, 3, ... over all create requests."""
        self._submits += 1
        return self._submits

    def next_sequence(self) -> int:
        """1, 2, 3, ... over all predictions and uploads: the order of lists."""
        self._sequence += 1
        return self._sequence

    def draw_faults(self, number: int) -> FaultSet:
        """The faults by share of this create request."""
        return self.dial.draw(seed=self.settings.seed, number=number)

    def strike(self, name: str, key: str, times: int | None) -> bool:
        """True as long as the fault ``name`` has struck this key fewer than ``times`` times; None is for ever."""
        struck = self.strikes.get((name, key), 0)
        if times is not None and struck >= times:
            return False
        self.strikes[(name, key)] = struck + 1
        return True

    def own(self, account: str) -> Iterator[Prediction]:
        """The account's predictions, newest first."""
        return (p for p in reversed(self.predictions.values()) if p.account == account)

    def show(self, prediction: Prediction, *, inline: bool = False) -> dict[str, Any]:
        """The prediction object as of now."""
        return prediction.show(now=self.now(), retention_seconds=self.retention_seconds, inline=inline)

    def rotate_secret(self) -> str:
        """A new signing secret; webhooks carry both signatures until ``retire_secret``."""
        self._rotations += 1
        self.secrets.insert(0, derive_secret(f"{self.settings.secret}:{self._rotations}"))
        return self.secrets[0]

    def retire_secret(self) -> None:
        """Ends a rotation: only the newest secret signs."""
        del self.secrets[1:]

    def spawn(self, coroutine: Any) -> asyncio.Task[None]:
        """Runs it in the background and keeps it from being collected."""
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    async def stop_tasks(self) -> None:
        """Ends all predictions and deliveries that are under way."""
        tasks = [task for task in self.tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def reset(self) -> None:
        """Back to a fresh start, with the dials as the settings have them."""
        await self.stop_tasks()
        for store in (self.predictions, self.uploads, self.media, self.strikes, self.lives):
            store.clear()
        self.submit_log.clear()
        self.media_log.clear()
        self.restore_dials()

    async def close(self) -> None:
        """Ends what runs and removes the files."""
        await self.stop_tasks()
        await asyncio.to_thread(self.pool.shutdown, wait=True, cancel_futures=True)
        self._folder.cleanup()
