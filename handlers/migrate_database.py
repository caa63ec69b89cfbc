"""A CloudFormation custom resource: brings the record's schema up to date before new code takes traffic."""

import logging
from typing import Any

from lib import bootstrap
from lib.api.custom_resource import CustomResourceAnswer, send_answer
from lib.aws import logging as logs

logger = logging.getLogger(__name__)

PHYSICAL_ID = "database-migration"


def handler(event: dict[str, Any], context: Any) -> None:
    """Migrate on Create and Update, do nothing on Delete (a rollback never runs down), and answer. Never raises.

    Roles first, then the schema, then the logins of the functions: what starts next finds all three.
    """
    logs.configure()
    try:
        applied = [] if event["RequestType"] == "Delete" else _migrate()
        answer = CustomResourceAnswer(succeeded=True, data={"Applied": ",".join(applied)})
    except Exception as error:  # unanswered, CloudFormation would wait for an hour
        logger.exception("migration failed")
        answer = CustomResourceAnswer(succeeded=False, reason=f"{type(error).__name__}: {error}")
    send_answer(event, context, answer, physical_id=str(event.get("PhysicalResourceId") or PHYSICAL_ID))


def _migrate() -> list[str]:
    # ruff: noqa: PLC0415 - a failing import must be answered too
    from lib.database.logins import ensure_logins
    from lib.stores.postgres.migrations import migrate_up

    url = bootstrap.database_url()
    applied = migrate_up(url, log=logger.info)
    for done in ensure_logins(url):
        logger.info(done)
    return applied
