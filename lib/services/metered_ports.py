"""The source of an output and the media bucket, with everything that they move told to an `OutputMeter`."""

from collections.abc import Mapping, Sequence
from typing import BinaryIO

from lib.domain.media_keys import TEMP_PREFIX
from lib.ports.storage import MediaBucket, ObjectInfo, OutputSource, OutputStream, UploadedPart
from lib.services.output_meter import OutputMeter
from lib.services.tally import Tally, code_of


class MeteredSource:
    """An `OutputSource` whose waiting and bytes are the meter's download."""

    def __init__(self, source: OutputSource, meter: OutputMeter) -> None:
        self._source, self._tally = source, meter.download

    def open(self, url: str, start: int = 0, validator: str | None = None) -> OutputStream:
        """See `OutputSource.open`."""
        with self._tally.moving():
            stream = self._source.open(url, start, validator)
        return _MeteredStream(stream, self._tally)


class _MeteredStream:
    """Its `read` is called for every quarter of a megabyte: it does as little as can be done."""

    def __init__(self, stream: OutputStream, tally: Tally) -> None:
        self._stream, self._tally = stream, tally
        self.start, self.total, self.validator = stream.start, stream.total, stream.validator

    def read(self, limit: int) -> bytes:
        begun = self._tally.begin()
        try:
            data = self._stream.read(limit)
        except Exception as error:
            self._tally.end(begun, 0, code_of(error))
            raise
        self._tally.end(begun, len(data))
        return data

    def close(self) -> None:
        self._stream.close()


class MeteredBucket:
    """A `MediaBucket` whose writes of the output are the meter's upload; previews and removals get lines of their own.

    What is read under `temp/` is the output on its way to its place: it counts as its download.
    """

    def __init__(self, bucket: MediaBucket, meter: OutputMeter) -> None:
        self._bucket, self._meter = bucket, meter

    def head(self, key: str) -> ObjectInfo | None:
        """See `MediaBucket.head`."""
        return self._bucket.head(key)

    def find(self, prefix: str) -> list[str]:
        """See `MediaBucket.find`."""
        return self._bucket.find(prefix)

    def open(self, key: str, size: int) -> BinaryIO:
        """See `MediaBucket.open`."""
        return self._bucket.open(key, size)

    def read(self, key: str, start: int, length: int) -> bytes:
        """See `MediaBucket.read`."""
        if not key.startswith(TEMP_PREFIX):
            return self._bucket.read(key, start, length)
        tally = self._meter.download
        begun = tally.begin()
        try:
            data = self._bucket.read(key, start, length)
        except Exception as error:
            tally.end(begun, 0, code_of(error))
            raise
        tally.end(begun, len(data))
        return data

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
        mine = self._meter.is_output(key)
        told = self._meter.uploading(key) if mine else self._meter.other("upload", key, len(body))
        with told:
            put = self._bucket.put(
                key, body, content_type=content_type, metadata=metadata, only_if_absent=only_if_absent
            )
        if mine and put:
            self._meter.upload.bytes += len(body)
            self._meter.placed = True
        return put

    def delete(self, key: str) -> None:
        """See `MediaBucket.delete`."""
        with self._meter.other("delete", key):
            self._bucket.delete(key)

    def begin_upload(self, key: str, content_type: str, metadata: Mapping[str, str]) -> str:
        """See `MediaBucket.begin_upload`."""
        with self._meter.uploading(key):
            return self._bucket.begin_upload(key, content_type, metadata)

    def unfinished_uploads(self, key: str) -> list[str]:
        """See `MediaBucket.unfinished_uploads`."""
        return self._bucket.unfinished_uploads(key)

    def upload_part(self, key: str, upload_id: str, number: int, body: bytes) -> UploadedPart:
        """See `MediaBucket.upload_part`."""
        with self._meter.uploading(key, len(body)):
            return self._bucket.upload_part(key, upload_id, number, body)

    def list_parts(self, key: str, upload_id: str) -> list[UploadedPart]:
        """See `MediaBucket.list_parts`."""
        return self._bucket.list_parts(key, upload_id)

    def complete_upload(self, key: str, upload_id: str, parts: Sequence[UploadedPart]) -> bool:
        """See `MediaBucket.complete_upload`."""
        with self._meter.uploading(key):
            completed = self._bucket.complete_upload(key, upload_id, parts)
        self._meter.placed = self._meter.placed or completed
        return completed

    def abort_upload(self, key: str, upload_id: str) -> None:
        """See `MediaBucket.abort_upload`."""
        self._bucket.abort_upload(key, upload_id)

    def signed_url(self, key: str, expires_in: int, download_name: str | None = None) -> str:
        """See `MediaBucket.signed_url`."""
        return self._bucket.signed_url(key, expires_in, download_name)
