"""The secrets that the operator brings: read from the environment, kept in Secrets Manager under fixed names."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from infra import database_logins, names
from infra.database_logins import SCHEMES, derived_urls, shared_login, with_login
from infra.session import NotReadyError
from infra.settings import InfraSettings
from lib.providers.registry import ADAPTERS


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


PROVIDER_KEYS = tuple(
    OperatorSecret(
        registration.variable,
        f"{names.PROVIDER_SECRETS}/{provider}",
        (),
        required=False,
        hint=f"the key of {registration.title}",
    )
    for provider, registration in ADAPTERS.items()
)
"""The operator's own keys at the providers that are built in; a stage needs one of them."""

# In the order in which they are saved: the migrator's comes after those that are derived from it, so that a
# deployment that stops in between derives them again.
SECRETS = (
    OperatorSecret(
        "API_DATABASE_URL",
        names.DATABASE_SECRET,
        SCHEMES,
        required=False,
        hint="it is made up only where DATABASE_URL is an address",
    ),
    OperatorSecret(
        "WORKER_DATABASE_URL",
        names.DATABASE_WORKER_SECRET,
        SCHEMES,
        required=False,
        hint="it is made up only where DATABASE_URL is an address",
    ),
    OperatorSecret(
        "DATABASE_URL",
        names.DATABASE_MIGRATOR_SECRET,
        SCHEMES,
        required=True,
        hint="a Postgres that can be reached over TLS, with a login that owns the database and may create roles",
    ),
    OperatorSecret(
        "DATABASE_REPLICA_URL",
        names.DATABASE_REPLICA_SECRET,
        SCHEMES,
        required=False,
        hint="optional",
    ),
    *PROVIDER_KEYS,
    OperatorSecret(
        "REDIS_URL",
        names.REDIS_SECRET,
        ("rediss://", "redis://"),
        required=False,
        hint="optional",
    ),
)
LOGINS = SECRETS[:3]
"""Those that the migrations need."""


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
        if not any(values.get(key.variable) or self.exists(key) for key in PROVIDER_KEYS):
            first, *others = (key.variable for key in PROVIDER_KEYS)
            found.append(f"{first} is missing, or the key of another provider: one of {', '.join(others)}")
        return found or self._problems_of_logins(self.complete(values))

    def exists(self, secret: OperatorSecret) -> bool:
        """Whether the stage has this secret."""
        return self._current(secret) is not None

    def complete(self, values: Mapping[str, str]) -> dict[str, str]:
        """`values` with the addresses of the logins that the operator leaves to the deployment.

        A replica's address without a login gets that of the API, which reads from it.
        """
        saved = self._saved()
        wanted = {**values, **derived_urls(values, saved, stage=self._settings.stage)}
        replica = wanted.get("DATABASE_REPLICA_URL", "")
        api = wanted.get("API_DATABASE_URL") or saved.get("API_DATABASE_URL", "")
        if replica.startswith(SCHEMES) and not database_logins.user_of(replica) and api.startswith(SCHEMES):
            login = database_logins.user_of(api), database_logins.password_of(api)
            wanted["DATABASE_REPLICA_URL"] = with_login(replica, *login)
        return wanted

    def logins_version(self) -> str:
        """Changes whenever a secret of the three logins does, and tells nothing of them."""
        versions = [
            self._client.get_secret_value(SecretId=self._settings.secret_name(secret.suffix))["VersionId"]
            for secret in LOGINS
        ]
        return hashlib.sha256(" ".join(versions).encode()).hexdigest()[:16]

    def save(self, values: Mapping[str, str]) -> list[str]:
        """Create or update each secret that `values` holds or leads to; returns the names of those that changed."""
        changed = []
        values = self.complete(values)
        for secret in SECRETS:
            value, name = values.get(secret.variable, ""), self._settings.secret_name(secret.suffix)
            if not value or value == (current := self._current(secret)):
                continue
            if current is None:
                self._client.create_secret(Name=name, SecretString=value)
            else:
                self._client.put_secret_value(SecretId=name, SecretString=value)
            changed.append(name)
        return changed

    def _saved(self) -> dict[str, str]:
        """The addresses of the logins as they were saved, by variable."""
        found = {secret.variable: self._current(secret) for secret in LOGINS}
        return {variable: value for variable, value in found.items() if value is not None}

    def _problems_of_logins(self, wanted: Mapping[str, str]) -> list[str]:
        """What is wrong with the three addresses beside each other; `wanted` is complete."""
        saved = self._saved()
        urls = {s.variable: wanted.get(s.variable) or saved.get(s.variable, "") for s in reversed(LOGINS)}
        missing = [f"{s.variable} is missing: {s.hint}" for s in LOGINS if not urls[s.variable]]
        problem = shared_login({name: url for name, url in urls.items() if url.startswith(SCHEMES)})
        return missing or ([problem] if problem else [])

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
