"""A stolen table is useless: rows that are moved or changed do not open, and nothing of a key stands anywhere else."""

import base64
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
import pytest

from lib.database.programs import run_program
from lib.domain.errors import UnreadableCredentialError
from lib.stores.encryption.envelope_cipher import EnvelopeCipher
from lib.stores.encryption.master_keys import MasterKeys
from local.backing import RecordDatabase
from tests.fakes.credentials import key_like, leaks, master_key, master_text
from tests.integration.credential_house import ALICE, BOB, CredentialHouse, house_of

SEALED = "ciphertext, nonce, wrapped_key, key_id"


@pytest.fixture
def house(empty_record: RecordDatabase) -> Iterator[CredentialHouse]:
    """Alice and Bob have a key at Replicate each."""
    with house_of(empty_record) as house:
        yield house


@pytest.fixture
def keys(house: CredentialHouse) -> Mapping[str, str]:
    """Their keys."""
    keys = {"alice": key_like(), "bob": key_like()}
    house.put(ALICE, keys["alice"])
    house.put(BOB, keys["bob"])
    return keys


def refuse_to_open(house: CredentialHouse, pin: str) -> None:
    for opener in (house.opener(), house.opener()):
        with pytest.raises(UnreadableCredentialError) as refused:
            opener.open("replicate", pin)
        assert refused.value.message == "The stored key cannot be opened any more: put it again."


def test_a_key_that_a_thief_copies_into_the_own_row_does_not_open(
    house: CredentialHouse, keys: Mapping[str, str]
) -> None:
    house.rows(
        f"update provider_credentials m set ({SEALED}) = (select {SEALED} from provider_credentials a"  # noqa: S608 - names
        " where a.user_id = 'alice') where m.user_id = 'bob'"
    )
    refuse_to_open(house, house.get(BOB).pin)


@pytest.mark.parametrize(
    "change",
    [
        "update provider_credentials set user_id = 'carol' where user_id = 'alice'",
        "update provider_credentials set provider = 'fal' where user_id = 'alice'",
        "update provider_credentials set version = 7 where user_id = 'alice'",
        "update provider_credentials set credential_id = uuid_at(now()) where user_id = 'alice'",
    ],
)
def test_a_row_that_is_given_to_somebody_or_something_else_does_not_open(
    house: CredentialHouse, keys: Mapping[str, str], change: str
) -> None:
    house.rows("insert into users values ('carol', 'registered', 'user', now())")
    house.rows("update provider_credentials set deleted_at = created_at where user_id = 'bob'")
    house.rows(change)
    (pin, provider) = house.rows(
        "select 'own:' || credential_id, provider from provider_credentials where deleted_at is null"
    )[0]
    with pytest.raises(UnreadableCredentialError):
        house.opener().open(provider, pin)


@pytest.mark.parametrize("part", ["ciphertext", "nonce", "wrapped_key"])
def test_a_bit_that_is_flipped_in_the_table_is_noticed(
    house: CredentialHouse, keys: Mapping[str, str], part: str
) -> None:
    pin = house.get(ALICE).pin
    (length,) = house.rows(f"select length({part}) from provider_credentials where user_id = 'alice'")[0]  # noqa: S608 - as above
    flipped = f"set_bit({part}, %s, 1 - get_bit({part}, %s))"
    flip = f"update provider_credentials set {part} = {flipped} where user_id = 'alice'"  # noqa: S608 - as above
    opener = house.opener()
    assert opener.open("replicate", pin).secret == keys["alice"]
    for bit in range(0, 8 * length, 7):
        house.rows(flip, bit, bit)
        with pytest.raises(UnreadableCredentialError):
            opener.open("replicate", pin)
        house.rows(flip, bit, bit)
    assert opener.open("replicate", pin).secret == keys["alice"]


def test_an_older_version_put_in_the_place_of_the_newer_one_does_not_open(
    house: CredentialHouse, keys: Mapping[str, str]
) -> None:
    newer = house.put(ALICE, key_like())
    house.rows(
        f"update provider_credentials m set ({SEALED}) = (select {SEALED} from provider_credentials a"  # noqa: S608 - as above
        " where a.user_id = 'alice' and a.version = 1) where m.user_id = 'alice' and m.version = 2"
    )
    refuse_to_open(house, newer.pin)


def test_another_master_key_opens_none_of_them(house: CredentialHouse, keys: Mapping[str, str]) -> None:
    pins = house.rows("select 'own:' || credential_id from provider_credentials")
    with house_of(house.database, MasterKeys(master_key(99), (master_key(98),))) as other:
        for (pin,) in pins:
            refuse_to_open(other, pin)
        other.rows("update provider_credentials set key_id = %s", master_key(99).key_id)
        for (pin,) in pins:
            refuse_to_open(other, pin)


def test_the_whole_database_holds_nothing_of_a_key(
    house: CredentialHouse, keys: Mapping[str, str], tmp_path: Path
) -> None:
    """As whoever has a backup reads it."""
    job = house.start(ALICE)
    house.put(ALICE, key_like())
    house.note_failure(house.get(ALICE).pin, "provider_authentication")
    for event in house.log.events:
        house.worker_record.log_security_event(
            event.as_json("01a1fbb0-cf23-747a-9d00-dfe374a9d28b", house.now)
        )
    house.end(job.job.job_id)
    dumped = whole_dump(house.database.superuser_url, tmp_path)
    assert "provider_credentials" in dumped
    assert len(dumped) > 10_000
    assert leaks(dumped, *keys.values(), master_text()) == []


def test_the_search_for_leaks_finds_them() -> None:
    key = key_like()
    assert leaks(f"x {key[7:15]} y", key)
    assert leaks(key.encode().hex(), key)
    for shift in range(3):
        assert leaks(base64.b64encode(b"x" * shift + key.encode() + b"yy"), key)
    assert leaks("nothing of it", key) == []


def test_a_dump_with_a_laptops_master_key_opens_them_which_is_why_it_is_kept_apart(
    house: CredentialHouse, keys: Mapping[str, str]
) -> None:
    sealed = house.worker.find(house.get(ALICE).credential_id)
    assert sealed is not None
    assert keys["alice"].encode() in EnvelopeCipher(MasterKeys(master_key())).open(sealed)


def whole_dump(url: str, directory: Path) -> str:
    """All rows of all tables as pg_dump writes them, and as JSON, where a bytea or a text may look otherwise."""
    file = directory / "dump.sql"
    run_program("pg_dump", url, f"--file={file}", "--schema=public", "--data-only")
    with psycopg.connect(url) as connection:
        names = connection.execute(
            "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'v')"
        ).fetchall()
        parts = [file.read_text("utf-8")]
        for (name,) in names:
            query = psycopg.sql.SQL("select to_jsonb(t)::text from {} t")
            rows = connection.execute(query.format(psycopg.sql.Identifier(name))).fetchall()
            parts += [text for (text,) in rows]
    return "\n".join(parts)
