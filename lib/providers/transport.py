"""The only socket to providers: time limits, retries of questions, size limit, connection reuse, metrics.

What is sent at most once (anything but a GET) goes over a fresh connection. A kept-alive one may have been
closed by the other side, or by the pause of a frozen Lambda environment, without our knowing; the write then
fails after it began, and nobody can tell whether the provider took the job. A handshake costs two round
trips; a submit of unknown fate costs its user the wait until the deadline.
"""

import json
import logging
import random
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from lib.domain.errors import ConfigurationError, InvalidError
from lib.domain.provider import Delivery, HttpRequest, HttpResponse
from lib.ports.provider import Operation, TransportError
from lib.providers.answers import retry_after_seconds
from lib.providers.wire import NotingAdapter, may_have_left

MAX_ANSWER_BYTES = 6 * 1024 * 1024
_RETRIED_STATUSES = (429, 500, 502, 503, 504)
_BACKOFF_SECONDS = 0.2
_MAX_BACKOFF_SECONDS = 4.0
_CHUNK_BYTES = 64 * 1024

logger = logging.getLogger(__name__)

OnCall = Callable[[str, Operation, int | None, float], None]


@dataclass(frozen=True)
class Limits:
    """Seconds to connect (TLS included), between two bytes of the answer, and for all tries together."""

    connect: float
    read: float
    total: float


LIMITS: Mapping[Operation, Limits] = {
    # with three statements of the record within generate_media's 30 s, which are API Gateway's too
    Operation.SUBMIT: Limits(connect=3.0, read=9.0, total=12.0),
    # a synchronous provider works while we wait, in a worker of its own
    Operation.GENERATE: Limits(connect=3.0, read=240.0, total=280.0),
    Operation.RESULT: Limits(connect=3.0, read=15.0, total=30.0),
    Operation.TOKEN: Limits(connect=2.0, read=4.0, total=6.0),
    Operation.POLL: Limits(connect=3.0, read=8.0, total=15.0),
    Operation.CANCEL: Limits(connect=3.0, read=8.0, total=12.0),
    Operation.TEST: Limits(connect=3.0, read=8.0, total=12.0),
    Operation.RECOVER: Limits(connect=3.0, read=8.0, total=10.0),  # one page
    # with two secrets within process_webhook's 10 s
    Operation.WEBHOOK_SECRET: Limits(connect=2.0, read=3.0, total=5.0),
}


def _ignore_call(provider: str, operation: Operation, status: int | None, seconds: float) -> None:
    """Count nothing."""


class RequestsTransport:
    """`ProviderTransport` over `requests`, to be kept for the life of a process; threads may share it.

    `on_call(provider, operation, status, seconds)` is called once per round trip; status is None when there
    was no answer. `max_tries` counts the first one.
    """

    def __init__(
        self,
        *,
        limits: Mapping[Operation, Limits] = LIMITS,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
        max_tries: int = 3,
        on_call: OnCall = _ignore_call,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._limits = limits
        self._max_answer_bytes = max_answer_bytes
        self._max_tries = max_tries
        self._on_call = on_call
        self._sleep = sleep
        self._monotonic = monotonic
        self._jitter = jitter
        self._kept_alive = NotingAdapter()

    def close(self) -> None:
        """Close the idle connections."""
        self._kept_alive.close()

    def send(self, request: HttpRequest, *, provider: str, operation: Operation) -> HttpResponse:
        """Return the provider's answer, whatever its status.

        A GET is tried again after 429, 5xx or no answer, while the operation's total allows the wait that the
        provider asks for; anything else is sent once. Raises `TransportError`; unsent: `InvalidError` for a
        body that is not JSON, `ConfigurationError` for an address or key that cannot be sent.
        """
        prepared = _prepared(request)
        give_up_at = self._monotonic() + self._limits[operation].total
        if request.method != "GET":
            with closing(NotingAdapter()) as fresh:
                return self._try(fresh, prepared, provider, operation, give_up_at)
        tries = 0
        while True:
            tries += 1
            try:
                answer = self._try(self._kept_alive, prepared, provider, operation, give_up_at)
            except TransportError:
                wait = self._pause_after(tries, None, give_up_at)
                if wait is None:
                    raise
            else:
                wait = self._pause_after(tries, answer, give_up_at)
                if wait is None:
                    return answer
            self._sleep(wait)

    def _pause_after(self, tries: int, answer: HttpResponse | None, give_up_at: float) -> float | None:
        """Return the seconds to wait before the next try; None when there is to be none."""
        if tries >= self._max_tries or (answer is not None and answer.status not in _RETRIED_STATUSES):
            return None
        asked = retry_after_seconds(answer) if answer is not None else None
        backoff = min(_BACKOFF_SECONDS * 2 ** (tries - 1), _MAX_BACKOFF_SECONDS) * (0.5 + self._jitter() / 2)
        wait = max(backoff, asked or 0.0)
        return wait if self._monotonic() + wait < give_up_at else None

    def _try(
        self,
        adapter: NotingAdapter,
        prepared: requests.PreparedRequest,
        provider: str,
        operation: Operation,
        give_up_at: float,
    ) -> HttpResponse:
        """Make one round trip, and count it."""
        started = self._monotonic()
        status: int | None = None
        try:
            with closing(adapter.exchange(prepared, self._timeout(operation, give_up_at))) as response:
                status = response.status_code
                body = self._body(response, give_up_at)
            return HttpResponse(status, {k.lower(): v for k, v in response.headers.items()}, body)
        except (requests.RequestException, HTTPError, OSError, ValueError, _UnusableBodyError) as cause:
            # `from None`: the cause's text may quote a header, and so the key
            raise _transport_error(cause, provider, operation) from None
        finally:
            seconds = self._monotonic() - started
            logger.debug(
                "provider call",
                extra={
                    "provider": provider,
                    "operation": operation.value,
                    "path": urlsplit(prepared.url or "").path,
                    "status": status,
                    "seconds": round(seconds, 4),
                },
            )
            self._on_call(provider, operation, status, seconds)

    def _timeout(self, operation: Operation, give_up_at: float) -> tuple[float, float]:
        """The limits to connect and to read; a late try gets what is left of the total."""
        limits, left = self._limits[operation], max(0.1, give_up_at - self._monotonic())
        return min(limits.connect, left), min(limits.read, left)

    def _body(self, response: requests.Response, give_up_at: float) -> bytes:
        """Return the body. That of an error may be cut: its status is the evidence, its words are extra."""
        body = bytearray()
        try:
            # read1, not iter_content: that waits for a whole chunk, and so for ever on an answer that drips
            while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=True):
                body += chunk
                if len(body) > self._max_answer_bytes:
                    raise _UnusableBodyError(f"an answer over {self._max_answer_bytes} bytes")
                if self._monotonic() > give_up_at:
                    raise _UnusableBodyError("an answer that did not end in time")
        except (HTTPError, OSError, _UnusableBodyError):
            if response.status_code < 400:
                raise
            return bytes(body[: self._max_answer_bytes])
        return bytes(body)


class _UnusableBodyError(Exception):
    """The answer's body is over a limit."""


def _prepared(request: HttpRequest) -> requests.PreparedRequest:
    headers = {"User-Agent": "vsl-media-gateway", **request.headers}
    if request.method != "GET":
        headers["Connection"] = "close"
    body: bytes | None = None
    if request.json_body is not None:
        headers["Content-Type"] = "application/json"
        body = _encoded(request.json_body)
    try:
        if not all(value.isascii() and value.isprintable() for value in headers.values()):
            raise ValueError
        return requests.Request(request.method, request.url, headers=headers, data=body).prepare()
    except ValueError:  # requests' own errors among them; `from None`: their text quotes the header
        raise ConfigurationError(
            "the provider's address or key holds characters that cannot be sent"
        ) from None


def _encoded(value: object) -> bytes:
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidError(f"the provider's input cannot be written as JSON: {error}") from error


def _transport_error(cause: Exception, provider: str, operation: Operation) -> TransportError:
    delivery = Delivery.UNKNOWN if may_have_left() else Delivery.NEVER_LEFT
    said = str(cause) if isinstance(cause, _UnusableBodyError) else type(cause).__name__
    return TransportError(f"{provider} {operation.value}: {said} ({delivery.value})", delivery=delivery)
