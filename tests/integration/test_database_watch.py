"""`python -m lib.database watch`: an operator sees what happens to jobs, and ends it with Ctrl-C."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from lib import bootstrap
from lib.database.__main__ import main
from lib.stores.postgres.realtime import PostgresSubscriptions
from lib.stores.postgres.record import PostgresRecord
from tests.fakes.wired import forget_everything
from tests.integration.realtime_world import create, live, submit

FROM_BEGINNING_TO_END = [
    ["v1", "pending/queued", "created"],
    ["v2", "pending/submitted", "submitted"],
    ["v3", "processing/generating", "generating"],
    ["v4", "processing/storing", "generated"],
    ["v5", "completed/storing", "completed"],
]


def told(line: str, job_id: str) -> list[str]:
    """Version, status with step, and event of a line about this job."""
    _, job, version, where, attempt, event, *_ = line.split("  ")
    assert (job, attempt) == (job_id, "attempt 1")
    return [version, where, event.strip()]


@pytest.fixture
def address(owner_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The migrator's, in DATABASE_URL."""
    forget_everything()
    monkeypatch.setenv("DATABASE_URL", owner_url)
    yield owner_url
    forget_everything()


@contextmanager
def an_analyst(superuser_url: str) -> Iterator[str]:
    """The address of a login of the group of analysts."""
    name = f"analyst_{uuid4().hex[:8]}"
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute(f"create role {name} login in role vsl_analyst".encode())
        try:
            yield superuser_url.replace("//postgres@", f"//{name}@")
        finally:
            connection.execute(f"drop role {name}".encode())


def watching(address: str) -> "subprocess.Popen[str]":
    """The command in a process of its own, which listens already."""
    # Where the tests run in the background Ctrl-C may be ignored, and a child inherits that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "lib.database", "watch"],
            env=os.environ | {"DATABASE_URL": address},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    finally:
        signal.signal(signal.SIGINT, before)
    assert process.stderr is not None
    assert process.stderr.readline() == "listening; Ctrl-C ends it\n"
    return process


def test_one_job_is_told_from_its_beginning_to_its_end(
    record: PostgresRecord, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    create(record)
    job_id = live(record)

    assert main(["watch", job_id.upper()]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert [told(line, job_id) for line in lines] == FROM_BEGINNING_TO_END


def test_an_analyst_may_watch(
    record: PostgresRecord,
    address: str,
    superuser_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    job_id = live(record)
    with an_analyst(superuser_url) as analyst:
        monkeypatch.setenv("DATABASE_URL", analyst)
        assert main(["watch", job_id]) == 0
    assert told(capsys.readouterr().out.splitlines()[-1], job_id) == FROM_BEGINNING_TO_END[-1]


def test_all_jobs_are_told_from_now_on_until_ctrl_c(record: PostgresRecord, address: str) -> None:
    create(record)
    with watching(address) as process:
        assert process.stdout is not None
        job_id = create(record)
        assert told(process.stdout.readline(), job_id) == FROM_BEGINNING_TO_END[0]
        submit(record, job_id)
        line = process.stdout.readline()
        assert told(line, job_id) == FROM_BEGINNING_TO_END[1]
        assert f'{{"providerJobId": "p-{job_id}"}}' in line
        process.send_signal(signal.SIGINT)
        out, complained = process.communicate(timeout=20)
        assert (process.returncode, out, complained) == (0, "", "")


def test_what_is_no_id_of_a_job_is_refused(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["watch", "FzQvCQK6o3L"])
    assert ended.value.code == 2
    assert "must be a job's id, a UUID" in capsys.readouterr().err


@pytest.mark.parametrize(("given", "a_second"), [("", 10), ("3", 3)])
def test_how_often_is_read_is_a_setting(
    address: str, monkeypatch: pytest.MonkeyPatch, given: str, a_second: int
) -> None:
    monkeypatch.setenv("REALTIME_EVENTS_PER_SECOND", given)
    seen: list[Any] = []
    made = PostgresSubscriptions.__init__

    def noted(self: PostgresSubscriptions, *words: Any, pace: Any, **others: Any) -> None:
        seen.append(pace.events_per_second)
        made(self, *words, pace=pace, **others)

    monkeypatch.setattr(PostgresSubscriptions, "__init__", noted)
    bootstrap.subscriptions().close()
    assert seen == [a_second]
