"""Puts what came inside an answer into the bucket, before anything of it is recorded.

    answer on this machine's disk ──> temp/outputs/{job}/{attempt}/0, 1, ...      the bytes
                                      temp/outputs/{job}/{attempt}/manifest.json  the update, its outputs objects
                                      the record                                  the same update

A synchronous provider says its result once. When a worker dies behind the manifest nothing is lost: whoever looks
after the attempt next finds it (`find_parked`). What one leaves that dies before it, the bucket forgets in a day.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from io import BytesIO
from typing import BinaryIO

from lib.domain.errors import NotFoundError, OutputError
from lib.domain.http_exchange import Blob
from lib.domain.media_keys import TEMP_PREFIX, safe_segment
from lib.domain.provider import OutputKind, ProviderOutput, ProviderUpdate
from lib.domain.provider_json import update_from_json, update_to_json
from lib.domain.stored_output import CopyLimits, OutputFault
from lib.ports.storage import MediaBucket
from lib.services.copy_output import never
from lib.services.inline_output import PLAIN_TEXT, decode_data_url
from lib.services.patience import Patience
from lib.services.put_blob import put_blob

LONGEST_INLINE = 64 * 1024
"""Texts and data URLs with more characters, all of an update together, are parked: no message grows too large."""
_INLINE_KINDS = frozenset({OutputKind.TEXT, OutputKind.DATA_URL})


@dataclass(frozen=True)
class ParkOutputs:
    """Turns an update's blobs, long texts and data URLs into objects; the bucket is asked for only if there are any."""

    bucket: Callable[[], MediaBucket]
    limits: CopyLimits = field(default_factory=CopyLimits)
    patience: Patience = field(default_factory=Patience)

    def __call__(
        self, job_id: str, attempt: int, update: ProviderUpdate, *, stop: Callable[[], bool] = never
    ) -> ProviderUpdate:
        """The update with objects in their place and without blobs; as it was if there is nothing to park.

        The first result of an attempt stands: a repetition gives what was parked then. Raises UnavailableError
        when the bucket stays away; `stop` is asked before each further try.
        """
        to_park = _to_park(update.outputs)
        if not to_park:
            return update
        parked = self.patience.keep_trying(partial(self.find_parked, job_id, attempt), stop)
        if parked is not None:
            return parked
        outputs = list(update.outputs)
        for index in to_park:
            key = f"{_prefix(job_id, attempt)}{index}"
            blob = _blob_of(outputs[index], update.blobs, self.limits.inline_bytes)
            self.patience.keep_trying(partial(self._put, key, blob), stop)
            outputs[index] = ProviderOutput(OutputKind.OBJECT, key)
        return self._finish(job_id, attempt, replace(update, outputs=tuple(outputs), blobs=()), stop)

    def find_parked(self, job_id: str, attempt: int) -> ProviderUpdate | None:
        """The update that was parked for this attempt; None if there is none. Raises UnavailableError."""
        bucket, key = self.bucket(), _manifest_key(job_id, attempt)
        info = bucket.head(key)
        if info is None:
            return None
        try:
            return update_from_json(json.loads(bucket.read(key, 0, info.size)))
        except (NotFoundError, ValueError, LookupError, TypeError, AttributeError):
            return None

    def _put(self, key: str, blob: Blob) -> None:
        put_blob(self.bucket(), key, blob, self.limits)

    def _finish(
        self, job_id: str, attempt: int, update: ProviderUpdate, stop: Callable[[], bool]
    ) -> ProviderUpdate:
        body = json.dumps(update_to_json(update), separators=(",", ":")).encode()
        put = partial(
            self.bucket().put,
            _manifest_key(job_id, attempt),
            body,
            content_type="application/json",
            metadata={},
            only_if_absent=True,
        )
        if self.patience.keep_trying(put, stop):
            return update
        # it is there after all: written by a try that nobody answered, or by a worker at the same time
        return self.patience.keep_trying(partial(self.find_parked, job_id, attempt), stop) or update


@dataclass(frozen=True)
class _Inline:
    """A `Blob` that is in memory."""

    name: str
    content_type: str
    body: bytes = field(repr=False)

    @property
    def size(self) -> int:
        return len(self.body)

    def open(self) -> BinaryIO:
        return BytesIO(self.body)


def _to_park(outputs: Sequence[ProviderOutput]) -> Sequence[int]:
    """Which of them: the blobs, and what is inline where it is long."""
    inline = sum(len(output.value) for output in outputs if output.kind in _INLINE_KINDS)
    kinds = {OutputKind.BLOB} | (_INLINE_KINDS if inline > LONGEST_INLINE else set())
    return [index for index, output in enumerate(outputs) if output.kind in kinds]


def _blob_of(output: ProviderOutput, blobs: Sequence[Blob], inline_bytes: int) -> Blob:
    if output.kind is OutputKind.BLOB:
        found = next((blob for blob in blobs if blob.name == output.value), None)
        if found is None:
            raise OutputError("The answer's bytes did not come with its update.", code=OutputFault.EXPIRED)
        return found
    if output.kind is OutputKind.TEXT:
        text = output.value.replace("\x00", "\ufffd")  # as the record keeps the short ones
        return _Inline("", PLAIN_TEXT, text.encode("utf-8", "replace"))
    head = output.value.partition(",")[0]
    try:
        body = decode_data_url(output.value, inline_bytes)
    except OutputError:  # stored as it is: whoever reads it says what is wrong with it, for this output alone
        return _Inline("", PLAIN_TEXT, output.value.encode("utf-8", "replace"))
    return _Inline("", head[len("data:") :].partition(";")[0].strip().lower(), body)


def _prefix(job_id: str, attempt: int) -> str:
    return f"{TEMP_PREFIX}outputs/{safe_segment(job_id)}/{attempt}/"


def _manifest_key(job_id: str, attempt: int) -> str:
    return f"{_prefix(job_id, attempt)}manifest.json"
