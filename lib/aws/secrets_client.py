"""Typed secrets of one stage from Secrets Manager, with the environment to fall back on, for any process of it.

The functions' own path is `lib.aws.secrets`, which needs no boto3; neither does this, but for loading in bulk.
"""

import json
import os
import time
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, TypeVar

from lib.aws.secrets import LIFE_SECONDS, Secrets, fetch_secret
from lib.domain import secrets as typed
from lib.domain.errors import ConfigurationError, UnavailableError

FALLBACK_LIFE_SECONDS = 30.0
"""How long the environment serves before Secrets Manager is asked again."""

SecretT = TypeVar("SecretT")


@dataclass(frozen=True, kw_only=True)
class SecretsConfig:
    """Whose secrets, and how they are got; the region is that of the process (AWS_REGION)."""

    stage: str
    cache_seconds: float = LIFE_SECONDS
    fallback_to_env: bool = False


class SecretsClient:
    """Gives the secrets of one stage, each fetched once in `cache_seconds`."""

    def __init__(
        self,
        config: SecretsConfig,
        *,
        fetch: Callable[[str, float], str] = fetch_secret,
        environ: MutableMapping[str, str] = os.environ,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config = config
        self._environ = environ
        self._monotonic = monotonic
        self._secrets = Secrets(_trying_twice(fetch), monotonic=monotonic, life_seconds=config.cache_seconds)
        self._fallen_back: dict[str, float] = {}

    def name(self, group: str, name: str) -> str:
        """`vsl/{stage}/{group}/{name}`."""
        return typed.secret_name(self._config.stage, group, name)

    def get_secret(self, name: str, kind: type[SecretT]) -> SecretT:
        """The typed secret of this full name.

        If Secrets Manager cannot give it and `fallback_to_env` is set, each field is read from its variable
        (`lib.domain.secrets.variable_name`), and Secrets Manager is left alone for `FALLBACK_LIFE_SECONDS`.

        Raises:
            ConfigurationError: there is no such secret, it may not be read, or it lacks fields, all of which are named.
            UnavailableError: Secrets Manager does not answer, and the secret was never read before.
        """
        if self._monotonic() < self._fallen_back.get(name, 0.0):
            return self._from_environment(name, kind)
        try:
            return self._secrets.read(
                name, lambda name, text: typed.read_secret(kind, name, _document(name, text))
            )
        except (ConfigurationError, UnavailableError) as refused:
            if not self._config.fallback_to_env:
                raise
            try:
                found = self._from_environment(name, kind)
            except ConfigurationError as missing:
                raise _with(refused, missing) from None
        self._fallen_back[name] = self._monotonic() + FALLBACK_LIFE_SECONDS
        return found

    def public_secrets(self, kinds: Mapping[str, type]) -> dict[str, dict[str, Any]]:
        """For each secret by its full name, what its type declares public; one without such a field is not read."""
        return {
            name: typed.public_fields(self.get_secret(name, kind))
            for name, kind in kinds.items()
            if typed.public_names(kind)
        }

    def load_all_secrets_into_env(self, prefix: str | None = None, *, overwrite: bool = False) -> list[str]:
        """Set the variable of every field of every secret below `prefix`, by default the stage; their names, sorted.

        Variables that are set already stay as they are unless `overwrite`. Binary secrets are passed over. On any
        error nothing is set.

        Raises:
            ConfigurationError: a secret may not be read, or two would set the same variable.
            UnavailableError: Secrets Manager does not answer.
        """
        from lib.aws.secrets_bulk import fetch_all  # noqa: PLC0415 - boto3, if it is used

        below = (prefix if prefix is not None else f"{typed.PREFIX}/{self._config.stage}").rstrip("/") + "/"
        values: dict[str, str] = {}
        origins: dict[str, str] = {}
        for name, text in fetch_all(below):
            for variable, value in _variables(name, text).items():
                if variable in values:
                    msg = f"The secrets {origins[variable]} and {name} would both set {variable}: rename one."
                    raise ConfigurationError(msg)
                values[variable], origins[variable] = value, name
        chosen = {name: value for name, value in values.items() if overwrite or name not in self._environ}
        self._environ.update(chosen)
        return sorted(chosen)

    def _from_environment(self, name: str, kind: type[SecretT]) -> SecretT:
        variables = {wire: typed.variable_name(name, wire) for wire in typed.wire_names(kind)}
        values = {wire: self._environ.get(variable) for wire, variable in variables.items()}
        try:
            return typed.read_secret(kind, name, values)
        except ConfigurationError as error:
            listed = "; ".join(f"{variables[wrong.path]} {wrong.message}" for wrong in error.errors)
            raise ConfigurationError(f"The environment is wrong: {listed}.", errors=error.errors) from None


def _trying_twice(fetch: Callable[[str, float], str]) -> Callable[[str, float], str]:
    def fetch_twice(name: str, timeout_seconds: float) -> str:
        try:
            return fetch(name, timeout_seconds)
        except UnavailableError:
            return fetch(name, timeout_seconds)

    return fetch_twice


def _with(refused: ConfigurationError | UnavailableError, missing: ConfigurationError) -> Exception:
    message = f"{refused.message} {missing.message}"
    if isinstance(refused, UnavailableError):
        return UnavailableError(
            message, errors=missing.errors, retry_after_seconds=refused.retry_after_seconds
        )
    return ConfigurationError(message, errors=missing.errors)


def _document(name: str, text: str) -> Mapping[str, Any]:
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise ConfigurationError(f"The secret {name} must be a JSON object.")
    return document


def _variables(name: str, text: str) -> dict[str, str]:
    """The variables that a secret sets: one for each field, or one for a plain text or `{"value": ..}`."""
    try:
        document = json.loads(text) if text.lstrip().startswith("{") else text
    except ValueError:
        document = text  # a generated key may well begin with a brace
    fields = document if isinstance(document, dict) else {"": document}
    if set(fields) == {"value"}:
        fields = {"": fields["value"]}
    found = {
        typed.variable_name(name, wire): _as_text(value)
        for wire, value in fields.items()
        if value is not None
    }
    if any("\0" in value for value in found.values()):
        raise ConfigurationError(f"The secret {name} holds a NUL character, which no variable can.")
    return found


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
