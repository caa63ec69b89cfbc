"""Each function loads only what its path uses, and reads nothing of its surroundings while it is imported."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lib.providers.registry import ADAPTERS

REPOSITORY = Path(__file__).resolve().parents[2]
HEAVY = frozenset(
    {"av", "boto3", "botocore.session", "jsonschema", "PIL", "psycopg", "pydantic", "redis", "requests"}
)
MAY_LOAD = {
    "get_status": frozenset[str](),
    "describe_api": frozenset[str](),
    "read_analytics": frozenset[str](),
    "manage_jobs": frozenset[str](),
    "manage_providers": frozenset[str](),
    "migrate_database": frozenset[str](),
    "check_replicate_status": frozenset[str](),
    "process_webhook": frozenset[str](),
    "receive_upload": frozenset[str](),
    "generate_media": frozenset({"pydantic", "jsonschema"}),
    "advance_job": frozenset[str](),
    "submit_job": frozenset[str](),
    "store_result": frozenset[str](),
}


def loaded_by(script: str, **environment: str) -> set[str]:
    """The modules that a fresh Python has after `script`."""
    script += "; import json, sys; print(json.dumps(list(sys.modules)))"
    bare = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LD_LIBRARY_PATH")}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=REPOSITORY,
        env={**bare, **environment},
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("name", sorted(MAY_LOAD))
def test_a_function_is_imported_without_what_it_does_not_need(name: str) -> None:
    loaded = loaded_by(f"import handlers.{name}")
    assert sorted(HEAVY & loaded - MAY_LOAD[name]) == []


def test_every_function_is_held_to_it() -> None:
    names = {path.stem for path in (REPOSITORY / "handlers").glob("*.py")} - {"__init__"}
    assert names == set(MAY_LOAD)


def test_a_status_is_answered_without_them_too() -> None:
    script = """
import json, sys
from lib import bootstrap
from lib.domain.api_key import ApiKey, CachedKey
from lib.stores.redis_status import FastStatus
from tests.fakes.events import Context, JOB_ID, request
from tests.fakes.snapshots import snapshot
now = bootstrap.clock()
output = {"index": 0, "key": "media/u/0.webp", "thumbnailKey": "media/u/0-thumb.webp", "fileSize": 1}
job = snapshot(JOB_ID, status="completed", step="storing", outputs=[output])
class Fast:
    def read(self, key_hash, job_id):
        return FastStatus(CachedKey(ApiKey("k", "user-1"), now), job, None)
bootstrap.fast_path = lambda: Fast()
bootstrap.redis = lambda: None
from handlers.get_status import handler
answer = handler(request("get_status", key="vsl_" + "A" * 43), Context())
assert answer["statusCode"] == 200, answer
assert "X-Amz-Signature" in answer["body"]
""".strip()
    environment = {
        "DATABASE_URL": "postgresql://x/y",
        "DYNAMODB_TABLE": "t",
        "CACHE_TABLE": "c",
        "S3_BUCKET": "b",
        "ADVANCE_QUEUE_URL": "https://sqs.example.com/a",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
    }
    loaded = loaded_by(f"exec({script!r})", **environment)
    assert sorted(HEAVY & loaded) == []


def test_an_adapter_is_loaded_alone_and_what_only_some_calls_of_it_need_is_not() -> None:
    modules = {registration.adapter.partition(":")[0] for registration in ADAPTERS.values()}
    for name, registration in ADAPTERS.items():
        loaded = loaded_by(f"from lib.providers.registry import load_adapter; load_adapter({name!r})")
        assert loaded & modules == {registration.adapter.partition(":")[0]}
        assert loaded & {"cryptography", "jwt", "requests", "boto3", "jsonschema"} == set()
