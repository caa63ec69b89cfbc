"""`python -m local` as a process: it says what it needs, and leaves nothing behind however it is ended."""

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from local.backing.moto import REPOSITORY
from tests.fixtures.local_cloud.templates import api, function, write_assembly

WAIT_SECONDS = 60.0


class Run:
    """`python -m local` with a template and a directory of the test's own, AWS being the only service."""

    def __init__(self, directory: Path, port: int = 0) -> None:
        self.directory = directory / "run"
        resources = {
            "Greet": function("greet"),
            "Slow": function("sleep"),
            **api({"GET /": "Greet", "GET /s": "Slow"}),
        }
        assembly = write_assembly(directory / "assembly", app={"Resources": resources})
        program = f"""
            import sys
            from pathlib import Path
            import local.__main__ as program
            from local.settings import CloudSettings, Part
            program.settings_from = lambda environment: CloudSettings(
                port={port},
                directory=Path({str(self.directory)!r}),
                template=Path({str(assembly)!r}),
                parts=frozenset({{Part.AWS}}),
                warm=True,
            )
            sys.exit(program.main())
        """
        self.process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(program)],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def ready(self) -> str:
        """The API's address, when it is announced."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not (self.directory / "endpoints.json").exists():
            assert self.process.poll() is None, self.output()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        address: str = json.loads((self.directory / "endpoints.json").read_text())["apiUrl"]
        return address

    def family(self) -> list[psutil.Process]:
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]

    def output(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.read()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    started = Run(tmp_path)
    yield started
    started.close()


def assert_gone(family: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(family, timeout=20)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_stops_everything_and_the_exit_is_clean(run: Run, number: signal.Signals) -> None:
    address = run.ready()
    assert requests.get(f"{address}/", timeout=20).text == "none"
    family = run.family()
    assert len(family) > 3
    run.process.send_signal(number)
    assert run.process.wait(20) == 0
    assert_gone(family)
    said = run.output()
    assert address in said
    assert "GET  /  200" in said
    assert "Traceback" not in said


def test_a_second_signal_while_stopping_kills_what_is_left(run: Run) -> None:
    run.ready()
    family = run.family()
    run.process.send_signal(signal.SIGINT)
    run.process.send_signal(signal.SIGTERM)  # another one: two of a kind could arrive as one
    assert run.process.wait(20) == 128 + signal.SIGTERM
    assert_gone(family)


def test_nothing_survives_a_kill_of_the_local_cloud(run: Run) -> None:
    run.ready()
    family = run.family()
    os.kill(run.process.pid, signal.SIGKILL)
    run.process.wait(20)
    assert_gone(family)


def test_a_signal_while_starting_leaves_nothing_behind(run: Run) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while len(family := run.family()) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    run.process.send_signal(signal.SIGINT)
    assert run.process.wait(20) == 0
    assert_gone(family)
    assert "Traceback" not in run.output()


def test_a_port_in_use_is_one_clear_line_and_exit_code_1(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = Run(tmp_path, port=port)
        assert refused.process.wait(30) == 1
        said = refused.output().strip().splitlines()
        refused.close()
    assert said[-1] == (
        f"cannot start: the API cannot listen on 127.0.0.1:{port}: the port is in use; choose another with PORT=..., "
        "or PORT=0 for a free one"
    )


def test_a_port_that_is_none_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "local"],
        cwd=REPOSITORY,
        env={**os.environ, "PORT": "http"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.strip() == "PORT is 'http'; it must be a number from 0 (a free port) to 65535"
