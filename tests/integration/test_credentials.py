"""Users' keys on the record: versions, what they may make, what is known of them, and how they end."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from lib.domain.envelope import CredentialContext, Sealed, pack_fields
from lib.domain.errors import (
    EncryptionNotConfiguredError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    UnreadableCredentialError,
)
from lib.domain.ids import uuid7
from lib.domain.observations import SecurityEventKind
from lib.domain.provider import ProviderUpdate, RemoteStatus
from lib.ports.actor import acting_as
from lib.stores.encryption.envelope_cipher import EnvelopeCipher
from lib.stores.encryption.master_keys import MasterKeys, NoMasterKey
from lib.stores.postgres.repositories.credentials import PostgresCredentials
from local.backing import RecordDatabase
from tests.fakes.credentials import key_like, leaks, master_key
from tests.integration.credential_house import ALICE, BOB, GUEST, NOW, ROOT, CredentialHouse, house_of


@pytest.fixture
def house(empty_record: RecordDatabase) -> Iterator[CredentialHouse]:
    """Nobody has a key yet."""
    with house_of(empty_record) as house:
        yield house


def test_a_key_is_shown_in_part_and_opened_whole(house: CredentialHouse) -> None:
    key = key_like()
    stored = house.put(ALICE, key)
    assert house.get(ALICE) == stored
    assert (stored.version, stored.is_valid, stored.created_at, stored.checked_at) == (1, None, NOW, None)
    assert dict(stored.masked) == {"apiToken": f"…{key[-4:]}"}
    assert house.opener().open("replicate", stored.pin).secret == key


def test_a_new_version_takes_the_place_of_the_former_which_stays_for_its_jobs(house: CredentialHouse) -> None:
    first, second = key_like(), key_like()
    old = house.put(ALICE, first)
    new = house.put(ALICE, second)
    assert (old.version, new.version) == (1, 2)
    assert house.choose(ALICE)["version"] == new.pin
    assert house.opener().open("replicate", old.pin).secret == first
    assert house.opener().open("replicate", new.pin).secret == second


def test_each_change_is_told_with_who_and_where_and_never_what(house: CredentialHouse) -> None:
    key = key_like()
    stored = house.put(ALICE, key)
    house.delete(ALICE)
    kinds = [event.kind for event in house.log.events]
    assert kinds == [SecurityEventKind.CREDENTIAL_STORED, SecurityEventKind.CREDENTIAL_DELETED]
    for event in house.log.events:
        told = event.as_json(str(uuid7(NOW)), NOW)
        assert told["userId"] == "alice"
        assert told["details"] == {"provider": "replicate", "credential": stored.pin}
        assert leaks(str(told), key) == []
        assert house.worker_record.log_security_event(told)


@pytest.mark.parametrize(
    "body", [{}, {"credentials": {"apiKey": "short"}}, {"credentials": {"key": "x" * 40}}, {"apiKey": 7}]
)
def test_a_body_that_is_wrong_changes_nothing(house: CredentialHouse, body: dict[str, object]) -> None:
    before = house.put(ALICE, key_like())
    with acting_as(ALICE.actor), pytest.raises(InvalidError):
        house.vault.put(ALICE, "replicate", body)
    assert house.get(ALICE) == before


def test_a_provider_that_nobody_knows_has_no_keys(house: CredentialHouse) -> None:
    with pytest.raises(Exception, match="no provider is called"):
        house.put(ALICE, key_like(), "nobody")


def test_without_a_master_key_nothing_is_stored_and_the_reason_is_said(empty_record: RecordDatabase) -> None:
    with house_of(empty_record, NoMasterKey()) as house:
        with pytest.raises(
            EncryptionNotConfiguredError, match="Encryption service is not properly configured"
        ):
            house.put(ALICE, key_like())
        assert house.rows("select count(*) from provider_credentials") == [(0,)]


def test_guests_have_no_keys(house: CredentialHouse) -> None:
    for attempt in (
        lambda: house.put(GUEST, key_like()),
        lambda: house.get(GUEST),
        lambda: house.delete(GUEST),
    ):
        with pytest.raises(ForbiddenError):
            attempt()
    assert house.vault.list(GUEST) == {}


def test_a_user_whom_the_record_knows_as_a_guest_gets_none_either(house: CredentialHouse) -> None:
    house.rows("insert into users values ('alice', 'guest', 'user', now())")
    with pytest.raises(ForbiddenError):
        house.put(ALICE, key_like())
    assert house.rows("select count(*) from provider_credentials") == [(0,)]


def test_whoever_has_none_is_told_where_to_put_one(house: CredentialHouse) -> None:
    for attempt in (lambda: house.get(ALICE), lambda: house.delete(ALICE)):
        with pytest.raises(NotFoundError, match="PUT /providers/replicate/credentials"):
            attempt()


@pytest.mark.parametrize(
    ("own", "policy", "outcome"),
    [
        ("none", "own", "none"),
        ("none", "platform", "platform"),
        ("none", "own_then_platform", "platform"),
        ("good", "own", "own"),
        ("good", "platform", "platform"),
        ("good", "own_then_platform", "own"),
        ("invalid", "own", "invalid"),
        ("invalid", "platform", "platform"),
        ("invalid", "own_then_platform", "invalid"),
    ],
)
def test_which_key_makes_a_job(house: CredentialHouse, own: str, policy: str, outcome: str) -> None:
    if own != "none":
        stored = house.put(ALICE, key_like())
        if own == "invalid":
            assert house.note_failure(stored.pin, "provider_authentication")
    chosen = house.choose(ALICE, policy)
    assert chosen["outcome"] == outcome
    made = house.start(ALICE, policy)
    assert made.outcome == ("created" if outcome in ("own", "platform") else f"credential_{outcome}")


def test_a_job_is_made_with_what_opens_its_key_in_the_same_trip(house: CredentialHouse) -> None:
    key = key_like()
    pinned = house.put(ALICE, key)
    chosen = house.start(ALICE).extra["credential"]
    assert chosen["version"] == pinned.pin
    with acting_as(ALICE.actor):
        opened = house.opener(as_worker=False).open("replicate", chosen["version"], chosen["sealed"])
    assert (opened.secret, opened.version) == (key, pinned.pin)


@pytest.mark.parametrize("heard", ["answer", "webhook"])
def test_an_id_at_the_provider_counts_for_the_account_that_made_it_alone(
    house: CredentialHouse, heard: str
) -> None:
    jobs = []
    for caller in (ALICE, BOB):
        house.put(caller, key_like())
        jobs.append(house.start(caller).job.job_id)
    house.worker_record.record_submitted(jobs[0], 1, "1", now=NOW, due_at=NOW, answer=None)
    if heard == "answer":
        told = house.worker_record.record_submitted(jobs[1], 1, "1", now=NOW, due_at=NOW, answer=None)
        assert told.outcome == "submitted"
        return
    house.worker_record.mark_submit_unknown(jobs[1], 1, due_at=NOW, now=NOW)
    word = ProviderUpdate(RemoteStatus.RUNNING, "1")
    dues = dict.fromkeys(("now", "due_at", "storing_deadline_at", "storing_due_at"), NOW)
    told = house.worker_record.apply_update(jobs[1], 1, word, source="webhook", **dues)
    assert (told.outcome, told.job.data["providerJobId"]) == ("generating", "1")


def test_a_key_that_was_replaced_while_its_job_runs_still_opens_for_it(house: CredentialHouse) -> None:
    former, later = key_like(), key_like()
    pinned = house.put(ALICE, former)
    job = house.start(ALICE)
    house.put(ALICE, later)
    house.wait(hours=2)
    assert house.wipe() == 0
    assert house.opener().open("replicate", pinned.pin).secret == former
    assert house.start(ALICE).extra["credential"]["version"] != pinned.pin
    house.end(job.job.job_id)
    house.wait(minutes=59)
    assert house.wipe() == 0
    house.wait(minutes=2)
    assert house.wipe() == 1
    with pytest.raises(UnreadableCredentialError):
        house.opener().open("replicate", pinned.pin)


def test_a_key_that_was_deleted_makes_no_job_opens_for_the_old_one_and_is_then_gone(
    house: CredentialHouse,
) -> None:
    key = key_like()
    pinned = house.put(ALICE, key)
    job = house.start(ALICE)
    house.delete(ALICE)
    assert house.start(ALICE).outcome == "credential_none"
    assert house.opener().open("replicate", pinned.pin).secret == key
    house.end(job.job.job_id)
    house.wait(hours=1, seconds=1)
    assert house.wipe() == 1
    assert house.rows(
        "select ciphertext, wrapped_key, masked, account, wiped_at is not null from provider_credentials"
    ) == [(None, None, {}, None, True)]
    with pytest.raises(UnreadableCredentialError, match="not kept any more"):
        house.opener().open("replicate", pinned.pin)


def test_a_key_that_no_job_used_goes_soon_after_it_was_deleted_and_a_current_one_never(
    house: CredentialHouse,
) -> None:
    house.put(ALICE, key_like())
    house.put(BOB, key_like())
    house.delete(ALICE)
    assert house.wipe() == 0  # a job may be made with it this very moment
    house.wait(minutes=5)
    assert house.wipe() == 1
    house.wait(days=1000)
    assert house.wipe() == 0
    assert house.get(BOB).version == 1


def test_versions_go_on_after_a_key_was_deleted_and_wiped(house: CredentialHouse) -> None:
    house.put(ALICE, key_like())
    house.delete(ALICE)
    house.wait(minutes=5)
    house.wipe()
    assert house.put(ALICE, key_like()).version == 2


def test_what_the_provider_says_last_counts_and_a_late_word_of_an_old_version_does_not(
    house: CredentialHouse,
) -> None:
    old = house.put(ALICE, key_like())
    new = house.put(ALICE, key_like())
    assert not house.note_failure(old.pin, "provider_authentication")
    assert house.get(ALICE).is_valid is None
    assert house.note_failure(new.pin, "provider_authentication")
    known = house.get(ALICE)
    assert (known.is_valid, known.failure_code, known.checked_at) == (False, "provider_authentication", NOW)
    with acting_as(ALICE.actor):
        later, earlier = NOW + timedelta(minutes=1), NOW - timedelta(minutes=1)
        assert house.api.mark(new.credential_id, is_valid=True, code=None, account="ana", now=later)
        assert not house.api.mark(new.credential_id, is_valid=False, code="x", account=None, now=earlier)
    known = house.get(ALICE)
    assert (known.is_valid, known.failure_code, known.account) == (True, None, "ana")
    assert house.put(ALICE, key_like()).is_valid is None


@pytest.mark.parametrize("code", ["provider_outage", "provider_billing", "moderation_refused"])
def test_only_an_authentication_failure_says_anything_of_a_key(house: CredentialHouse, code: str) -> None:
    stored = house.put(ALICE, key_like())
    assert not house.note_failure(stored.pin, code)
    assert not house.note_failure("platform", "provider_authentication")
    assert house.get(ALICE).is_valid is None


def test_of_many_who_put_at_once_each_gets_a_version_and_one_is_current(house: CredentialHouse) -> None:
    keys = [key_like() for _ in range(8)]

    def put(key: str) -> int:
        with house_of(house.database) as own:
            return own.put(ALICE, key).version

    with ThreadPoolExecutor(4) as pool:
        versions = list(pool.map(put, keys))
    assert sorted(versions) == list(range(1, 9))
    current = keys[versions.index(8)]
    assert house.opener().open("replicate", house.get(ALICE).pin).secret == current


def test_a_put_whose_answer_was_lost_is_kept_once(house: CredentialHouse) -> None:
    context = CredentialContext("alice", "replicate", str(uuid7(NOW)), 1)
    sealed = EnvelopeCipher(house.master).seal(pack_fields({"apiKey": key_like()}), context)
    with acting_as(ALICE.actor):
        assert house.api.put(sealed, {}, NOW) == house.api.put(sealed, {}, NOW)
    assert house.rows("select count(*) from provider_credentials") == [(1,)]


def test_nobody_sees_a_key_but_its_owner_and_the_workers(house: CredentialHouse) -> None:
    stored = house.put(ALICE, key_like())
    house.rows("insert into users values ('root', 'registered', 'admin', now())")
    impostors = (BOB, ROOT, GUEST, None)
    for caller in impostors:
        with acting_as(caller.actor if caller else None):
            assert house.api.find(stored.credential_id) is None
            assert house.api.current("alice", "replicate") is None
            assert list(house.api.list("alice")) == []
            assert house.api.delete("alice", "replicate", NOW) is None
            assert not house.api.mark(stored.credential_id, is_valid=False, code="x", account=None, now=NOW)
        if caller:
            assert house.choose(caller)["outcome"] == "none"
    assert house.get(ALICE) == stored
    assert house.worker.find(stored.credential_id) is not None


def test_a_key_cannot_be_put_for_another_user(house: CredentialHouse) -> None:
    context = CredentialContext("alice", "replicate", str(uuid7(NOW)), 1)
    sealed: Sealed = EnvelopeCipher(MasterKeys(master_key())).seal(b"{}", context)
    connection: PostgresCredentials = house.api
    with acting_as(BOB.actor), pytest.raises(Exception, match=r".*"):
        connection.put(sealed, {}, NOW)
    assert house.rows("select count(*) from provider_credentials") == [(0,)]


def test_the_opener_gives_the_operators_key_to_jobs_that_were_made_with_it(house: CredentialHouse) -> None:
    assert house.opener().open("replicate", "platform").secret == "r8_the operator's own"


@pytest.mark.parametrize(
    "version", ["own:", "own:7", "own:01a1fbb0-cf23-747a-9d00-dfe374a9d28b", "own:' or 1"]
)
def test_a_version_that_there_is_not_opens_nothing(house: CredentialHouse, version: str) -> None:
    with pytest.raises(UnreadableCredentialError):
        house.opener().open("replicate", version)


def test_what_was_sealed_for_another_version_or_provider_is_not_taken_for_the_pinned_one(
    house: CredentialHouse,
) -> None:
    mine, other = house.put(ALICE, key_like()), house.put(BOB, key_like())
    sealed = house.worker.find(other.credential_id)
    assert sealed is not None
    with pytest.raises(UnreadableCredentialError):
        house.opener().open("replicate", mine.pin, sealed.as_json())
    with pytest.raises(UnreadableCredentialError):
        house.opener().open("fal", other.pin, sealed.as_json())
