"""The words of `python -m lib.database`."""

import argparse
from pathlib import Path
from typing import TypeAlias
from uuid import UUID

from lib.stores.postgres.migrations import MIGRATIONS

_Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

_UNDER_MIGRATE = ("up", "down", "status", "verify")


_ABOUT = """the record: its schema, and its care

It is found by DATABASE_URL, or by the secret that DATABASE_SECRET_NAME names: the migrator's address, but for `watch`,
which an analyst's will do for. docs/database.md tells more."""


def parser() -> argparse.ArgumentParser:
    """Commands with their arguments; `migrate status` and `status` are the same."""
    top = argparse.ArgumentParser(
        prog="python -m lib.database",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    migrate = _command(commands, "migrate", "up, down, status or verify; the word may be left out")
    below = migrate.add_subparsers(dest="command", required=True, metavar="|".join(_UNDER_MIGRATE))
    for adding in (below, commands):
        _add_migrations(adding)
    _command(commands, "seed", "add small believable data, once: not into a database in use")
    saving = _command(commands, "backup", "write everything into FILE (pg_dump, custom format)")
    saving.add_argument("file", type=Path, metavar="FILE")
    restoring = _command(commands, "restore", "fill an empty database from FILE, whole or not at all")
    restoring.add_argument("file", type=Path, metavar="FILE")
    describing = _command(commands, "describe", "print what the database consists of, as JSON")
    describing.add_argument("--write", action="store_true", help="write it into database/schema.json instead")
    describing.add_argument("--docs", action="store_true", help="draw docs/database.md from it instead")
    telling = _command(commands, "notify", "whether changes are told by NOTIFY")
    telling.add_argument("state", choices=("on", "off"))
    watching = _command(commands, "watch", "print changes of jobs as they happen, until Ctrl-C")
    watching.add_argument(
        "job_id", nargs="?", type=_job_id, metavar="JOB_ID", help="one job, from its beginning to its end"
    )
    joining = _command(
        commands,
        "logins",
        "make the logins of the functions, where they are missing or have another password",
    )
    joining.add_argument(
        "--api-url", help="of the functions that answer callers; else API_DATABASE_URL or its secret"
    )
    joining.add_argument("--worker-url", help="of the workers; else WORKER_DATABASE_URL or its secret")
    return top


def _add_migrations(commands: _Commands) -> None:
    up = _command(commands, "up", "apply what is missing")
    up.add_argument("steps", nargs="?", type=_steps, metavar="STEPS", help="at most so many files")
    down = _command(commands, "down", "take back the last migration, or the last STEPS, or all; data is lost")
    down.add_argument(
        "steps", nargs="?", type=_steps_or_all, default=1, metavar="STEPS", help="how many files, or all"
    )
    down.add_argument("--yes", action="store_true", help="do it; without, only say what would be done")
    for added in (up, down, _command(commands, "status", "what was applied and what was not")):
        added.add_argument("--directory", type=Path, default=MIGRATIONS, help=argparse.SUPPRESS)
    _command(commands, "verify", "name every difference between this database and the migrations")


def _command(commands: _Commands, name: str, does: str) -> argparse.ArgumentParser:
    return commands.add_parser(name, help=does, description=does)


def _job_id(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise argparse.ArgumentTypeError("must be a job's id, a UUID") from None


def _steps(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 10_000:
        raise argparse.ArgumentTypeError("must be a whole number above 0")
    return int(text)


def _steps_or_all(text: str) -> int | None:
    return None if text == "all" else _steps(text)
