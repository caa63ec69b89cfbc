"""fal's webhooks: the known vector, both edges of the window, what is forged, and what is said."""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lib.domain.errors import BadRequestError, ConfigurationError, ProviderError, UnauthenticatedError
from lib.domain.provider import FailureKind, RemoteStatus
from lib.providers.fal import FalAdapter
from lib.providers.fal_webhook import TOLERANCE_SECONDS, verify
from tests.fakes.stored_answers import stored_answer

ID = "764cabcf-b745-4b3e-ae38-1200304cf45b"
STAMP = 1_700_000_000
NOW = datetime.fromtimestamp(STAMP, UTC)

# The key is the bytes 0 to 31; the body, the ids and the time are those of a published example of our own.
BODY = b'{"id":"gm3qorzdhgbfurvjtvhg6dckhu","status":"succeeded"}'
PUBLIC = "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg"
SIGNATURE = (
    "39c0a45e93d63bea45cc3c0eece50cf49e88799fa536dae55cd6cf6adb81f5fb"
    "dd2c3072e52a2e448a3063450c5bd307a1d75ce67c5d6de9bc11eb7b8f7c2c0a"
)
VECTOR = {
    "x-fal-webhook-request-id": "req_1",
    "x-fal-webhook-user-id": "user_1",
    "x-fal-webhook-timestamp": str(STAMP),
    "x-fal-webhook-signature": SIGNATURE,
}
OURS = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
THEIRS = Ed25519PrivateKey.from_private_bytes(bytes(32))

adapter = FalAdapter()


def key_set(*keys: Ed25519PrivateKey) -> str:
    entries = [
        {
            "kty": "OKP",
            "crv": "Ed25519",
            "x": base64.urlsafe_b64encode(key.public_key().public_bytes_raw()).decode().rstrip("="),
        }
        for key in keys
    ]
    return json.dumps({"keys": entries})


def signed(body: bytes, key: Ed25519PrivateKey = OURS, stamp: int = STAMP) -> dict[str, str]:
    digest = hashlib.sha256(body).hexdigest()
    message = "\n".join((ID, "user_1", str(stamp), digest)).encode()
    return {
        "X-Fal-Webhook-Request-Id": ID,
        "X-Fal-Webhook-User-Id": "user_1",
        "X-Fal-Webhook-Timestamp": str(stamp),
        "X-Fal-Webhook-Signature": key.sign(message).hex(),
    }


def test_the_known_vector_is_genuine() -> None:
    assert key_set(OURS) == json.dumps({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": PUBLIC}]})
    assert verify(VECTOR, BODY, [key_set(OURS)], NOW) == "req_1"


@pytest.mark.parametrize(
    ("seconds", "genuine"),
    [
        (TOLERANCE_SECONDS, True),
        (-TOLERANCE_SECONDS, True),
        (TOLERANCE_SECONDS + 1, False),
        (-TOLERANCE_SECONDS - 1, False),
    ],
)
def test_the_window_has_two_edges(seconds: int, genuine: bool) -> None:
    now = NOW + timedelta(seconds=seconds)
    if genuine:
        assert verify(VECTOR, BODY, [key_set(OURS)], now) == "req_1"
    else:
        with pytest.raises(UnauthenticatedError, match="stale, or a wrong clock"):
            verify(VECTOR, BODY, [key_set(OURS)], now)


def test_any_key_of_any_set_will_do() -> None:
    other = Ed25519PrivateKey.from_private_bytes(bytes([7] * 32))
    for secrets in ([key_set(THEIRS, other, OURS)], [key_set(THEIRS), key_set(OURS)]):
        assert verify(VECTOR, BODY, secrets, NOW) == "req_1"


@pytest.mark.parametrize(
    "changes",
    [
        {"x-fal-webhook-request-id": "req_2"},
        {"x-fal-webhook-user-id": "user_2"},
        {"x-fal-webhook-timestamp": str(STAMP + 1)},
        {"x-fal-webhook-signature": SIGNATURE[:-2] + "00"},
        {"x-fal-webhook-signature": SIGNATURE[:-2]},
        {"x-fal-webhook-signature": base64.b64encode(bytes.fromhex(SIGNATURE)).decode()},
        {"x-fal-webhook-signature": "é" * 128},
        {"x-fal-webhook-signature": ""},
        {"x-fal-webhook-timestamp": ""},
        {"x-fal-webhook-timestamp": "soon"},
        {"x-fal-webhook-timestamp": "1" * 40},
        {"x-fal-webhook-user-id": ""},
    ],
)
def test_a_changed_header_proves_nothing(changes: dict[str, str]) -> None:
    with pytest.raises(UnauthenticatedError):
        verify({**VECTOR, **changes}, BODY, [key_set(OURS)], NOW)


def test_another_body_or_another_signer_proves_nothing() -> None:
    with pytest.raises(UnauthenticatedError, match="signature is wrong"):
        verify(VECTOR, BODY + b" ", [key_set(OURS)], NOW)
    with pytest.raises(UnauthenticatedError, match="signature is wrong"):
        verify(VECTOR, BODY, [key_set(THEIRS)], NOW)


@pytest.mark.parametrize(
    "secrets",
    [
        [],
        [""],
        ["{}"],
        ['{"keys": []}'],
        ['{"keys": "x"}'],
        ['{"keys": [{"kty": "RSA", "n": "x"}]}'],
        ['{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}]}'],
        ['{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": 7}, null]}'],
    ],
)
def test_without_a_key_nothing_can_be_checked(secrets: list[str]) -> None:
    with pytest.raises(ConfigurationError):
        verify(VECTOR, BODY, secrets, NOW)


def test_a_key_is_found_among_what_is_none_with_or_without_padding() -> None:
    right = {"kty": "OKP", "crv": "Ed25519", "x": f"{PUBLIC}="}
    others: list[Any] = [
        None,
        7,
        [],
        {**right, "x": f"{PUBLIC}A"},
        {**right, "x": "\ud800"},
        {**right, "crv": "X25519"},
    ]
    kept = adapter.parse_webhook_secret(stored_answer("fal", "key_set", keys=[*others, right]))
    assert verify(VECTOR, BODY, [kept], NOW) == "req_1"


def test_at_most_sixteen_keys_are_tried() -> None:
    crowd = [Ed25519PrivateKey.from_private_bytes(bytes([number] * 32)) for number in range(1, 17)]
    with pytest.raises(UnauthenticatedError):
        verify(VECTOR, BODY, [key_set(*crowd, OURS)], NOW)


def event(name: str, **changes: Any) -> Any:
    body = stored_answer("fal", name, **changes).body
    return adapter.parse_webhook(signed(body), body, [key_set(OURS)], NOW)


def test_a_success_brings_its_outputs() -> None:
    update = event("webhook_ok")
    assert (update.status, update.provider_job_id) == (RemoteStatus.SUCCEEDED, ID)
    assert [output.value for output in update.outputs] == ["https://v3.fal.media/files/lion/a1.png"]


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("webhook_error", FailureKind.INVALID_INPUT, "body.prompt: field required"),
        ("webhook_moderated", FailureKind.MODERATION, "flagged by a content checker"),
    ],
)
def test_an_error_is_the_jobs_failure_in_fals_words(name: str, kind: FailureKind, words: str) -> None:
    update = event(name)
    assert update.status is RemoteStatus.FAILED
    assert update.failure.kind is kind
    assert words in update.failure.message


def test_a_cancel_is_told_as_one() -> None:
    payload = {"detail": "Request was cancelled by the client", "error_type": "client_cancelled"}
    assert event("webhook_error", payload=payload).status is RemoteStatus.CANCELED


def test_a_result_that_the_webhook_could_not_carry_is_still_to_be_asked_for() -> None:
    update = event("webhook_payload_error")
    assert not update.status.final
    assert update.provider_job_id == ID


def test_an_unknown_word_stays_non_final() -> None:
    assert event("webhook_ok", status="PERHAPS").status is RemoteStatus.UNKNOWN
    assert event("webhook_ok", status="ok").status is RemoteStatus.SUCCEEDED
    assert event("webhook_error", payload=None, error=None).status is RemoteStatus.FAILED


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"<html>", b'{"status": "OK"}', b'{"request_id": "%s"}' % ID.encode()]
)
def test_a_genuine_body_that_is_no_event_is_a_bad_request(body: bytes) -> None:
    with pytest.raises(BadRequestError):
        adapter.parse_webhook(signed(body), body, [key_set(OURS)], NOW)


def test_a_forged_event_is_not_read() -> None:
    body = stored_answer("fal", "webhook_ok").body
    with pytest.raises(UnauthenticatedError):
        adapter.parse_webhook(signed(body, THEIRS), body, [key_set(OURS)], NOW)


def test_redeliveries_have_one_id_and_the_body_hints_at_the_request() -> None:
    assert adapter.webhook_id(signed(b"")) == ID
    assert adapter.webhook_id({}) is None
    assert adapter.hinted_job_id(stored_answer("fal", "webhook_ok").body) == ID
    assert adapter.hinted_job_id(b"<html>") is None


def test_the_published_keys_are_kept_as_text_and_must_hold_one_that_fits() -> None:
    kept = adapter.parse_webhook_secret(stored_answer("fal", "key_set"))
    assert verify(VECTOR, BODY, [kept], NOW) == "req_1"
    assert [key["crv"] for key in json.loads(kept)["keys"]] == ["Ed25519"]
    with pytest.raises(ProviderError):
        adapter.parse_webhook_secret(stored_answer("fal", "key_set", keys=[]))
    with pytest.raises(ProviderError):
        adapter.parse_webhook_secret(stored_answer("fal", "bad_gateway"))
