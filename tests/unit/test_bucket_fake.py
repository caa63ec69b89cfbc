"""The fake bucket keeps the port's promises, so that what the units show is true of S3."""

import pytest

from lib.ports.storage import MediaBucket
from tests.fakes.bucket import FakeBucket
from tests.fakes.bucket_conformance import BucketConformance


class TestFakeBucket(BucketConformance):
    @pytest.fixture
    def bucket(self) -> MediaBucket:
        return FakeBucket()
