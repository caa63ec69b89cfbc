"""A sealed key opens with its master key, for its owner, at its provider, in its version; and with nothing else."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.domain.envelope import (
    CredentialContext,
    Sealed,
    masked,
    pack_fields,
    unpack_fields,
)
from lib.domain.errors import EncryptionNotConfiguredError, UnreadableCredentialError
from lib.ports.master_key import DataKey
from lib.stores.encryption.envelope_cipher import LIFE_SECONDS, EnvelopeCipher
from lib.stores.encryption.local_key import LocalMasterKey
from lib.stores.encryption.master_keys import MasterKeys, NoMasterKey
from tests.fakes.credentials import leaks, master_key

CONTEXT = CredentialContext("alice", "replicate", "01a1fbb0-cf23-747a-9d00-dfe374a9d28b", 3)
KEY = "r8_a key that nobody else has 1234"


class CountingKey(LocalMasterKey):
    """A master key that counts how often it is asked to unwrap."""

    asked = 0

    def unwrap(self, wrapped: bytes, key_id: str, context: CredentialContext) -> bytes:
        type(self).asked += 1
        return super().unwrap(wrapped, key_id, context)


def cipher(seed: int = 1) -> EnvelopeCipher:
    return EnvelopeCipher(MasterKeys(master_key(seed)))


def changed(sealed: Sealed, part: str, value: bytes) -> Sealed:
    parts: dict[str, Any] = {part: value}
    return replace(sealed, **parts)


def flipped(value: bytes, bit: int) -> bytes:
    other = bytearray(value)
    other[bit // 8] ^= 1 << bit % 8
    return bytes(other)


def test_the_associated_data_is_canonical_json_of_all_that_it_is_bound_to() -> None:
    assert CredentialContext("ann é", "fal", "id", 2).as_bytes() == (
        b'{"credential":"id","provider":"fal","purpose":"provider-credential","user":"ann \\u00e9","version":"2"}'
    )


@given(st.text(max_size=50), st.text(max_size=50), st.text(max_size=50), st.text(max_size=50))
def test_no_two_owners_have_the_same_associated_data(
    user: str, provider: str, other: str, place: str
) -> None:
    same = (user, provider) == (other, place)
    assert (
        CredentialContext(user, provider, "x", 1).as_bytes()
        == CredentialContext(other, place, "x", 1).as_bytes()
    ) is same


@settings(deadline=None)
@given(st.dictionaries(st.text(min_size=1, max_size=20), st.text(max_size=300), min_size=1, max_size=4))
def test_what_was_sealed_opens_again(fields: dict[str, str]) -> None:
    sealed = cipher().seal(pack_fields(fields), CONTEXT)
    again = Sealed.from_json(sealed.as_json())
    assert again == sealed
    assert unpack_fields(cipher().open(again)) == fields


def test_each_sealing_has_a_data_key_and_a_nonce_of_its_own() -> None:
    first, second = (cipher().seal(KEY.encode(), CONTEXT) for _ in range(2))
    assert first.nonce != second.nonce
    assert first.wrapped_key != second.wrapped_key
    assert first.ciphertext != second.ciphertext


@pytest.mark.parametrize(
    "moved",
    [
        replace(CONTEXT, user_id="mallory"),
        replace(CONTEXT, provider="fal"),
        replace(CONTEXT, credential_id="01a1fbb0-cf23-747a-9d00-000000000000"),
        replace(CONTEXT, version=4),
    ],
    ids=["user", "provider", "id", "version"],
)
def test_a_row_that_was_moved_does_not_open_even_where_its_data_key_is_held(moved: CredentialContext) -> None:
    warm = cipher()
    sealed = warm.seal(KEY.encode(), CONTEXT)
    assert warm.open(sealed) == KEY.encode()
    with pytest.raises(UnreadableCredentialError):
        warm.open(replace(sealed, context=moved))


@pytest.mark.parametrize("part", ["ciphertext", "nonce", "wrapped_key"])
def test_a_single_bit_that_was_flipped_anywhere_is_noticed(part: str) -> None:
    warm = cipher()
    sealed = warm.seal(KEY.encode(), CONTEXT)
    warm.open(sealed)
    value: bytes = getattr(sealed, part)
    for bit in range(8 * len(value)):
        with pytest.raises(UnreadableCredentialError):
            warm.open(changed(sealed, part, flipped(value, bit)))


@pytest.mark.parametrize("part", ["ciphertext", "nonce", "wrapped_key"])
@pytest.mark.parametrize("cut", [lambda value: b"", lambda value: value[:-1], lambda value: value + b"\0"])
def test_a_part_that_was_cut_or_grew_is_noticed(part: str, cut: Callable[[bytes], bytes]) -> None:
    sealed = cipher().seal(KEY.encode(), CONTEXT)
    with pytest.raises(UnreadableCredentialError):
        cipher().open(changed(sealed, part, cut(getattr(sealed, part))))


def test_parts_of_two_versions_do_not_go_together() -> None:
    later = replace(CONTEXT, version=4)
    first, second = cipher().seal(KEY.encode(), CONTEXT), cipher().seal(KEY.encode(), later)
    mixed = replace(first, ciphertext=second.ciphertext, nonce=second.nonce)
    for crossed in (mixed, replace(mixed, context=later), replace(mixed, wrapped_key=second.wrapped_key)):
        with pytest.raises(UnreadableCredentialError):
            cipher().open(crossed)


def test_another_master_key_opens_nothing_and_a_former_one_opens_what_it_sealed() -> None:
    sealed = cipher(1).seal(KEY.encode(), CONTEXT)
    with pytest.raises(UnreadableCredentialError):
        cipher(2).open(sealed)
    with pytest.raises(UnreadableCredentialError):
        cipher(2).open(replace(sealed, key_id=master_key(2).key_id))
    rotated = EnvelopeCipher(MasterKeys(master_key(2), (master_key(1),)))
    assert rotated.open(sealed) == KEY.encode()
    assert rotated.seal(KEY.encode(), CONTEXT).key_id == master_key(2).key_id


def test_without_a_master_key_nothing_is_sealed_or_opened_and_the_error_says_what_is_missing() -> None:
    nobody = EnvelopeCipher(NoMasterKey())
    sealed = cipher().seal(KEY.encode(), CONTEXT)
    for attempt in (lambda: nobody.seal(b"x", CONTEXT), lambda: nobody.open(sealed)):
        with pytest.raises(
            EncryptionNotConfiguredError, match="Encryption service is not properly configured"
        ):
            attempt()


def test_a_data_key_is_held_for_minutes_and_then_asked_for_again() -> None:
    CountingKey.asked, now = 0, [0.0]
    held = EnvelopeCipher(CountingKey(bytes(range(32))), monotonic=lambda: now[0])
    sealed = held.seal(KEY.encode(), CONTEXT)
    for _ in range(10):
        held.open(sealed)
    assert CountingKey.asked == 1
    now[0] += LIFE_SECONDS
    held.open(sealed)
    assert CountingKey.asked == 2


def test_no_more_data_keys_are_held_than_were_allowed() -> None:
    CountingKey.asked = 0
    held = EnvelopeCipher(CountingKey(bytes(range(32))), most=2)
    rows = [held.seal(KEY.encode(), replace(CONTEXT, version=version)) for version in range(1, 4)]
    for sealed in (*rows, rows[0]):
        held.open(sealed)
    assert CountingKey.asked == 4


def test_nothing_of_a_key_is_in_what_is_shown_of_it() -> None:
    master = master_key()
    key = master.generate_data_key(CONTEXT)
    sealed = EnvelopeCipher(master).seal(KEY.encode(), CONTEXT)
    shown = f"{master!r} {MasterKeys(master)!r} {key!r} {sealed!r} {DataKey(b'x', b'y', 'z')!r} {sealed.as_json()}"
    assert leaks(shown, KEY) == []
    assert repr(master.key)[2:20] not in shown
    assert repr(key.plain)[2:20] not in shown


@pytest.mark.parametrize(
    "value", [{}, {"ciphertext": None}, {"userId": "a", "version": "x"}, {"ciphertext": "no base64"}]
)
def test_what_is_no_sealed_key_is_refused_as_one_that_does_not_open(value: dict[str, object]) -> None:
    whole = {**cipher().seal(b"x", CONTEXT).as_json(), **value} if value else {}
    with pytest.raises(UnreadableCredentialError):
        Sealed.from_json(whole)


@pytest.mark.parametrize(
    ("secret", "shown"),
    [
        ("", "…"),
        ("r8_short", "…"),
        ("x" * 19, "…"),
        ("x" * 16 + "wxyz", "…wxyz"),
        ("k" * 4000 + "last", "…last"),
    ],
)
def test_a_secret_is_shown_by_its_last_four_characters_if_it_is_long_enough(secret: str, shown: str) -> None:
    assert masked(secret) == shown
