"""Addresses under which a caller may read stored outputs for a while; computed here, without a call."""

from collections.abc import Callable
from datetime import datetime

from lib.aws import account
from lib.aws.sigv4 import Signer

URL_LIFE_SECONDS = 3600


class UrlSigner:
    """Signs addresses of one bucket's objects, with the credentials that this process has at that time."""

    def __init__(self, bucket: str, clock: Callable[[], datetime]) -> None:
        self.bucket = bucket
        self._clock = clock

    def __call__(self, key: str) -> str:
        """An address that reads the object for `URL_LIFE_SECONDS`."""
        signer = Signer(account.credentials(), account.region(), "s3")
        return signer.presigned_get(account.object_url(self.bucket, key), URL_LIFE_SECONDS, self._clock())
