"""Sends webhooks as Replicate does, and loses, delays, repeats, shuffles or forges them if asked to.

Only the terminal webhook is retried (no response, 4xx, 5xx), for about a minute; redirects are not followed.
"""

import asyncio
import json
import secrets
from dataclasses import dataclass
from typing import Any

import httpx

from local.replicate.prediction import Prediction, iso
from local.replicate.signing import derive_secret, webhook_headers
from local.replicate.world import World

THROTTLE_SECONDS = 0.5
THROTTLED = frozenset({"output", "logs"})
DEFAULT_EVENTS = ("output", "completed")
FORGER_SECRET = derive_secret("somebody else")
STALE_SECONDS = 3600
USER_AGENT = "Replicate-Webhooks (simulated)"


@dataclass(frozen=True)
class Message:
    """One webhook: ``id`` is the same each time it is sent."""

    id: str
    event: str
    body: bytes
    kind: str = "real"


class Courier:
    """Delivers the webhooks of all predictions; a delivery runs in the background and never fails a prediction."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._last_sent: dict[tuple[str, str], float] = {}
        self._held: dict[str, list[Message]] = {}
        self._client = httpx.AsyncClient(
            timeout=world.settings.webhook_timeout_seconds, follow_redirects=False, trust_env=False
        )

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    def emit(self, prediction: Prediction, event: str) -> None:
        """Sends this event if the prediction asked for it and neither throttle nor fault swallows it."""
        if not prediction.webhook or event not in (prediction.webhook_events or DEFAULT_EVENTS):
            return
        if event in THROTTLED and self._is_too_soon(prediction, event):
            return
        message = Message(f"msg_{secrets.token_hex(12)}", event, self._body(prediction))
        if event == "completed":
            self._forget(prediction)
            self._send_false_ones(prediction, message)
        if _is_lost(prediction, event):
            self._note(prediction, message, attempt=0, result="lost")
        elif "shuffle-webhooks" in prediction.faults:
            self._shuffle(prediction, message)
        else:
            self._world.spawn(self._deliver(prediction, message))

    def _body(self, prediction: Prediction, **changes: Any) -> bytes:
        shown = {**self._world.show(prediction), **changes}
        return json.dumps(shown, separators=(",", ":"), ensure_ascii=False).encode()

    def _is_too_soon(self, prediction: Prediction, event: str) -> bool:
        now = asyncio.get_running_loop().time()
        last = self._last_sent.get((prediction.id, event))
        if last is not None and now - last < THROTTLE_SECONDS:
            return True
        self._last_sent[(prediction.id, event)] = now
        return False

    def _forget(self, prediction: Prediction) -> None:
        for event in THROTTLED:
            self._last_sent.pop((prediction.id, event), None)

    def _shuffle(self, prediction: Prediction, message: Message) -> None:
        """Holds everything back until the end, then sends it newest first."""
        held = self._held.setdefault(prediction.id, [])
        held.append(message)
        if message.event == "completed":
            self._world.spawn(self._deliver_in_order(prediction, self._held.pop(prediction.id)[::-1]))

    def _send_false_ones(self, prediction: Prediction, real: Message) -> None:
        if "forged-webhook" in prediction.faults:
            body = self._body(
                prediction, status="succeeded", error=None, output=["https://forged.example/evil.png"]
            )
            forged = Message(f"msg_{secrets.token_hex(12)}", real.event, body, "forged")
            self._world.spawn(self._send(prediction, forged, 1))
        if "stale-webhook" in prediction.faults:
            self._world.spawn(self._send(prediction, Message(real.id, real.event, real.body, "stale"), 1))

    async def _deliver_in_order(self, prediction: Prediction, messages: list[Message]) -> None:
        for message in messages:
            await self._deliver(prediction, message)

    async def _deliver(self, prediction: Prediction, message: Message) -> None:
        """Sends one message as often as it takes, and as often as the fault asks."""
        if "late-webhook" in prediction.faults:
            await asyncio.sleep(prediction.faults.seconds("late-webhook", 3.0))
        copies = (
            prediction.faults.count("duplicate-webhook", 2) if "duplicate-webhook" in prediction.faults else 1
        )
        for _ in range(copies):
            await self._send_until_taken(prediction, message)

    async def _send_until_taken(self, prediction: Prediction, message: Message) -> None:
        waits = self._world.settings.webhook_retry_seconds if message.event == "completed" else ()
        for attempt, wait in enumerate([*waits, None], start=1):
            if await self._send(prediction, message, attempt) or wait is None:
                return
            await asyncio.sleep(wait)

    async def _send(self, prediction: Prediction, message: Message, attempt: int) -> bool:
        """One POST, signed for this moment; true if it need not be repeated."""
        timestamp = int(self._world.now().timestamp()) - (STALE_SECONDS if message.kind == "stale" else 0)
        signers = [FORGER_SECRET] if message.kind == "forged" else self._world.secrets
        headers = webhook_headers(signers, message_id=message.id, timestamp=timestamp, body=message.body)
        headers |= {"content-type": "application/json", "user-agent": USER_AGENT}
        try:
            answer = await self._client.post(str(prediction.webhook), content=message.body, headers=headers)
        except httpx.HTTPError as error:
            self._note(prediction, message, attempt=attempt, result=type(error).__name__)
            return False
        self._note(prediction, message, attempt=attempt, result=answer.status_code)
        return answer.status_code < 400

    def _note(self, prediction: Prediction, message: Message, *, attempt: int, result: int | str) -> None:
        prediction.deliveries.append(
            {
                "at": iso(self._world.now()),
                "event": message.event,
                "kind": message.kind,
                "messageId": message.id,
                "attempt": attempt,
                "result": result,
            }
        )


def _is_lost(prediction: Prediction, event: str) -> bool:
    faults = prediction.faults
    if "lost-webhook" in faults:
        return True
    return ("lost-start" in faults and event == "start") or (
        "lost-completed" in faults and event == "completed"
    )
