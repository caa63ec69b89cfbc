"""Starting and stopping: the program's line, its settings, and ports that are taken."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from local.replicate.__main__ import main
from local.replicate.server import running
from local.replicate.settings import Settings, WaitOutputs, settings_from

READY = re.compile(r"ready api=(http://127\.0\.0\.1:\d+) media=(http://127\.0\.0\.1:\d+)\n")
ROOT = Path(__file__).parents[2]


def test_the_program_says_when_it_is_ready_serves_and_stops_on_a_signal() -> None:
    command = [sys.executable, "-m", "local.replicate", "--port", "0", "--media-port", "0"]
    environment = {**os.environ, "SIM_LATENCY": "0"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        found = READY.fullmatch(program.stdout.readline())
        assert found is not None
        answer = httpx.get(f"{found[1]}/v1/account", headers={"authorization": "Bearer r8_local_simulator"})
        assert answer.json()["username"] == "simulator"
        assert httpx.get(f"{found[2]}/").status_code == 404
        program.send_signal(signal.SIGTERM)
        assert program.wait(10) == 0


def test_a_port_in_use_is_said_and_not_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--port", str(port)]) == 1
        assert "in use" in capsys.readouterr().err
        with pytest.raises(OSError, match="in use"), running(Settings(media_port=port)):
            raise AssertionError("it must not start")


def test_settings_come_from_variables_and_what_is_given_wins() -> None:
    environment = {
        "SIM_LATENCY": "0.5",
        "SIM_FAULTS": "lost-webhook:0.05",
        "SIM_WEBHOOK_RETRIES": "0.1,0.2",
        "SIM_WAIT_OUTPUTS": "url",
        "SIM_SEED": "7",
    }
    settings = settings_from(environment, port=8001, host=None, latency=2.0)
    assert (settings.port, settings.host, settings.latency, settings.seed) == (8001, "127.0.0.1", 2.0, 7)
    assert (settings.webhook_retry_seconds, settings.wait_outputs) == ((0.1, 0.2), WaitOutputs.URL)
    assert settings.faults == "lost-webhook:0.05"


def test_a_setting_that_is_none_is_named_with_its_value() -> None:
    with pytest.raises(ValueError, match="SIM_LATENCY='fast'"):
        settings_from({"SIM_LATENCY": "fast"})


def test_wrong_faults_stop_the_start_with_a_reason(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIM_FAULTS", "nothing:1")
    assert main([]) == 1
    assert "knows no fault 'nothing'" in capsys.readouterr().err
