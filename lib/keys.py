"""The operator's command line for API keys: `python -m lib.keys create | list | revoke`.

The record is found by DATABASE_URL, or by the secret that DATABASE_SECRET_NAME names: as the owner, since no function
may write keys (`vsl/{stage}/database/migrator`).
"""
# ruff: noqa: T201 - a command line prints

import argparse
import os
import sys
from collections.abc import Sequence

import psycopg

from lib import bootstrap
from lib.domain.api_key import ApiKey, hash_key, new_key
from lib.domain.caller import AccessRole, UserKind
from lib.domain.errors import ConflictError, GatewayError
from lib.domain.ids import uuid7
from lib.settings import CacheSettings
from lib.stores.postgres.api_keys import KeyListing, PostgresApiKeys


def create(
    keys: PostgresApiKeys,
    *,
    user_id: str,
    label: str = "",
    rate: int | None = None,
    kind: UserKind = UserKind.REGISTERED,
    role: AccessRole = AccessRole.USER,
) -> str:
    """A new key of this user; it can be shown this once only: the record keeps its hash.

    With the role ADMIN the user becomes an admin; without, a user keeps the role that there is. Raises ConflictError
    where the user is what cannot be made a guest or an admin.
    """
    there = keys.find_user(user_id)
    if there and UserKind.GUEST in (kind, there[0]) and (kind is not there[0] or role is AccessRole.ADMIN):
        raise ConflictError(_cannot_be(user_id, there[0], role))
    key, now = new_key(), bootstrap.clock()
    found = ApiKey(str(uuid7(now)), user_id, rate, kind, role)
    keys.create(found, str(hash_key(key)), label, now)
    print(f"key {found.key_id} of {user_id}; it is shown this once:", file=sys.stderr)
    return key


def _cannot_be(user_id: str, kind: UserKind, role: AccessRole) -> str:
    if kind is not UserKind.GUEST:
        return f"{user_id} is a {kind} user: a guest needs a user of its own"
    if role is AccessRole.ADMIN:
        return f"{user_id} is a guest, and a guest cannot be an admin"
    return f"{user_id} is a guest: say --guest for one more token, which sees nothing of the others' jobs"


def revoke(keys: PostgresApiKeys, key_id: str) -> bool:
    """End a key's life, at once where a shared cache is configured, else within a minute; False if there is none."""
    key_hash = keys.revoke(key_id, bootstrap.clock())
    if key_hash is not None and os.environ.get("CACHE_TABLE"):
        bootstrap.settings(CacheSettings)
        bootstrap.authenticator().forget(key_hash)
    return key_hash is not None


def show(keys: PostgresApiKeys, user_id: str | None) -> None:
    """One line per key."""
    for key in keys.list(user_id):
        state = f"revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else "valid"
        rate = f"{key.rate_limit_per_hour}/h" if key.rate_limit_per_hour else "default rate"
        made = f"{key.created_at:%Y-%m-%d}"
        print(f"{key.key_id}  {key.user_id}  {key.label or '-'}  {rate}  {made}  {state}  {_rank(key)}")


def _rank(key: KeyListing) -> str:
    return key.kind if key.role is AccessRole.USER else key.role


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 if it was done."""
    chosen = _parser().parse_args(arguments)
    keys = bootstrap.api_keys()
    try:
        match chosen.command:
            case "create":
                kind = UserKind.GUEST if chosen.guest else UserKind.REGISTERED
                role = AccessRole.ADMIN if chosen.admin else AccessRole.USER
                wanted = {"user_id": chosen.user, "label": chosen.label, "rate": chosen.rate}
                print(create(keys, **wanted, kind=kind, role=role))
            case "revoke":
                if not revoke(keys, chosen.key_id):
                    print(f"there is no valid key {chosen.key_id}", file=sys.stderr)
                    return 1
                print(f"revoked {chosen.key_id}")
            case _:
                show(keys, chosen.user)
    except GatewayError as error:
        print(_reason(error), file=sys.stderr)
        return 1
    return 0


def _reason(error: GatewayError) -> str:
    """What the database itself said is for operators only: it may name its address and the login."""
    cause = error.__cause__
    if isinstance(cause, psycopg.errors.InsufficientPrivilege):
        return f"the database: {' '.join(str(cause).split())}; is this the migrator's login?"
    if isinstance(cause, psycopg.Error):
        return f"the database: {' '.join(str(cause).split())}"
    return error.message


_ABOUT = """API keys of the gateway

The record is found by DATABASE_URL, or by the secret that DATABASE_SECRET_NAME names: the migrator's address.
docs/deploying.md tells more."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lib.keys",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    does = "make a key, and its user where there is none; the key is the last line"
    making = commands.add_parser("create", help=does, description=does)
    making.add_argument("--user", required=True, type=_user_id, help="whose key it is")
    making.add_argument("--label", default="", help="a note for operators")
    making.add_argument("--rate", type=_positive, help="jobs per hour of this user, if not the default")
    ranks = making.add_mutually_exclusive_group()
    ranks.add_argument("--admin", action="store_true", help="make the user an admin, who may read everything")
    ranks.add_argument(
        "--guest", action="store_true", help="the key is a guest's token: it shows what it made"
    )
    does = "end a key's life: at once with CACHE_TABLE set, else within a minute"
    ending = commands.add_parser("revoke", help=does, description=does)
    ending.add_argument("key_id", metavar="ID", help="the id that create and list show")
    does = "all keys, without the keys themselves"
    listing = commands.add_parser("list", help=does, description=does)
    listing.add_argument("--user", help="only this user's")
    return parser


def _user_id(text: str) -> str:
    if not 1 <= len(text) <= 200 or not text.isprintable():
        raise argparse.ArgumentTypeError("must be 1 to 200 printable characters")
    return text


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 2**31:
        raise argparse.ArgumentTypeError("must be a whole number above 0")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
