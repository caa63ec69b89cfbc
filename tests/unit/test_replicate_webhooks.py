"""Webhooks: what is proved by the signature, and what is refused."""

from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook

from lib.domain.errors import BadRequestError, ConfigurationError, UnauthenticatedError
from lib.domain.provider import RemoteStatus
from lib.providers import standard_webhooks
from lib.providers.replicate import ReplicateAdapter

# A vector made with two independent implementations (standardwebhooks and Replicate's JavaScript client).
SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
TIME = 1_700_000_000
NOW = datetime.fromtimestamp(TIME, UTC)
BODY = b'{"id":"gm3qorzdhgbfurvjtvhg6dckhu","status":"succeeded"}'
SIGNATURE = "v1,2D9851CYoDtslbPPi4frNxLbRQsOAEvaoaeJhsEUwXM="
HEADERS = {"webhook-id": "msg_0001", "webhook-timestamp": str(TIME), "webhook-signature": SIGNATURE}
OTHER_SECRET = "whsec_" + "B" * 32

adapter = ReplicateAdapter()


def test_the_known_vector_is_accepted_and_read() -> None:
    update = adapter.parse_webhook(HEADERS, BODY, [SECRET], NOW)
    assert (update.status, update.provider_job_id) == (RemoteStatus.SUCCEEDED, "gm3qorzdhgbfurvjtvhg6dckhu")
    assert standard_webhooks.sign(SECRET, "msg_0001", TIME, BODY) == SIGNATURE


def test_signatures_of_an_independent_implementation_are_accepted_and_ours_by_it() -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    stamp = int(now.timestamp())
    theirs = Webhook(OTHER_SECRET).sign("msg_2", now, BODY.decode())
    headers = {"webhook-id": "msg_2", "webhook-timestamp": str(stamp), "webhook-signature": theirs}
    assert standard_webhooks.verify(headers, BODY, [OTHER_SECRET], now) == "msg_2"
    ours = standard_webhooks.sign(OTHER_SECRET, "msg_2", stamp, BODY)
    Webhook(OTHER_SECRET).verify(BODY, {**headers, "webhook-signature": ours})


@pytest.mark.parametrize("name", ["Webhook-Signature", "WEBHOOK-SIGNATURE"])
def test_header_names_may_have_any_letter_case(name: str) -> None:
    headers = {k: v for k, v in HEADERS.items() if k != "webhook-signature"} | {name: SIGNATURE}
    adapter.parse_webhook(headers, BODY, [SECRET], NOW)


def test_the_older_header_names_are_accepted() -> None:
    headers = {name.replace("webhook", "svix"): value for name, value in HEADERS.items()}
    adapter.parse_webhook(headers, BODY, [SECRET], NOW)


@pytest.mark.parametrize(
    "signatures",
    [f"v1,AAAA {SIGNATURE}", f"v1a,zzz {SIGNATURE}", f"{SIGNATURE} garbage", f"v1,*** {SIGNATURE}"],
)
def test_one_right_signature_among_several_is_enough(signatures: str) -> None:
    adapter.parse_webhook({**HEADERS, "webhook-signature": signatures}, BODY, [SECRET], NOW)


def test_during_a_rotation_either_secret_proves_it() -> None:
    adapter.parse_webhook(HEADERS, BODY, [OTHER_SECRET, SECRET], NOW)


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_a_webhook_within_five_minutes_on_either_side_is_accepted(seconds: int) -> None:
    adapter.parse_webhook(HEADERS, BODY, [SECRET], NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize("seconds", [-301, 301, 86_400])
def test_a_webhook_outside_the_window_is_refused_on_either_side(seconds: int) -> None:
    with pytest.raises(UnauthenticatedError, match="300 seconds"):
        adapter.parse_webhook(HEADERS, BODY, [SECRET], NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    "changes",
    [
        {"webhook-id": "msg_0002"},
        {"webhook-timestamp": str(TIME + 1)},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": SIGNATURE.replace("v1,", "v2,")},
        {"webhook-signature": SIGNATURE.removeprefix("v1,")},
        {"webhook-signature": "v1," + "\N{SNOWMAN}"},
        {"webhook-signature": " ".join(["v1,AAAA"] * 100 + [SIGNATURE])},
    ],
)
def test_a_forged_webhook_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(UnauthenticatedError, match="signature is wrong"):
        adapter.parse_webhook(HEADERS | changes, BODY, [SECRET], NOW)


def test_one_changed_byte_of_the_body_is_refused() -> None:
    with pytest.raises(UnauthenticatedError):
        adapter.parse_webhook(HEADERS, BODY.replace(b"succeeded", b"Succeeded"), [SECRET], NOW)


def test_another_accounts_secret_proves_nothing() -> None:
    with pytest.raises(UnauthenticatedError):
        adapter.parse_webhook(HEADERS, BODY, [OTHER_SECRET], NOW)


@pytest.mark.parametrize("missing", list(HEADERS))
def test_a_webhook_without_a_signature_is_refused(missing: str) -> None:
    headers = {name: value for name, value in HEADERS.items() if name != missing}
    with pytest.raises(UnauthenticatedError, match="not signed"):
        adapter.parse_webhook(headers, BODY, [SECRET], NOW)


@pytest.mark.parametrize(
    "stamp", ["soon", "1e9", "-1", "1700000000.0", "\N{ARABIC-INDIC DIGIT ONE}", "9" * 30]
)
def test_a_time_that_is_no_unix_time_is_refused(stamp: str) -> None:
    with pytest.raises(UnauthenticatedError, match="unix time"):
        adapter.parse_webhook(HEADERS | {"webhook-timestamp": stamp}, BODY, [SECRET], NOW)


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b'{"status":"succeeded"}', b"\xff"])
def test_a_genuine_webhook_that_is_no_prediction_is_a_bad_request(body: bytes) -> None:
    headers = HEADERS | {"webhook-signature": standard_webhooks.sign(SECRET, "msg_0001", TIME, body)}
    with pytest.raises(BadRequestError):
        adapter.parse_webhook(headers, body, [SECRET], NOW)


@pytest.mark.parametrize("secrets", [[], [""], ["whsec_"], ["whsec_***"], [SECRET, "whsec_!"]])
def test_a_secret_that_is_none_is_a_setting_to_be_mended_and_is_not_shown(secrets: list[str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        adapter.parse_webhook(HEADERS, BODY, secrets, NOW)
    assert "***" not in str(caught.value)


def test_an_id_that_nothing_signs_does_not_stand_in_for_the_signed_one() -> None:
    headers = {name.replace("webhook", "svix"): value for name, value in HEADERS.items()}
    headers["webhook-id"] = "msg_of_another_delivery"
    adapter.parse_webhook(headers, BODY, [SECRET], NOW)
    assert adapter.webhook_id(headers) == "msg_0001"


def test_the_id_of_a_delivery_is_readable_without_proof() -> None:
    assert adapter.webhook_id({"Webhook-Id": "msg_0001"}) == "msg_0001"
    assert adapter.webhook_id({}) is None
