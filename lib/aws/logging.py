"""Structured logs: one JSON object a line by Powertools, with the request that each line belongs to.

Everything in `lib` and `handlers` logs by the standard library's `logging.getLogger(__name__)`; facts go into
`extra`. `configure` gives those loggers the handler of a Powertools Logger. Secrets are taken out of every line.
"""

import json
import logging
import os
import sys
from functools import cache
from typing import Any

from lib.aws.redaction import redact
from lib.ports.correlation import FIELD, current_request_id

ROOTS = ("lib", "handlers")


class RequestIdFilter(logging.Filter):
    """Adds `requestId` to every record that is logged during a request."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep the record, with its request."""
        request_id = current_request_id()
        if request_id is not None:
            setattr(record, FIELD, request_id)
        return True


class CurrentStdout(logging.StreamHandler[Any]):
    """Writes to whatever `sys.stdout` is at that time: Lambda's runtime replaces it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        self.setStream(sys.stdout)
        super().emit(record)


@cache
def configure() -> None:
    """Send the log of `lib` and `handlers` to standard output as JSON. Once for each process."""
    from aws_lambda_powertools import Logger  # noqa: PLC0415 - loaded with the resolver anyway, not by tests
    from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter  # noqa: PLC0415 - as above

    service = os.environ.get("POWERTOOLS_SERVICE_NAME", "vsl-gateway")
    formatter = LambdaPowertoolsFormatter(
        json_serializer=_serialize,
        utc=True,
        log_record_order=["level", "message", FIELD, "jobId", "step", "status"],
        service=service,
        stage=os.environ.get("STAGE", "local"),
        function=os.environ.get("AWS_LAMBDA_FUNCTION_NAME", ""),
    )
    handler = CurrentStdout(sys.stdout)
    handler.addFilter(RequestIdFilter())
    handler.setFormatter(formatter)
    logger = Logger(
        service=service,
        level=os.environ.get("LOG_LEVEL", "INFO").upper(),
        logger_handler=handler,
        logger_formatter=formatter,
    )
    for name in ROOTS:
        root = logging.getLogger(name)
        root.handlers = [handler]
        root.propagate = False
        root.setLevel(logger.log_level)


def _serialize(record: Any) -> str:
    return redact(json.dumps(record, default=str, separators=(",", ":"), ensure_ascii=False))
