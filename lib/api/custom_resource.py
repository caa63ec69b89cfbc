"""Answers to CloudFormation: a PUT to the event's pre-signed ResponseURL.

Reference: docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from lib.aws.redaction import redact

logger = logging.getLogger(__name__)

LONGEST_REASON = 1000
TIMEOUT_SECONDS = 10.0
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True)
class CustomResourceAnswer:
    """What to tell: SUCCESS with data, or FAILED with the reason that the operator sees."""

    succeeded: bool
    reason: str = ""
    data: Mapping[str, str] = field(default_factory=dict)


def send_answer(
    event: Mapping[str, Any], context: Any, answer: CustomResourceAnswer, *, physical_id: str
) -> bool:
    """PUT the answer; whether it was taken. Never raises.

    Only https is spoken, and plain http to this machine (the local cloud).
    """
    log_stream = getattr(context, "log_stream_name", "")
    reason = redact(answer.reason)[:LONGEST_REASON] or f"see the log stream {log_stream}"
    body = {
        "Status": "SUCCESS" if answer.succeeded else "FAILED",
        "Reason": reason,
        "PhysicalResourceId": physical_id,
        "StackId": event.get("StackId"),
        "RequestId": event.get("RequestId"),
        "LogicalResourceId": event.get("LogicalResourceId"),
        "NoEcho": False,
        "Data": dict(answer.data),
    }
    try:
        status = _put(str(event["ResponseURL"]), json.dumps(body).encode())
    except (KeyError, ValueError, OSError, HTTPException) as error:
        logger.exception("CloudFormation could not be answered", exc_info=error)
        return False
    if status >= 300:
        logger.error("CloudFormation did not take the answer", extra={"status": status})
    return status < 300


def _put(address: str, body: bytes) -> int:
    url = urlsplit(address)
    if url.scheme == "https":
        connection: HTTPConnection = HTTPSConnection(url.netloc, timeout=TIMEOUT_SECONDS)
    elif url.scheme == "http" and url.hostname in _LOOPBACK:
        connection = HTTPConnection(url.netloc, timeout=TIMEOUT_SECONDS)
    else:
        raise ValueError("a ResponseURL must be https")
    target = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
    try:
        # the signature of the pre-signed address is for an empty content type
        connection.request("PUT", target, body, {"Content-Type": "", "Content-Length": str(len(body))})
        return connection.getresponse().status
    finally:
        connection.close()
