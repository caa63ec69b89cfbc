"""The actor of the current work: blocks nest, errors end them, threads have their own."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from lib.domain.actor import Actor
from lib.ports.actor import acting_as, current_actor

ADA, GUEST = Actor.user("ada"), Actor.guest("guest-1", "hash-of-token")


def test_outside_of_any_block_nobody_acts() -> None:
    assert current_actor() is None


def test_blocks_nest_and_none_acts_for_nobody() -> None:
    with acting_as(ADA):
        with acting_as(GUEST):
            assert current_actor() == GUEST
        with acting_as(None):
            assert current_actor() is None
        assert current_actor() == ADA
    assert current_actor() is None


def test_an_error_ends_the_block() -> None:
    with pytest.raises(ZeroDivisionError), acting_as(ADA):
        raise ZeroDivisionError
    assert current_actor() is None


def test_another_thread_does_not_inherit_the_actor() -> None:
    with acting_as(ADA), ThreadPoolExecutor(1) as thread:
        assert thread.submit(current_actor).result() is None


def test_hashes_are_not_shown() -> None:
    assert "hash-of" not in repr(GUEST) + repr(Actor.key("hash-of-key"))
    assert "ada" in repr(ADA)


def test_a_registered_user_has_no_guest_token_and_a_key_alone_has_no_user() -> None:
    assert (ADA.user_id, ADA.guest_token, ADA.key_hash) == ("ada", None, None)
    assert (Actor.key("h").user_id, Actor.key("h").key_hash) == (None, "h")
