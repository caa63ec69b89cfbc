"""One copy in a process of its own, ours or a plain one: how long it took and how much memory it had at most.

Run as `python -m benchmarks.storing.copy_once gateway|plain SIZE VIDEO_URL S3_URL`.
"""

import json
import resource
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import requests
from botocore.config import Config

import handlers.store_result  # noqa: F401 - the function's own imports are part of its memory
from lib.domain.media_type import MediaType
from lib.domain.provider import OutputKind, ProviderOutput
from lib.domain.stored_output import CopiedObject, CopyLimits, OutputTarget
from lib.providers.fetch import GuardedOutputSource
from lib.providers.guard import AddressGuard
from lib.services.copy_output import copy_output
from lib.services.metered_ports import MeteredBucket, MeteredSource
from lib.services.output_meter import BucketPlace
from lib.services.work_meter import WorkMeter
from lib.stores.bucket import S3MediaBucket
from lib.stores.postgres.record import PostgresRecord
from lib.stores.probe import DecodingProbe
from lib.stores.thumbnail import PillowPainter

BUCKET = "benchmark"
PART_BYTES = CopyLimits().part_bytes
_LOADED = (PostgresRecord, DecodingProbe, PillowPainter)  # not called here, but loaded beside every copy


def copy_as_gateway(client: Any, url: str, size: int) -> str:
    """`copy_output` with its defaults, its guard and its meter among them; the key."""
    target = OutputTarget(
        job_id="01900000-0000-7000-8000-000000000000",
        user_id="benchmark",
        model_id="benchmark",
        media_type=MediaType.VIDEO,
        index=0,
        created_at=datetime.now(UTC),
    )
    source = GuardedOutputSource(AddressGuard(urlsplit(url).netloc))
    output = ProviderOutput(OutputKind.URL, url)
    steps = {"downloading": "downloading", "uploading": "uploading"}
    meter = WorkMeter(steps, 1, BucketPlace(BUCKET), target.created_at)
    of_output = meter.output(output, target)
    bucket = MeteredBucket(S3MediaBucket(client, BUCKET), of_output)
    copied = copy_output(output, target, bucket=bucket, source=MeteredSource(source, of_output))
    meter.stored()
    if sum(line.file_size or 0 for line in meter.completed().operations) != 2 * size:
        raise SystemExit(f"not measured: {meter.completed()!r}")
    if not isinstance(copied, CopiedObject) or copied.size != size:
        raise SystemExit(f"not copied: {copied!r}")
    return copied.key


def copy_plainly(client: Any, url: str, size: int) -> str:
    """What anybody would write: requests streams, each part goes to S3 when it is full; the key."""
    key = f"plain/{size}.mp4"
    upload_id = client.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
    parts: list[dict[str, Any]] = []
    with requests.get(url, stream=True, timeout=30) as response:
        while body := response.raw.read(PART_BYTES):
            number = len(parts) + 1
            stored = client.upload_part(
                Bucket=BUCKET, Key=key, UploadId=upload_id, PartNumber=number, Body=body
            )
            parts.append({"PartNumber": number, "ETag": stored["ETag"]})
    client.complete_multipart_upload(
        Bucket=BUCKET, Key=key, UploadId=upload_id, MultipartUpload={"Parts": parts}
    )
    return key


def peak_bytes() -> int:
    """The most memory that this process ever had resident.

    Linux's own ru_maxrss would count what the parent had when it started this process; VmHWM does not.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def main() -> None:
    """Copy, and print `{"seconds", "peakBytes", "key"}`."""
    how, size, video_url, s3_url = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
    client = boto3.Session().client(
        "s3",
        endpoint_url=s3_url,
        region_name="us-east-1",
        aws_access_key_id="benchmark",
        aws_secret_access_key="benchmark",  # noqa: S106 - nobody checks it
        config=Config(s3={"addressing_style": "path"}, max_pool_connections=10),
    )
    client.list_objects_v2(Bucket=BUCKET, Prefix="warm")
    begun = time.perf_counter()
    key = (copy_as_gateway if how == "gateway" else copy_plainly)(client, f"{video_url}/{size}.mp4", size)
    seconds = time.perf_counter() - begun
    print(json.dumps({"seconds": seconds, "peakBytes": peak_bytes(), "key": key}))


if __name__ == "__main__":
    main()
