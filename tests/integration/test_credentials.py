"""Users' keys on the record: their versions, what is known of them, and how they end."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest

from lib.domain.caller import Origin
from lib.domain.envelope import CredentialContext, pack_fields
from lib.domain.errors import UnreadableCredentialError
from lib.domain.ids import uuid7
from lib.domain.observations import SecurityEventKind
from lib.ports.actor import acting_as
from lib.stores.encryption.envelope_cipher import EnvelopeCipher
from local.backing import RecordDatabase
from tests.fakes.credentials import key_like, leaks
from tests.integration.credential_house import ALICE, BOB, NOW, CredentialHouse, house_of


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
    with acting_as(ALICE.actor):
        assert house.api.list("alice") == [new]
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


def test_a_change_is_told_with_the_address_that_it_came_from(house: CredentialHouse) -> None:
    origin = Origin("203.0.113.7", "curl/8")
    with acting_as(ALICE.actor):
        house.vault.put(ALICE, "replicate", {"apiKey": key_like()}, origin)
        house.vault.delete(ALICE, "replicate", origin)
    assert [event.origin for event in house.log.events] == [origin, origin]


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


def test_a_key_that_is_deleted_takes_none_of_another_provider_with_it(house: CredentialHouse) -> None:
    house.put(ALICE, key_like())
    kept = house.put(ALICE, key_like(), "runway")
    house.delete(ALICE)
    with acting_as(ALICE.actor):
        assert house.vault.list(ALICE) == {"runway": kept}


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


def test_no_more_are_wiped_at_once_than_was_asked_for(house: CredentialHouse) -> None:
    for caller in (ALICE, BOB):
        house.put(caller, key_like())
        house.delete(caller)
    house.wait(minutes=5)
    left = "select count(*) from provider_credentials where wiped_at is null"
    assert house.worker_record.remove_expired("provider_credentials", house.now, 1) == 1
    assert house.rows(left) == [(1,)]


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
    told = len(house.log.events)
    assert not house.note_failure(old.pin, "provider_authentication")
    assert house.get(ALICE).is_valid is None
    assert len(house.log.events) == told
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


def test_what_the_account_is_called_is_cut_to_its_place_and_stays_until_it_is_told_anew(
    house: CredentialHouse,
) -> None:
    stored = house.put(ALICE, key_like())
    with acting_as(ALICE.actor):
        mark = partial(house.api.mark, stored.credential_id, now=NOW)
        assert mark(is_valid=True, code=None, account="a" * 300)
        assert mark(is_valid=False, code="provider_authentication", account=None)
    assert house.get(ALICE).account == "a" * 200


def test_of_a_key_that_was_taken_away_nothing_is_noted(house: CredentialHouse) -> None:
    stored = house.put(ALICE, key_like())
    house.delete(ALICE)
    assert not house.note_failure(stored.pin, "provider_authentication")
    assert house.rows("select is_valid, failure_code from provider_credentials") == [(None, None)]


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


def test_a_put_that_comes_again_after_another_took_its_place_is_not_taken_for_kept(
    house: CredentialHouse,
) -> None:
    context = CredentialContext("alice", "replicate", str(uuid7(NOW)), 1)
    sealed = EnvelopeCipher(house.master).seal(pack_fields({"apiToken": key_like()}), context)
    with acting_as(ALICE.actor):
        assert house.api.put(sealed, {}, NOW)
    newer = house.put(ALICE, key_like())
    with acting_as(ALICE.actor):
        assert house.api.put(sealed, {}, NOW) is None
    assert house.get(ALICE) == newer
