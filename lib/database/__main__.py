"""The operator's command line for the record: `python -m lib.database migrate | seed | backup | restore | ...`.

The record is found by DATABASE_URL, or by the secret that DATABASE_SECRET_NAME names: the migrator's login.
"""
# ruff: noqa: T201 - a command line prints

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import closing, suppress

import psycopg

from lib import bootstrap
from lib.database import archive, docs, options, parser, schema_file, seed, verify, watch
from lib.database.logins import ensure_logins
from lib.domain.errors import GatewayError
from lib.stores.postgres.migrations import migrate_down, migrate_up, migration_status, what_down_would_do
from lib.stores.postgres.migrator import connect

Arguments = argparse.Namespace


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 if it was done and all is well, 1 if not, 2 for words that it does not know."""
    chosen = parser.parser().parse_args(arguments)
    try:
        return _COMMANDS[chosen.command](bootstrap.database_url(), chosen)
    except GatewayError as error:
        return _refused(error.message)
    except psycopg.errors.InsufficientPrivilege as error:
        return _refused(f"the database: {str(error).strip()}; is this the migrator's login?")
    except psycopg.Error as error:
        return _refused(f"the database: {str(error).strip()}")
    except OSError as error:
        return _refused(str(error))


def _refused(reason: str) -> int:
    print(" ".join(reason.split()), file=sys.stderr)
    return 1


def _up(url: str, chosen: Arguments) -> int:
    done = migrate_up(url, chosen.directory, steps=chosen.steps, log=print)
    print(f"{len(done)} applied" if done else "nothing to apply")
    return 0


def _down(url: str, chosen: Arguments) -> int:
    names = what_down_would_do(url, chosen.steps)
    if not names:
        print("nothing to take back")
        return 0
    if not chosen.yes:
        print("would take back, with all data in what they made:", *(f"  {name}" for name in names), sep="\n")
        return _refused("say --yes to do it")
    migrate_down(url, len(names), chosen.directory, log=print)
    return 0


def _status(url: str, chosen: Arguments) -> int:
    status = migration_status(url, chosen.directory)
    for word, names in (("applied", status.applied), ("waiting", status.waiting)):
        for name in names:
            newer = " (newer than this code)" if name in status.newer else ""
            print(f"{word}  {name}{newer}")
    for fault in status.faults:
        print(fault)
    return 1 if status.faults else 0


def _verify(url: str, _: Arguments) -> int:
    found = verify.verify(url)
    print(*(found or ["the database is as the migrations make it"]), sep="\n")
    return 1 if found else 0


def _seed(url: str, _: Arguments) -> int:
    print(f"{seed.seed(url)} jobs added")
    return 0


def _backup(url: str, chosen: Arguments) -> int:
    print(f"{archive.backup(url, chosen.file)} bytes in {chosen.file}")
    return 0


def _restore(url: str, chosen: Arguments) -> int:
    archive.restore(url, chosen.file)
    print(f"restored from {chosen.file}")
    return 0


def _describe(url: str, chosen: Arguments) -> int:
    catalog = verify.live_catalog(url)
    if chosen.write:
        schema_file.SCHEMA_FILE.write_text(schema_file.as_json(catalog), encoding="utf-8")
    if chosen.docs:
        docs.write_docs(catalog, docs.DOCS_FILE)
    if not chosen.write and not chosen.docs:
        print(schema_file.as_json(catalog), end="")
    return 0


def _notify(url: str, chosen: Arguments) -> int:
    options.set_notify(url, on=chosen.state == "on")
    print(f"notify is {chosen.state}")
    return 0


def _watch(url: str, chosen: Arguments) -> int:
    connect(url).close()  # says why where it cannot be reached; a subscription would try again and again
    with closing(bootstrap.subscriptions()) as subscriptions, suppress(KeyboardInterrupt):
        found = watch.changes(subscriptions, chosen.job_id)
        print("listening; Ctrl-C ends it", file=sys.stderr, flush=True)
        for change in found:
            print(watch.line(change), flush=True)
    return 0


def _logins(url: str, chosen: Arguments) -> int:
    done = ensure_logins(url, api_url=chosen.api_url, worker_url=chosen.worker_url)
    print(*(done or ["nothing to do"]), sep="\n")
    return 0


_COMMANDS: dict[str, Callable[[str, Arguments], int]] = {
    "up": _up,
    "down": _down,
    "status": _status,
    "verify": _verify,
    "seed": _seed,
    "backup": _backup,
    "restore": _restore,
    "describe": _describe,
    "notify": _notify,
    "watch": _watch,
    "logins": _logins,
}

if __name__ == "__main__":
    sys.exit(main())
