"""The processes of one function: as many as are needed at once, up to a maximum, kept warm."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from pathlib import Path

from local.deployment import Function
from local.runtime.invocation import FunctionError
from local.runtime.worker import Worker


class Pool:
    """Runs invocations of a function on its warmest idle worker; starts one more when all are busy.

    Beyond `max_workers` invocations wait in line. `starts` bounds how many processes of all pools start at once.
    """

    def __init__(
        self,
        function: Function,
        *,
        max_workers: int,
        task_root: Path,
        aws_endpoint_url: str,
        on_line: Callable[[str], None],
        starts: asyncio.Semaphore,
    ) -> None:
        self.function = function
        self.max_workers = min(max_workers, function.reserved_concurrency or max_workers)
        self.invocations = 0
        self.errors = 0
        self._task_root = task_root
        self._aws_endpoint_url = aws_endpoint_url
        self._on_line = on_line
        self._starts = starts
        self._workers: set[Worker] = set()
        self._idle: list[Worker] = []
        self._waiting: deque[asyncio.Future[Worker]] = deque()
        self._spawning: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def size(self) -> int:
        """How many processes there are, starting ones included."""
        return len(self._workers)

    async def invoke(self, event: bytes) -> bytes:
        """The function's answer as JSON bytes; FunctionError as Lambda would report it."""
        self.invocations += 1
        try:
            worker = await self._acquire()
            try:
                return await worker.invoke(event)
            finally:
                self._offer(worker)
        except FunctionError:
            self.errors += 1
            raise

    async def warm(self) -> None:
        """Return when one worker at least is ready; FunctionError if it cannot start."""
        self._offer(await self._acquire())

    def kill(self) -> int:
        """SIGKILL to all processes of the function; what they were doing fails. Returns how many there were."""
        killed = [worker for worker in self._workers if worker.alive]
        self._idle.clear()
        for worker in killed:
            worker.send_kill()
        return len(killed)

    async def close(self) -> None:
        """End all processes; waiting invocations fail."""
        self._closed = True
        for future in self._waiting:
            future.cancel()
        for task in self._spawning:
            task.cancel()
        await asyncio.gather(*self._spawning, return_exceptions=True)
        await asyncio.gather(*(worker.kill() for worker in [*self._workers]))

    async def _acquire(self) -> Worker:
        while self._idle:
            worker = self._idle.pop()
            if worker.alive:
                return worker
        future: asyncio.Future[Worker] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        self._scale()
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                self._offer(future.result())
            raise

    def _offer(self, worker: Worker) -> None:
        """A worker is free: hand it to whoever has waited longest, or keep it warm."""
        if worker.alive:
            while self._waiting:
                future = self._waiting.popleft()
                if not future.done():
                    future.set_result(worker)
                    return
            self._idle.append(worker)
        else:
            self._scale()

    def _scale(self) -> None:
        waiting = sum(not future.done() for future in self._waiting)
        while not self._closed and len(self._spawning) < waiting and len(self._workers) < self.max_workers:
            worker = Worker(
                self.function,
                task_root=self._task_root,
                aws_endpoint_url=self._aws_endpoint_url,
                on_line=self._on_line,
                on_exit=self._forget,
            )
            self._workers.add(worker)
            task = asyncio.create_task(self._spawn(worker))
            self._spawning.add(task)
            task.add_done_callback(self._spawned)

    async def _spawn(self, worker: Worker) -> None:
        try:
            async with self._starts:
                if not any(not future.done() for future in self._waiting):
                    self._workers.discard(worker)  # another worker became free meanwhile
                    return
                await worker.start()
        except FunctionError as error:
            self._fail_first(error)
            await worker.kill()
        except OSError as error:
            self._workers.discard(worker)
            self._fail_first(FunctionError("Runtime.InitError", str(error)))
        else:
            self._offer(worker)

    def _spawned(self, task: asyncio.Task[None]) -> None:
        self._spawning.discard(task)
        self._scale()  # it may have failed, with others waiting in line behind it

    def _fail_first(self, error: FunctionError) -> None:
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_exception(error)
                return

    def _forget(self, worker: Worker) -> None:
        self._workers.discard(worker)
        with contextlib.suppress(ValueError):
            self._idle.remove(worker)
        self._scale()
