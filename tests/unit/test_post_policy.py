"""Our POST policies are botocore's, and let in what they say and nothing else."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.config import Config

from lib.aws.account import bucket_urls
from lib.aws.post_policy import post_policy
from lib.aws.sigv4 import AwsCredentials, Signer
from lib.domain.provider import UploadPolicy

NOW = datetime(2026, 11, 20, 18, 4, 2, tzinfo=UTC)
PREFIX = "temp/uploads/0190f4a8-0000-7000-8000-000000000001/2/"
URL = "https://media.s3.eu-west-1.amazonaws.com/"
TOKENS = [None, "FwoGZXIvYXdzEJr//////////wEaDExample+/token=="]
ENVIRONMENT = {"AWS_REGION": "eu-west-1"}


def ours(token: str | None = None) -> UploadPolicy:
    signer = Signer(AwsCredentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG", token), "eu-west-1", "s3")
    return post_policy(signer, "media", URL, PREFIX, max_bytes=1000, expires_in=2700, now=NOW)


def theirs(token: str | None) -> Any:
    client = boto3.client(
        "s3",
        region_name="eu-west-1",
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="wJalrXUtnFEMI/K7MDENG",
        aws_session_token=token,
        config=Config(signature_version="s3v4", s3={"addressing_style": "virtual"}),
    )
    naive = NOW.replace(tzinfo=None)
    with (
        patch("botocore.auth.get_current_datetime", return_value=naive),
        patch("botocore.signers.get_current_datetime", return_value=naive),
    ):
        return client.generate_presigned_post(
            "media",
            f"{PREFIX}${{filename}}",
            Conditions=[["content-length-range", 1, 1000], ["starts-with", "$Content-Type", ""]],
            ExpiresIn=2700,
        )


@pytest.mark.parametrize("token", TOKENS)
def test_a_form_is_as_botocore_makes_it(token: str | None) -> None:
    made, expected = ours(token), theirs(token)
    assert dict(made.fields) == expected["fields"]
    assert made.url == expected["url"]


def test_the_policy_says_what_may_be_uploaded_and_until_when() -> None:
    document = json.loads(base64.b64decode(ours("a-token").fields["policy"]))
    expiry = datetime.fromisoformat(document["expiration"])
    assert expiry == NOW + timedelta(seconds=2700)
    assert {"bucket": "media"} in document["conditions"]
    assert ["starts-with", "$key", PREFIX] in document["conditions"]
    assert ["content-length-range", 1, 1000] in document["conditions"]
    assert {"x-amz-security-token": "a-token"} in document["conditions"]


def test_another_prefix_or_moment_has_another_signature() -> None:
    signer = Signer(AwsCredentials("AKIDEXAMPLE", "secret"), "eu-west-1", "s3")
    signatures = {
        post_policy(signer, "media", URL, prefix, max_bytes=1, expires_in=60, now=now).fields[
            "x-amz-signature"
        ]
        for prefix in ("temp/uploads/a/1/", "temp/uploads/a/2/")
        for now in (NOW, NOW + timedelta(days=1))
    }
    assert len(signatures) == 4


def test_a_form_does_not_show_its_signature() -> None:
    made = ours("a-token")
    assert made.fields["x-amz-signature"] not in repr(made)
    assert "a-token" not in repr(made)


def test_a_buckets_objects_have_the_addresses_that_s3_knows_them_by() -> None:
    assert bucket_urls("media", ENVIRONMENT) == (
        URL,
        "https://media.s3.amazonaws.com/",
        "https://s3.eu-west-1.amazonaws.com/media/",
    )
    local = {**ENVIRONMENT, "AWS_ENDPOINT_URL": "http://127.0.0.1:5000"}
    assert bucket_urls("media", local) == ("http://127.0.0.1:5000/media/",)
