"""How a task lives: queued, running with progress, an end; and how its faults change that."""

import asyncio
import binascii
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from local.providers import media
from local.providers.tasks import Status, Task
from local.replicate.catalogue import Kind

if TYPE_CHECKING:
    from local.providers.world import World

QUEUE_SECONDS = 0.05
RUN_SECONDS: Mapping[Kind, float] = {Kind.IMAGE: 0.2, Kind.VIDEO: 0.5, Kind.AUDIO: 0.3, Kind.TEXT: 0.2}
SLOW_SECONDS = 5.0
JITTER = 0.2
TICKS = 5
REFUSED = "The content was flagged as sensitive by the simulated moderation"
FAILED = "The simulated model failed"


class _EndsBadlyError(Exception):
    """The task is to fail with these words."""

    def __init__(self, words: str, *, refused: bool) -> None:
        super().__init__(words)
        self.refused = refused


async def live(world: "World", task: Task, changed: Callable[[Task], None]) -> None:
    """Lives the task to its end, unless it is canceled meanwhile."""
    try:
        await asyncio.sleep(QUEUE_SECONDS * world.latency)
        task.status, task.started_at = Status.RUNNING, world.now()
        changed(task)
        await _run(world, task)
    except _EndsBadlyError as error:
        task.finish(Status.FAILED, world.now(), str(error), refused=error.refused)
    except Exception as error:  # noqa: BLE001 - a wish that cannot be drawn is a failed task, not a silent one
        task.finish(Status.FAILED, world.now(), f"{type(error).__name__}: {error}")
    else:
        task.finish(Status.SUCCEEDED, world.now())
    changed(task)


async def _run(world: "World", task: Task) -> None:
    seconds = _run_seconds(world, task)
    faults = task.faults
    if "never-finishes" in faults:
        await asyncio.Event().wait()
    if "nsfw" in faults or "fail" in faults:
        await asyncio.sleep(seconds / 2)
        refused = "nsfw" in faults
        raise _EndsBadlyError(
            faults.text("nsfw", REFUSED) if refused else faults.text("fail", FAILED), refused=refused
        )
    if task.wish.kind is Kind.TEXT:
        task.tokens = media.write_tokens(task.provider, task.wish)
        await _tick(task, seconds)
        return
    folder = world.folder / task.id
    folder.mkdir()
    drawing = asyncio.get_running_loop().run_in_executor(
        world.pool, media.draw_files, task.provider, task.wish, folder
    )
    drawing.add_done_callback(lambda done: None if done.cancelled() else done.exception() and None)
    await _tick(task, seconds)
    task.files = [world.publish(task, file.name, file.content_type, file.path) for file in await drawing]


async def _tick(task: Task, seconds: float) -> None:
    for tick in range(1, TICKS + 1):
        await asyncio.sleep(seconds / TICKS)
        task.progress = tick / (TICKS + 1)


def _run_seconds(world: "World", task: Task) -> float:
    """The same for the same prompt, unless the fault says how long."""
    if "slow" in task.faults:
        return task.faults.seconds("slow", SLOW_SECONDS)
    fraction = binascii.crc32(f"{world.settings.seed}:{task.wish.prompt}".encode()) / 2**32
    return RUN_SECONDS[task.wish.kind] * (1 + (fraction * 2 - 1) * JITTER) * world.latency
