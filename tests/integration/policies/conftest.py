"""A record in which several people have all that a person can have, and logins that try to see the others'."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from lib.domain.actor import Actor
from lib.domain.ids import short_id, uuid7
from lib.domain.provider import OutputKind, ProviderOutput, ProviderUpdate, RemoteStatus
from lib.ports.record import Answer, NewJob
from lib.ports.work_report import StorageOperation, WorkReport
from lib.stores.postgres.connection import RecordConnection
from lib.stores.postgres.record import PostgresRecord
from local.backing import RecordDatabase
from tests.fakes.jobs import new_job

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ADDRESS = "203.0.113.7"
TOKENS = {"guest-1": "a" * 64, "guest-2": "b" * 64}
KEYS = {"alice": "1" * 64, "bob": "2" * 64, "root": "3" * 64}


@dataclass(frozen=True)
class Person:
    """Somebody with one finished job, one that runs, and one that is composed."""

    actor: Actor
    finished: str
    running: str
    composed: str
    output: str
    element: str
    step: str
    credential: str

    @property
    def name(self) -> str:
        """The user's id."""
        return str(self.actor.user_id)

    @property
    def jobs(self) -> set[str]:
        """All of this person's jobs."""
        return {self.finished, self.running, self.composed}


class Scene:
    """Alice, Bob, two guests at Alice's address, and Root, who is an admin and has no jobs."""

    def __init__(self, database: RecordDatabase) -> None:
        self.database = database
        self._people()
        connection = RecordConnection(lambda: database.worker_url)
        try:
            self._record = PostgresRecord(connection)
            self._connection = connection
            self.alice = self._person(Actor.user("alice"))
            self.bob = self._person(Actor.user("bob"))
            self.guest_1 = self._person(Actor.guest("guest-1", TOKENS["guest-1"]))
            self.guest_2 = self._person(Actor.guest("guest-2", TOKENS["guest-2"]))
            self._everybodys()
        finally:
            connection.close()
        self.root = Actor.user("root")
        self._put_key("root", uuid7(NOW))

    def _people(self) -> None:
        with psycopg.connect(self.database.superuser_url, autocommit=True) as connection:
            for name, kind, role in (
                ("alice", "registered", "user"),
                ("bob", "registered", "user"),
                ("guest-1", "guest", "user"),
                ("guest-2", "guest", "user"),
                ("root", "registered", "admin"),
            ):
                connection.execute("insert into users values (%s, %s, %s, %s)", (name, kind, role, NOW))
            for name, key_hash in KEYS.items():
                connection.execute(
                    "insert into api_keys (key_id, user_id, key_hash, created_at) values (%s, %s, %s, %s)",
                    (uuid7(NOW), name, key_hash, NOW),
                )

    def _person(self, actor: Actor) -> Person:
        finished, running, composed = (str(uuid7(NOW)) for _ in range(3))
        output, element = str(uuid7(NOW)), str(uuid7(NOW))
        record = self._record
        record.create_job(_job(actor, finished, key="k"), NOW)
        record.record_submitted(
            finished, 1, f"p-{finished}", now=NOW, due_at=NOW, answer=Answer(202, {"jobId": finished})
        )
        record.apply_update(
            finished,
            1,
            ProviderUpdate(
                status=RemoteStatus.SUCCEEDED,
                provider_job_id=f"p-{finished}",
                outputs=(ProviderOutput(OutputKind.URL, "https://replicate.delivery/x/0.webp"),),
            ),
            source="webhook",
            now=NOW,
            due_at=NOW,
            storing_deadline_at=NOW + timedelta(hours=1),
            storing_due_at=NOW + timedelta(minutes=10),
        )
        record.begin_storing(finished, now=NOW, due_at=NOW + timedelta(minutes=10))
        moved = StorageOperation(
            str(uuid7(NOW)),
            "upload",
            "media",
            f"media/{actor.user_id}/0.webp",
            success=True,
            at=NOW,
            duration_ms=3,
        )
        stored = {"index": 0, "outputId": output, "key": f"media/{actor.user_id}/0.webp"}
        stored |= {"contentType": "image/webp", "fileSize": 10, "width": 1, "height": 1}
        record.complete_job(finished, [stored], NOW, work=WorkReport(operations=[moved]))
        record.create_job(_job(actor, running), NOW)
        record.record_submitted(running, 1, f"p-{running}", now=NOW, due_at=NOW, poll_after_seconds=5)
        self._connection.fetch(
            "select create_job(%s, %s)", (psycopg.types.json.Jsonb(_composed(actor, composed, element)), NOW)
        )
        step = self._connection.fetch("select start_processing_step(%s, 'mixing', 0, %s)", (composed, NOW))
        credential = uuid7(NOW)
        if actor.guest_token is None:
            self._put_key(str(actor.user_id), credential)
        return Person(actor, finished, running, composed, output, element, str(step[0][0]), str(credential))

    def _put_key(self, user_id: str, credential_id: UUID) -> None:
        with psycopg.connect(self.database.superuser_url, autocommit=True) as connection:
            key = credential_of(user_id, credential_id)
            connection.execute("select put_credential(%s, %s)", (psycopg.types.json.Jsonb(key), NOW))

    def _everybodys(self) -> None:
        for person in (self.alice, self.bob):
            access = {"accessId": str(uuid7(NOW)), "outputId": person.output, "jobId": person.finished}
            self._record.log_url_access({**access, "userId": person.name, "at": NOW.isoformat()})
            event = {
                "eventId": str(uuid7(NOW)),
                "kind": "wrong_key",
                "clientIp": ADDRESS,
                "at": NOW.isoformat(),
            }
            self._record.log_security_event(event)
        self._record.record_metrics([], NOW)

    @contextmanager
    def api(self, actor: Actor | None) -> Iterator[psycopg.Connection[Any]]:
        """A transaction of the API's login that acts for `actor`; what it did is undone."""
        with psycopg.connect(self.database.api_url) as connection:
            if actor is not None:
                connection.execute(
                    "select act_as(%s, %s, %s)", (actor.user_id, actor.guest_token, actor.key_hash)
                )
            yield connection
            connection.rollback()

    def contents(self) -> dict[str, str]:
        """A hash of each table's rows, whoever may see them."""
        with psycopg.connect(self.database.superuser_url) as connection:
            names = connection.execute(
                "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'"
            ).fetchall()
            hashes = {}
            for (name,) in names:
                query = psycopg.sql.SQL(
                    "select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from {} t"
                )
                row = connection.execute(query.format(psycopg.sql.Identifier(name))).fetchone()
                assert row
                hashes[str(name)] = str(row[0])
            return hashes


def credential_of(user_id: str, credential_id: UUID, version: int = 1) -> dict[str, Any]:
    """A key at a provider as `put_credential` takes it; nobody opens it here."""
    sealed = base64.b64encode(f"a sealed key of {user_id}".encode()).decode("ascii")
    return {
        "credentialId": str(credential_id),
        "userId": user_id,
        "provider": "replicate",
        "version": version,
        "ciphertext": sealed,
        "nonce": base64.b64encode(bytes(12)).decode("ascii"),
        "wrappedKey": sealed,
        "keyId": "local:0",
        "masked": {"apiToken": f"the end of a key of {user_id}"},
    }


def _job(actor: Actor, job_id: str, key: str | None = None) -> NewJob:
    secret = {"prompt": f"a secret of {actor.user_id}"}
    job = new_job(
        NOW,
        str(actor.user_id),
        job_id=job_id,
        parameters=secret,
        input=secret,
        guest_token=actor.guest_token,
        client_ip=ADDRESS,
        user_agent="curl/8",
    )
    if key is None:
        return job
    return replace(job, idempotency_key=key, request_hash="h", idempotency_expires_at=NOW + timedelta(days=1))


def _composed(actor: Actor, job_id: str, element: str) -> dict[str, Any]:
    return {
        "jobId": job_id,
        "shortId": short_id(),
        "userId": actor.user_id,
        "guestToken": actor.guest_token,
        "mediaType": "video",
        "modelId": "composition",
        "provider": "gateway",
        "parameters": {"title": f"a secret of {actor.user_id}"},
        "estimatedTime": 5,
        "estimatedCost": 0,
        "deadlineAt": (NOW + timedelta(hours=1)).isoformat(),
        "clientIp": ADDRESS,
        "elements": [{"elementId": element, "type": "text", "content": "hello", "elementOrder": 0}],
    }


@pytest.fixture
def scene(empty_record: RecordDatabase) -> Scene:
    """The record with everybody in it."""
    return Scene(empty_record)
