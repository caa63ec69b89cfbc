"""The secrets that the operator brings: read from the environment, kept in Secrets Manager under fixed names."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from infra import names
from infra.session import NotReadyError
from infra.settings import InfraSettings


@dataclass(frozen=True)
class OperatorSecret:
    """One secret: its variable, the end of its name, and what a value must look like."""

    variable: str
    suffix: str
    schemes: tuple[str, ...]
    required: bool
    hint: str

    def problem(self, value: str) -> str | None:
        """What is wrong with `value`, without repeating it."""
        if self.schemes and not value.startswith(self.schemes):
            return f"{self.variable} must start with {' or '.join(self.schemes)}"
        if self.schemes and any(host in value for host in ("@localhost", "@127.0.0.1", "//localhost")):
            return f"{self.variable} points at this machine, which Lambda cannot reach"
        return None


SECRETS = (
    OperatorSecret(
        "DATABASE_URL",
        names.DATABASE_SECRET,
        ("postgresql://", "postgres://"),
        required=True,
        hint="a Postgres that can be reached over TLS",
    ),
    OperatorSecret(
        "REPLICATE_API_TOKEN",
        names.REPLICATE_SECRET,
        (),
        required=True,
        hint="from https://replicate.com/account/api-tokens",
    ),
    OperatorSecret(
        "REDIS_URL",
        names.REDIS_SECRET,
        ("rediss://", "redis://"),
        required=False,
        hint="optional",
    ),
)


class OperatorSecrets:
    """The secrets of one stage in Secrets Manager; `client` is a boto3 client of it."""

    def __init__(self, client: Any, settings: InfraSettings) -> None:
        self._client = client
        self._settings = settings

    def problems(self, values: Mapping[str, str]) -> list[str]:
        """Everything that is missing or malformed, one sentence each.

        A value that is not given is not missing where its secret already exists: it stays as it is.
        """
        found = []
        for secret in SECRETS:
            value = values.get(secret.variable, "")
            if value:
                found += [problem] if (problem := secret.problem(value)) else []
            elif secret.required and not self.exists(secret):
                found.append(f"{secret.variable} is missing: {secret.hint}")
        return found

    def exists(self, secret: OperatorSecret) -> bool:
        """Whether the stage has this secret."""
        return self._current(secret) is not None

    def save(self, values: Mapping[str, str]) -> list[str]:
        """Create or update each secret that `values` holds; returns the names of those that changed."""
        changed = []
        for secret in SECRETS:
            value, name = values.get(secret.variable, ""), self._settings.secret_name(secret.suffix)
            current = self._current(secret)
            if not value or value == current:
                continue
            if current is None:
                self._client.create_secret(Name=name, SecretString=value)
            else:
                self._client.put_secret_value(SecretId=name, SecretString=value)
            changed.append(name)
        return changed

    def _current(self, secret: OperatorSecret) -> str | None:
        name = self._settings.secret_name(secret.suffix)
        try:
            answer = self._client.get_secret_value(SecretId=name)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ResourceNotFoundException":
                return None
            if code == "InvalidRequestException":  # it was deleted, and AWS keeps it for some days more
                raise NotReadyError(
                    f"The secret {name} is about to be deleted, so it can be neither read nor made anew. Run: "
                    f"aws secretsmanager restore-secret --secret-id {name}"
                ) from error
            raise
        return str(answer["SecretString"])
