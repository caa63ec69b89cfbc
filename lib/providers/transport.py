"""The only socket to providers: time limits, retries of questions, size limit, connection reuse, metrics.

What is sent at most once (anything but a GET) goes over a fresh connection. A kept-alive one may have been
closed by the other side, or by the pause of a frozen Lambda environment, without our knowing; the write then
fails after it began, and nobody can tell whether the provider took the job. A handshake costs two round
trips; a submit of unknown fate costs its user the wait until the deadline.
"""

import logging
import random
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from lib.domain.errors import ConfigurationError
from lib.domain.http_exchange import Delivery, HttpRequest, HttpResponse
from lib.ports.provider import Operation, TransportError
from lib.providers.answer_body import AnswerReader
from lib.providers.answers import retry_after_seconds
from lib.providers.body import encoded_body
from lib.providers.spool import UnusableAnswerError
from lib.providers.wire import NotingAdapter, may_have_left

MAX_ANSWER_BYTES = 6 * 1024 * 1024
MAX_MEDIA_ANSWER_BYTES = 512 * 1024 * 1024
_RETRIED_STATUSES = (429, 500, 502, 503, 504)
_BACKOFF_SECONDS = 0.2
_MAX_BACKOFF_SECONDS = 4.0

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
    was no answer. `max_tries` counts the first one. Of an answer at most `max_answer_bytes` are held in memory;
    one that may bring media is read onto disk, with at most `max_media_bytes` in all.
    """

    def __init__(
        self,
        *,
        limits: Mapping[Operation, Limits] = LIMITS,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
        max_media_bytes: int = MAX_MEDIA_ANSWER_BYTES,
        max_tries: int = 3,
        on_call: OnCall = _ignore_call,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._limits = limits
        self._reader = AnswerReader(max_answer_bytes, max_media_bytes, monotonic)
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
        call = _Call(prepared, request.media_answer, provider, operation, give_up_at)
        if request.method != "GET":
            with closing(NotingAdapter()) as fresh:
                return self._try(fresh, call)
        tries = 0
        while True:
            tries += 1
            try:
                answer = self._try(self._kept_alive, call)
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

    def _try(self, adapter: NotingAdapter, call: "_Call") -> HttpResponse:
        """Make one round trip, and count it."""
        started = self._monotonic()
        status: int | None = None
        try:
            left = max(0.1, call.give_up_at - self._monotonic())
            with closing(adapter.exchange(call.prepared, self._timeout(call, left), left)) as response:
                status = response.status_code
                return self._answer(response, call)
        except (requests.RequestException, HTTPError, OSError, ValueError, UnusableAnswerError) as cause:
            # `from None`: the cause's text may quote a header, and so the key
            raise _transport_error(cause, call.provider, call.operation) from None
        finally:
            seconds = self._monotonic() - started
            logger.debug(
                "provider call",
                extra={
                    "provider": call.provider,
                    "operation": call.operation.value,
                    "path": urlsplit(call.prepared.url or "").path,
                    "status": status,
                    "seconds": round(seconds, 4),
                },
            )
            self._on_call(call.provider, call.operation, status, seconds)

    def _answer(self, response: requests.Response, call: "_Call") -> HttpResponse:
        headers = {name.lower(): value for name, value in response.headers.items()}
        if call.media_answer and response.status_code < 400:
            body, blobs = self._reader.media(response, headers, call.give_up_at)
            return HttpResponse(response.status_code, headers, body, blobs)
        return HttpResponse(response.status_code, headers, self._reader.small(response, call.give_up_at))

    def _timeout(self, call: "_Call", left: float) -> tuple[float, float]:
        """The limits to connect and to read; a late try gets what is left of the total."""
        limits = self._limits[call.operation]
        return min(limits.connect, left), min(limits.read, left)


@dataclass(frozen=True)
class _Call:
    """One request on its way, whatever number of tries it takes."""

    prepared: requests.PreparedRequest
    media_answer: bool
    provider: str
    operation: Operation
    give_up_at: float


def _prepared(request: HttpRequest) -> requests.PreparedRequest:
    headers = {"User-Agent": "vsl-media-gateway", **request.headers}
    if request.method != "GET":
        headers["Connection"] = "close"
    body, content_type = encoded_body(request) or (None, None)
    if content_type is not None:
        headers["Content-Type"] = content_type
    try:
        if not all(value.isascii() and value.isprintable() for value in headers.values()):
            raise ValueError
        return requests.Request(request.method, request.url, headers=headers, data=body).prepare()
    except ValueError:  # requests' own errors among them; `from None`: their text quotes the header
        raise ConfigurationError(
            "the provider's address or key holds characters that cannot be sent"
        ) from None


def _transport_error(cause: Exception, provider: str, operation: Operation) -> TransportError:
    delivery = Delivery.UNKNOWN if may_have_left() else Delivery.NEVER_LEFT
    said = str(cause) if isinstance(cause, UnusableAnswerError) else type(cause).__name__
    return TransportError(f"{provider} {operation.value}: {said} ({delivery.value})", delivery=delivery)
