"""Those who wait for the same provider do not all come back at once."""

import pytest

from lib.services.waiting import backoff_seconds, deferral_seconds


@pytest.mark.parametrize("asked", [None, 0.0])
def test_without_a_word_of_the_provider_a_submit_waits_anything_up_to_the_backoff(
    asked: float | None,
) -> None:
    assert [deferral_seconds(asked, tries, 1.0) for tries in (1, 2, 3)] == [4.0, 8.0, 16.0]
    assert deferral_seconds(asked, 3, 0.5) == 8.0
    assert deferral_seconds(asked, 3, 0.0) == 1.0


def test_what_was_asked_for_is_waited_at_least() -> None:
    assert deferral_seconds(30.0, 1, 0.0) == 30.0
    assert deferral_seconds(30.0, 1, 1.0) == 34.0
    assert deferral_seconds(30.0, 9, 1.0) == 60.0
    assert deferral_seconds(900.0, 9, 1.0) == 930.0


def test_who_waits_for_a_token_only_comes_back_soon_however_often() -> None:
    assert deferral_seconds(0.5, 9, 1.0) == 8.5


def test_the_backoff_ends_growing() -> None:
    assert backoff_seconds(1000) == 120.0
