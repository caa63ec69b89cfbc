"""Where an output can be read, and a note of who was told so."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from lib.domain.caller import Caller, Origin
from lib.domain.errors import NotFoundError
from lib.domain.ids import parse_job_id, uuid7
from lib.domain.observations import AccessType
from lib.domain.snapshot import format_time
from lib.ports.record import JobRecord
from lib.services.remembered import RememberedAnswers, actor_segment
from lib.services.worker_notes import WorkerNotes

MESSAGE_KIND = "url_access"
CACHE_BRANCH = "outputs"  # forgotten as a whole when jobs are removed
KEPT_SECONDS = 60  # as long as a key is believed


class Signed(Protocol):
    """An address for a while."""

    @property
    def url(self) -> str:
        """The address."""


@dataclass(frozen=True)
class Reading:
    """What somebody wants to read: an output by its id as it was written, or its small picture."""

    output_id: str
    thumbnail: bool = False
    origin: Origin = field(default_factory=Origin)
    request_id: str | None = None


@dataclass(frozen=True)
class ReadMedia:
    """The use case of `GET /media/{outputId}`; `sign` makes an address under which an object can be read.

    Pages show the same pictures again and again: an output that was found is kept for a minute, for each actor apart.
    """

    record: JobRecord
    cache: RememberedAnswers
    sign: Callable[[str, datetime], Signed]
    notes: WorkerNotes
    clock: Callable[[], datetime]

    def address(self, caller: Caller, wanted: Reading) -> str:
        """A freshly signed address; that it was given out is noted, which cannot fail the reading.

        Raises:
            NotFoundError: no such output, none that the caller may see, or one without a small picture.
            RecordUnavailableError: the record is away.
        """
        output_id = parse_job_id(wanted.output_id)
        if output_id is None:
            raise _not_found(wanted)
        found = self._find(output_id, wanted)
        key = found["thumbnailKey"] if wanted.thumbnail else found["key"]
        if key is None:
            raise NotFoundError(f"the output {output_id} has no small picture")
        now = self.clock()
        address = self.sign(str(key), now).url
        access: dict[str, Any] = {
            "accessId": str(uuid7(now)),
            "outputId": output_id,
            "jobId": found["jobId"],
            "userId": caller.user_id,
            "accessType": (AccessType.THUMBNAIL if wanted.thumbnail else AccessType.REDIRECT).value,
            "clientIp": wanted.origin.client_ip,
            "userAgent": wanted.origin.user_agent,
            "requestId": wanted.request_id,
            "at": format_time(now),
        }
        self.notes.send({"kind": MESSAGE_KIND, "access": access}, group=caller.user_id)
        return address

    def _find(self, output_id: str, wanted: Reading) -> Mapping[str, Any]:
        def ask() -> Mapping[str, Any]:
            found = self.record.find_output(output_id)
            if found is None:
                raise _not_found(wanted)
            return found

        key = f"{CACHE_BRANCH}:{output_id}:{actor_segment()}"
        kept: Mapping[str, Any] = self.cache.get_or_set(key, ask, KEPT_SECONDS)
        return kept


def _not_found(wanted: Reading) -> NotFoundError:
    return NotFoundError(
        f"there is no output {wanted.output_id[:100]!r}: its id is a UUID, outputId in its job"
    )
