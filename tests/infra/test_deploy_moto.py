"""`make deploy` as a smoke test: the real CDK command line deploys every stack to moto's server.

moto calls the function of the custom resource in a thread of its own, where it fails without Docker, and does
not wait for its answer; the template is the one that operators deploy. (Migrations as CloudFormation runs them
are tested with the function itself.) moto skips types that it does not know, and keeps no outputs of a change
set, so the resources themselves are looked for.
"""

import contextlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest

from infra.bundle_paths import ROOT
from infra.functions import FUNCTIONS
from tests.infra.conftest import bare_environment

# In a new checkout npm fetches the CDK command line first, over whatever network there is.
pytestmark = pytest.mark.timeout(900)

REGION = "eu-west-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": REGION}


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of moto's server, by the name that lets S3 keep buckets in paths."""
    log = tmp_path_factory.mktemp("moto") / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=bare_environment(PYTHONUNBUFFERED="1"),
        )
    try:
        yield f"http://localhost:{_port(log, process)}"
    finally:
        process.terminate()
        process.wait(timeout=20)


def _port(log: Path, process: subprocess.Popen[bytes]) -> int:
    """The port that moto says it took."""
    while process.poll() is None:
        if match := re.search(r"Running on http://127\.0\.0\.1:(\d+)", log.read_text()):
            return int(match[1])
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.1)
    raise AssertionError(log.read_text())


@pytest.fixture(scope="module")
def deployment(moto: str, tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """The finished deployment of stage `smoke`."""
    environment = bare_environment(
        **CREDENTIALS,
        AWS_ENDPOINT_URL=moto,
        HOME=str(tmp_path_factory.mktemp("home")),
        VSL_STAGE="smoke",
        VSL_BUNDLE="0",
        DATABASE_URL="postgresql://user:password@db.example.com/gateway",
        REPLICATE_API_TOKEN="r8_smoke",
        RATE_LIMIT_PER_HOUR="7",
    )
    assembly = tmp_path_factory.mktemp("assembly")
    return subprocess.run(
        [sys.executable, "-m", "infra.deploy", "--output", str(assembly)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def _client(moto: str, service: str) -> Any:
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
    return session.client(service, endpoint_url=moto)


def test_every_stack_is_deployed(moto: str, deployment: subprocess.CompletedProcess[str]) -> None:
    assert deployment.returncode == 0, deployment.stdout + deployment.stderr
    stacks = _client(moto, "cloudformation").describe_stacks()["Stacks"]
    assert {stack["StackName"]: stack["StackStatus"] for stack in stacks} == {
        "CDKToolkit": "CREATE_COMPLETE",
        "Vsl-smoke-data": "CREATE_COMPLETE",
        "Vsl-smoke-app": "CREATE_COMPLETE",
        "Vsl-smoke-observability": "CREATE_COMPLETE",
    }


def test_the_functions_stand_with_what_the_operator_set(
    moto: str, deployment: subprocess.CompletedProcess[str]
) -> None:
    assert deployment.returncode == 0, deployment.stderr
    client = _client(moto, "lambda")
    pages = client.get_paginator("list_functions").paginate()
    names = {function["FunctionName"] for page in pages for function in page["Functions"]}
    assert names == {f"vsl-smoke-{spec.dashed}" for spec in FUNCTIONS}
    configuration = client.get_function_configuration(FunctionName="vsl-smoke-generate-media")
    variables = configuration["Environment"]["Variables"]
    assert variables["RATE_LIMIT_PER_HOUR"] == "7"
    assert variables["DYNAMODB_TABLE"] == "vsl-smoke-realtime-jobs"
    assert variables["ADVANCE_QUEUE_URL"].endswith("/vsl-smoke-advance")


def test_state_and_queues_stand_under_their_names(
    moto: str, deployment: subprocess.CompletedProcess[str]
) -> None:
    assert deployment.returncode == 0, deployment.stderr
    tables = _client(moto, "dynamodb").list_tables()["TableNames"]
    buckets = [bucket["Name"] for bucket in _client(moto, "s3").list_buckets()["Buckets"]]
    queues = [url.rpartition("/")[2] for url in _client(moto, "sqs").list_queues()["QueueUrls"]]
    assert {"vsl-smoke-realtime-jobs", "vsl-smoke-gateway-cache"} <= set(tables)
    assert "vsl-smoke-media-123456789012" in buckets
    assert {"vsl-smoke-advance", "vsl-smoke-store", "vsl-smoke-store-dead-letters"} <= set(queues)


def test_the_operators_secrets_are_saved_and_shown_to_nobody(
    moto: str, deployment: subprocess.CompletedProcess[str]
) -> None:
    saved = _client(moto, "secretsmanager").get_secret_value(SecretId="vsl/smoke/providers/replicate")
    assert saved["SecretString"] == "r8_smoke"
    assert "r8_smoke" not in deployment.stdout + deployment.stderr
    assert "password" not in deployment.stdout + deployment.stderr


def test_each_kind_of_function_has_a_login_of_its_own_and_the_migrations_know_of_a_change(
    moto: str, deployment: subprocess.CompletedProcess[str]
) -> None:
    assert deployment.returncode == 0, deployment.stderr
    secrets = _client(moto, "secretsmanager")
    logins = {
        name: urlsplit(secrets.get_secret_value(SecretId=f"vsl/smoke/database/{name}")["SecretString"])
        for name in ("migrator", "main", "worker")
    }
    assert {name: parts.username for name, parts in logins.items()} == {
        "migrator": "user",
        "main": "vsl_smoke_api",
        "worker": "vsl_smoke_worker",
    }
    assert not [parts for parts in logins.values() if str(parts.password) in deployment.stdout]
    (stack,) = _client(moto, "cloudformation").describe_stacks(StackName="Vsl-smoke-app")["Stacks"]
    given = {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in stack["Parameters"]}
    assert re.fullmatch("[0-9a-f]{16}", given["DatabaseLogins"])
