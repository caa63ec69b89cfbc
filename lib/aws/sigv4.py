"""AWS Signature Version 4: signed requests and pre-signed addresses, by the standard library.

botocore signs as well, but importing it costs a cold start more than the rest of the status function
together. The tests compare every signature with botocore's.
Source: docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import quote, urlsplit

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True)
class AwsCredentials:
    """Temporary or lasting credentials; the repr shows neither secret nor token."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Signer:
    """Signs for one service in one region."""

    credentials: AwsCredentials
    region: str
    service: str

    def headers(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, now: datetime
    ) -> dict[str, str]:
        """The headers to send: the given ones, and those that sign them with the body."""
        parts = urlsplit(url)
        stamp = _stamp(now)
        signed = {name.lower(): value.strip() for name, value in headers.items()}
        signed |= {"host": parts.netloc, "x-amz-date": stamp}
        if self.credentials.token:
            signed["x-amz-security-token"] = self.credentials.token
        names = ";".join(sorted(signed))
        request = _canonical(method, parts.path, parts.query, signed, hashlib.sha256(body).hexdigest())
        signature = self._signature(request, stamp)
        authorization = (
            f"{_ALGORITHM} Credential={self.credentials.access_key}/{self._scope(stamp)}, "
            f"SignedHeaders={names}, Signature={signature}"
        )
        return {**signed, "authorization": authorization}

    def presigned_get(self, url: str, expires_in: int, now: datetime) -> str:
        """An address that anybody may read for so many seconds, if these credentials live as long."""
        return self._presigned("GET", url, expires_in, now)

    def presigned_put(self, url: str, expires_in: int, now: datetime) -> str:
        """An address that anybody may put an object to, as above."""
        return self._presigned("PUT", url, expires_in, now)

    def _presigned(self, method: str, url: str, expires_in: int, now: datetime) -> str:
        parts = urlsplit(url)
        stamp = _stamp(now)
        query = {
            "X-Amz-Algorithm": _ALGORITHM,
            "X-Amz-Credential": f"{self.credentials.access_key}/{self._scope(stamp)}",
            "X-Amz-Date": stamp,
            "X-Amz-Expires": str(expires_in),
            "X-Amz-SignedHeaders": "host",
        }
        if self.credentials.token:
            query["X-Amz-Security-Token"] = self.credentials.token
        encoded = "&".join(f"{name}={quote(query[name], safe='-_.~')}" for name in sorted(query))
        request = _canonical(method, parts.path, encoded, {"host": parts.netloc}, "UNSIGNED-PAYLOAD")
        return f"{url}?{encoded}&X-Amz-Signature={self._signature(request, stamp)}"

    def form_fields(self, now: datetime) -> dict[str, str]:
        """The fields of a form that say who signs it, under the names that S3's policies know."""
        stamp = _stamp(now)
        fields = {
            "x-amz-algorithm": _ALGORITHM,
            "x-amz-credential": f"{self.credentials.access_key}/{self._scope(stamp)}",
            "x-amz-date": stamp,
        }
        return fields | ({"x-amz-security-token": self.credentials.token} if self.credentials.token else {})

    def form_signature(self, policy: str, now: datetime) -> str:
        """The signature of a form's policy in base64: of that very text."""
        key = _signing_key(self.credentials.secret_key, _stamp(now)[:8], self.region, self.service)
        return hmac.new(key, policy.encode(), hashlib.sha256).hexdigest()

    def _scope(self, stamp: str) -> str:
        return f"{stamp[:8]}/{self.region}/{self.service}/aws4_request"

    def _signature(self, canonical_request: str, stamp: str) -> str:
        digest = hashlib.sha256(canonical_request.encode()).hexdigest()
        to_sign = "\n".join((_ALGORITHM, stamp, self._scope(stamp), digest))
        key = _signing_key(self.credentials.secret_key, stamp[:8], self.region, self.service)
        return hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()


@lru_cache(maxsize=8)
def _signing_key(secret_key: str, day: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret_key}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def _canonical(method: str, path: str, query: str, headers: Mapping[str, str], payload_hash: str) -> str:
    """The canonical request; `path` is already percent-encoded as it is sent, `query` already in order."""
    lines = [f"{name}:{headers[name]}" for name in sorted(headers)]
    return "\n".join([method, path or "/", query, *lines, "", ";".join(sorted(headers)), payload_hash])


def _stamp(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
