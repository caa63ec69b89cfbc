"""The simulator's signatures against published vectors, and against another library."""

import base64

import pytest
from standardwebhooks import Webhook

from local.replicate.signing import (
    derive_secret,
    download_query,
    sign_download,
    sign_webhook,
    webhook_headers,
)

SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
BODY = b'{"id":"gm3qorzdhgbfurvjtvhg6dckhu","status":"succeeded"}'
SIGNATURE = "v1,2D9851CYoDtslbPPi4frNxLbRQsOAEvaoaeJhsEUwXM="


def test_the_vector_of_replicates_scheme_comes_out() -> None:
    assert len(BODY) == 56
    assert sign_webhook(SECRET, message_id="msg_0001", timestamp=1700000000, body=BODY) == SIGNATURE


def test_several_secrets_give_several_signatures() -> None:
    other = derive_secret("another")
    headers = webhook_headers([other, SECRET], message_id="msg_0001", timestamp=1700000000, body=BODY)
    assert headers["webhook-signature"].split(" ")[1] == SIGNATURE
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("msg_0001", "1700000000")


def test_the_vector_of_a_file_download_comes_out() -> None:
    signature = sign_download("k", owner="owner", file_id="fileid", expiry=1700000000)
    assert signature == "0Fw+8FTrJx14PFzQrBLEnjIMcfUQs6C3jp+NA72gMh0="
    query = download_query("k", owner="owner", file_id="fileid", expiry=1700000000)
    assert (
        query == "owner=owner&expiry=1700000000&signature=0Fw%2B8FTrJx14PFzQrBLEnjIMcfUQs6C3jp%2BNA72gMh0%3D"
    )


@pytest.mark.parametrize("name", ["a", "b", "simulated replicate"])
def test_a_derived_secret_is_one_that_verifiers_can_read(name: str) -> None:
    secret = derive_secret(name)
    assert secret == derive_secret(name)
    assert secret.count("_") == 1
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    assert Webhook(secret)
