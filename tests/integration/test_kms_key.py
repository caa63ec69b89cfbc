"""The master key in KMS, as moto has it: it opens for the context that it sealed for, by whichever key it was."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from lib.aws.kms_key import KmsMasterKey
from lib.domain.envelope import CredentialContext, Sealed
from lib.domain.errors import EncryptionNotConfiguredError, UnavailableError, UnreadableCredentialError
from lib.stores.encryption.envelope_cipher import EnvelopeCipher
from lib.stores.encryption.master_keys import MasterKeys
from local.aws import Aws
from local.backing import Moto
from tests.fakes.credentials import master_key

CONTEXT = CredentialContext("alice é", "replicate", "01a1fbb0-cf23-747a-9d00-dfe374a9d28b", 1)
ALIAS = "alias/vsl-test-credentials"
KEY = b'{"apiKey":"r8_0123456789"}'


@pytest.fixture
def kms(moto_server: Moto, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """KMS with a key behind an alias."""
    for name, value in {
        "AWS_ENDPOINT_URL": moto_server.url,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }.items():
        monkeypatch.setenv(name, value)
    client = Aws(moto_server.url).client("kms")
    client.create_alias(AliasName=ALIAS, TargetKeyId=new_key(client))
    yield client
    client.delete_alias(AliasName=ALIAS)
    client.close()


def new_key(client: Any) -> str:
    return str(client.create_key()["KeyMetadata"]["KeyId"])


def patient() -> KmsMasterKey:
    """As the functions have it, but for a busy machine."""
    return KmsMasterKey(ALIAS, total_seconds=10)


def cipher() -> EnvelopeCipher:
    """One that holds no data key yet."""
    return EnvelopeCipher(patient())


def sealed() -> Sealed:
    return cipher().seal(KEY, CONTEXT)


def test_what_was_sealed_opens_and_names_the_very_key(kms: Any) -> None:
    found = sealed()
    assert cipher().open(found) == KEY
    assert found.key_id.startswith("kms:arn:aws:kms:us-east-1:")
    assert ":key/" in found.key_id


@pytest.mark.parametrize(
    "moved",
    [
        replace(CONTEXT, user_id="mallory"),
        replace(CONTEXT, provider="fal"),
        replace(CONTEXT, credential_id="01a1fbb0-cf23-747a-9d00-000000000000"),
        replace(CONTEXT, version=2),
    ],
)
def test_kms_opens_no_data_key_for_another_context(kms: Any, moved: CredentialContext) -> None:
    found = sealed()
    with pytest.raises(UnreadableCredentialError):
        patient().unwrap(found.wrapped_key, found.key_id, moved)


def test_a_wrapped_key_of_which_a_bit_was_flipped_is_refused(kms: Any) -> None:
    found = sealed()
    with pytest.raises(UnreadableCredentialError):
        patient().unwrap(found.wrapped_key[:-1] + bytes([found.wrapped_key[-1] ^ 1]), found.key_id, CONTEXT)


def test_what_one_key_sealed_opens_after_the_alias_was_moved_to_another(kms: Any) -> None:
    before = sealed()
    kms.update_alias(AliasName=ALIAS, TargetKeyId=new_key(kms))
    after = sealed()
    assert after.key_id != before.key_id
    assert cipher().open(before) == cipher().open(after) == KEY


def test_kms_and_a_laptops_key_open_side_by_side_in_both_directions(kms: Any) -> None:
    by_kms, by_hand = sealed(), EnvelopeCipher(master_key()).seal(KEY, CONTEXT)
    for both in (MasterKeys(master_key(), (patient(),)), MasterKeys(patient(), (master_key(),))):
        assert [EnvelopeCipher(both).open(each) for each in (by_kms, by_hand)] == [KEY, KEY]
        plain = both.unwrap(by_hand.wrapped_key, by_hand.key_id, CONTEXT)
        again = both.wrap(plain, CONTEXT)
        rewrapped = replace(by_hand, wrapped_key=again.wrapped, key_id=again.key_id)
        assert EnvelopeCipher(both).open(rewrapped) == KEY


def test_a_key_that_is_not_there_is_a_matter_of_the_operators(kms: Any) -> None:
    with pytest.raises(EncryptionNotConfiguredError, match=r"not properly configured.*CREDENTIAL_KMS_KEY_ID"):
        KmsMasterKey("alias/nobody", total_seconds=10).generate_data_key(CONTEXT)


def test_a_kms_that_does_not_answer_is_away_and_nothing_more(
    kms: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = sealed()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(UnavailableError, match="AWS KMS does not answer"):
        cipher().open(found)
