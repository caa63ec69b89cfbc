"""Where a database is and who we are there; off this machine nobody talks to it without TLS."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from lib.domain.errors import ConfigurationError

DEFAULT_PORT = 5432
ENCRYPTED = ("require", "verify-ca", "verify-full")
"""libpq's values of `sslmode` that never fall back to plain text; the last also proves who the server is."""
_NOT_ENCRYPTED = ("disable", "allow", "prefer")

_LOOPBACK = re.compile(r"localhost|127(\.\d{1,3}){3}|::1|[/@].*")


@dataclass(frozen=True, kw_only=True)
class DatabaseCredentials:
    """Everything that one needs to connect; neither the password nor the options are shown.

    Args:
        host: a name, an address, or the directory of a Unix socket; several, separated by commas, share the port.
        ssl: libpq's `sslmode`; empty only for this machine, and then libpq's default.
        options: further parameters of libpq, such as `sslrootcert` or `application_name`.

    Raises:
        ConfigurationError: something is missing, or the password would travel in plain text.
    """

    host: str
    database: str
    username: str
    password: str = field(default="", repr=False)
    port: int = DEFAULT_PORT
    ssl: str = ""
    options: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        missing = [name for name in ("host", "database", "username") if not getattr(self, name)]
        if missing:
            raise ConfigurationError(f"The address of the database lacks {', '.join(missing)}.")
        where = self.options.get("hostaddr") or self.host
        object.__setattr__(self, "ssl", sslmode_for(where, self.ssl))

    @property
    def url(self) -> str:
        """A connection string of libpq, with the password."""
        options = {**self.options, **({"sslmode": self.ssl} if self.ssl else {})}
        if self.host.startswith(("/", "@")):
            where = ""
            options |= {"host": self.host, "port": str(self.port)}
        else:
            where = ",".join(f"{_bracketed(host)}:{self.port}" for host in self.host.split(","))
        who = quote(self.username, safe="") + (f":{quote(self.password, safe='')}" if self.password else "")
        query = f"?{urlencode(options, quote_via=quote)}" if options else ""
        return f"postgresql://{who}@{where}/{quote(self.database, safe='')}{query}"


def credentials_from_variables(environ: Mapping[str, str]) -> DatabaseCredentials:
    """What libpq's own variables say: PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE, PGSSLMODE.

    Raises ConfigurationError naming every missing variable at once.
    """
    given = {name: environ.get(name, "").strip() for name in ("PGHOST", "PGUSER", "PGDATABASE")}
    missing = [name for name, value in given.items() if not value]
    if missing:
        raise ConfigurationError(f"The environment is wrong: {', '.join(missing)} must be set.")
    return DatabaseCredentials(
        host=given["PGHOST"],
        port=port_number(environ.get("PGPORT", "")),
        database=given["PGDATABASE"],
        username=given["PGUSER"],
        password=environ.get("PGPASSWORD", ""),
        ssl=environ.get("PGSSLMODE", "").strip(),
    )


def port_number(text: str) -> int:
    """The port, by default Postgres's; the same one for each host. Raises ConfigurationError."""
    ports = {port for port in text.strip().split(",") if port} or {str(DEFAULT_PORT)}
    port = ports.pop()
    if ports or not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ConfigurationError(f"The database's port must be one number from 1 to 65535, not {text!r}.")
    return int(port)


def is_loopback(host: str) -> bool:
    """Whether what we send to this host (or these, separated by commas) stays on this machine."""
    return all(_LOOPBACK.fullmatch(one.strip().lower()) for one in host.split(","))


def sslmode_for(host: str, sslmode: str) -> str:
    """The `sslmode` to use: as given on this machine, else `require` if none is given.

    Raises ConfigurationError for one that libpq does not know, and for plain text to another machine.
    """
    if sslmode and sslmode not in (*ENCRYPTED, *_NOT_ENCRYPTED):
        known = ", ".join((*_NOT_ENCRYPTED, *ENCRYPTED))
        raise ConfigurationError(f"sslmode must be one of {known}, not {sslmode!r}.")
    if is_loopback(host):
        return sslmode
    if sslmode in _NOT_ENCRYPTED:
        raise ConfigurationError(
            f"sslmode={sslmode} would let the password travel to {host} in plain text: "
            "write sslmode=require, or sslmode=verify-full with sslrootcert."
        )
    return sslmode or "require"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else quote(host, safe="")
