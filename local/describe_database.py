"""`make database-docs`: writes database/schema.json and docs/database.md from a database that was just migrated."""

import sys
import tempfile
from pathlib import Path

from lib.database.docs import write_docs
from lib.database.schema_file import SCHEMA_FILE, as_json
from lib.database.verify import live_catalog
from lib.domain.errors import GatewayError
from lib.stores.postgres.migrations import migrate_up
from local.backing import Postgres, RecordDatabase


def main() -> int:
    """Migrate an empty database on a server of its own, and describe it; 0 if that went well."""
    with tempfile.TemporaryDirectory() as directory, Postgres(Path(directory) / "postgres") as server:
        database = RecordDatabase(server, name="described", stage="described")
        database.make()
        try:
            migrate_up(database.owner_url, log=print)
            catalog = live_catalog(database.owner_url)
            SCHEMA_FILE.write_text(as_json(catalog), encoding="utf-8")
            write_docs(catalog)
        except GatewayError as error:
            print(error.message, file=sys.stderr)
            return 1
    print(f"wrote database/{SCHEMA_FILE.name} and docs/database.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
