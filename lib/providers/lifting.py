"""Takes long base64 strings out of a JSON text while it comes in, with memory that does not grow with them.

    {"b64_json": "iVBORw0KGgo...40 MB...", "seed": 7}
                  |                     |
                  v to the spool        v
    {"b64_json": "blob:5f0c9a71d2e84b36:0", "seed": 7}

A string is taken for base64 when its first 4 KiB are, and put back if what follows is not. Everything else comes
through byte for byte; whether it is JSON at all is for its reader to find out.
"""

import re
import secrets
from enum import Enum, auto

from lib.providers.base64_text import Base64Tally, begins_as_base64, unfinished_escape
from lib.providers.spool import READ_BYTES, Spool, SpooledBlob, UnusableAnswerError

LONG_BYTES = 4096
"""Strings from this length on, as they stand in the JSON, are lifted out."""

_QUOTE = b'"'
_DATA_URL_HEAD = re.compile(rb'data:((?:[^"\\,]|\\/){0,256}?);base64,', re.IGNORECASE)
_SHORT_STRINGS = re.compile(rb'[^"]*+(?:"[^"\\]{0,4000}+"[^"]*+)*+')
_TEXT = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)


class _Place(Enum):
    """Where in the JSON the next byte stands."""

    OUTSIDE = auto()
    STRING_BEGINS = auto()
    TEXT = auto()
    BASE64 = auto()


class Lifter:
    """One answer being read: `feed` its bytes, then take what `end` gives.

    `max_left_bytes` bounds what stays in memory; raises `UnusableAnswerError` over it. The names of blobs hold 64
    random bits, so that no answer can name one by itself.
    """

    def __init__(self, spool: Spool, max_left_bytes: int) -> None:
        self._spool = spool
        self._max_left_bytes = max_left_bytes
        self._stem = f"blob:{secrets.token_hex(8)}"
        self._left = bytearray()
        self._blobs: list[SpooledBlob] = []
        self._place = _Place.OUTSIDE
        self._held = b""
        self._tally = Base64Tally()
        self._content_type = ""
        self._begun_at = 0
        self._prefix = 0

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        data = self._held + chunk if self._held else chunk
        self._held = b""
        position = 0
        while position < len(data):
            match self._place:
                case _Place.OUTSIDE:
                    position = self._skip_to_string(data, position)
                case _Place.STRING_BEGINS:
                    position = self._begin_string(data, position)
                case _Place.TEXT:
                    position = self._pass_text(data, position)
                case _Place.BASE64:
                    position = self._lift(data, position)

    def end(self) -> tuple[bytes, tuple[SpooledBlob, ...]]:
        """What is left of the text, and the blobs; a string that did not end stays."""
        if self._place is _Place.BASE64:
            self._put_back()
        self._keep(self._held)
        return bytes(self._left), tuple(self._blobs)

    def _skip_to_string(self, data: bytes, position: int) -> int:
        passed = _SHORT_STRINGS.match(data, position)
        end = passed.end() if passed else position
        if end < len(data):
            end += 1  # the quote that begins a string
            self._place = _Place.STRING_BEGINS
        self._keep(data[position:end])
        return end

    def _begin_string(self, data: bytes, position: int) -> int:
        quote = data.find(_QUOTE, position, position + LONG_BYTES)
        if quote < 0 and len(data) - position < LONG_BYTES:
            return self._hold(data, position)
        if quote >= 0:
            self._place = _Place.TEXT
            return position
        head = data[position : position + LONG_BYTES]
        url = _DATA_URL_HEAD.match(head)
        prefix = url.end() if url else 0
        if not begins_as_base64(head[prefix : len(head) - unfinished_escape(head)]):
            self._place = _Place.TEXT
            return position
        self._place, self._begun_at, self._prefix = _Place.BASE64, self._spool.size, prefix
        self._content_type = _media_type(url[1]) if url else ""
        self._tally = Base64Tally()
        self._spool.append(head[:prefix])
        return position + prefix

    def _pass_text(self, data: bytes, position: int) -> int:
        passed = _TEXT.match(data, position)
        end = passed.end() if passed else position
        ended = data.startswith(_QUOTE, end)
        self._keep(data[position : end + ended])
        if ended:
            self._place = _Place.OUTSIDE
            return end + 1
        return self._hold(data, end)

    def _lift(self, data: bytes, position: int) -> int:
        quote = data.find(_QUOTE, position)
        end = quote if quote >= 0 else len(data) - unfinished_escape(data[position:])
        span = data[position:end]
        if not self._tally.add(span) or (quote >= 0 and not self._tally.complete):
            self._put_back()
            self._place = _Place.TEXT
            return position
        self._spool.append(span)
        if quote < 0:
            return self._hold(data, end)
        self._name_blob()
        self._place = _Place.OUTSIDE
        return quote + 1

    def _name_blob(self) -> None:
        name = f"{self._stem}:{len(self._blobs)}"
        start = self._begun_at + self._prefix
        self._blobs.append(
            SpooledBlob(
                name,
                self._content_type,
                self._tally.size,
                self._spool,
                start,
                self._spool.size - start,
                is_base64=True,
            )
        )
        self._keep(name.encode() + _QUOTE)

    def _put_back(self) -> None:
        for at in range(self._begun_at, self._spool.size, READ_BYTES):
            self._keep(self._spool.read(at, min(READ_BYTES, self._spool.size - at)))
        self._spool.truncate(self._begun_at)

    def _hold(self, data: bytes, position: int) -> int:
        """Wait for more; what is held is shorter than `LONG_BYTES`."""
        self._held = data[position:]
        return len(data)

    def _keep(self, data: bytes) -> None:
        self._left += data
        if len(self._left) > self._max_left_bytes:
            raise UnusableAnswerError(f"an answer with over {self._max_left_bytes} bytes beside its media")


def _media_type(escaped: bytes) -> str:
    return escaped.replace(rb"\/", b"/").partition(b";")[0].decode("ascii", "replace").strip().lower()
