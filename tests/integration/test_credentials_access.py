"""Users' keys on the record: who may have one, who sees it, and what is refused."""

from collections.abc import Iterator

import pytest

from lib.domain.envelope import CredentialContext, Sealed
from lib.domain.errors import EncryptionNotConfiguredError, ForbiddenError, InvalidError, NotFoundError
from lib.domain.ids import uuid7
from lib.ports.actor import acting_as
from lib.stores.encryption.envelope_cipher import EnvelopeCipher
from lib.stores.encryption.master_keys import MasterKeys, NoMasterKey
from lib.stores.postgres.repositories.credentials import PostgresCredentials
from local.backing import RecordDatabase
from tests.fakes.credentials import key_like, master_key
from tests.integration.credential_house import ALICE, BOB, GUEST, NOW, ROOT, CredentialHouse, house_of


@pytest.fixture
def house(empty_record: RecordDatabase) -> Iterator[CredentialHouse]:
    """Nobody has a key yet."""
    with house_of(empty_record) as house:
        yield house


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


def test_a_provider_that_works_with_the_operators_key_alone_takes_none(house: CredentialHouse) -> None:
    with pytest.raises(InvalidError, match="takes none of yours"):
        house.put(ALICE, key_like(), "cog")
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
