"""A CloudFormation custom resource: brings the record's schema and logins up to date before new code takes traffic."""

import logging
from typing import Any

from lib import bootstrap
from lib.api.custom_resource import CustomResourceAnswer, send_answer
from lib.aws import logging as logs

logger = logging.getLogger(__name__)

PHYSICAL_ID = "database-migration"


def handler(event: dict[str, Any], context: Any) -> None:
    """Migrate on Create and Update, do nothing on Delete (a rollback never runs down), and answer. Never raises."""
    logs.configure()
    try:
        applied = [] if event["RequestType"] == "Delete" else _migrate()
        answer = CustomResourceAnswer(succeeded=True, data={"Applied": ",".join(applied)})
    except Exception as error:  # unanswered, CloudFormation would wait for an hour
        logger.exception("migration failed")
        answer = CustomResourceAnswer(succeeded=False, reason=f"{type(error).__name__}: {error}")
    send_answer(event, context, answer, physical_id=str(event.get("PhysicalResourceId") or PHYSICAL_ID))


def _migrate() -> list[str]:
    # A failing import must be answered too.
    from lib.stores.postgres.logins import ensure_login  # noqa: PLC0415 - see above
    from lib.stores.postgres.migrations import migrate_up  # noqa: PLC0415 - see above
    from lib.stores.postgres.migrator import connect  # noqa: PLC0415 - see above

    url = bootstrap.database_url()
    applied = migrate_up(url, log=logger.info)
    with connect(url) as connection:
        for group, login_url in bootstrap.database_logins().items():
            for done in ensure_login(connection, login_url, group):
                logger.info(done)
    return applied
