"""Addresses under which a caller may read stored outputs for a while; computed here, without a call."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from lib.aws import account
from lib.aws.sigv4 import Signer
from lib.domain.snapshot import format_time

URL_LIFE_SECONDS = 3600
WINDOW_SECONDS = 300
"""So long an object keeps its address: pollers need no new one each second, and browsers may cache what it shows."""

UPLOAD_LIFE_SECONDS = 300
"""A server that was sent on to an address uses it at once; its clock and ours may differ a little."""

REMEMBERED = 1024


class SignedUrl(NamedTuple):
    """An address, and until when it can be read, as text of the wire."""

    url: str
    expires_at: str


class UrlSigner:
    """Signs addresses of one bucket's objects, with the credentials that this process has at that time."""

    def __init__(self, bucket: str) -> None:
        self.bucket = bucket
        self._in_window = lru_cache(maxsize=REMEMBERED)(self._sign)

    def __call__(self, key: str, now: datetime) -> SignedUrl:
        """An address that reads the object for at least `URL_LIFE_SECONDS` from now."""
        return self._in_window(key, self.window(now))

    @staticmethod
    def window(now: datetime) -> int:
        """The number of the window that `now` lies in; within one, a key has one address."""
        return int(now.timestamp()) // WINDOW_SECONDS

    def _sign(self, key: str, window: int) -> SignedUrl:
        begun, life = window * WINDOW_SECONDS, URL_LIFE_SECONDS + WINDOW_SECONDS
        signer = Signer(account.credentials(), account.region(), "s3")
        address = account.object_url(self.bucket, key)
        url = signer.presigned_get(address, life, datetime.fromtimestamp(begun, UTC))
        return SignedUrl(url, format_time(datetime.fromtimestamp(begun + life, UTC)))


def upload_address(bucket: str, key: str, now: datetime) -> str:
    """An address that takes one object of any type under this key, for `UPLOAD_LIFE_SECONDS`."""
    signer = Signer(account.credentials(), account.region(), "s3")
    return signer.presigned_put(account.object_url(bucket, key), UPLOAD_LIFE_SECONDS, now)
