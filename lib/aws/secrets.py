"""Secrets: given by the environment on a laptop, else fetched from Secrets Manager and kept for five minutes."""

import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

from lib.aws.json_call import call, error_kind
from lib.domain.errors import ConfigurationError, UnavailableError
from lib.variables import Secret

LIFE_SECONDS = 300.0
TIMEOUT_SECONDS = 2.0
REFRESH_TIMEOUT_SECONDS = 0.5  # there is an older value to go on with
_TARGET = "secretsmanager.GetSecretValue"

ReadT = TypeVar("ReadT")


def fetch_secret(name: str, timeout_seconds: float) -> str:
    """The current value of a secret, as it stands in Secrets Manager.

    Raises:
        ConfigurationError: there is no such secret, or this function may not read it.
        UnavailableError: Secrets Manager does not answer.
    """
    status, answer = call(
        "secretsmanager",
        _TARGET,
        {"SecretId": name},
        title="Secrets Manager",
        timeout_seconds=timeout_seconds,
    )
    if status == 200 and "SecretString" in answer:
        return str(answer["SecretString"])
    kind = "binary" if status == 200 else error_kind(status, answer)
    if status >= 500 or "Throttling" in kind:
        raise UnavailableError(f"Secrets Manager did not give {name}: {kind}", retry_after_seconds=5)
    raise ConfigurationError(
        f"The secret {name} cannot be read ({kind}): create it, or let this role read it."
    )


class Secrets:
    """Gives secrets; what was fetched is kept for `life_seconds`, and longer while Secrets Manager is away."""

    def __init__(
        self,
        fetch: Callable[[str, float], str] = fetch_secret,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        life_seconds: float = LIFE_SECONDS,
    ) -> None:
        self._fetch = fetch
        self._monotonic = monotonic
        self._life_seconds = life_seconds
        self._held: dict[str, tuple[str, float]] = {}

    def get(self, secret: Secret) -> str:
        """The secret's plain string; of a JSON object, its `value`. Raises as `fetch_secret` does."""
        return secret.direct if secret.direct is not None else self.read(secret.name, plain_value)

    def text(self, secret: Secret) -> str:
        """The secret as it was saved, JSON or not. Raises as `fetch_secret` does."""
        return secret.direct if secret.direct is not None else self.read(secret.name, _as_it_is)

    def read(self, name: str, parse: Callable[[str, str], ReadT]) -> ReadT:
        """What `parse(name, text)` makes of the secret's text; a text that it refuses is not kept.

        Raises as `fetch_secret` and `parse` do.
        """
        now = self._monotonic()
        held = self._held.get(name)
        if held is not None and now < held[1]:
            return parse(name, held[0])
        try:
            text = self._fetch(name, REFRESH_TIMEOUT_SECONDS if held else TIMEOUT_SECONDS)
        except UnavailableError:
            if held is None:
                raise
            text = held[0]
        parsed = parse(name, text)
        self._held[name] = (text, now + self._life_seconds)
        return parsed


def _as_it_is(_: str, text: str) -> str:
    return text


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
