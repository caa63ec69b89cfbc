"""The status path loads quickly: nothing that it does not use (the time itself is measured by `make bench`)."""

import json
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
STATUS_PATH = (
    "lib.services.authenticate",
    "lib.services.fallback_cache",
    "lib.services.progress",
    "lib.services.read_status",
    "lib.stores.dynamodb_cache",
    "lib.stores.dynamodb_tier",
    "lib.stores.local_limiter",
    "lib.stores.record_tier",
    "lib.stores.redis_status",
    "lib.stores.redis_tier",
)
TOO_SLOW = {"asyncio", "boto3", "botocore", "psycopg", "pydantic", "redis", "requests", "ssl"}


def test_the_parts_of_the_status_path_load_no_driver_before_it_is_needed() -> None:
    script = f"import json, sys, {', '.join(STATUS_PATH)}; print(json.dumps(list(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=REPOSITORY
    )
    loaded = set(json.loads(done.stdout))
    assert set(STATUS_PATH) <= loaded
    assert not TOO_SLOW & loaded
