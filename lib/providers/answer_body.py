"""Reads an answer's body within limits of size and time: into memory, or onto disk where media may be in it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import requests
from urllib3.exceptions import HTTPError

from lib.providers.lifting import Lifter
from lib.providers.media_answer import OCTET_STREAM
from lib.providers.spool import READ_BYTES, Spool, SpooledBlob, UnusableAnswerError

_MEDIA = ("image/", "audio/", "video/", OCTET_STREAM)


@dataclass(frozen=True)
class AnswerReader:
    """Takes at most `max_bytes` into memory and `max_media_bytes` in all; `monotonic` is the clock of `give_up_at`.

    Its methods raise `UnusableAnswerError` for an answer over a limit; requests', urllib3's errors and OSError pass.
    """

    max_bytes: int
    max_media_bytes: int
    monotonic: Callable[[], float]

    def small(self, response: requests.Response, give_up_at: float) -> bytes:
        """The body. That of an error may be cut: its status is the evidence, its words are extra."""
        body = bytearray()
        try:
            for chunk in self._chunks(response, give_up_at, self.max_bytes):
                body += chunk
        except (HTTPError, OSError, UnusableAnswerError):
            if response.status_code < 400:
                raise
        return bytes(body)

    def media(
        self, response: requests.Response, headers: Mapping[str, str], give_up_at: float
    ) -> tuple[bytes, tuple[SpooledBlob, ...]]:
        """What of the body is no media, and the media: see `HttpResponse.blobs`."""
        if (
            headers.get("content-length", "").isdecimal()
            and int(headers["content-length"]) > self.max_media_bytes
        ):
            raise UnusableAnswerError(f"an answer over {self.max_media_bytes} bytes")
        spool = Spool()
        try:
            chunks = self._chunks(response, give_up_at, self.max_media_bytes)
            content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
            if content_type.startswith(_MEDIA):
                return b"", (_whole(chunks, spool, content_type),)
            lifter = Lifter(spool, self.max_bytes)
            for chunk in chunks:
                lifter.feed(chunk)
            return lifter.end()
        except BaseException:
            spool.close()
            raise

    def _chunks(self, response: requests.Response, give_up_at: float, limit: int) -> Iterator[bytes]:
        """The body as it comes, of which no more than `limit` bytes are given on."""
        taken = 0
        # read1, not iter_content: that waits for a whole chunk, and so for ever on an answer that drips
        while chunk := response.raw.read1(READ_BYTES, decode_content=True):
            yield chunk[: limit - taken]
            taken += len(chunk)
            if taken > limit:
                raise UnusableAnswerError(f"an answer over {limit} bytes")
            if self.monotonic() > give_up_at:
                raise UnusableAnswerError("an answer that did not end in time")


def _whole(chunks: Iterator[bytes], spool: Spool, content_type: str) -> SpooledBlob:
    for chunk in chunks:
        spool.append(chunk)
    return SpooledBlob("blob:body", content_type, spool.size, spool, 0, spool.size)
