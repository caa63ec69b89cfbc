"""What one try at one output moved, as lines of the storage log."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from lib.domain import media_keys
from lib.domain.errors import OutputError
from lib.domain.ids import uuid7
from lib.domain.provider import OutputKind, ProviderOutput
from lib.domain.stored_output import OutputTarget
from lib.ports.work_report import StorageOperation
from lib.services.tally import Stopwatch, Tally, code_of

INLINE = "inline"
UNKNOWN = "unknown"
LONGEST_BUCKET, LONGEST_KEY = 255, 1024
_INLINE_KINDS = frozenset({OutputKind.TEXT, OutputKind.DATA_URL})


@dataclass(frozen=True)
class BucketPlace:
    """The media bucket's name and region, as the storage log shows them."""

    name: str
    region: str | None = None


class OutputMeter:
    """Told by the metered ports what they move. It decides nothing, and never raises.

    A try logs one download and one upload at most. What was in the bucket already is neither.
    """

    def __init__(
        self, output: ProviderOutput, target: OutputTarget, place: BucketPlace, watch: Stopwatch
    ) -> None:
        self.download, self.upload = Tally(watch), Tally(watch)
        self.placed = False
        self._output, self._target = output, target
        self._place, self._watch, self._begun = place, watch, watch.seconds()
        self._key = media_keys.output_stem(target)
        self._others: list[StorageOperation] = []

    def is_output(self, key: str) -> bool:
        """Whether it is this output's own key, and not that of a preview."""
        return key.startswith(media_keys.output_prefix(self._target))

    @contextmanager
    def uploading(self, key: str, size: int = 0) -> Iterator[None]:
        """So many bytes of the output go up while the block lasts."""
        self._key = key
        with self.upload.moving(size):
            yield

    @contextmanager
    def other(self, operation: str, key: str, size: int | None = None) -> Iterator[None]:
        """Something else is done with an object: a line of its own."""
        begun = self._watch.seconds()
        preview = operation == "upload"
        error_code: str | None = None
        try:
            yield
        except Exception as error:
            error_code = code_of(error)
            raise
        finally:
            self._others.append(
                self._line(
                    operation,
                    *(self._place.name, key, begun, self._watch.seconds()),
                    size=size,
                    error_code=error_code,
                    metadata={"thumbnail": True} if preview else {},
                )
            )

    def operations(self, error: Exception | None, *, whole: bool) -> list[StorageOperation]:
        """The lines of this try, which has ended: with the `whole` output stored, before its time, or by this error."""
        return [*self._downloaded(error, whole=whole or self.placed), *self._uploaded(error), *self._others]

    def _downloaded(self, error: Exception | None, *, whole: bool) -> Iterator[StorageOperation]:
        tally, inline = self.download, self._output.kind in _INLINE_KINDS
        refused = isinstance(error, OutputError) and not self.placed
        if not tally.calls and not (inline and (refused or self.upload.calls)):
            return
        ended = tally.ended if tally.calls else self._begun
        yield self._line(
            *(*_origin(self._output, self._place), ended - tally.seconds, ended),
            size=self.upload.bytes if inline else tally.bytes,
            error_code=code_of(error) if error is not None and refused else None,
            metadata={} if whole or refused else {"partial": True},
        )

    def _uploaded(self, error: Exception | None) -> Iterator[StorageOperation]:
        tally = self.upload
        if not tally.calls:
            return
        failed = error is not None and not self.placed
        if not failed and not self.placed and not tally.bytes:
            return  # another worker's object was there first
        yield self._line(
            *("upload", self._place.name, self._key, tally.ended - tally.seconds, tally.ended),
            size=tally.bytes,
            error_code=code_of(error) if error is not None and failed else None,
            metadata={} if self.placed or failed else {"partial": True},
        )

    def _line(
        self,
        operation: str,
        bucket: str,
        key: str,
        begun: float,
        ended: float,
        *,
        size: int | None,
        error_code: str | None,
        metadata: Mapping[str, Any],
    ) -> StorageOperation:
        at = self._watch.moment(ended)
        return StorageOperation(
            operation_id=str(_id_of(at)),
            operation=operation,
            bucket=bucket,
            key=key,
            success=error_code is None,
            at=at,
            duration_ms=(ended - begun) * 1000,
            file_size=size,
            output_index=self._target.index,
            region=self._place.region if bucket == self._place.name else None,
            error_code=error_code,
            metadata=metadata,
        )


def _id_of(at: datetime) -> UUID:
    """A UUIDv7 whose order tells microseconds: lines of one millisecond keep theirs (RFC 9562, 6.2, method 3)."""
    fraction = at.microsecond % 1000 * 4096 // 1000
    return uuid7(at, lambda bits: fraction if bits == 12 else secrets.randbits(bits))


def _origin(output: ProviderOutput, place: BucketPlace) -> tuple[str, str, str]:
    """(operation, host or bucket, path or key): never a query, where signatures are, nor an output itself."""
    match output.kind:
        case OutputKind.OBJECT:
            return "read", place.name, output.value[:LONGEST_KEY]
        case OutputKind.TEXT | OutputKind.DATA_URL | OutputKind.BLOB:
            return "download", INLINE, INLINE
        case OutputKind.URL:
            return "download", *_address(output.value)


def _address(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        host = None
    if not host:
        return UNKNOWN, UNKNOWN
    return host[:LONGEST_BUCKET], parts.path[:LONGEST_KEY] or "/"
