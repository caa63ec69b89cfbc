"""S3's POST policy: a signed form that lets its holder put objects below one prefix for a while.

Source: docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html. The tests compare it with
botocore's.
"""

import base64
import json
from datetime import UTC, datetime, timedelta

from lib.aws.sigv4 import Signer
from lib.domain.provider import UploadPolicy

LARGEST_POST = 5 * 1024**3
"""The most that S3 takes in one request, in bytes."""

FILENAME = "${filename}"
"""What stands for the file's name in the form's key; S3 puts the name of the uploaded file in, or the uploader does."""


def post_policy(
    signer: Signer, bucket: str, url: str, key_prefix: str, *, max_bytes: int, expires_in: int, now: datetime
) -> UploadPolicy:
    """A form for `url`, the bucket's address, good for `expires_in` seconds if the credentials live as long.

    It lets in objects of at least one byte and at most `max_bytes`, of any content type, whose keys begin with
    `key_prefix`; nothing else: no other field of S3's may be set.
    """
    fields = {"key": f"{key_prefix}{FILENAME}", **signer.form_fields(now)}
    signed_fields = [{name: value} for name, value in fields.items() if name != "key"]
    conditions = [
        ["content-length-range", 1, max_bytes],
        ["starts-with", "$Content-Type", ""],
        {"bucket": bucket},
        ["starts-with", "$key", key_prefix],
        *signed_fields,
    ]
    expiration = (now.astimezone(UTC) + timedelta(seconds=expires_in)).strftime("%Y-%m-%dT%H:%M:%SZ")
    document = json.dumps({"expiration": expiration, "conditions": conditions})
    policy = base64.b64encode(document.encode()).decode()
    form = {**fields, "policy": policy, "x-amz-signature": signer.form_signature(policy, now)}
    return UploadPolicy(url, form, key_prefix)
