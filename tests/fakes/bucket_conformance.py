"""What every `MediaBucket` does: one suite, run over the fake and over S3's interface."""

import pytest

from lib.domain.errors import NotFoundError
from lib.ports.storage import MediaBucket, UploadedPart, UploadGoneError

MIB = 1024 * 1024
PART = bytes(range(256)) * (5 * MIB // 256)
LAST = b"the end"
OWNER = {"job-id": "job-1", "output-index": "0"}


class BucketConformance:
    """Subclasses give the fixture `bucket`: an empty one."""

    def test_an_object_comes_back_with_its_type_and_metadata(self, bucket: MediaBucket) -> None:
        assert bucket.put("media/u%40x/0.png", b"hello", content_type="image/png", metadata=OWNER)
        info = bucket.head("media/u%40x/0.png")
        assert info is not None
        assert (info.key, info.size, info.content_type) == ("media/u%40x/0.png", 5, "image/png")
        assert dict(info.metadata) == OWNER
        assert bucket.read("media/u%40x/0.png", 0, 100) == b"hello"

    def test_a_missing_object_has_no_head_and_cannot_be_read(self, bucket: MediaBucket) -> None:
        assert bucket.head("media/none") is None
        with pytest.raises(NotFoundError):
            bucket.read("media/none", 0, 1)

    def test_a_range_ends_with_the_object(self, bucket: MediaBucket) -> None:
        bucket.put("a", b"0123456789", content_type="text/plain", metadata={})
        assert bucket.read("a", 3, 4) == b"3456"
        assert bucket.read("a", 8, 100) == b"89"
        assert bucket.read("a", 10, 5) == b""
        assert bucket.read("a", 2, 0) == b""

    def test_an_open_object_can_be_read_at_any_place(self, bucket: MediaBucket) -> None:
        bucket.put("a", PART, content_type="text/plain", metadata={})
        with bucket.open("a", len(PART)) as file:
            assert file.seek(-10, 2) == len(PART) - 10
            assert file.read() == PART[-10:]
            file.seek(1_000_003)
            assert file.read(700_000) == PART[1_000_003:1_700_003]
            file.seek(0)
            assert file.read() == PART

    def test_a_put_that_must_be_first_does_not_replace(self, bucket: MediaBucket) -> None:
        assert bucket.put("a", b"first", content_type="text/plain", metadata={}, only_if_absent=True)
        assert not bucket.put("a", b"second", content_type="text/plain", metadata={}, only_if_absent=True)
        assert bucket.read("a", 0, 10) == b"first"
        assert bucket.put("a", b"third", content_type="text/plain", metadata={})
        assert bucket.read("a", 0, 10) == b"third"

    def test_keys_are_found_by_their_beginning(self, bucket: MediaBucket) -> None:
        for key in ("j/0.png", "j/0-thumb.webp", "j/1.png", "j/10.png"):
            bucket.put(key, b"x", content_type="image/png", metadata={})
        assert bucket.find("j/0.") == ["j/0.png"]
        assert bucket.find("j/1") == ["j/1.png", "j/10.png"]
        assert bucket.find("k/") == []

    def test_a_deleted_object_is_gone_and_deleting_twice_is_harmless(self, bucket: MediaBucket) -> None:
        bucket.put("a", b"x", content_type="text/plain", metadata={})
        bucket.delete("a")
        bucket.delete("a")
        assert bucket.head("a") is None

    def test_an_upload_becomes_one_object_of_its_parts(self, bucket: MediaBucket) -> None:
        upload = bucket.begin_upload("a.mp4", "video/mp4", OWNER)
        parts = [bucket.upload_part("a.mp4", upload, 1, PART), bucket.upload_part("a.mp4", upload, 2, LAST)]
        assert bucket.head("a.mp4") is None
        assert bucket.list_parts("a.mp4", upload) == parts
        assert [part.size for part in parts] == [len(PART), len(LAST)]
        assert bucket.complete_upload("a.mp4", upload, parts)
        info = bucket.head("a.mp4")
        assert info is not None
        assert (info.size, info.content_type, dict(info.metadata)) == (
            len(PART) + len(LAST),
            "video/mp4",
            OWNER,
        )
        assert bucket.read("a.mp4", len(PART) - 2, 100) == PART[-2:] + LAST

    def test_a_part_replaces_the_one_with_its_number(self, bucket: MediaBucket) -> None:
        upload = bucket.begin_upload("a", "text/plain", {})
        bucket.upload_part("a", upload, 1, b"old")
        new = bucket.upload_part("a", upload, 1, b"newer")
        assert bucket.list_parts("a", upload) == [new]
        assert bucket.complete_upload("a", upload, [new])
        assert bucket.read("a", 0, 10) == b"newer"

    def test_parts_that_are_not_listed_are_left_out(self, bucket: MediaBucket) -> None:
        upload = bucket.begin_upload("a", "text/plain", {})
        first = bucket.upload_part("a", upload, 1, LAST)
        bucket.upload_part("a", upload, 3, b"from a killed worker")
        assert bucket.complete_upload("a", upload, [first])
        assert bucket.read("a", 0, 100) == LAST

    def test_completing_with_other_content_than_is_stored_is_refused(self, bucket: MediaBucket) -> None:
        upload = bucket.begin_upload("a", "text/plain", {})
        old = bucket.upload_part("a", upload, 1, b"old")
        bucket.upload_part("a", upload, 1, b"new")
        with pytest.raises(UploadGoneError):
            bucket.complete_upload("a", upload, [old])

    def test_completing_where_an_object_is_does_not_replace_it(self, bucket: MediaBucket) -> None:
        upload = bucket.begin_upload("a", "text/plain", {})
        part = bucket.upload_part("a", upload, 1, b"late")
        bucket.put("a", b"early", content_type="text/plain", metadata={})
        assert not bucket.complete_upload("a", upload, [part])
        assert bucket.read("a", 0, 10) == b"early"

    def test_an_unfinished_upload_is_found_by_its_key_until_it_ends(self, bucket: MediaBucket) -> None:
        first, other = (
            bucket.begin_upload("a.png", "image/png", {}),
            bucket.begin_upload("a.png.b", "image/png", {}),
        )
        assert bucket.unfinished_uploads("a.png") == [first]
        part = bucket.upload_part("a.png", first, 1, b"x")
        bucket.complete_upload("a.png", first, [part])
        assert bucket.unfinished_uploads("a.png") == []
        bucket.abort_upload("a.png.b", other)
        assert bucket.unfinished_uploads("a.png.b") == []

    def test_an_aborted_upload_is_gone_for_everything(self, bucket: MediaBucket) -> None:
        upload = bucket.begin_upload("a", "text/plain", {})
        part = bucket.upload_part("a", upload, 1, b"x")
        bucket.abort_upload("a", upload)
        bucket.abort_upload("a", upload)
        with pytest.raises(UploadGoneError):
            bucket.list_parts("a", upload)
        with pytest.raises(UploadGoneError):
            bucket.upload_part("a", upload, 2, b"x")
        with pytest.raises(UploadGoneError):
            bucket.complete_upload("a", upload, [part])

    def test_an_upload_without_parts_lists_none(self, bucket: MediaBucket) -> None:
        upload = bucket.begin_upload("a", "text/plain", {})
        parts: list[UploadedPart] = bucket.list_parts("a", upload)
        assert parts == []
