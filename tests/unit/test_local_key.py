"""ENCRYPTION_KEY is 32 random bytes; what is none, or weak, is refused with what would be right and never shown."""

import base64
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.api.problem import status_of
from lib.domain.errors import EncryptionNotConfiguredError
from lib.stores.encryption.local_key import LocalMasterKey, read_key, read_retired
from tests.fakes.credentials import leaks, master_key, master_text

RANDOM = random.Random(7).randbytes(32)  # noqa: S311 - the same each time
WEAK = {
    "a digest written twice": "5f4dcc3b5aa765d61d8327deb882cf99" * 2,
    "empty": "",
    "a word": "secret",
    "the document's example": "your_aes_256_gcm_key",
    "a passphrase of 32": "correct horse battery staple 123",
    "a passphrase that is base64": "thequickbrownfoxjumpsoverthelazydogandcats1=",
    "16 bytes": base64.b64encode(RANDOM[:16]).decode(),
    "31 bytes": base64.b64encode(RANDOM[:31]).decode(),
    "33 bytes": base64.b64encode(RANDOM + b"x").decode(),
    "63 digits": RANDOM.hex()[:-1],
    "65 digits": RANDOM.hex() + "0",
    "noughts": "00" * 32,
    "one byte": base64.b64encode(b"\x5a" * 32).decode(),
    "a pattern": base64.b64encode(RANDOM[:8] * 4).decode(),
    "a row": bytes(range(32)).hex(),
    "a row backwards": bytes(range(64, 32, -1)).hex(),
    "text in hex": b"This is my very secret passphrase".hex()[:64],
    "text in base64": base64.b64encode(b"My 32 characters of secret text!").decode(),
}


@pytest.mark.parametrize("text", WEAK.values(), ids=WEAK)
def test_a_weak_key_is_refused_with_what_would_be_right_and_is_not_shown(text: str) -> None:
    with pytest.raises(EncryptionNotConfiguredError) as refused:
        read_key(text)
    error = refused.value
    assert error.message.startswith("Encryption service is not properly configured: ENCRYPTION_KEY ")
    assert "openssl rand -base64 32" in error.message
    assert (error.code, status_of(error)) == ("encryption_not_configured", 503)
    assert leaks(error.message + repr(error) + repr(error.errors), text) == []


@given(st.randoms(use_true_random=False))
def test_random_bytes_are_taken_in_each_writing(source: random.Random) -> None:
    key = source.randbytes(32)
    if len(set(key)) < 16 or all(0x20 <= byte < 0x7F for byte in key):
        return  # as good as never, but for whoever looks for it
    writings = (
        base64.b64encode(key).decode(),
        base64.urlsafe_b64encode(key).decode(),
        key.hex(),
        key.hex().upper(),
        f" {key.hex()}\n",
    )
    assert {read_key(text) for text in writings} == {key}


def test_the_name_of_a_key_is_always_the_same_and_gives_nothing_away() -> None:
    key = master_key()
    assert key.key_id == LocalMasterKey.from_text(key.key.hex()).key_id != master_key(2).key_id
    assert key.key_id.startswith("local:")
    assert key.key.hex()[:8] not in key.key_id


def test_former_keys_are_a_list_and_each_must_be_one() -> None:
    assert [key.key_id for key in read_retired(f"{master_text(1)}, {master_text(2)},")] == [
        master_key(1).key_id,
        master_key(2).key_id,
    ]
    assert list(read_retired("")) == []
    with pytest.raises(EncryptionNotConfiguredError, match="ENCRYPTION_KEYS_RETIRED"):
        read_retired(f"{master_text(1)},secret")
