"""The request that the current work goes back to; it travels with messages, so that one id finds all log lines."""

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import Any

from lib.ports.queue import WorkQueue

_REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
FIELD = "requestId"


def current_request_id() -> str | None:
    """The id of the request that we work for, or None outside of any."""
    return _REQUEST_ID.get()


class working_for:  # noqa: N801 - used as `with working_for(...)`; a generator would cost each request more
    """Work for this request while the block lasts."""

    def __init__(self, request_id: str | None) -> None:
        self._request_id = request_id

    def __enter__(self) -> None:
        self._token = _REQUEST_ID.set(self._request_id)

    def __exit__(self, *_: object) -> None:
        _REQUEST_ID.reset(self._token)


class CorrelatedQueue:
    """A `WorkQueue` whose messages carry the `requestId` of the request that caused them."""

    def __init__(self, queue: WorkQueue) -> None:
        self._queue = queue

    def send(self, message: Mapping[str, Any], *, group: str, delay_seconds: float = 0) -> None:
        """See `WorkQueue.send`; a message that carries an id keeps it."""
        self._queue.send(_correlated(message), group=group, delay_seconds=delay_seconds)

    def send_many(self, messages: Sequence[tuple[Mapping[str, Any], str]]) -> int:
        """See `WorkQueue.send_many`."""
        return self._queue.send_many([(_correlated(message), group) for message, group in messages])


def _correlated(message: Mapping[str, Any]) -> Mapping[str, Any]:
    request_id = current_request_id()
    return {**message, FIELD: request_id} if request_id and FIELD not in message else message
