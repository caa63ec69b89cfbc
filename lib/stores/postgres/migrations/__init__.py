"""Migrations of the record: SQL files in `database/migrations`, applied once each, in the order of their names."""

from lib.stores.postgres.migrations.files import MIGRATIONS, Migration, load_migrations
from lib.stores.postgres.migrations.guard import ADVISORY_LOCK
from lib.stores.postgres.migrations.limits import Limits
from lib.stores.postgres.migrations.up_and_down import (
    Status,
    migrate_down,
    migrate_up,
    migration_status,
    what_down_would_do,
)

__all__ = [
    "ADVISORY_LOCK",
    "MIGRATIONS",
    "Limits",
    "Migration",
    "Status",
    "load_migrations",
    "migrate_down",
    "migrate_up",
    "migration_status",
    "what_down_would_do",
]
