"""The example in docs/realtime.md does what the page says."""

import os
import re
import subprocess
import sys
from pathlib import Path

from lib.stores.postgres.record import PostgresRecord
from tests.integration.realtime_world import live

ROOT = Path(__file__).parents[2]


def test_the_example_follows_a_job_from_its_beginning_to_its_end(
    record: PostgresRecord, worker_url: str
) -> None:
    found = re.search(r"```python\n(.*?)```", (ROOT / "docs" / "realtime.md").read_text("utf-8"), re.DOTALL)
    assert found
    done = subprocess.run(
        [sys.executable, "-c", found[1], live(record)],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": worker_url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [line for line in lines if line[0].isdigit()] == [
        "1 pending queued created",
        "2 pending submitted submitted",
        "3 processing generating generating",
        "4 processing storing generated",
        "5 completed storing completed",
    ]
    steps = [line for line in lines if not line[0].isdigit()]
    assert {line.split()[0] for line in steps} <= {"started", "progressed", "ended"}
    assert {line.split()[1] for line in steps} <= {"submitting", "generating", "downloading", "uploading"}
