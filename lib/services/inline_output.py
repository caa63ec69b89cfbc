"""Outputs that need no download: a text, a data URL, an object that the gateway itself put under `temp/`."""

import base64
import binascii
from urllib.parse import unquote_to_bytes

from lib.domain.direct_upload import UPLOADS_PREFIX
from lib.domain.errors import NotFoundError, OutputError
from lib.domain.media_keys import TEMP_PREFIX
from lib.domain.stored_output import MIB, OutputFault
from lib.ports.storage import MediaBucket, ObjectInfo, OutputStream

READ_AHEAD_BYTES = 4 * MIB
PLAIN_TEXT = "text/plain"
"""The type of an object that holds an output as it was written: a text, or a data URL that could not be read."""


def decode_data_url(url: str, limit: int) -> bytes:
    """The bytes of a `data:` URL (RFC 2397), base64 or percent-encoded; its declared type is not believed.

    `OutputError`: `output_unreadable` if it is malformed, `output_too_large` over `limit` bytes.
    """
    head, comma, data = url.partition(",")
    if head[:5].lower() != "data:" or not comma:
        raise _malformed("it has no comma")
    is_base64 = head.rpartition(";")[2].strip().lower() == "base64"
    check_inline_size(len(data) * 3 // 4 if is_base64 else len(data) // 3, limit)
    body = _from_base64(data) if is_base64 else unquote_to_bytes(data)
    check_inline_size(len(body), limit)
    return body


def check_inline_size(size: int, limit: int) -> None:
    """`output_too_large` if something that must be held in memory has more bytes than `limit`."""
    if size > limit:
        message = f"The output came inside a message with {size} bytes; at most {limit} are taken that way."
        raise OutputError(message, code=OutputFault.TOO_LARGE)


def _from_base64(data: str) -> bytes:
    raw = b"".join(unquote_to_bytes(data).split()).rstrip(b"=")
    try:
        return base64.b64decode(raw + b"=" * (-len(raw) % 4), validate=True)
    except binascii.Error as error:
        raise _malformed(f"its base64 is wrong: {error}") from error


def _malformed(reason: str) -> OutputError:
    return OutputError(f"The output's data URL cannot be read: {reason}.", code=OutputFault.UNREADABLE)


class ObjectSource:
    """An `OutputSource` whose addresses are keys under `temp/` of our own bucket.

    One that a provider uploads and that is not there is `output_unavailable`, to be looked for again.
    """

    def __init__(self, bucket: MediaBucket) -> None:
        self._bucket = bucket

    def info(self, key: str) -> ObjectInfo:
        """What the object is; `output_expired` if it is gone, `output_forbidden_address` outside `temp/`."""
        if not key.startswith(TEMP_PREFIX):
            message = f"The output's key is refused: it is not under {TEMP_PREFIX}."
            raise OutputError(message, code=OutputFault.FORBIDDEN_ADDRESS)
        found = self._bucket.head(key)
        if found is None:
            raise _gone(key)
        return found

    def open(self, url: str, start: int = 0, validator: str | None = None) -> OutputStream:
        """See `OutputSource.open`. Our temporary objects never change, so there is nothing to validate."""
        del validator
        return _ObjectStream(self._bucket, url, start, self.info(url).size)


class _ObjectStream:
    """Each read of a bucket is a request: more is asked for at once than a reader takes at once."""

    def __init__(self, bucket: MediaBucket, key: str, start: int, total: int) -> None:
        self._bucket, self._key, self._position = bucket, key, start
        self._ahead = memoryview(b"")
        self.start, self.total = start, total
        self.validator: str | None = None

    def read(self, limit: int) -> bytes:
        if not self._ahead:
            self._ahead = memoryview(self._next(max(limit, READ_AHEAD_BYTES)))
        data = bytes(self._ahead[:limit])
        self._ahead = self._ahead[limit:]
        return data

    def _next(self, size: int) -> bytes:
        try:
            data = self._bucket.read(self._key, self._position, min(size, self.total - self._position))
        except NotFoundError as error:
            raise _gone(self._key) from error
        self._position += len(data)
        return data

    def close(self) -> None:
        """Nothing is open."""


def _gone(key: str) -> OutputError:
    if key.startswith(UPLOADS_PREFIX):  # who uploads may name a file before it has arrived
        message = f"The output has not arrived yet: {key}."
        return OutputError(message, code=OutputFault.UNAVAILABLE, retryable=True)
    return OutputError(f"The output is not there any more: {key}.", code=OutputFault.EXPIRED)
