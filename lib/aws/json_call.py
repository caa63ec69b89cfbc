"""A call of an AWS service that speaks JSON 1.1, signed, by the standard library: boto3 costs a cold start too much."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from lib.aws import account
from lib.aws.sigv4 import Signer
from lib.domain.errors import UnavailableError


def call(
    service: str, target: str, parameters: Mapping[str, Any], *, title: str, timeout_seconds: float
) -> tuple[int, dict[str, Any]]:
    """Status and answer of one call; `target` is its X-Amz-Target, `title` what people call the service.

    Raises UnavailableError where no answer came.
    """
    from http.client import HTTPConnection, HTTPException, HTTPSConnection  # noqa: PLC0415 - 5 ms, if it is used

    body = json.dumps(parameters).encode()
    url = urlsplit(account.endpoint(service))
    headers = {"content-type": "application/x-amz-json-1.1", "x-amz-target": target}
    signer = Signer(account.credentials(), account.region(), service)
    signed = signer.headers("POST", f"{url.scheme}://{url.netloc}/", headers, body, datetime.now(UTC))
    kind = HTTPConnection if url.scheme == "http" else HTTPSConnection
    connection = kind(url.netloc, timeout=timeout_seconds)
    try:
        connection.request("POST", "/", body, signed)
        response = connection.getresponse()
        return response.status, json.loads(response.read() or b"{}")
    except (OSError, HTTPException, ValueError) as error:
        msg = f"{title} does not answer ({type(error).__name__})"
        raise UnavailableError(msg, retry_after_seconds=5) from error
    finally:
        connection.close()


def error_kind(status: int, answer: Mapping[str, Any]) -> str:
    """What kind of error an answer is, such as `AccessDeniedException`; else its status."""
    return str(answer.get("__type", status)).rpartition("#")[2]
