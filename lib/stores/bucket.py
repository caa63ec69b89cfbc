"""The media bucket on S3: a `MediaBucket` over a boto3 client that is given to it."""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO, cast
from urllib.parse import quote

from botocore.exceptions import BotoCoreError, ClientError

from lib.domain.errors import NotFoundError, UnavailableError
from lib.ports.storage import ObjectInfo, UploadedPart, UploadGoneError
from lib.stores.ranged_reader import RangedReader

_MISSING = frozenset({"404", "NoSuchKey", "NotFound"})
_TAKEN = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})
_GONE = frozenset({"NoSuchUpload", "InvalidPart", "InvalidPartOrder"})
_PAST_END = frozenset({"InvalidRange", "416"})


class S3MediaBucket:
    """One bucket; safe to use from several threads, as boto3's clients are."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def head(self, key: str) -> ObjectInfo | None:
        """See `MediaBucket.head`."""
        with _translated(key):
            try:
                found = self._client.head_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if _code(error) in _MISSING:
                    return None
                raise
        return ObjectInfo(
            key=key,
            size=int(found["ContentLength"]),
            content_type=str(found.get("ContentType", "")),
            metadata=dict(found.get("Metadata", {})),
        )

    def find(self, prefix: str) -> list[str]:
        """See `MediaBucket.find`."""
        with _translated(prefix):
            page = self._client.list_objects_v2(Bucket=self._bucket, Prefix=prefix)
        return sorted(str(item["Key"]) for item in page.get("Contents", []))

    def open(self, key: str, size: int) -> BinaryIO:
        """See `MediaBucket.open`."""
        reader = RangedReader(lambda start, length: self.read(key, start, length), size)
        return cast("BinaryIO", io.BufferedReader(reader, 64 * 1024))

    def read(self, key: str, start: int, length: int) -> bytes:
        """See `MediaBucket.read`."""
        if length <= 0:
            return b""
        span = f"bytes={start}-{start + length - 1}"
        with _translated(key):
            try:
                found = self._client.get_object(Bucket=self._bucket, Key=key, Range=span)
                return cast("bytes", found["Body"].read())
            except ClientError as error:
                if _code(error) in _PAST_END:
                    return b""
                raise

    def put(
        self,
        key: str,
        body: bytes,
        *,
        content_type: str,
        metadata: Mapping[str, str],
        only_if_absent: bool = False,
    ) -> bool:
        """See `MediaBucket.put`."""
        condition = {"IfNoneMatch": "*"} if only_if_absent else {}
        with _translated(key):
            try:
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=key,
                    Body=body,
                    ContentType=content_type,
                    Metadata=dict(metadata),
                    **condition,
                )
            except ClientError as error:
                if only_if_absent and _code(error) in _TAKEN:
                    return False
                raise
        return True

    def delete(self, key: str) -> None:
        """See `MediaBucket.delete`."""
        with _translated(key):
            self._client.delete_object(Bucket=self._bucket, Key=key)

    def begin_upload(self, key: str, content_type: str, metadata: Mapping[str, str]) -> str:
        """See `MediaBucket.begin_upload`."""
        with _translated(key):
            begun = self._client.create_multipart_upload(
                Bucket=self._bucket, Key=key, ContentType=content_type, Metadata=dict(metadata)
            )
        return str(begun["UploadId"])

    def unfinished_uploads(self, key: str) -> list[str]:
        """See `MediaBucket.unfinished_uploads`."""
        with _translated(key):
            page = self._client.list_multipart_uploads(Bucket=self._bucket, Prefix=key)
        uploads = [item for item in page.get("Uploads", []) if item["Key"] == key]
        uploads.reverse()  # S3 lists one key's uploads by time; sorting keeps this order among equal times
        return [str(item["UploadId"]) for item in sorted(uploads, key=_initiated, reverse=True)]

    def upload_part(self, key: str, upload_id: str, number: int, body: bytes) -> UploadedPart:
        """See `MediaBucket.upload_part`."""
        with self._unless_gone(key, upload_id), _translated(key):
            stored = self._client.upload_part(
                Bucket=self._bucket, Key=key, UploadId=upload_id, PartNumber=number, Body=body
            )
        return UploadedPart(number, str(stored["ETag"]).strip('"'), len(body))

    def list_parts(self, key: str, upload_id: str) -> list[UploadedPart]:
        """See `MediaBucket.list_parts`."""
        pages = self._client.get_paginator("list_parts").paginate(
            Bucket=self._bucket, Key=key, UploadId=upload_id
        )
        with _translated(key):
            items = [item for page in pages for item in page.get("Parts", [])]
        return [
            UploadedPart(int(item["PartNumber"]), str(item["ETag"]).strip('"'), int(item["Size"]))
            for item in items
        ]

    def complete_upload(self, key: str, upload_id: str, parts: Sequence[UploadedPart]) -> bool:
        """See `MediaBucket.complete_upload`."""
        listed = [{"PartNumber": part.number, "ETag": f'"{part.etag}"'} for part in parts]
        with self._unless_gone(key, upload_id), _translated(key):
            try:
                self._client.complete_multipart_upload(
                    Bucket=self._bucket,
                    Key=key,
                    UploadId=upload_id,
                    MultipartUpload={"Parts": listed},
                    IfNoneMatch="*",
                )
            except ClientError as error:
                if _code(error) in _TAKEN:
                    return False
                raise
        return True

    def abort_upload(self, key: str, upload_id: str) -> None:
        """See `MediaBucket.abort_upload`."""
        try:
            with self._unless_gone(key, upload_id), _translated(key):
                self._client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload_id)
        except UploadGoneError:
            return

    def signed_url(self, key: str, expires_in: int, download_name: str | None = None) -> str:
        """See `MediaBucket.signed_url`."""
        params = {"Bucket": self._bucket, "Key": key}
        if download_name is not None:
            params["ResponseContentDisposition"] = (
                f"attachment; filename*=UTF-8''{quote(download_name, safe='')}"
            )
        return cast(
            "str", self._client.generate_presigned_url("get_object", Params=params, ExpiresIn=expires_in)
        )

    @contextmanager
    def _unless_gone(self, key: str, upload_id: str) -> Iterator[None]:
        """A bucket may answer 500 when an upload ended in this moment (moto does): ask whether it is still there."""
        try:
            yield
        except UnavailableError:
            self.list_parts(key, upload_id)
            raise


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _initiated(upload: Mapping[str, Any]) -> Any:
    return upload["Initiated"]


@contextmanager
def _translated(key: str) -> Iterator[None]:
    """S3's errors as the port's; a refusal that is our own fault (a missing right) passes through."""
    try:
        yield
    except ClientError as error:
        code, status = _code(error), error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in _GONE:
            raise UploadGoneError(code) from error
        if code in _MISSING:
            raise NotFoundError(f"There is no object {key} in the bucket.") from error
        if status >= 500 or code in ("SlowDown", "RequestTimeout", "Throttling"):
            raise UnavailableError(f"The bucket does not answer now: {code}.") from error
        raise
    except BotoCoreError as error:
        raise UnavailableError(f"The bucket cannot be reached: {error}.") from error
