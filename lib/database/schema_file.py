"""`database/schema.json`: what a freshly migrated database consists of, committed, so that others can be compared."""

import json
from pathlib import Path

from lib.domain.errors import ConfigurationError
from lib.stores.postgres.catalog import Catalog
from lib.stores.postgres.migrations import MIGRATIONS

SCHEMA_FILE = MIGRATIONS.parent / "schema.json"


def as_json(catalog: Catalog) -> str:
    """As the file holds it: a difference in git reads like the change of the schema."""
    return json.dumps(catalog, indent=1, ensure_ascii=False) + "\n"


def committed_catalog(path: Path = SCHEMA_FILE) -> Catalog:
    """What the database should consist of. Raises ConfigurationError if the file is missing or broken."""
    try:
        catalog: Catalog = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        msg = f"{path.name} cannot be read ({type(error).__name__}); python -m lib.database describe --write makes it"
        raise ConfigurationError(msg) from error
    return catalog
