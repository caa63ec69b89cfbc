"""The S3 bucket over moto's server, and whole copies through the guarded download into it."""

import base64
import json
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from lib.domain.errors import UnavailableError
from lib.domain.http_exchange import HttpRequest
from lib.domain.media_type import MediaType
from lib.domain.provider import OutputKind, ProviderOutput, ProviderUpdate, RemoteStatus
from lib.domain.stored_output import MIB, CopiedObject, CopyCheckpoint, CopyLimits, OutputTarget, Paused
from lib.ports.provider import Operation
from lib.ports.storage import MediaBucket
from lib.providers.fetch import GuardedOutputSource
from lib.providers.guard import AddressGuard
from lib.providers.media_answer import media_output
from lib.providers.transport import RequestsTransport
from lib.services.copy_output import copy_output, never
from lib.services.park_outputs import ParkOutputs
from lib.stores.bucket import S3MediaBucket
from local.backing.moto import Moto
from tests.fakes.bucket_conformance import BucketConformance
from tests.fakes.file_server import FileServer, serves_ranges
from tests.fakes.output_source import FakeSource
from tests.fakes.scripted_http import Say, serving

NAME = "media"
LIMITS = CopyLimits(part_bytes=5 * MIB)
BODY = b"\x89PNG\r\n\x1a\n" + bytes(range(251)) * (12 * MIB // 251)
TARGET = OutputTarget(
    "job-1", "ü@x/../y", "black-forest-labs/flux", MediaType.IMAGE, 0, datetime(2026, 1, 31, tzinfo=UTC)
)


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    server = Moto(Path(tmp_path_factory.mktemp("moto")))
    server.start()
    yield server
    server.stop()


def s3_client(url: str) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=10),
    )


@pytest.fixture
def client(moto: Moto) -> Iterator[Any]:
    client = s3_client(moto.url)
    client.create_bucket(Bucket=NAME)
    yield client
    for upload in client.list_multipart_uploads(Bucket=NAME).get("Uploads", []):
        client.abort_multipart_upload(Bucket=NAME, Key=upload["Key"], UploadId=upload["UploadId"])
    for item in client.list_objects_v2(Bucket=NAME).get("Contents", []):
        client.delete_object(Bucket=NAME, Key=item["Key"])
    client.delete_bucket(Bucket=NAME)
    client.close()


@pytest.fixture
def bucket(client: Any) -> MediaBucket:
    return S3MediaBucket(client, NAME)


class TestS3Bucket(BucketConformance):
    """The suite that the fake passes too."""


def test_a_signed_url_reads_the_object_and_names_the_download(bucket: MediaBucket) -> None:
    key = "media/%C3%BC%40x/0 a.txt"
    bucket.put(key, b"hello", content_type="text/plain; charset=utf-8", metadata={})
    url = bucket.signed_url(key, 600, "été 1.txt")
    assert "Expires" in url
    with urllib.request.urlopen(url) as answer:  # noqa: S310 -- our own signed URL
        assert answer.read() == b"hello"
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''%C3%A9t%C3%A9%201.txt"


def test_a_signed_url_is_computed_without_a_call() -> None:
    bucket = S3MediaBucket(s3_client("http://127.0.0.1:9"), NAME)
    assert "/media/a.png?" in bucket.signed_url("a.png", 60)


def test_a_bucket_that_is_away_is_unavailable() -> None:
    bucket = S3MediaBucket(s3_client("http://127.0.0.1:9"), NAME)
    with pytest.raises(UnavailableError):
        bucket.head("a")
    with pytest.raises(UnavailableError):
        bucket.put("a", b"x", content_type="text/plain", metadata={})
    with pytest.raises(UnavailableError):
        bucket.list_parts("a", "upload")
    with pytest.raises(UnavailableError), bucket.open("a", 10) as file:
        file.read()


class NotingBucket(S3MediaBucket):
    """Knows when an upload was begun, which is when the first part has been read."""

    begun = False

    def begin_upload(self, key: str, content_type: str, metadata: Mapping[str, str]) -> str:
        self.begun = True
        return super().begin_upload(key, content_type, metadata)


def copy_once(
    bucket: MediaBucket,
    server: FileServer,
    stop: Callable[[], bool] = never,
    checkpoint: CopyCheckpoint | None = None,
) -> CopiedObject | Paused:
    return copy_output(
        ProviderOutput(OutputKind.URL, server.url("/0.png")),
        TARGET,
        bucket=bucket,
        source=GuardedOutputSource(AddressGuard(server.authority)),
        limits=LIMITS,
        stop=stop,
        checkpoint=checkpoint,
    )


def test_a_copy_over_http_pauses_resumes_by_range_and_is_done_once(client: Any) -> None:
    bucket = NotingBucket(client, NAME)
    with FileServer(serves_ranges(BODY)) as server:
        first = copy_once(bucket, server, stop=lambda: bucket.begun)
        assert isinstance(first, Paused)
        assert first.checkpoint is not None
        outcome = copy_once(bucket, server, checkpoint=CopyCheckpoint.from_json(first.checkpoint.as_json()))
        assert isinstance(outcome, CopiedObject)
        assert outcome.key == "media/%C3%BC%40x%2F%2E%2E%2Fy/image/2026/01/31/job-1/0.png"
        assert bucket.read(outcome.key, 0, 2 * len(BODY)) == BODY
        again = copy_once(bucket, server)
        assert isinstance(again, CopiedObject)
        assert again.reused
        assert len(server.requests) == 2
        assert f"Range: bytes={5 * MIB}-" in server.requests[1]
    info = bucket.head(outcome.key)
    assert info is not None
    assert dict(info.metadata) == {
        "job-id": "job-1",
        "user-id": "%C3%BC%40x%2F%2E%2E%2Fy",
        "model-id": "black-forest-labs/flux",
        "media-type": "image",
        "output-index": "0",
    }
    assert bucket.unfinished_uploads(outcome.key) == []


def test_concurrent_copies_of_one_output_leave_one_object_and_no_upload(
    bucket: MediaBucket, client: Any
) -> None:
    with FileServer(serves_ranges(BODY)) as server, ThreadPoolExecutor(4) as pool:
        outcomes = [job.result() for job in [pool.submit(copy_once, bucket, server) for _ in range(4)]]
    assert {outcome.key for outcome in outcomes if isinstance(outcome, CopiedObject)} == {
        item["Key"] for item in client.list_objects_v2(Bucket=NAME)["Contents"]
    }
    assert [outcome.size for outcome in outcomes if isinstance(outcome, CopiedObject)] == [len(BODY)] * 4
    assert bucket.read(bucket.find("media/")[0], 0, 2 * len(BODY)) == BODY
    assert client.list_multipart_uploads(Bucket=NAME).get("Uploads", []) == []


def test_media_inside_an_answer_ends_as_an_object_of_its_type(bucket: MediaBucket) -> None:
    """From a provider's answer over disk and `temp/` to its place, each over its real interface."""
    body = json.dumps(
        {"data": [{"b64_json": base64.b64encode(BODY).decode()}, {"b64_json": "QUJD"}]}
    ).encode()
    transport, park = RequestsTransport(), ParkOutputs(lambda: bucket)
    with serving(Say(200, body, {"Content-Type": "application/json"})) as server:
        request = HttpRequest("POST", server.url, json_body={}, media_answer=True)
        answer = transport.send(request, provider="openai", operation=Operation.GENERATE)
    transport.close()
    outputs = tuple(
        media_output(item["b64_json"], answer, "image/png") for item in json.loads(answer.body)["data"]
    )
    update = ProviderUpdate(RemoteStatus.SUCCEEDED, None, outputs, blobs=answer.blobs)
    parked = park("job-1", 1, update)
    assert park("job-1", 1, update) == park.find_parked("job-1", 1) == parked
    copied = copy_output(parked.outputs[0], TARGET, bucket=bucket, source=FakeSource(b""), limits=LIMITS)
    assert isinstance(copied, CopiedObject)
    assert (copied.content.mime, copied.size) == ("image/png", len(BODY))
    assert bucket.read(copied.key, 0, len(BODY) + 1) == BODY
    assert outputs[1].kind is OutputKind.DATA_URL
