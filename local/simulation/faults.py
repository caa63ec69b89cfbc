"""The fault dial: what can go wrong on purpose, how it is asked for, and for which prediction.

A fault is asked for by a marker in any string of the input (``[sim:late-webhook=3s]``), or for a share of all
predictions (``late-webhook=3s:0.05``). A prediction with markers gets those and none by share; ``[sim:none]``
asks for none.
"""

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import unquote

MARKER = re.compile(r"\[sim:([a-z0-9-]+)(?:=([^\]]*))?\]")
SECONDS = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m)?")
TIMES = re.compile(r"x(\d+)$")
SIZE = re.compile(r"(\d+)\s*(B|KB|MB|GB)?$", re.IGNORECASE)
UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, None: 1.0}
UNIT_BYTES = {"B": 1, "KB": 1000, "MB": 1000**2, "GB": 1000**3}


class Stage(StrEnum):
    """Where a fault strikes."""

    REQUEST = "request"
    LIFE = "life"
    OUTPUT = "output"
    WEBHOOK = "webhook"


_REQUEST = ("429", "500", "502-html", "503", "401", "402", "422", "no-answer", "reset")
_LIFE = (
    *("accept-no-answer", "slow", "never-finishes", "fail", "nsfw", "aborted", "unknown-status", "purged"),
    *("empty-list", "hide-webhook", "none"),
)
_OUTPUT = (
    *("expired-output", "wrong-type", "empty-output", "huge-output", "slow-output", "truncated-output"),
    *("redirect-output", "redirect-inside", "redirect-outside", "data-url", "late-upload", "lost-upload"),
)
_WEBHOOK = (
    *(
        "lost-webhook",
        "lost-start",
        "lost-completed",
        "late-webhook",
        "duplicate-webhook",
        "shuffle-webhooks",
    ),
    *("forged-webhook", "stale-webhook"),
)

REQUEST_FAULTS = frozenset(_REQUEST)
REQUEST_PREFIXES = ("", "get-", "cancel-")
KNOWN: Mapping[str, Stage] = {
    **{prefix + name: Stage.REQUEST for prefix in REQUEST_PREFIXES for name in _REQUEST},
    **dict.fromkeys(_LIFE, Stage.LIFE),
    **dict.fromkeys(_OUTPUT, Stage.OUTPUT),
    **dict.fromkeys(_WEBHOOK, Stage.WEBHOOK),
}


class UnknownFaultError(ValueError):
    """A fault or a share that the dial does not know; the message lists what it knows."""


@dataclass(frozen=True)
class FaultSet:
    """The faults of one prediction: name -> argument (empty if none was given)."""

    arguments: Mapping[str, str] = field(default_factory=dict)
    from_markers: bool = False

    def __contains__(self, name: str) -> bool:
        return name in self.arguments

    def __iter__(self) -> Iterator[str]:
        return iter(self.arguments)

    def text(self, name: str, default: str) -> str:
        """The argument as it was written, or the default."""
        return self.arguments.get(name) or default

    def seconds(self, name: str, default: float) -> float:
        """A duration such as ``3s``, ``200ms``, ``2m`` or ``2sx3`` (the part before the ``x``)."""
        found = SECONDS.match(self.arguments.get(name, ""))
        return float(found[1]) * UNIT_SECONDS[found[2]] if found else default

    def times(self, name: str, default: int | None) -> int | None:
        """How often it strikes: ``x3`` at the end of the argument; None is always."""
        found = TIMES.search(self.arguments.get(name, ""))
        return int(found[1]) if found else default

    def count(self, name: str, default: int) -> int:
        """A plain number such as the 3 of ``duplicate-webhook=3``."""
        argument = self.arguments.get(name, "")
        return int(argument) if argument.isdigit() else default

    def size(self, name: str, default: int) -> int:
        """A size in bytes, such as ``200MB``."""
        found = SIZE.match(self.arguments.get(name, ""))
        return int(found[1]) * UNIT_BYTES[(found[2] or "B").upper()] if found else default

    def described(self) -> list[str]:
        """The faults as one would write them, for logs."""
        return [f"{name}={argument}" if argument else name for name, argument in self.arguments.items()]


def from_input(values: Any) -> FaultSet:
    """The markers in any string of an input, however deep; percent-encoded ones (in a URL) count too."""
    found = {
        name: argument or "" for text in _strings(values) for name, argument in MARKER.findall(_decoded(text))
    }
    for name in found:
        _require_known(name)
    return FaultSet(found, from_markers=bool(found))


def without_markers(text: str) -> str:
    """The text without its markers, as it is drawn into pictures and repeated in answers."""
    return " ".join(MARKER.sub(" ", text).split())


@dataclass(frozen=True)
class Dial:
    """Faults for a share of all predictions: ``("late-webhook", "3s")`` -> 0.05."""

    shares: Mapping[tuple[str, str], float] = field(default_factory=dict)

    def draw(self, *, seed: int, number: int) -> FaultSet:
        """The faults of the ``number``-th create: the same for the same seed and number."""
        chosen = {
            name: argument
            for (name, argument), share in self.shares.items()
            if random.Random(f"{seed}:{number}:{name}").random() < share  # noqa: S311 - repeatable, not secret
        }
        return FaultSet(chosen)

    def described(self) -> dict[str, float]:
        """The shares under the names under which they were set."""
        return {f"{name}={arg}" if arg else name: share for (name, arg), share in self.shares.items()}


def parse_dial(setting: str | Mapping[str, float]) -> Dial:
    """Reads ``lost-webhook:0.05,duplicate-webhook=2:0.1`` or the same as a mapping; raises UnknownFaultError."""
    pairs = setting.items() if isinstance(setting, Mapping) else _split(setting)
    shares: dict[tuple[str, str], float] = {}
    for written, share in pairs:
        name, _, argument = written.partition("=")
        _require_known(name)
        if not 0 <= share <= 1:
            raise UnknownFaultError(f"the share of {written} is {share}: it must lie between 0 and 1")
        shares[(name, argument)] = share
    return Dial(shares)


def _split(setting: str) -> Iterator[tuple[str, float]]:
    for part in filter(None, (p.strip() for p in setting.split(","))):
        written, _, share = part.rpartition(":")
        try:
            yield written, float(share)
        except ValueError:
            raise UnknownFaultError(f"{part!r} is no fault with a share, such as lost-webhook:0.05") from None


def _decoded(text: str) -> str:
    return unquote(text) if "%5bsim:" in text[:100_000].lower() else text


def _strings(values: Any) -> Iterator[str]:
    if isinstance(values, str):
        yield values
    elif isinstance(values, Mapping):
        for value in values.values():
            yield from _strings(value)
    elif isinstance(values, list):
        for value in values:
            yield from _strings(value)


def _require_known(name: str) -> None:
    if name not in KNOWN:
        raise UnknownFaultError(
            f"the simulator knows no fault {name!r}; it knows: {', '.join(sorted(KNOWN))}"
        )
