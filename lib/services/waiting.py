"""Waiting is not failing: work that cannot go on now is done again later, without wearing anything out."""

from collections.abc import Mapping
from typing import Any

from lib.domain.errors import GatewayError

LONGEST_DELAY_SECONDS = 900.0


class TryLaterError(Exception):
    """The message must be handled again after `delay_seconds`; `message` replaces it if it is not the same."""

    def __init__(self, delay_seconds: float, reason: str, message: Mapping[str, Any] | None = None) -> None:
        super().__init__(reason)
        self.delay_seconds = min(max(delay_seconds, 0.0), LONGEST_DELAY_SECONDS)
        self.reason = reason
        self.message = message


def backoff_seconds(tries: int, *, first: float = 2.0, longest: float = 120.0) -> float:
    """How long to wait before try number `tries` + 1: doubled each time, up to `longest`."""
    return min(longest, first * 2.0 ** min(tries, 16))


def deferral_seconds(asked: float | None, tries: int, share: float) -> float:
    """How long a submit waits that was not taken: what was asked for, and then anything up to the backoff.

    `share` is drawn from 0 to 1 for each (full jitter): of many that wait for the same provider, few come at once.
    """
    if asked:
        return asked + share * backoff_seconds(tries, longest=max(8.0, min(asked, 30.0)))
    return max(1.0, share * backoff_seconds(tries))


def tried_again(message: Mapping[str, Any]) -> dict[str, Any]:
    """The message with its count of tries grown by one."""
    return {**message, "tries": int(message.get("tries", 0)) + 1}


def waits_for_record(error: GatewayError, message: Mapping[str, Any]) -> TryLaterError:
    """The record or a queue is away: the message comes back, later each time, and loses nothing."""
    wait = backoff_seconds(int(message.get("tries", 0)), first=2.0, longest=60.0)
    return TryLaterError(wait, f"waiting: {error.code}", tried_again(message))
