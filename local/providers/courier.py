"""Sends a provider's webhooks, and loses, delays, repeats or forges them if asked to. Redirects are not followed."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import httpx

from local.providers.tasks import Task
from local.providers.world import World

STALE_SECONDS = 3600
LATE_SECONDS = 3.0
COPIES = 2


class Seal(StrEnum):
    """How a webhook is signed: rightly, by somebody else's key, or rightly but an hour ago."""

    REAL = "real"
    FORGED = "forged"
    STALE = "stale"


@dataclass(frozen=True)
class Parcel:
    """What is sent: the body and the headers, the signature among them."""

    body: bytes
    headers: Mapping[str, str]


Packer = Callable[[Seal, int], Parcel]


@dataclass(frozen=True)
class _Delivery:
    """One webhook of a task: where to, and how it is packed."""

    world: World
    task: Task
    url: str
    pack: Packer
    waits: Sequence[float]
    taken_below: int

    async def run(self) -> None:
        faults = self.task.faults
        if "late-webhook" in faults:
            await asyncio.sleep(faults.seconds("late-webhook", LATE_SECONDS))
        copies = faults.count("duplicate-webhook", COPIES) if "duplicate-webhook" in faults else 1
        for _ in range(copies):
            await self._send_until_taken()

    async def _send_until_taken(self) -> None:
        for attempt, wait in enumerate([*self.waits, None], start=1):
            if await self.send(Seal.REAL, attempt) or wait is None:
                return
            await asyncio.sleep(wait)

    async def send(self, seal: Seal, attempt: int = 1) -> bool:
        """One POST, signed for this moment; true if it need not be repeated."""
        stamp = int(self.world.now().timestamp()) - (STALE_SECONDS if seal is Seal.STALE else 0)
        parcel = self.pack(seal, stamp)
        headers = {"content-type": "application/json", **parcel.headers}
        try:
            answer = await self.world.http.post(self.url, content=parcel.body, headers=headers)
        except httpx.HTTPError as error:
            self.note(seal, attempt, type(error).__name__)
            return False
        self.note(seal, attempt, answer.status_code)
        return answer.status_code < self.taken_below

    def note(self, seal: Seal, attempt: int, result: int | str) -> None:
        self.task.deliveries.append({"kind": seal.value, "attempt": attempt, "result": result})


def deliver(
    world: World,
    task: Task,
    url: str,
    pack: Packer,
    *,
    waits: Sequence[float] | None = None,
    taken_below: int = 400,
) -> None:
    """Sends one webhook of the task in the background, as its faults say, until it is taken (a status below 400).

    ``waits`` are the seconds before each further try, those of the settings where the provider's are not known.
    ``pack(seal, timestamp)`` makes the parcel; it is called anew for each attempt. The body of a FORGED one is to lie.
    """
    pauses = world.settings.webhook_retry_seconds if waits is None else waits
    delivery = _Delivery(world, task, url, pack, pauses, taken_below)
    if "lost-webhook" in task.faults or "lost-completed" in task.faults:
        delivery.note(Seal.REAL, 0, "lost")
        return
    for seal in (Seal.FORGED, Seal.STALE):
        if f"{seal}-webhook" in task.faults:
            world.spawn(delivery.send(seal))
    world.spawn(delivery.run())


def json_body(value: Any) -> bytes:
    """Compact JSON, as most providers send it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
