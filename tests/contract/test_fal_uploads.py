"""Outputs that fal puts into our bucket itself: over the simulator, and moto's S3 for the bucket."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from lib.aws.account import bucket_urls
from lib.aws.post_policy import LARGEST_POST, post_policy
from lib.aws.sigv4 import AwsCredentials, Signer
from lib.domain.errors import OutputError
from lib.domain.provider import (
    Credential,
    OutputKind,
    ProviderUpdate,
    RemoteJob,
    Submission,
    SubmitOutcome,
    UploadPolicy,
)
from lib.providers.client import HttpProviderClient
from lib.providers.fal import FalAdapter
from lib.providers.transport import RequestsTransport
from lib.services.direct_uploads import DirectUploads
from lib.services.inline_output import ObjectSource
from lib.stores.bucket import S3MediaBucket
from local.backing.moto import Moto
from local.providers import fal
from local.providers.server import Providers, running
from local.providers.settings import Settings
from tests.fakes.until import until

KEY = Credential("fal", fal.LOCAL_KEY)
FLUX = "fal-ai/flux/schnell"
BUCKET = "media"
JOB = "0190f4a8-0000-7000-8000-000000000001"


@dataclass(frozen=True)
class House:
    """A bucket, the provider that uploads into it, and what recognizes its uploads."""

    simulator: Providers
    client: HttpProviderClient
    uploads: DirectUploads
    s3: Any

    def made(self, prompt: str, job_id: str = JOB, upload: UploadPolicy | None = None) -> ProviderUpdate:
        """What a poll says of a request that was submitted with a policy of the job's own."""
        policy = upload or self.uploads.policy(job_id, 1)
        values = {"prompt": prompt, "num_images": 2, "image_size": {"width": 64, "height": 64}}
        result = self.client.submit(Submission(job_id, 1, FLUX, values, 600, policy), KEY, None)
        assert result.outcome is SubmitOutcome.ACCEPTED, result.failure
        assert result.update is not None
        remote = RemoteJob(str(result.update.provider_job_id), FLUX)
        while not (update := self.client.poll(remote, KEY)).status.final:
            pass
        return update


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    moto = Moto(Path(tmp_path_factory.mktemp("moto")))
    transport = RequestsTransport()
    with moto, running("fal", settings=Settings(latency=0.05)) as simulator:
        s3 = boto3.client(
            "s3",
            endpoint_url=moto.url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        s3.create_bucket(Bucket=BUCKET)
        bases = bucket_urls(BUCKET, {"AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": moto.url})
        signer = Signer(AwsCredentials("test", "test"), "us-east-1", "s3")

        def sign(prefix: str) -> UploadPolicy:
            return post_policy(
                signer,
                BUCKET,
                bases[0],
                prefix,
                max_bytes=LARGEST_POST,
                expires_in=900,
                now=datetime.now(UTC),
            )

        adapter = FalAdapter(**fal.addresses(simulator.urls["fal"]))
        yield House(simulator, HttpProviderClient(adapter, transport), DirectUploads(sign, bases), s3)
        s3.close()
    transport.close()


def test_what_fal_made_is_in_our_bucket_as_objects_of_the_attempt(house: House) -> None:
    update = house.uploads.recognized(house.made("a lighthouse"), JOB, 1)
    assert [output.kind for output in update.outputs] == [OutputKind.OBJECT, OutputKind.OBJECT]
    source = ObjectSource(S3MediaBucket(house.s3, BUCKET))
    for output in update.outputs:
        assert output.value.startswith(f"temp/uploads/{JOB}/1/")
        wait_for_object(house, output.value)
        stream = source.open(output.value)
        assert stream.read(8) == b"\x89PNG\r\n\x1a\n"
        assert house.s3.head_object(Bucket=BUCKET, Key=output.value)["ContentType"] == "image/png"


def test_an_upload_that_is_still_under_way_is_waited_for(house: House) -> None:
    [first, _] = house.uploads.recognized(house.made("a slow boat [sim:late-upload=500ms]"), JOB, 1).outputs
    source = ObjectSource(S3MediaBucket(house.s3, BUCKET))
    with pytest.raises(OutputError, match="has not arrived yet") as caught:
        source.open(first.value)
    assert caught.value.retryable
    wait_for_object(house, first.value)
    assert source.info(first.value).size > 0


def test_what_lies_below_another_jobs_prefix_stays_an_address(house: House) -> None:
    other = JOB.replace("1", "2")
    strange = house.made("a lighthouse", upload=house.uploads.policy(other, 1))
    assert [output.kind for output in strange.outputs] == [OutputKind.URL, OutputKind.URL]
    assert house.uploads.recognized(strange, JOB, 1) == strange


def test_the_policy_arrives_as_it_was_made_and_its_signature_is_in_no_path(house: House) -> None:
    policy = house.uploads.policy(JOB, 3)
    house.made("a lighthouse with a policy", upload=policy)
    log = httpx.get(f"{house.simulator.urls['fal']}/_sim/log", params={"body": "with a policy"}).json()
    [entry] = log["requests"]
    assert json.loads(entry["headers"]["x-app-fal-upload-policy"]) == {
        "url": policy.url,
        "fields": dict(policy.fields),
    }
    assert policy.fields["x-amz-signature"] not in entry["path"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"url": "http://storage.example/media/"}, "must be an HTTPS S3 upload URL"),
        ({"fields": {"key": "one-key-for-all"}}, "must contain '${filename}'"),
    ],
)
def test_a_policy_that_cannot_be_used_is_refused_before_anything_is_made(
    house: House, changes: dict[str, Any], words: str
) -> None:
    policy = replace(house.uploads.policy(JOB, 1), **changes)
    result = house.client.submit(Submission(JOB, 1, FLUX, {"prompt": "x"}, 600, policy), KEY, None)
    assert result.outcome is SubmitOutcome.REFUSED
    assert result.failure is not None
    assert words in result.failure.message
    assert result.failure.unbilled


def wait_for_object(house: House, key: str) -> None:
    until(lambda: house.s3.list_objects_v2(Bucket=BUCKET, Prefix=key)["KeyCount"], bool)
