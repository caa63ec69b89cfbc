"""What production code leaves in the record: one generation, one composed job, one read of a media URL, one sweep."""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest

from local.aws import CREDENTIALS, REGION
from local.backing.moto import REPOSITORY
from tests.e2e.caller import Caller

SIX_TABLES = (
    "jobs",
    "elements",
    "storage_operations",
    "processing_timeline",
    "url_access_logs",
    "system_metrics",
)
FUNCTIONS_OF_THE_DOCUMENT = {
    "create_job",
    "update_job_status",
    "add_job_element",
    "start_processing_step",
    "complete_processing_step",
    "log_storage_operation",
}


@pytest.fixture
def counting_calls(caller: Caller) -> Iterator[None]:
    """The server counts the calls of functions."""
    record = caller.cloud.record
    with psycopg.connect(record.superuser_url, autocommit=True) as connection:
        connection.execute("alter system set track_functions = 'all'")
        connection.execute("select pg_reload_conf()")
        connection.execute("select pg_stat_reset()")
        yield
        connection.execute("alter system reset track_functions")
        connection.execute("select pg_reload_conf()")


def compose(caller: Caller) -> str:
    """A composed job, made by a worker's process."""
    worker = caller.cloud.deployment.functions["vsl-local-store-result"].environment
    queues = caller.cloud.deployment.functions["vsl-local-advance-job"].environment
    done = subprocess.run(
        [sys.executable, "-m", "tests.e2e.compose", "local-developer"],
        cwd=REPOSITORY,
        env={
            **os.environ,
            **CREDENTIALS,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": caller.endpoints.aws_endpoint_url,
            **queues,
            **worker,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


def rows(caller: Caller, table: str) -> int:
    return int(caller.query(f"select count(*) from {table}")[0][0])  # noqa: S608 - a table of this file


def calls(caller: Caller) -> dict[str, int]:
    with psycopg.connect(caller.cloud.record.superuser_url, autocommit=True) as connection:
        return dict(connection.execute("select funcname, calls from pg_stat_user_functions").fetchall())


def read(caller: Caller, output_id: str) -> bytes:
    """The file behind a media URL, as a browser gets it."""
    answer = caller.api.get(f"/media/{output_id}")
    assert answer.status_code == 302, answer.text
    return httpx.get(answer.headers["location"], trust_env=False).content


@pytest.mark.usefixtures("counting_calls")
def test_the_gateways_own_work_fills_all_six_tables(caller: Caller) -> None:
    before = {table: rows(caller, table) for table in SIX_TABLES}

    job_id = caller.start("one generation")
    done = caller.ended(job_id)
    assert done["status"] == "completed"
    composed = compose(caller)
    file = read(caller, done["outputs"][0]["outputId"])
    assert len(file) == done["outputs"][0]["fileSize"]
    caller.start("in flight while the sweep looks [sim:late-webhook=10s]")
    caller.sweep()

    caller.until(
        lambda: {table: rows(caller, table) - before[table] for table in SIX_TABLES},
        lambda more: all(count > 0 for count in more.values()),
    )
    assert caller.until(lambda: calls(caller), lambda seen: seen.keys() >= FUNCTIONS_OF_THE_DOCUMENT)
    steps = caller.query(
        "select step, success, ended_at >= started_at from processing_timeline where job_id = %s"
        " order by started_at, step_order",
        job_id,
    )
    assert {step for step, *_ in steps} == {"submitting", "generating", "downloading", "uploading"}
    assert all(success and ordered for _, success, ordered in steps)
    measured = caller.query(
        "select step, cpu_usage, memory_usage from processing_timeline where job_id = %s and step <> 'generating'",
        job_id,
    )
    assert all(cpu is not None and memory > 1_000_000 for _, cpu, memory in measured)
    assert caller.status(composed)["status"] == "completed"


def test_the_sums_of_the_record_are_what_the_api_shows(caller: Caller) -> None:
    job_id = caller.start("shown by the API")
    caller.ended(job_id)
    details: dict[str, Any] = caller.api.get(f"/jobs/{job_id}").json()
    storage: dict[str, Any] = caller.api.get(f"/jobs/{job_id}/storage").json()
    timeline: dict[str, Any] = caller.api.get(f"/jobs/{job_id}/timeline").json()
    summary = caller.query(
        "select steps, storage_operations, outputs, output_bytes from job_summary where job_id = %s", job_id
    )[0]
    assert (len(timeline["data"]), len(storage["data"]), len(details["outputs"])) == summary[:3]
    assert sum(output["fileSize"] for output in details["outputs"]) == summary[3]
