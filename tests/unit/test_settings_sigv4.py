"""Our signatures are botocore's."""

from datetime import UTC, datetime
from unittest.mock import patch

import pytest
from botocore.auth import S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from lib.aws.sigv4 import AwsCredentials, Signer

NOW = datetime(2026, 11, 20, 18, 4, 2, tzinfo=UTC)
TOKENS = [None, "FwoGZXIvYXdzEJr//////////wEaDExample+/token=="]


def signer(service: str, token: str | None) -> Signer:
    return Signer(AwsCredentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG", token), "eu-west-1", service)


def credentials(token: str | None) -> Credentials:
    return Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG", token)


@pytest.mark.parametrize("token", TOKENS)
def test_a_signed_request_is_as_botocore_signs_it(token: str | None) -> None:
    url, body = "https://secretsmanager.eu-west-1.amazonaws.com/", b'{"SecretId":"a/b"}'
    headers = {"content-type": "application/x-amz-json-1.1", "x-amz-target": "secretsmanager.GetSecretValue"}
    theirs = AWSRequest("POST", url, headers=dict(headers), data=body)
    with patch("botocore.auth.get_current_datetime", return_value=NOW.replace(tzinfo=None)):
        SigV4Auth(credentials(token), "secretsmanager", "eu-west-1").add_auth(theirs)
    ours = signer("secretsmanager", token).headers("POST", url, headers, body, NOW)
    assert ours["authorization"] == theirs.headers["Authorization"]
    assert ours["x-amz-date"] == theirs.headers["X-Amz-Date"]


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize(
    "url",
    [
        "https://b.s3.eu-west-1.amazonaws.com/media/u%2540x/0.webp",
        "https://b.s3.eu-west-1.amazonaws.com/media/%3D1/a%20b.png",
        "http://127.0.0.1:5000/b/media/u1/0-thumb.webp",
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_presigned_address_is_as_botocore_makes_it(method: str, url: str, token: str | None) -> None:
    theirs = AWSRequest(method, url)
    with patch("botocore.auth.get_current_datetime", return_value=NOW.replace(tzinfo=None)):
        S3SigV4QueryAuth(credentials(token), "s3", "eu-west-1", expires=3600).add_auth(theirs)
    presigned = signer("s3", token).presigned_get if method == "GET" else signer("s3", token).presigned_put
    ours = presigned(url, 3600, NOW)
    assert sorted(ours.partition("?")[2].split("&")) == sorted(theirs.url.partition("?")[2].split("&"))


def test_credentials_do_not_show_their_secrets() -> None:
    shown = repr(signer("s3", "a-token"))
    assert "wJalrXUtnFEMI" not in shown
    assert "a-token" not in shown
