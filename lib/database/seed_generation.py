"""Seeded generations, each brought as far as its fate says."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lib.database import seed_data as data
from lib.database.seed_data import Fate, Model
from lib.database.seed_ids import digest, seeded_short_id, seeded_uuid
from lib.database.seed_writer import SeedWriter, outputs_of

BUCKET = "seed-media"
_IN_FLIGHT = frozenset(
    {Fate.QUEUED, Fate.UNKNOWN, Fate.DEFERRED, Fate.SUBMITTED, Fate.GENERATING, Fate.STORING}
)
_SUBMITTED = frozenset(Fate) - {Fate.QUEUED, Fate.UNKNOWN, Fate.DEFERRED, Fate.REFUSED, Fate.CANCELED_EARLY}


@dataclass(frozen=True)
class Job:
    """One job to be seeded."""

    name: str
    at: datetime
    user_id: str
    model: Model
    number: int

    @property
    def job_id(self) -> str:
        """Follows from moment and name."""
        return seeded_uuid(self.at, self.name)

    @property
    def outputs(self) -> list[dict[str, Any]]:
        """What is stored of it: every third makes two."""
        stem = f"media/{self.user_id}/{self.model.media_type}/{self.at:%Y/%m/%d}/{self.job_id}"
        ids = [
            seeded_uuid(self.at, f"{self.name} output {index}") for index in range(1 + (self.number % 3 == 0))
        ]
        return outputs_of(self.model, stem, ids, digest(self.name))

    @property
    def provider_job_id(self) -> str:
        """In the provider's form, 26 letters and digits; the provider knows no such job."""
        return f"seed{self.number:022}"

    def after(self, seconds: float) -> datetime:
        """A moment of its life."""
        return self.at + timedelta(seconds=seconds)


def generate(writer: SeedWriter) -> int:
    """All generations; how many are new."""
    return sum(_one(writer, number, fate) for number, fate in enumerate(data.FATES))


def jobs(base: datetime) -> list[tuple[Job, Fate]]:
    """What `generate` makes, the oldest first."""
    return [(_job(base, number, fate), fate) for number, fate in enumerate(data.FATES)]


def _job(base: datetime, number: int, fate: Fate) -> Job:
    age = timedelta(seconds=20 + 5 * (len(data.FATES) - number))
    if fate not in _IN_FLIGHT:
        age = timedelta(hours=5 * (len(data.FATES) - number), minutes=7 * number % 60)
    user_id = data.USERS[number % len(data.USERS)][0]
    model = data.MODELS[(number + number // 4) % len(data.MODELS)]
    return Job(f"generation {number}", base - age, user_id, model, number)


def common(job: Job) -> dict[str, Any]:
    """What `create_job` wants to know of every job."""
    client_ip, user_agent = data.CLIENTS[job.number % len(data.CLIENTS)]
    guest = {"guestToken": digest(f"key {job.user_id}")} if job.user_id == data.GUEST_TOKEN_OF else {}
    return guest | {
        "jobId": job.job_id,
        "shortId": seeded_short_id(job.name),
        "userId": job.user_id,
        "mediaType": job.model.media_type,
        "parameters": {"prompt": data.PROMPTS[job.number % len(data.PROMPTS)]},
        "clientIp": client_ip,
        "userAgent": user_agent,
        "estimatedTime": job.model.estimated_seconds,
        "estimatedCost": job.model.cost,
        "deadlineAt": job.after(1800).isoformat(),
        "outputFormat": job.model.extension,
        "width": job.model.width,
        "height": job.model.height,
        "estimatedDuration": job.model.seconds,
    }


def _one(writer: SeedWriter, number: int, fate: Fate) -> int:
    job = _job(writer.base, number, fate)
    attempt = {
        "modelRef": f"seed/{job.model.model_id}",
        "input": {"prompt": data.PROMPTS[number % len(data.PROMPTS)]},
        "credentialVersion": "seed",
        "leaseUntil": job.after(60).isoformat(),
    }
    asked = common(job) | {"modelId": job.model.model_id, "provider": "replicate", "attempt": attempt}
    if not writer.call("create_job", asked, job.at)["changed"]:
        return 0
    if fate in _SUBMITTED:
        writer.call("record_submitted", job.job_id, 1, job.provider_job_id, job.after(1.2), job.after(21))
    _bring(writer, job, fate)
    _forget_messages(writer, job)
    return 1


def _bring(writer: SeedWriter, job: Job, fate: Fate) -> None:
    """From a submitted attempt to the job's fate."""
    done = job.model.estimated_seconds * (0.8 + job.number % 5 / 10)
    match fate:
        case Fate.QUEUED | Fate.SUBMITTED:
            return
        case Fate.UNKNOWN:
            writer.call("mark_submit_unknown", job.job_id, 1, job.after(120), job.after(20))
        case Fate.DEFERRED:
            writer.call("defer_submit", job.job_id, 1, job.after(90), "429 Too Many Requests", job.after(1))
        case Fate.REFUSED:
            words = ("provider_invalid_input", "The provider refused the prompt.", False)
            writer.call("fail_job", job.job_id, *words, job.after(1.5), "refused")
        case Fate.CANCELED_EARLY:
            writer.call("defer_submit", job.job_id, 1, job.after(90), "429 Too Many Requests", job.after(1))
            writer.call("request_cancel", job.job_id, job.user_id, job.after(10))
        case Fate.GENERATING:
            _hear(writer, job, "running", 3)
        case Fate.CANCELED:
            _hear(writer, job, "running", 3)
            writer.call("request_cancel", job.job_id, job.user_id, job.after(5))
            _hear(writer, job, "canceled", 6)
        case Fate.FAILED:
            _hear(writer, job, "running", 3)
            failure = {"kind": "provider_model_error", "message": "CUDA out of memory", "retryable": True}
            _hear(writer, job, "failed", 3 + done, failure=failure, billedSeconds=done)
        case Fate.STORING:
            _generated(writer, job, 4)
            writer.call("begin_storing", job.job_id, job.after(5), job.after(305))
        case Fate.COMPLETED:
            _generated(writer, job, 3 + done)
            _store(writer, job, 3.5 + done)


def _hear(writer: SeedWriter, job: Job, status: str, seconds: float, **more: Any) -> None:
    """The provider's word about the attempt."""
    evidence = {"jobId": job.job_id, "attempt": 1, "providerJobId": job.provider_job_id, "status": status}
    writer.call("apply_update", evidence | {"source": "webhook"} | more, job.after(seconds))


def _generated(writer: SeedWriter, job: Job, seconds: float) -> None:
    _hear(writer, job, "running", 2)
    _hear(
        writer, job, "succeeded", seconds,
        outputs=[
            {"kind": "url", "value": f"https://replicate.delivery/seed/{job.number}/{output['index']}"}
            for output in job.outputs
        ],
        billedSeconds=round(seconds - 2, 3),
        storingDeadlineAt=job.after(seconds + 3600).isoformat(),
        storingDueAt=job.after(seconds + 300).isoformat(),
    )  # fmt: skip


def _store(writer: SeedWriter, job: Job, seconds: float) -> None:
    """Downloads and uploads, and the end."""
    begun = writer.call("begin_storing", job.job_id, job.after(seconds), job.after(seconds + 300))
    steps = [
        {
            "timelineId": timeline_id,
            "success": True,
            "endedAt": job.after(seconds + 1 + place).isoformat(),
            "progress": 100,
            "details": {"bytes": sum(output["fileSize"] for output in job.outputs)},
            "cpuUsage": 12.5 + job.number,
            "memoryUsage": 157_286_400 + 1_048_576 * job.number,
        }
        for place, timeline_id in enumerate(begun["work"]["steps"].values())
    ]
    work = {
        "steps": steps,
        "operations": [op for output in job.outputs for op in _operations(job, output, seconds)],
    }
    writer.call("complete_job", job.job_id, job.outputs, job.after(seconds + 2.5), work)


def _operations(job: Job, output: dict[str, Any], seconds: float) -> list[dict[str, Any]]:
    """What was moved for one output; some uploads needed a second try."""
    uploads: list[tuple[str, bool, str | None]] = [("download", True, None)]
    uploads += [("upload", False, "SlowDown")] if job.number % 6 == 5 else []
    uploads += [("upload", True, None)]
    return [
        {
            "operationId": seeded_uuid(job.after(seconds), f"{job.name} {output['index']} {place}"),
            "outputIndex": output["index"],
            "operation": operation,
            "bucket": BUCKET,
            "key": output["key"],
            "region": "eu-central-1",
            "success": success,
            "fileSize": output["fileSize"] if success else None,
            "durationMs": 120 + 35 * place + job.number,
            "errorCode": error,
            "at": job.after(seconds + place / 2).isoformat(),
        }
        for place, (operation, success, error) in enumerate(uploads)
    ]


def _forget_messages(writer: SeedWriter, job: Job) -> None:
    """Nobody sends what the seed would have sent."""
    writer.run("select forget_sent(array_agg(outbox_id)) from outbox where job_id = %s", job.job_id)
