"""The words of `python -m lib.database`."""

import argparse
from pathlib import Path
from uuid import UUID

from lib.stores.postgres.migrations import MIGRATIONS

_UNDER_MIGRATE = ("up", "down", "status", "verify")


def parser() -> argparse.ArgumentParser:
    """Commands with their arguments; `migrate status` and `status` are the same."""
    top = argparse.ArgumentParser(
        prog="python -m lib.database", description="the record: its schema, and its care"
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    migrate = commands.add_parser("migrate", help="up, down, status or verify")
    below = migrate.add_subparsers(dest="command", required=True, metavar="|".join(_UNDER_MIGRATE))
    for adding in (below, commands):
        _add_migrations(adding)
    commands.add_parser("seed", help="add small believable data, once")
    saving = commands.add_parser("backup", help="write everything into FILE (pg_dump, custom format)")
    saving.add_argument("file", type=Path, metavar="FILE")
    restoring = commands.add_parser("restore", help="fill an empty database from FILE, whole or not at all")
    restoring.add_argument("file", type=Path, metavar="FILE")
    describing = commands.add_parser("describe", help="print what the database consists of, as JSON")
    describing.add_argument("--write", action="store_true", help="write it into database/schema.json instead")
    describing.add_argument("--docs", action="store_true", help="draw docs/database.md from it instead")
    telling = commands.add_parser("notify", help="whether changes are told by NOTIFY")
    telling.add_argument("state", choices=("on", "off"))
    watching = commands.add_parser("watch", help="print changes of jobs as they happen")
    watching.add_argument(
        "job_id", nargs="?", type=_job_id, metavar="JOB_ID", help="one job, from its beginning to its end"
    )
    joining = commands.add_parser("logins", help="make the logins of the functions, where they are missing")
    joining.add_argument(
        "--api-url", help="of the functions that answer callers; else API_DATABASE_URL or its secret"
    )
    joining.add_argument("--worker-url", help="of the workers; else WORKER_DATABASE_URL or its secret")
    return top


def _add_migrations(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    up = commands.add_parser("up", help="apply what is missing")
    up.add_argument("steps", nargs="?", type=_steps, help="at most so many files")
    down = commands.add_parser(
        "down", help="take back the last migration, or the last STEPS, or all; data is lost"
    )
    down.add_argument("steps", nargs="?", type=_steps_or_all, default=1, help="how many files, or all")
    down.add_argument("--yes", action="store_true", help="do it; without, only say what would be done")
    for added in (up, down, commands.add_parser("status", help="what was applied and what was not")):
        added.add_argument("--directory", type=Path, default=MIGRATIONS, help=argparse.SUPPRESS)
    commands.add_parser("verify", help="name every difference between this database and the migrations")


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
