"""The operator's command line for users' keys: `python -m lib.credentials status | rewrap`.

The record is found by DATABASE_URL, or by the secret that DATABASE_SECRET_NAME names: as the owner, who alone sees all
rows (`vsl/{stage}/database/migrator`). The master key is found as the functions find it (docs/security.md).
"""
# ruff: noqa: T201 - a command line prints

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import psycopg

from lib import bootstrap
from lib.domain.envelope import CredentialContext, Sealed
from lib.domain.errors import GatewayError, UnreadableCredentialError
from lib.ports.credentials import Rewrapping
from lib.ports.master_key import MasterKey

BATCH = 100


@dataclass
class Counts:
    """What became of the versions that another master key had wrapped."""

    rewrapped: int = 0
    changed: int = 0
    unreadable: int = 0


def rewrap(rows: Rewrapping, master: MasterKey, batch: int = BATCH) -> Counts:
    """Wrap every data key anew under the current master key; what is encrypted stays, and is readable all the while.

    Each row is replaced only if it is still as it was read: whoever puts a key meanwhile wins, with the current master
    key. Cut off half way, it goes on when it is begun again. Rows that do not open are counted; else it raises as a
    MasterKey does.
    """
    counts = Counts()
    for sealed in _wrapped_otherwise(rows, current_key_id(master), batch):
        context = sealed.context
        try:
            plain = master.unwrap(sealed.wrapped_key, sealed.key_id, context)
        except UnreadableCredentialError:
            counts.unreadable += 1
            continue
        wrapped = master.wrap(plain, context)
        if rows.rewrap(sealed, wrapped.key_id, wrapped.wrapped):
            counts.rewrapped += 1
        else:
            counts.changed += 1
    return counts


def current_key_id(master: MasterKey) -> str:
    """Which key seals now: asked by making a data key that nobody uses, since an alias does not say what it names."""
    nobody = CredentialContext("", "", "00000000-0000-7000-8000-000000000000", 0)
    return master.generate_data_key(nobody).key_id


def _wrapped_otherwise(rows: Rewrapping, key_id: str, batch: int) -> Iterator[Sealed]:
    after: str | None = None
    while found := rows.wrapped_otherwise(key_id, after, batch):
        yield from found
        after = found[-1].context.credential_id


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 if all was done, 1 if something could not be."""
    chosen = _parser().parse_args(arguments)
    try:
        if chosen.command == "rewrap":
            return _rewrap(chosen.batch)
        return _status()
    except GatewayError as error:
        print(_reason(error), file=sys.stderr)
        return 1


def _rewrap(batch: int) -> int:
    counts = rewrap(_rows(), bootstrap.master_keys(), batch)
    print(
        f"{counts.rewrapped} wrapped anew, {counts.changed} changed meanwhile, {counts.unreadable} not to be opened"
    )
    if counts.unreadable:
        print("what cannot be opened needs the master key that `status` names", file=sys.stderr)
        return 1
    return 0


def _status() -> int:
    """How many versions each master key wrapped; the current one is marked."""
    master = bootstrap.master_keys()
    current = current_key_id(master)
    for key_id, count in _rows().by_key():
        mark = "current" if key_id == current else "opens" if master.opens(key_id) else "NOT AMONG THE KEYS"
        print(f"{count:>8}  {key_id}  {mark}")
    return 0


def _rows() -> Rewrapping:
    from lib.stores.postgres.repositories.credentials import PostgresCredentials  # noqa: PLC0415 - as bootstrap does

    return PostgresCredentials(bootstrap.record_connection())


def _reason(error: GatewayError) -> str:
    cause = error.__cause__
    if isinstance(cause, psycopg.Error):
        return f"the database: {' '.join(str(cause).split())}; is this the migrator's login?"
    return error.message


_ABOUT = """Users' keys at providers: which master key sealed them, and wrapping them under another one.

The record is found by DATABASE_URL, or by the secret that DATABASE_SECRET_NAME names: the migrator's address. The
master key is ENCRYPTION_KEY, else the KMS key of CREDENTIAL_KMS_KEY_ID; former local keys are ENCRYPTION_KEYS_RETIRED.
docs/security.md tells more."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lib.credentials",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    does = "how many versions each master key wrapped"
    commands.add_parser("status", help=does, description=does)
    does = "wrap all under the current master key, while everything runs; it may be cut off and begun again"
    wrapping = commands.add_parser("rewrap", help=does, description=does)
    wrapping.add_argument(
        "--batch", type=int, default=BATCH, choices=range(1, 10_001), metavar="ROWS", help="at once"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
