"""Makes a composed job with its elements: all of it, or nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lib.domain.address import is_address
from lib.domain.composition import CompositionRequest, read_composition
from lib.domain.element import Element
from lib.domain.errors import ConflictError, FieldError, InvalidError
from lib.domain.field_reader import FieldReader
from lib.domain.ids import parse_job_id, short_id, time_of_id, uuid7
from lib.domain.job_row import ResponseType
from lib.domain.media_type import MediaType
from lib.domain.snapshot import JobSnapshot
from lib.domain.wire_json import wire_name
from lib.ports.record import JobRecord
from lib.ports.repositories import Elements, Jobs, NewComposition
from lib.services.after_commit import AfterCommit

PROVIDER, MODEL_ID = "gateway", "composition"
LIFE = timedelta(hours=1)  # after it an unfinished job is given up
USUAL_SECONDS = 60.0
ID_TOLERANCE = timedelta(minutes=1)  # as the record's constraint has it
LONGEST_SECONDS = 1_000_000


@dataclass(frozen=True)
class VideoJob:
    """A composed job as it stands, with its elements; `created` is False where it was there already."""

    job: JobSnapshot
    elements: tuple[Element, ...]
    created: bool


@dataclass(frozen=True)
class CreateVideoJob:
    """Records a composed job in one round trip."""

    jobs: Jobs
    elements: Elements
    record: JobRecord
    after_commit: AfterCommit
    clock: Callable[[], datetime]

    def __call__(
        self,
        user_id: str,
        request: Any,
        *,
        estimated_duration: float | None = None,
        client_ip: str | None = None,
        user_agent: str | None = None,
        response_type: str = ResponseType.ASYNC,
        job_id: str | None = None,
        guest_token: str | None = None,
    ) -> VideoJob:
        """The job with its elements, pending; asked again with its `job_id` it is as it stands, and nothing changes.

        Args:
            user_id: whose job it is.
            request: see `lib.domain.composition.read_composition`.
            estimated_duration: seconds that the result is expected to last, and to be made in.
            client_ip: where the request came from.
            user_agent: what the client called itself; its first 500 characters are kept.
            response_type: sync or async.
            job_id: a UUIDv7 of this minute, to make the call repeatable; else a new one is made.
            guest_token: the hash of a guest's token.

        Raises:
            InvalidError: all that is wrong at once, with paths such as `elements[2].xPosition`.
            ConflictError: the id is that of another job, or an element's id is taken; nothing was recorded.
            RecordUnavailableError: the record is away.
        """
        now = self.clock()
        options = _Options(job_id, estimated_duration, client_ip, response_type)
        read, checked = _checked(request, options, now)
        if abs(_time(checked.job_id) - now) > ID_TOLERANCE:
            return self._existing(self._found_again(checked.job_id), user_id)
        job = NewComposition(
            job_id=checked.job_id,
            short_id=short_id(),
            user_id=user_id,
            media_type=MediaType.VIDEO.value,
            model_id=MODEL_ID,
            provider=PROVIDER,
            estimated_time_s=checked.estimated_duration or USUAL_SECONDS,
            deadline_at=now + LIFE,
            elements=read.elements,
            parameters=read.parameters,
            output_format=read.output_format,
            width=read.width,
            height=read.height,
            estimated_duration_s=checked.estimated_duration,
            response_type=checked.response_type,
            client_ip=client_ip,
            user_agent=user_agent,
            guest_token=guest_token,
        )
        made = self.after_commit(self.jobs.create_composition(job, now), now)
        return VideoJob(made.job, read.elements, True) if made.changed else self._existing(made.job, user_id)

    def _found_again(self, job_id: str) -> JobSnapshot:
        """A repeated call may come later than the record would take its id for a new job."""
        found = self.record.find_job(job_id)
        if found is None:
            problem = "must be a UUID of version 7 made within this minute"
            raise InvalidError(f"jobId {problem}", errors=[FieldError("jobId", problem)])
        return found

    def _existing(self, job: JobSnapshot, user_id: str) -> VideoJob:
        if job.user_id != user_id or job.data["provider"] != PROVIDER:
            raise ConflictError(f"the job id {job.job_id} is taken")
        return VideoJob(job, self.elements.of_job(job.job_id) or (), created=False)


@dataclass(frozen=True)
class _Options:
    job_id: Any
    estimated_duration: Any
    client_ip: Any
    response_type: Any


@dataclass(frozen=True)
class _CheckedOptions:
    job_id: str
    estimated_duration: float | None
    response_type: str


def _checked(request: Any, options: _Options, now: datetime) -> tuple[CompositionRequest, _CheckedOptions]:
    """Request and options, if all is right with both. Raises InvalidError naming all that is not."""
    errors: list[FieldError] = []
    reader = FieldReader({wire_name(name): value for name, value in vars(options).items()}, "", errors)
    given = reader.text("jobId", longest=36)
    canonical = parse_job_id(given) if given else str(uuid7(now))
    if given and (canonical is None or time_of_id(canonical) is None):
        reader.wrong("jobId", "must be a UUID of version 7")
    duration = reader.number("estimatedDuration", 0, LONGEST_SECONDS)
    response_type = reader.choice("responseType", ResponseType) or ResponseType.ASYNC
    address = reader.text("clientIp", longest=45)
    if address and not is_address(address):
        reader.wrong("clientIp", "must be an IPv4 or IPv6 address")
    job_id = canonical or ""
    try:
        read = read_composition(request, job_id, now, lambda: str(uuid7(now)))
    except InvalidError as error:
        raise _wrong([*errors, *error.errors]) from None
    if errors:
        raise _wrong(errors)
    return read, _CheckedOptions(job_id, duration, response_type.value)


def _wrong(errors: Sequence[FieldError]) -> InvalidError:
    listed = "; ".join(f"{error.path} {error.message}" for error in errors[:10])
    return InvalidError(f"The composition is wrong: {listed}", errors=errors)


def _time(job_id: str) -> datetime:
    moment = time_of_id(job_id)
    if moment is None:
        raise AssertionError(job_id)
    return moment
