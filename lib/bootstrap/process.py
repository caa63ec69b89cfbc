"""Of the process itself: settings, the clock, secrets, figures and the journal."""
# ruff: noqa: PLC0415 - see the package

import os
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from lib import bootstrap
from lib import settings as s

if TYPE_CHECKING:
    from lib.aws.journal import LoggedJournal
    from lib.aws.metrics import EmfMetrics
    from lib.aws.secrets import Secrets

SettingsT = TypeVar("SettingsT")


def settings(kind: type[SettingsT]) -> SettingsT:
    """The settings of this class, read from the environment once."""
    hashable: Any = kind
    return cast("SettingsT", _settings(hashable))


@cache
def _settings(kind: type) -> object:
    return s.load(kind, os.environ)


def clock() -> datetime:
    """Now, in whole milliseconds: what is recorded is what the wire shows, and a cursor loses nothing."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


@cache
def secrets() -> "Secrets":
    """The secrets of this function."""
    from lib.aws.secrets import Secrets

    return Secrets()


@cache
def metrics() -> "EmfMetrics":
    """Where figures go."""
    from lib.aws.metrics import EmfMetrics

    return EmfMetrics()


@cache
def journal() -> "LoggedJournal":
    """Where services tell what they do."""
    from lib.aws.journal import LoggedJournal

    return LoggedJournal(bootstrap.metrics())


def on_outage(name: str) -> None:
    """A store that could be done without was away."""
    bootstrap.metrics().count("StoreUnavailable", store=name)
