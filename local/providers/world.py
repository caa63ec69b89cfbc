"""Everything that the running simulators know and have made. Only the event loop's thread touches it."""

import asyncio
import hashlib
import json
import secrets
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from local.providers.life import live
from local.providers.settings import Settings
from local.providers.tasks import Status, Task, Wish
from local.replicate.catalogue import Kind
from local.simulation.faults import Dial, FaultSet, from_input, parse_dial
from local.simulation.media_items import MediaItem

SEED_RANGE = 2**16
OnChange = Callable[[Task], None]


def fingerprint(text: str) -> str:
    """A short name for a key or an input that does not give it away."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def hash_of(values: Any) -> str:
    """The same for the same JSON, whatever the order of its names."""
    return fingerprint(json.dumps(values, sort_keys=True, default=str))


@dataclass
class World:
    """The state behind all ports. Tasks, dials and log entries belong to a provider; the media host to all."""

    settings: Settings
    media_base: str = ""
    latency: float = field(init=False)
    dials: dict[str, Dial] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    media: dict[str, tuple[Task, MediaItem]] = field(default_factory=dict)
    log: list[dict[str, Any]] = field(default_factory=list)
    media_log: list[dict[str, Any]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        parse_dial(self.settings.faults)  # a wrong one is refused before anything is started
        self.latency = self.settings.latency
        self.pool = ThreadPoolExecutor(self.settings.render_threads, thread_name_prefix="draw")
        self.http = httpx.AsyncClient(
            timeout=self.settings.webhook_timeout_seconds, follow_redirects=False, trust_env=False
        )
        self._folder = tempfile.TemporaryDirectory(prefix="provider-simulators-")
        self._running: set[asyncio.Task[None]] = set()
        self._lives: dict[str, asyncio.Task[None]] = {}
        self._strikes: dict[tuple[str, str], int] = {}
        self._number = 0

    @property
    def folder(self) -> Path:
        """Where output files lie; it goes with the simulators."""
        return Path(self._folder.name)

    def now(self) -> datetime:
        """The time, in UTC."""
        return datetime.now(UTC)

    def start(
        self,
        *,
        provider: str,
        account: str,
        kind: str,
        prompt: str,
        seed: int | None = None,
        count: int = 1,
        width: int = 1024,
        height: int = 1024,
        seconds: float = 4.0,
        format: str = "",  # noqa: A002 - what providers call it
        rate: int | None = None,
        limit: int = 256,
        faults: FaultSet | None = None,
        facts: dict[str, Any] | None = None,
        on_change: OnChange | None = None,
    ) -> Task:
        """A new task that lives in the background; ``on_change`` is called at each change of its status.

        ``kind`` is image, video, audio or text. Without ``faults`` those of the prompt's markers or of the dial.
        """
        wish = Wish(
            kind=Kind(kind),
            prompt=prompt,
            seed=secrets.randbelow(SEED_RANGE) if seed is None else seed,
            count=count,
            width=width,
            height=height,
            seconds=seconds,
            format=format,
            rate=rate,
            limit=limit,
        )
        faults = self.faults(provider, prompt) if faults is None else faults
        task = Task(provider, account, wish, faults, self.now(), facts=facts or {})
        self.tasks[task.id] = task
        self._lives[task.id] = self.spawn(live(self, task, on_change or _ignore))
        return task

    def own(self, provider: str, account: str, task_id: str) -> Task | None:
        """The task if it is this provider's and this account's, else None."""
        task = self.tasks.get(task_id)
        return task if task and (task.provider, task.account) == (provider, account) else None

    def cancel(self, task: Task) -> bool:
        """Ends it as canceled, without a call of ``on_change``; false if it was final already."""
        if not task.finish(Status.CANCELED, self.now()):
            return False
        self._lives[task.id].cancel()
        return True

    def faults(self, provider: str, values: Any) -> FaultSet:
        """The faults of one request: those of the markers in any string of it, else those drawn by share."""
        marked = from_input(values)
        if marked.from_markers:
            return marked
        self._number += 1
        return self.dial(provider).draw(seed=self.settings.seed, number=self._number)

    def dial(self, provider: str) -> Dial:
        """The faults by share of a provider."""
        return self.dials.get(provider) or parse_dial(self.settings.faults)

    def strike(self, name: str, key: str, times: int | None) -> bool:
        """True as long as the fault ``name`` has struck this key fewer than ``times`` times; None is for ever."""
        struck = self._strikes.get((name, key), 0)
        if times is not None and struck >= times:
            return False
        self._strikes[(name, key)] = struck + 1
        return True

    def publish(self, task: Task, name: str, content_type: str, path: Path) -> MediaItem:
        """A file of the task, on the media host."""
        item = MediaItem(self.media_base, name, content_type, path, path.stat().st_size, task.faults)
        self.media[item.key] = (task, item)
        return item

    def entries(self, provider: str) -> Iterator[dict[str, Any]]:
        """The requests to a provider, oldest first."""
        return (entry for entry in self.log if entry["provider"] == provider)

    def spawn(self, coroutine: Any) -> "asyncio.Task[None]":
        """Runs it in the background and keeps it from being collected."""
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(coroutine)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    def reset(self, provider: str) -> None:
        """Tasks, files, log and dial of a provider are as at the start; its deliveries under way still arrive."""
        gone = {task_id for task_id, task in self.tasks.items() if task.provider == provider}
        for task_id in gone:
            self._lives.pop(task_id).cancel()
            del self.tasks[task_id]
        for key in [key for key, (task, _) in self.media.items() if task.id in gone]:
            del self.media[key]
        self.log[:] = [entry for entry in self.log if entry["provider"] != provider]
        self.dials.pop(provider, None)
        self._strikes.clear()
        self.latency = self.settings.latency

    async def close(self) -> None:
        """Ends what runs and removes the files."""
        running = [task for task in self._running if task is not asyncio.current_task()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self.http.aclose()
        await asyncio.to_thread(self.pool.shutdown, wait=True, cancel_futures=True)
        self._folder.cleanup()


def _ignore(_task: Task) -> None:
    """Nobody wants to hear of it."""
