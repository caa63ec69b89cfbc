"""The functions' parts replaced by fakes, where the functions themselves find them: in `lib.bootstrap`."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import ModuleType

import pytest

from lib import bootstrap
from lib.aws import logging
from lib.domain.api_key import ApiKey, hash_key, new_key
from lib.domain.caller import AccessRole, UserKind
from lib.domain.errors import RecordUnavailableError
from lib.ports.correlation import CorrelatedQueue
from tests.fakes.bucket import FakeBucket
from tests.fakes.cache import FakeCache
from tests.fakes.metrics import FakeMetrics
from tests.fakes.queue import FakeQueue
from tests.fakes.tier import FakeTier

NOW = datetime(2026, 11, 20, 18, 4, 2, 118_000, tzinfo=UTC)
USER = "user-1"
ENVIRONMENT = {
    "STAGE": "test",
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "example",
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none",
    "DYNAMODB_TABLE": "jobs",
    "CACHE_TABLE": "cache",
    "S3_BUCKET": "vsl-test-media",
    "ADVANCE_QUEUE_URL": "http://127.0.0.1:9/advance",
    "STORE_QUEUE_URL": "http://127.0.0.1:9/store",
    "SUBMIT_QUEUE_URL": "http://127.0.0.1:9/submit",
    "ADVANCE_DEAD_LETTERS_URL": "http://127.0.0.1:9/advance-dead-letters",
    "STORE_DEAD_LETTERS_URL": "http://127.0.0.1:9/store-dead-letters",
    "SUBMIT_DEAD_LETTERS_URL": "http://127.0.0.1:9/submit-dead-letters",
    "REPLICATE_API_TOKEN": "r8_test",
    "WEBHOOK_TOKEN_KEY": "token-key",
    "WEBHOOK_BASE_URL": "https://gateway.example",
    "PROVIDER_WEBHOOKS": "enabled",
}
UNSET = (
    "API_DATABASE_URL",
    "WORKER_DATABASE_URL",
    "DATABASE_REPLICA_URL",
    "REDIS_URL",
    "REDIS_SECRET_NAME",
    "AWS_ENDPOINT_URL",
    "AWS_SESSION_TOKEN",
    "LOG_LEVEL",
    "MODELS_CONFIG",
)


class FakeKeys:
    """API keys in a dict; set `down` to make it fail."""

    def __init__(self) -> None:
        self.keys: dict[str, ApiKey] = {}
        self.down = False

    def find(self, key_hash: str) -> ApiKey | None:
        """See the port."""
        if self.down:
            raise RecordUnavailableError("the record is down")
        return self.keys.get(key_hash)

    def add(
        self,
        user_id: str,
        rate: int | None = None,
        kind: UserKind = UserKind.REGISTERED,
        role: AccessRole = AccessRole.USER,
    ) -> str:
        """A new key of this user."""
        key = new_key()
        self.keys[str(hash_key(key))] = ApiKey(f"key-of-{user_id}", user_id, rate, kind, role)
        return key


@dataclass
class Wired:
    """The fakes, to set up and to look at."""

    keys: FakeKeys = field(default_factory=FakeKeys)
    cache: FakeCache = field(default_factory=FakeCache)
    mirror: FakeTier = field(default_factory=lambda: FakeTier("dynamodb"))
    record_tier: FakeTier = field(default_factory=lambda: FakeTier("postgres"))
    advance_queue: FakeQueue = field(default_factory=FakeQueue)
    store_queue: FakeQueue = field(default_factory=FakeQueue)
    submit_queue: FakeQueue = field(default_factory=FakeQueue)
    note_queue: FakeQueue = field(default_factory=FakeQueue)
    bucket: FakeBucket = field(default_factory=FakeBucket)
    metrics: FakeMetrics = field(default_factory=FakeMetrics)
    now: datetime = NOW

    def key(self, user_id: str = USER, rate: int | None = None) -> str:
        """A valid key."""
        return self.keys.add(user_id, rate)

    def admin_key(self, user_id: str = "root") -> str:
        """A key whose user was an admin when it was checked."""
        return self.keys.add(user_id, role=AccessRole.ADMIN)

    def guest_key(self, user_id: str = "visitors") -> str:
        """A new guest's token."""
        return self.keys.add(user_id, kind=UserKind.GUEST)


def forget_everything() -> None:
    """What bootstrap has built so far is built anew when it is asked for."""
    groups = [group for group in vars(bootstrap).values() if isinstance(group, ModuleType)]
    for part in (part for group in groups for part in vars(group).values()):
        clear = getattr(part, "cache_clear", None)
        if clear is not None:
            clear()


def wire(monkeypatch: pytest.MonkeyPatch) -> Wired:
    """Replace every part that leaves the process by a fake; the services between them are the real ones."""
    forget_everything()
    for name in UNSET:
        monkeypatch.delenv(name, raising=False)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    wired = Wired()
    advance, store = CorrelatedQueue(wired.advance_queue), CorrelatedQueue(wired.store_queue)
    submit = CorrelatedQueue(wired.submit_queue)
    parts = {
        "clock": lambda: wired.now,
        "metrics": lambda: wired.metrics,
        "redis": lambda: None,
        "shared_cache": lambda: wired.cache,
        "mirror_tiers": lambda: (wired.mirror,),
        "record_tier": lambda: wired.record_tier,
        "api_keys": lambda: wired.keys,
        "quick_api_keys": lambda: wired.keys,
        "advance_queue": lambda: advance,
        "note_queue": lambda: wired.note_queue,
        "store_queue": lambda: store,
        "submit_queue": lambda: submit,
        "bucket": lambda: wired.bucket,
    }
    for name, part in parts.items():
        monkeypatch.setattr(bootstrap, name, part)
    monkeypatch.setattr(logging, "configure", lambda: None)  # it changes the loggers of the whole process
    return wired
