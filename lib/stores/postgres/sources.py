"""Where the credentials of the database come from: one interface, three sources, and TLS off this machine for all."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import psycopg
from psycopg.conninfo import conninfo_to_dict

from lib.domain.database import ENCRYPTED, DatabaseCredentials, credentials_from_variables, port_number
from lib.domain.errors import ConfigurationError
from lib.domain.secrets import DatabaseSecret, DatabaseSecrets, read_secret

_NO_VARIABLES: Mapping[str, str] = {}


class ConnectionSource(Protocol):
    """Gives the credentials as they are now; ask again for each new connection, so that a rotation is noticed."""

    def credentials(self) -> DatabaseCredentials:
        """The credentials. Raises ConfigurationError if they are wrong, and what fetching a secret raises."""

    def url(self) -> str:
        """`credentials().url`."""


class _Source:
    def credentials(self) -> DatabaseCredentials:
        """See `ConnectionSource`."""
        raise NotImplementedError

    def url(self) -> str:
        """See `ConnectionSource`."""
        return self.credentials().url


class ConnectionStringSource(_Source):
    """A connection string of libpq: a URL, or `host=.. dbname=..`.

    Without an `sslmode` of its own it takes PGSSLMODE of the environment, if that encrypts.
    """

    def __init__(self, text: str, environ: Mapping[str, str] = _NO_VARIABLES) -> None:
        self._text = text
        self._environ = environ

    def credentials(self) -> DatabaseCredentials:
        """See `ConnectionSource`."""
        return parse_connection_string(self._text, self._environ.get("PGSSLMODE", ""))


class EnvironmentSource(_Source):
    """libpq's own variables: PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE, PGSSLMODE."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def credentials(self) -> DatabaseCredentials:
        """See `ConnectionSource`; names every missing variable at once."""
        return credentials_from_variables(self._environ)


class SecretSource(_Source):
    """A secret: a connection string, a `DatabaseSecret`, or `DatabaseSecrets`, also as `{"value": connection string}`.

    Args:
        fetch: gives the secret's text.
        name: what to call it in errors.
        read_only: of `DatabaseSecrets`, take the read-only connection string if there is one.
    """

    def __init__(
        self,
        fetch: Callable[[], str],
        name: str,
        *,
        read_only: bool = False,
        environ: Mapping[str, str] = _NO_VARIABLES,
    ) -> None:
        self._fetch = fetch
        self._name = name
        self._read_only = read_only
        self._environ = environ

    def credentials(self) -> DatabaseCredentials:
        """See `ConnectionSource`."""
        text = self._fetch().strip()
        try:
            document = json.loads(text) if text.startswith("{") else text
        except ValueError:
            raise ConfigurationError(f"The secret {self._name} begins like JSON and is none.") from None
        sslmode = self._environ.get("PGSSLMODE", "")
        if isinstance(document, dict) and "host" in document:
            return _of_login(read_secret(DatabaseSecret, self._name, document), document, sslmode)
        return parse_connection_string(self._connection_string(document), sslmode)

    def _connection_string(self, document: Any) -> str:
        if not isinstance(document, dict):
            return str(document)
        if isinstance(document.get("value"), str):
            return str(document["value"])
        if "connectionString" not in document:
            read_secret(DatabaseSecret, self._name, document)  # which says what is missing
        both = read_secret(DatabaseSecrets, self._name, document)
        return (self._read_only and both.readonly_connection_string) or both.connection_string


def parse_connection_string(text: str, default_sslmode: str = "") -> DatabaseCredentials:
    """The credentials in a connection string. Raises ConfigurationError, which never repeats it."""
    try:
        given = {name: str(value) for name, value in conninfo_to_dict(text).items()}
    except psycopg.ProgrammingError:
        given = {}
    if not given.get("host") and not given.get("hostaddr"):
        raise ConfigurationError(
            "The connection string must name the host, as in postgresql://user:password@host:5432/database "
            "with special characters percent-encoded."
        )
    host = given.pop("host", "") or given["hostaddr"]
    sslmode = given.pop("sslmode", "") or (default_sslmode if default_sslmode in ENCRYPTED else "")
    user = given.pop("user", "")
    return DatabaseCredentials(
        host=host,
        port=port_number(given.pop("port", "")),
        database=given.pop("dbname", "") or user,
        username=user,
        password=given.pop("password", ""),
        ssl=sslmode,
        options=given,
    )


def _of_login(secret: DatabaseSecret, document: Mapping[str, Any], sslmode: str) -> DatabaseCredentials:
    if not secret.engine.startswith(("postgres", "aurora-postgres")):
        raise ConfigurationError(f"The database must be Postgres, not {secret.engine!r}.")
    return DatabaseCredentials(
        host=secret.host,
        port=secret.port,
        database=secret.dbname,
        username=secret.username,
        password=secret.password,
        ssl=str(document.get("sslmode") or (sslmode if sslmode in ENCRYPTED else "")),
    )
