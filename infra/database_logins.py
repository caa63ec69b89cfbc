"""The addresses of the record's two lesser logins, derived from the migrator's; pure functions over strings."""

import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

SCHEMES = ("postgresql://", "postgres://")
PASSWORD_LENGTH = 48
_PASSWORD_CHARACTERS = string.ascii_letters + string.digits
_CREDENTIALS = frozenset({"user", "password"})


@dataclass(frozen=True)
class DerivedLogin:
    """A login that the deployment makes up where the operator gives none: its variable, and how its name ends."""

    variable: str
    ending: str

    def name(self, stage: str) -> str:
        """The login of a stage, as in `vsl_homolog_api`; dashes would have to be quoted everywhere."""
        return f"vsl_{stage.replace('-', '_')}_{self.ending}"


DERIVED = (DerivedLogin("API_DATABASE_URL", "api"), DerivedLogin("WORKER_DATABASE_URL", "worker"))


def user_of(url: str) -> str:
    """The login in an address, "" if it names none."""
    return _credential(url, "user")


def password_of(url: str) -> str:
    """The password in an address, "" if there is none."""
    return _credential(url, "password")


def with_login(url: str, user: str, password: str) -> str:
    """The same server (or servers), database and parameters, for another login."""
    parts = urlsplit(url)
    hosts = parts.netloc.rpartition("@")[2]
    query = [(name, value) for name, value in _query(url) if name not in _CREDENTIALS]
    given = f"{quote(user, safe='')}:{quote(password, safe='')}@"
    # geturl() would drop the slashes in front of an address without a host, which only names it in its parameters.
    address = f"{parts.scheme}://{given}{hosts}{parts.path}"
    return f"{address}?{urlencode(query, quote_via=quote, safe='/')}" if query else address


def new_password() -> str:
    """A random password that means the same in an address, in SQL and in a shell."""
    return "".join(secrets.choice(_PASSWORD_CHARACTERS) for _ in range(PASSWORD_LENGTH))


def derived_urls(given: Mapping[str, str], saved: Mapping[str, str], *, stage: str) -> dict[str, str]:
    """The addresses of the logins that the operator does not give, by variable.

    `given` and `saved` hold addresses by variable. What an operator once gave is left alone; what was derived
    follows DATABASE_URL to another server and keeps its password. A saved address with the migrator's own login
    is replaced: it would be above every policy.
    """
    base = given.get("DATABASE_URL") or saved.get("DATABASE_URL", "")
    if not base.startswith(SCHEMES):
        return {}
    found = {}
    for login in DERIVED:
        if given.get(login.variable):
            continue
        known, name = saved.get(login.variable, ""), login.name(stage)
        if known and not _is_ours(known, base, saved.get("DATABASE_URL", ""), name):
            continue
        kept = password_of(known) if user_of(known) == name else ""
        found[login.variable] = with_login(base, name, kept or new_password())
    return found


def shared_login(urls: Mapping[str, str]) -> str | None:
    """What is wrong where two of these addresses, by variable, have the same login; else None."""
    seen: dict[str, str] = {}
    for variable, url in urls.items():
        if (user := user_of(url)) in seen:
            return (
                f"{variable} has the login of {seen[user]}; each needs a login of its own, with fewer rights"
            )
        if user:
            seen[user] = variable
    return None


def _is_ours(known: str, base: str, migrator: str, name: str) -> bool:
    """Whether a saved address was derived from the saved migrator's, or is one that must be replaced."""
    if not known.startswith(SCHEMES):
        return False
    derived = bool(migrator) and known == with_login(migrator, name, password_of(known))
    return derived or user_of(known) == user_of(base)


def _credential(url: str, name: str) -> str:
    for key, value in _query(url):
        if key == name:
            return value
    user, _, password = urlsplit(url).netloc.rpartition("@")[0].partition(":")
    return unquote({"user": user, "password": password}[name])


def _query(url: str) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(url).query, keep_blank_values=True)
