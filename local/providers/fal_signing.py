"""fal's webhooks and their signature, written from its documentation and from nothing of the gateway's.

Kept apart from ``lib`` on purpose: the gateway's verifier is tested against this second implementation.
"""

import base64
import hashlib
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from local.providers.courier import Packer, Parcel, Seal, json_body
from local.providers.fal_answers import CANCELED, refusal, result_of
from local.providers.tasks import Status, Task

USER_ID = "user_simulator"


def _key(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())


SIGNING_KEY, OLDER_KEY, FORGERS_KEY = _key("simulated fal"), _key("an older one"), _key("somebody else")


def key_set() -> dict[str, Any]:
    """The public keys as JWKS; the one that signs comes last, as after a rotation."""
    return {"keys": [_public(OLDER_KEY), _public(SIGNING_KEY)]}


def sign(key: Ed25519PrivateKey, *, request_id: str, user_id: str, timestamp: int, body: bytes) -> str:
    """The hex signature over the four lines."""
    lines = (request_id, user_id, str(timestamp), hashlib.sha256(body).hexdigest())
    return key.sign("\n".join(lines).encode()).hex()


def pack(task: Task) -> Packer:
    """Makes the webhook of a task that has ended; a forged one claims what is not so."""

    def make(seal: Seal, timestamp: int) -> Parcel:
        key = FORGERS_KEY if seal is Seal.FORGED else SIGNING_KEY
        body = json_body(_lie(task) if seal is Seal.FORGED else event_of(task))
        headers = {
            "x-fal-webhook-request-id": task.id,
            "x-fal-webhook-user-id": USER_ID,
            "x-fal-webhook-timestamp": str(timestamp),
            "x-fal-webhook-signature": sign(
                key, request_id=task.id, user_id=USER_ID, timestamp=timestamp, body=body
            ),
        }
        return Parcel(body, headers)

    return make


def event_of(task: Task) -> dict[str, Any]:
    """What the webhook says."""
    event: dict[str, Any] = {"request_id": task.id, "gateway_request_id": task.id}
    if task.facts["wrong"] or task.refused:
        detail = task.facts["wrong"] or [refusal(task)]
        return {
            **event,
            "status": "ERROR",
            "error": "Invalid status code: 422",
            "payload": {"detail": detail},
        }
    if task.status is Status.SUCCEEDED:
        return {**event, "status": "OK", "payload": result_of(task)}
    error = CANCELED["error"] if task.status is Status.CANCELED else task.error
    return {**event, "status": "ERROR", "error": error, "payload": None}


def _lie(task: Task) -> dict[str, Any]:
    images = [{"url": "https://forged.example/evil.png", "content_type": "image/png"}]
    return {
        "request_id": task.id,
        "gateway_request_id": task.id,
        "status": "OK",
        "payload": {"images": images},
    }


def _public(key: Ed25519PrivateKey) -> dict[str, str]:
    raw = key.public_key().public_bytes_raw()
    return {"kty": "OKP", "crv": "Ed25519", "x": base64.urlsafe_b64encode(raw).decode().rstrip("=")}
