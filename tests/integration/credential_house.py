"""Users' keys over a real record: callers through the API's login, workers through theirs, and jobs that pin a key."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from lib.domain.caller import AccessRole, Caller, UserKind
from lib.domain.credential import StoredCredential
from lib.domain.provider import Credential
from lib.domain.security_event import CredentialEvent, Refusal
from lib.ports.actor import acting_as
from lib.ports.master_key import MasterKey
from lib.ports.record import Transition
from lib.providers.registry import load_adapter
from lib.services.credential_vault import CredentialVault
from lib.services.note_credential_failure import NoteCredentialFailure
from lib.services.open_credential import CredentialOpener
from lib.stores.encryption.envelope_cipher import EnvelopeCipher
from lib.stores.encryption.master_keys import MasterKeys
from lib.stores.postgres.connection import RecordConnection
from lib.stores.postgres.record import PostgresRecord
from lib.stores.postgres.repositories.credentials import PostgresCredentials
from local.backing import RecordDatabase
from tests.fakes.credentials import master_key
from tests.fakes.jobs import new_job
from tests.fakes.journal import FakeJournal

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ALICE, BOB = Caller("alice"), Caller("bob")
ROOT = Caller("root", role=AccessRole.ADMIN)
GUEST = Caller("guests", kind=UserKind.GUEST, guest_token="a" * 64)
PLATFORM = Credential("replicate", "r8_the operator's own")


@dataclass
class SecurityNotes:
    """Remembers what it was told."""

    events: list[CredentialEvent | Refusal] = field(default_factory=list)

    def refused(self, refusal: Refusal) -> None:
        """See the port."""
        self.events.append(refusal)

    def changed(self, event: CredentialEvent) -> None:
        """See the port."""
        self.events.append(event)


class CredentialHouse:
    """The vault and the opener as the functions have them; `now` is their clock."""

    def __init__(self, database: RecordDatabase, master: MasterKey | None = None) -> None:
        self.database, self.now = database, NOW
        self.master = master or MasterKeys(master_key())
        self.log, self.journal = SecurityNotes(), FakeJournal()
        self._api = RecordConnection(lambda: database.api_url)
        self._worker = RecordConnection(lambda: database.worker_url)
        self.api, self.worker = PostgresCredentials(self._api), PostgresCredentials(self._worker)
        self.record, self.worker_record = PostgresRecord(self._api), PostgresRecord(self._worker)
        self.vault = CredentialVault(
            lambda name: load_adapter(name).traits, self.api, self._cipher, self.log, self.clock
        )
        self.note_failure = NoteCredentialFailure(self.worker, self.journal, self.log, self.clock)

    def close(self) -> None:
        """Let the connections go."""
        self._api.close()
        self._worker.close()

    def clock(self) -> datetime:
        """Now."""
        return self.now

    def wait(self, **time: float) -> None:
        """Let so much time pass."""
        self.now += timedelta(**time)

    def opener(self, *, as_worker: bool = True) -> CredentialOpener:
        """An opener that holds no data key yet."""
        stored = self.worker if as_worker else self.api
        return CredentialOpener(
            lambda _name, _version: PLATFORM, lambda name: load_adapter(name).traits, stored, self._cipher()
        )

    def put(self, caller: Caller, key: str, provider: str = "replicate") -> StoredCredential:
        """A key as its owner brings it."""
        with acting_as(caller.actor):
            return self.vault.put(caller, provider, {"credentials": {"apiKey": key}})

    def get(self, caller: Caller, provider: str = "replicate") -> StoredCredential:
        """What its owner is shown."""
        with acting_as(caller.actor):
            return self.vault.get(caller, provider)

    def delete(self, caller: Caller, provider: str = "replicate") -> None:
        """Its owner takes it away."""
        with acting_as(caller.actor):
            self.vault.delete(caller, provider)

    def choose(self, caller: Caller, policy: str = "own", provider: str = "replicate") -> Mapping[str, Any]:
        """What the record would make a job with."""
        with acting_as(caller.actor):
            sql = "select choose_credential(%s, %s, %s)"
            found: Mapping[str, Any] = self._api.fetch(sql, (caller.user_id, provider, policy))[0][0]
            return found

    def start(self, caller: Caller, policy: str = "own") -> Transition:
        """A job of this caller's, as it is made."""
        with acting_as(caller.actor):
            job = new_job(self.now, caller.user_id, credentials=policy)
            return self.record.create_job(job, self.now)

    def start_with(self, caller: Caller, key: str) -> str:
        """A job of this caller's with this key, which is put for it: its id."""
        self.put(caller, key)
        return self.start(caller).job.job_id

    def end(self, job_id: str) -> None:
        """The job comes to its end."""
        self.worker_record.fail_job(job_id, code="x", message="y", retryable=False, now=self.now)

    def wipe(self) -> int:
        """What the sweep does."""
        return self.worker_record.remove_expired("provider_credentials", self.now, 100)

    def rows(self, sql: str, *params: object) -> list[tuple[Any, ...]]:
        """What a thief of the whole database may read and write."""
        with psycopg.connect(self.database.superuser_url, autocommit=True) as connection:
            cursor = connection.execute(sql.encode(), params)
            return cursor.fetchall() if cursor.description else []

    def _cipher(self) -> EnvelopeCipher:
        return EnvelopeCipher(self.master)


@contextmanager
def house_of(database: RecordDatabase, master: MasterKey | None = None) -> Iterator[CredentialHouse]:
    """A house that is closed in the end."""
    house = CredentialHouse(database, master)
    yield house
    house.close()
