"""What providers share that answer with the file itself: waiting for the task, and its bytes as the body."""

from collections.abc import Mapping

from starlette.responses import Response

from local.providers.refusals import lost_answer
from local.providers.tasks import Task
from local.providers.world import World
from local.simulation.file_answer import SLOW_SECONDS, FileBytes
from local.simulation.media_items import MediaItem


async def silence_or_end(world: World, task: Task) -> Response | None:
    """Waits until the task is final and returns None; silence at once for the faults that never answer."""
    if "accept-no-answer" in task.faults or "never-finishes" in task.faults:
        return lost_answer(world)
    await task.done()
    return None


def file_bytes(item: MediaItem, headers: Mapping[str, str]) -> Response:
    """A file of a task as the whole answer, with what its faults make of it."""
    faults = item.faults
    return FileBytes(
        item,
        (0, item.size),
        headers=dict(headers),
        status_code=200,
        slow_seconds=faults.seconds("slow-output", SLOW_SECONDS) if "slow-output" in faults else 0.0,
        stop_at=item.size // 2 if "truncated-output" in faults else None,
    )
