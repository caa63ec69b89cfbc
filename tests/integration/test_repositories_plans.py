"""How Postgres finds what the repositories ask for: along an index, whoever asks."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from lib.domain.actor import Actor
from lib.ports.actor import acting_as
from lib.stores.postgres.connection import RecordConnection
from local.backing import RecordDatabase
from tests.integration.conftest import Raw
from tests.integration.filled_record import ADMIN
from tests.integration.repository_questions import QUESTIONS, USER

ACTORS = {"worker": None, "user": Actor.user(USER), "admin": Actor.user(ADMIN)}


class Asking:
    """Sends what a repository asks, and keeps it."""

    def __init__(self, connection: RecordConnection) -> None:
        self._connection = connection
        self.sent: list[tuple[str, Any]] = []

    def fetch(self, sql: str, params: Any = (), *, repeat: bool = True) -> list[tuple[Any, ...]]:
        self.sent.append((sql, params))
        return self._connection.fetch(sql, params, repeat=repeat)


FOR_ADMINS = ("figures by step", "figures of storage")  # which no user is shown
ASKED = [(who, name) for who in ACTORS for name in QUESTIONS if who != "user" or name not in FOR_ADMINS]


@pytest.fixture
def ask(filled: RecordDatabase, who: str) -> Iterator[Asking]:
    url = filled.worker_url if who == "worker" else filled.api_url
    connection = RecordConnection(lambda: url)
    with acting_as(ACTORS[who]):
        yield Asking(connection)
    connection.close()


@pytest.mark.parametrize(("who", "name"), ASKED)
def test_each_question_is_one_statement_along_its_index(
    name: str, who: str, ask: Asking, filled: RecordDatabase, raw: Raw
) -> None:
    question, index = QUESTIONS[name]
    job_id = next(
        str(job["job_id"]) for job in raw["jobs"] if job["user_id"] == USER and job["kind"] == "composition"
    )
    question(ask, job_id)
    ((sql, params),) = ask.sent
    url = filled.worker_url if who == "worker" else filled.api_url
    nodes = list(_nodes(_plan(url, ACTORS[who], sql, params)))
    read_whole = {node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan"} - {"users"}
    assert not read_whole
    assert any(str(node.get("Index Name", "")).startswith(index) for node in nodes), nodes


def _plan(url: str, actor: Actor | None, sql: str, params: Any) -> dict[str, Any]:
    with psycopg.connect(url) as connection:
        if actor:
            connection.execute(
                "select act_as(%s, %s, %s)", (actor.user_id, actor.guest_token, actor.key_hash)
            )
        row = connection.execute(
            f"explain (analyze, timing off, format json) {sql}".encode(), params
        ).fetchone()
    assert row is not None
    plan: dict[str, Any] = row[0][0]["Plan"]
    return plan


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What was done, without what the plan had in reserve."""
    if plan["Actual Loops"]:
        yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)
