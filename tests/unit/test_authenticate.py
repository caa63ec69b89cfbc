"""API keys: what is asked of whom, how long it is believed, and what happens while the record is away."""

from datetime import UTC, datetime, timedelta

import pytest

from lib.domain.actor import Actor
from lib.domain.api_key import ApiKey, CachedKey, cache_key, hash_key, new_key
from lib.domain.caller import AccessRole, UserKind
from lib.domain.errors import RecordUnavailableError, UnauthenticatedError
from lib.services.authenticate import Authenticator
from tests.fakes.cache import FakeCache

START = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
KEY = "vsl_" + "k" * 43
HASH = hash_key(KEY) or ""
VALID = ApiKey("key-1", "user-1", 50)


class FakeApiKeys:
    """The record of keys in a dict."""

    def __init__(self) -> None:
        self.keys = {HASH: VALID}
        self.down = False
        self.asked = 0

    def find(self, key_hash: str) -> ApiKey | None:
        """See the port."""
        self.asked += 1
        if self.down:
            raise RecordUnavailableError("away")
        return self.keys.get(key_hash)


class House:
    """An authenticator with a clock that is set by hand."""

    def __init__(self) -> None:
        self.now = START
        self.cache, self.keys = FakeCache("redis"), FakeApiKeys()
        self.outages: list[str] = []
        self.door = Authenticator(self.cache, self.keys, lambda: self.now, on_outage=self.outages.append)

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def house() -> House:
    return House()


def test_a_valid_key_is_accepted_and_the_record_asked_once_a_minute(house: House) -> None:
    assert house.door.authenticate(KEY) == VALID
    house.later(60)
    assert house.door.authenticate(KEY) == VALID
    assert house.keys.asked == 1
    house.later(1)
    assert house.door.authenticate(KEY) == VALID
    assert house.keys.asked == 2


def test_only_the_hash_of_a_key_is_kept(house: House) -> None:
    house.door.authenticate(KEY)
    assert list(house.cache.values) == [cache_key(HASH)]
    assert KEY not in repr(house.cache.values)


@pytest.mark.parametrize(
    "presented",
    [
        None,
        "",
        "vsl_",
        KEY[:-1],
        KEY + "k",
        "xyz_" + "k" * 43,
        "vsl_" + "k" * 42 + "!",
        KEY + "\n",
        " " + KEY,
    ],
)
def test_what_is_no_key_is_refused_without_asking_anybody(house: House, presented: str | None) -> None:
    house.cache.down = True
    with pytest.raises(UnauthenticatedError):
        house.door.authenticate(presented)
    assert house.keys.asked == 0
    assert house.outages == []


def test_an_unknown_key_is_refused_and_asked_again_after_ten_seconds(house: House) -> None:
    house.keys.keys.clear()
    for _ in range(3):
        with pytest.raises(UnauthenticatedError):
            house.door.authenticate(KEY)
    assert house.keys.asked == 1
    house.later(10.1)
    house.keys.keys[HASH] = VALID
    assert house.door.authenticate(KEY) == VALID


def test_a_key_that_was_just_created_works_at_once_though_it_was_refused_before(house: House) -> None:
    house.keys.keys.clear()
    with pytest.raises(UnauthenticatedError):
        house.door.authenticate(KEY)
    house.keys.keys[HASH] = VALID
    house.door.learn(HASH, VALID)
    assert house.door.authenticate(KEY) == VALID


def test_a_refusal_that_comes_late_does_not_hide_a_key_created_meanwhile(house: House) -> None:
    keys = house.keys

    class SlowKeys:
        def find(self, key_hash: str) -> ApiKey | None:
            keys.keys[key_hash] = VALID
            house.door.learn(key_hash, VALID)
            return None  # what it saw before the key was committed

    late = Authenticator(house.cache, SlowKeys(), lambda: house.now, on_outage=house.outages.append)
    with pytest.raises(UnauthenticatedError):
        late.authenticate(KEY)
    assert house.door.authenticate(KEY) == VALID


def test_a_revoked_key_lives_a_minute_at_most(house: House) -> None:
    house.door.authenticate(KEY)
    house.keys.keys.clear()
    house.later(60.1)
    with pytest.raises(UnauthenticatedError):
        house.door.authenticate(KEY)
    house.keys.down = True
    house.later(11)
    with pytest.raises(RecordUnavailableError):
        house.door.authenticate(KEY, allow_stale=True)


def test_a_revoked_key_that_is_forgotten_is_refused_at_once(house: House) -> None:
    house.door.authenticate(KEY)
    house.keys.keys.clear()
    house.door.forget(HASH)
    with pytest.raises(UnauthenticatedError):
        house.door.authenticate(KEY)


def test_with_the_record_away_reads_are_allowed_for_ten_minutes_after_the_last_check(house: House) -> None:
    house.door.authenticate(KEY)
    house.keys.down = True
    house.later(599)
    assert house.door.authenticate(KEY, allow_stale=True) == VALID
    with pytest.raises(RecordUnavailableError):
        house.door.authenticate(KEY)
    house.later(2)
    with pytest.raises(RecordUnavailableError):
        house.door.authenticate(KEY, allow_stale=True)


def test_with_the_record_away_an_unknown_key_is_not_called_wrong(house: House) -> None:
    house.keys.down = True
    with pytest.raises(RecordUnavailableError):
        house.door.authenticate(KEY, allow_stale=True)


def test_a_key_cached_longer_than_it_may_be_believed_is_not_believed(house: House) -> None:
    house.keys.down = True
    old = CachedKey(VALID, START - timedelta(seconds=601))
    with pytest.raises(RecordUnavailableError):
        house.door.authenticate(KEY, allow_stale=True, cached=old)


def test_with_the_cache_away_the_record_is_asked_each_time(house: House) -> None:
    house.cache.down = True
    assert house.door.authenticate(KEY) == VALID
    assert house.door.authenticate(KEY) == VALID
    assert house.keys.asked == 2
    assert set(house.outages) == {"redis"}


def test_a_fresh_key_that_was_read_on_the_way_needs_no_further_question(house: House) -> None:
    house.cache.down = house.keys.down = True
    assert house.door.authenticate(KEY, cached=CachedKey(VALID, START)) == VALID
    with pytest.raises(UnauthenticatedError):
        house.door.authenticate(KEY, cached=CachedKey(None, START))
    assert house.outages == []


@pytest.mark.parametrize(
    "rubbish", [{}, {"verifiedAt": 5, "userId": "u"}, {"verifiedAt": "2026-05-01T12:00:00Z"}]
)
def test_a_cache_entry_that_cannot_be_read_counts_as_none(house: House, rubbish: dict[str, object]) -> None:
    house.cache.put(cache_key(HASH), rubbish, 60, START)
    assert house.door.authenticate(KEY) == VALID


@pytest.mark.parametrize(
    "key", [VALID, ApiKey("k", "u", None, UserKind.GUEST), ApiKey("k", "u", 5, role=AccessRole.ADMIN)]
)
def test_a_cached_key_is_read_as_it_was_written(key: ApiKey) -> None:
    assert CachedKey.from_json(CachedKey(key, START).as_json()) == CachedKey(key, START)


def test_an_entry_of_before_there_were_roles_is_a_registered_users() -> None:
    written = CachedKey(ApiKey("k", "u", None, UserKind.GUEST, AccessRole.ADMIN), START).as_json()
    del written["kind"], written["role"]
    assert CachedKey.from_json(written) == CachedKey(ApiKey("k", "u"), START)


@pytest.mark.parametrize("changed", [{"kind": "root"}, {"role": "root"}, {"role": None}, {"kind": 5}])
def test_a_rank_that_is_not_known_is_asked_for_again(house: House, changed: dict[str, object]) -> None:
    house.cache.put(cache_key(HASH), {**CachedKey(VALID, START).as_json(), **changed}, 60, START)
    assert house.door.authenticate(KEY) == VALID
    assert house.keys.asked == 1


def test_a_guest_acts_with_the_token_and_nobody_else_has_one() -> None:
    assert ApiKey("k", "u").caller("hash").actor == Actor.user("u")
    assert ApiKey("k", "u", role=AccessRole.ADMIN).caller("hash").is_admin
    guest = ApiKey("k", "g", kind=UserKind.GUEST).caller("hash")
    assert guest.actor == Actor.guest("g", "hash")
    assert "hash" not in repr(guest)
    assert not ApiKey("k", "g", None, UserKind.GUEST, AccessRole.ADMIN).caller("hash").is_admin


def test_new_keys_have_the_format_that_is_accepted_and_differ() -> None:
    first, second = new_key(), new_key()
    assert len(first) == 47
    assert hash_key(first)
    assert hash_key(first) != hash_key(second)
