"""moto's server as this project needs it: quiet, without Nagle's delay, with atomic writes to DynamoDB and S3.

Run as `python -m local.backing.moto_server PORT`.
"""

import functools
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.s3.responses import S3Response
from moto.sqs import models as sqs
from werkzeug.serving import run_simple


class AtomicDynamoDB:
    """WSGI wrapper: one DynamoDB call at a time.

    DynamoDB checks a condition and writes in one step. moto does both in Python on several threads, so
    that two conditional writes could both see the old item; our mirrors rely on exactly one winning.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Pass the request on, under the lock where it is one for DynamoDB."""
        if environ.get("HTTP_X_AMZ_TARGET", "").startswith("DynamoDB"):
            with self._lock:
                return list(self._app(environ, start_response))
        answer: Iterable[bytes] = self._app(environ, start_response)
        return answer


class Handler(MotoRequestHandler):
    """Sends headers and body without waiting for the peer's acknowledgement in between."""

    disable_nagle_algorithm = True


def make_s3_atomic() -> None:
    """One S3 call at a time, once its body has arrived.

    S3 checks a condition and writes in one step, and shows an object with its metadata or not at all. moto does
    it in steps: a part that is written again while its upload is completed was missing in the object, and an
    upload aborted by two at once gave 500.
    """
    lock = threading.RLock()

    def alone(answer: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(answer)
        def answered(*args: Any) -> Any:
            with lock:
                return answer(*args)

        return answered

    for name in ("_key_response", "_bucket_response"):
        setattr(S3Response, name, alone(getattr(S3Response, name)))


def count_messages_less_often() -> None:
    """Make what a queue's call costs grow less with the messages that wait in it.

    For each message that it hands out moto counts all messages of the queue, nine times over, and asks for the
    time by way of calendar dates at each; a thousand delayed messages take the whole processor.
    """

    def is_kept(backend: Any, queue_name: str, message: Any) -> bool:
        kept_seconds: float = backend.get_queue(queue_name).message_retention_period
        return bool(kept_seconds + message.sent_timestamp / 1000 > time.time())

    def now_milliseconds(_at: datetime | None = None) -> float:
        return time.time() * 1000

    setattr(sqs.SQSBackend, "is_message_valid_based_on_retention_period", is_kept)  # noqa: B010 - not a typed place
    setattr(sqs, "unix_time_millis", now_milliseconds)  # noqa: B010 - as above


def main() -> None:
    """Serve until the process is ended."""
    make_s3_atomic()
    count_messages_less_often()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    dispatcher = DomainDispatcherApplication(create_backend_app)
    # moto tries the address patterns of all its services, one by one, for every request.
    dispatcher.get_backend_for_host = functools.cache(dispatcher.get_backend_for_host)  # type: ignore[method-assign]
    app = AtomicDynamoDB(dispatcher)
    run_simple("127.0.0.1", int(sys.argv[1]), app, threaded=True, request_handler=Handler)


if __name__ == "__main__":
    main()
