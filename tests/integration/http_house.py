"""The functions over the record as they see it on AWS, with a job that the workers have seen to its end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest

from handlers import describe_api, manage_jobs, read_analytics
from lib import bootstrap
from lib.domain.api_key import hash_key
from lib.domain.caller import Caller
from lib.services.generate_request import GenerateRequest
from lib.stores.postgres.record import PostgresRecord
from tests.fakes.events import Context, body_of, request
from tests.fakes.tier import FakeTier
from tests.fakes.wired import Wired, wire
from tests.integration.world import World

HANDLERS = {"/analytics": read_analytics.handler, "/health": describe_api.handler}


@dataclass
class House:
    """Callers with keys, functions as vsl_api, and workers as vsl_worker."""

    wired: Wired
    world: World
    owner_url: str
    keys: dict[str, str] = field(default_factory=dict)

    def key(self, user_id: str) -> str:
        """The key of this user; `root` is an admin, and every name with `guest` another token of the user `guests`."""
        if user_id not in self.keys:
            if user_id.startswith("guest"):
                self.keys[user_id] = self.wired.guest_key("guests")
            elif user_id == "root":
                self.keys[user_id] = self.wired.admin_key(user_id)
                self.make_admin(user_id)
            else:
                self.keys[user_id] = self.wired.key(user_id)
        return self.keys[user_id]

    def make_admin(self, user_id: str) -> None:
        """The record says so."""
        self.run(
            "insert into users (user_id, access_role, created_at) values (%s, 'admin', now())"
            " on conflict (user_id) do update set access_role = 'admin'",
            user_id,
        )

    def get(self, path: str, user_id: str = "alice", **query: str) -> dict[str, Any]:
        """What the gateway answers to this user."""
        handler = next(
            (each for start, each in HANDLERS.items() if path.startswith(start)), manage_jobs.handler
        )
        return handler(request("list_jobs", key=self.key(user_id), path=path, query=query), Context())

    def body(self, path: str, user_id: str = "alice", **query: str) -> dict[str, Any]:
        """The JSON of an answer that is good."""
        answer = self.get(path, user_id, **query)
        assert answer["statusCode"] == 200, answer["body"]
        return body_of(answer)

    def finished(self, user_id: str = "alice") -> Mapping[str, Any]:
        """The snapshot of a new job of this user that is completed."""
        token = hash_key(self.key(user_id)) if user_id.startswith("guest") else None
        caller = Caller("guests" if token else user_id, guest_token=token)
        asked = GenerateRequest("image", "flux-schnell", {}, "a lighthouse")
        job_id = str(self.world.generate.start(caller, asked).body["jobId"])
        prediction = list(self.world.provider.predictions)[-1]
        for _ in range(2):
            self.world.provider.work(prediction)
            self.world.webhook(prediction)
        self.world.drain()
        job = self.world.real_record.find_job(job_id)
        assert job.status == "completed"
        return dict(job.data)

    def handle_notes(self) -> None:
        """The workers write down what the functions told of."""
        for sent in self.wired.note_queue.sent:
            self.world.handle(sent.message)
        self.wired.note_queue.sent.clear()

    def run(self, sql: str, *params: Any) -> list[tuple[Any, ...]]:
        """Rows, as the owner sees them."""
        with psycopg.connect(self.owner_url, autocommit=True) as connection:
            cursor = connection.execute(sql.encode(), params)
            return cursor.fetchall() if cursor.description else []


def build(monkeypatch: pytest.MonkeyPatch, record: PostgresRecord, *, api_url: str, owner_url: str) -> House:
    """A house; `close` it by closing the connections of bootstrap."""
    wired = wire(monkeypatch)
    monkeypatch.setenv("DATABASE_URL", api_url)
    world = World(record, [FakeTier("dynamodb")])
    wired.now = world.now
    monkeypatch.setattr(bootstrap, "clock", world.clock)
    return House(wired, world, owner_url)
