"""Secrets: given by the environment on a laptop, else fetched from Secrets Manager and kept for five minutes."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from lib.aws import account
from lib.aws.sigv4 import Signer
from lib.domain.errors import ConfigurationError, UnavailableError
from lib.variables import Secret

LIFE_SECONDS = 300.0
TIMEOUT_SECONDS = 2.0
REFRESH_TIMEOUT_SECONDS = 0.5  # there is an older value to go on with
_TARGET = "secretsmanager.GetSecretValue"


def fetch_secret(name: str, timeout_seconds: float) -> str:
    """The current value of a secret, as it stands in Secrets Manager.

    Raises:
        ConfigurationError: there is no such secret, or this function may not read it.
        UnavailableError: Secrets Manager does not answer.
    """
    status, answer = _ask(json.dumps({"SecretId": name}).encode(), timeout_seconds)
    if status == 200:
        return str(answer["SecretString"])
    kind = str(answer.get("__type", status)).rpartition("#")[2]
    if status >= 500 or "Throttling" in kind:
        raise UnavailableError(f"Secrets Manager did not give {name}: {kind}", retry_after_seconds=5)
    raise ConfigurationError(
        f"The secret {name} cannot be read ({kind}): create it, or let this role read it."
    )


def _ask(body: bytes, timeout_seconds: float) -> tuple[int, dict[str, Any]]:
    from http.client import HTTPConnection, HTTPException, HTTPSConnection  # noqa: PLC0415 - 5 ms, if it is used

    url = urlsplit(account.endpoint("secretsmanager"))
    address = f"{url.scheme}://{url.netloc}/"
    headers = {"content-type": "application/x-amz-json-1.1", "x-amz-target": _TARGET}
    signer = Signer(account.credentials(), account.region(), "secretsmanager")
    signed = signer.headers("POST", address, headers, body, datetime.now(UTC))
    kind = HTTPConnection if url.scheme == "http" else HTTPSConnection
    connection = kind(url.netloc, timeout=timeout_seconds)
    try:
        connection.request("POST", "/", body, signed)
        response = connection.getresponse()
        return response.status, json.loads(response.read() or b"{}")
    except (OSError, HTTPException, ValueError) as error:
        msg = f"Secrets Manager does not answer ({type(error).__name__})"
        raise UnavailableError(msg, retry_after_seconds=5) from error
    finally:
        connection.close()


class Secrets:
    """Gives secrets; what was fetched is kept for `LIFE_SECONDS`, and longer while Secrets Manager is away."""

    def __init__(
        self,
        fetch: Callable[[str, float], str] = fetch_secret,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._monotonic = monotonic
        self._held: dict[str, tuple[str, float]] = {}

    def get(self, secret: Secret) -> str:
        """The secret's plain string; of a JSON object, its `value`. Raises as `fetch_secret` does."""
        if secret.direct is not None:
            return secret.direct
        now = self._monotonic()
        held = self._held.get(secret.name)
        if held is not None and now < held[1]:
            return held[0]
        try:
            limit = REFRESH_TIMEOUT_SECONDS if held else TIMEOUT_SECONDS
            value = plain_value(secret.name, self._fetch(secret.name, limit))
        except UnavailableError:
            if held is None:
                raise
            value = held[0]
        self._held[secret.name] = (value, now + LIFE_SECONDS)
        return value


def plain_value(name: str, text: str) -> str:
    """The plain string, or the `value` of a JSON object. Raises ConfigurationError for an empty one."""
    value: Any = text.strip()
    try:
        document = json.loads(value) if value.startswith("{") else None
    except ValueError:
        document = None  # a generated key may well begin with a brace
    if isinstance(document, dict):
        value = document.get("value")
    if not value or not isinstance(value, str):
        raise ConfigurationError(f'The secret {name} must be a plain string or {{"value": "..."}}.')
    return value
