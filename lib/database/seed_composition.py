"""Seeded composed jobs: a picture, a film and words on one timeline."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from lib.database import seed_data as data
from lib.database.seed_data import Fate
from lib.database.seed_generation import Job, common
from lib.database.seed_ids import seeded_uuid
from lib.database.seed_writer import SeedWriter

_STEPS = ("collecting", "rendering")
_VIDEO = next(model for model in data.MODELS if model.media_type == "video")


def compose(writer: SeedWriter) -> int:
    """All composed jobs; how many are new."""
    return sum(_one(writer, job, fate) for job, fate in compositions(writer.base))


def compositions(base: datetime) -> list[tuple[Job, Fate]]:
    """What `compose` makes, the oldest first."""
    ages = [timedelta(days=3), timedelta(days=2), timedelta(minutes=2)]
    return [
        (Job(f"composition {number}", base - age, data.USERS[number + 1][0], _VIDEO, number), fate)
        for number, (fate, age) in enumerate(zip(data.COMPOSED, ages, strict=True))
    ]


def _one(writer: SeedWriter, job: Job, fate: Fate) -> int:
    asked = common(job) | {"modelId": "compose", "provider": "gateway", "elements": _elements(job)}
    if not writer.call("create_job", asked, job.at)["changed"]:
        return 0
    for place, step in enumerate(_STEPS):
        begun, last = 2 + 20 * place, place == len(_STEPS) - 1
        timeline_id = writer.call("start_processing_step", job.job_id, step, place, job.after(begun))
        _move(writer, job, "processing", begun)
        if last and fate is Fate.GENERATING:
            return 1
        success = not (last and fate is Fate.FAILED)
        details = {"elements": len(_elements(job))}
        ended = (
            success,
            job.after(begun + 15),
            Decimal(100 if success else 40),
            details,
            Decimal("71.5"),
            419_430_400,
        )
        writer.call("complete_processing_step", job.job_id, timeline_id, *ended)
        _elements_are(writer, job, begun + 15, processed=last and success)
    if fate is Fate.FAILED:
        error = {"code": "composition_failed", "message": "The film has no sound track.", "retryable": False}
        _move(writer, job, "failed", 40, error=error)
    else:
        _move(writer, job, "completed", 45, outputs=job.outputs)
    return 1


def _move(writer: SeedWriter, job: Job, status: str, seconds: float, **more: Any) -> None:
    writer.call("update_job_status", {"jobId": job.job_id, "status": status} | more, job.after(seconds))


def _elements_are(writer: SeedWriter, job: Job, seconds: float, *, processed: bool) -> None:
    for element in _elements(job):
        state = {
            "elementId": element["elementId"],
            "downloaded": True,
            "processed": processed,
            "sourceSize": 48_000,
        }
        writer.call("update_element_status", state, job.after(seconds))


def _elements(job: Job) -> list[dict[str, Any]]:
    source = "https://example.com/seed"
    shown: list[dict[str, Any]] = [
        {"type": "video", "sourceUrl": f"{source}/waves.mp4", "duration": 6},
        {"type": "image", "sourceUrl": f"{source}/logo.png", "start": 1, "duration": 4, "fitMode": "contain"},
        {"type": "audio", "sourceUrl": f"{source}/piano.mp3", "duration": 6, "volume": 0.6},
        {
            "type": "text",
            "content": "Waves",
            "start": 2,
            "duration": 3,
            "xPosition": "50%",
            "yPosition": "80%",
        },
    ]
    return [
        element
        | {
            "elementId": seeded_uuid(job.at, f"{job.name} element {place}"),
            "elementOrder": place,
            "track": place,
        }
        for place, element in enumerate(shown)
    ]
