"""What all simulated providers share: files, faults by marker and by share, a log of requests, and the command."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import httpx
import pytest

from local.providers import fal, runway
from local.providers.media import FRAMES_PER_SECOND, draw_files
from local.providers.registry import MODULES, load
from local.providers.request_log import masked_key, multipart_parts
from local.providers.server import Providers, running
from local.providers.settings import Settings, settings_from
from local.providers.tasks import Wish
from local.replicate.catalogue import Kind
from local.simulation.draw.audio import CODECS

KEY = {"authorization": f"Key {fal.LOCAL_KEY}"}
RUNWAY = {"authorization": f"Bearer {runway.LOCAL_KEY}", "x-runway-version": runway.VERSION}
SMALL = {"width": 64, "height": 48}


@pytest.fixture(scope="module")
def providers() -> Iterator[Providers]:
    with running("fal", "runway", settings=Settings(latency=0.05, hold_seconds=0.3)) as providers:
        yield providers


@pytest.fixture
def at_fal(providers: Providers) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=providers.urls["fal"], headers=KEY, timeout=20) as client:
        client.post("/_sim/reset")
        yield client


@pytest.fixture
def at_runway(providers: Providers) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=providers.urls["runway"], headers=RUNWAY, timeout=20) as client:
        client.post("/_sim/reset")
        yield client


def submit(client: httpx.Client, prompt: str, **values: Any) -> httpx.Response:
    return client.post("/fal-ai/flux/schnell", json={"prompt": prompt, "image_size": SMALL, **values})


def made(client: httpx.Client, prompt: str, **values: Any) -> dict[str, Any]:
    """The result of a request once there is one."""
    request_id = submit(client, prompt, **values).raise_for_status().json()["request_id"]
    address = f"/fal-ai/flux/requests/{request_id}"
    while client.get(f"{address}/status").status_code == 202:
        time.sleep(0.005)
    result: dict[str, Any] = client.get(address).raise_for_status().json()
    return result


def file_of(client: httpx.Client, prompt: str, **values: Any) -> bytes:
    return httpx.get(made(client, prompt, **values)["images"][0]["url"]).content


def test_the_same_prompt_and_seed_give_the_same_file_and_others_another(at_fal: httpx.Client) -> None:
    first = file_of(at_fal, "a kite", seed=1)
    assert file_of(at_fal, "a kite", seed=1) == first
    assert file_of(at_fal, "a kite", seed=2) != first
    assert file_of(at_fal, "a boat", seed=1) != first


@pytest.mark.parametrize("extension", sorted(CODECS))
def test_audio_is_made_in_every_format_that_a_provider_may_offer(extension: str, tmp_path: Path) -> None:
    wish = Wish(kind=Kind.AUDIO, prompt="a tune", seed=1, seconds=0.5, format=extension, rate=24000)
    [file] = draw_files("test", wish, tmp_path)
    if extension == "pcm":
        assert file.path.stat().st_size == 24000 * 0.5 * 4  # samples of two bytes, for two ears
        return
    with av.open(str(file.path)) as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) > 10_000


def test_a_video_has_the_asked_size_and_length(tmp_path: Path) -> None:
    wish = Wish(kind=Kind.VIDEO, prompt="a kite", seed=1, width=129, height=96, seconds=2)
    [file] = draw_files("test", wish, tmp_path)
    with av.open(str(file.path)) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (128, 96)
        assert sum(1 for _ in container.decode(stream)) == 2 * FRAMES_PER_SECOND


def test_every_request_is_in_the_log_with_its_answer_and_without_its_key(at_fal: httpx.Client) -> None:
    submit(at_fal, "a kite", seed=5)
    at_fal.get("/fal-ai/flux/requests/unknown-id/status", params={"logs": "1"})
    first, second = at_fal.get("/_sim/log").json()["requests"]
    assert (first["method"], first["path"], first["status"]) == ("POST", "/fal-ai/flux/schnell", 200)
    assert first["body"] == {"prompt": "a kite", "image_size": SMALL, "seed": 5}
    assert first["headers"]["authorization"] == masked_key(KEY["authorization"])
    assert fal.LOCAL_KEY not in str(first)
    assert (second["query"], second["status"]) == ({"logs": "1"}, 404)


def test_the_log_is_filtered_by_parts_of_its_fields(at_fal: httpx.Client) -> None:
    submit(at_fal, "a kite")
    submit(at_fal, "a boat")
    [entry] = at_fal.get("/_sim/log", params={"body": "boat", "method": "POST"}).json()["requests"]
    assert entry["body"]["prompt"] == "a boat"


def test_a_multipart_body_is_read_part_by_part() -> None:
    request = httpx.Request(
        "POST",
        "http://x",
        data={"prompt": "café"},
        files={"image": ("a.png", b"\x89PNG", "image/png")},
    )
    parts = multipart_parts(request.headers["content-type"], request.read())
    assert {part["name"]: part for part in parts} == {
        "prompt": {"name": "prompt", "filename": None, "contentType": None, "size": 5, "value": "café"},
        "image": {"name": "image", "filename": "a.png", "contentType": "image/png", "size": 4},
    }


def test_a_fault_by_marker_strikes_as_often_as_it_says(at_fal: httpx.Client) -> None:
    assert [submit(at_fal, "a kite [sim:503=x2]").status_code for _ in range(3)] == [503, 503, 200]
    assert [submit(at_fal, "a kite [sim:429=3s]").status_code for _ in range(2)] == [429, 200]
    assert submit(at_fal, "a boat [sim:429=3s]").headers["retry-after"] == "3"


def test_a_fault_by_share_is_one_providers_alone(at_fal: httpx.Client, at_runway: httpx.Client) -> None:
    at_fal.put("/_sim/faults", json={"faults": {"503": 1.0}}).raise_for_status()
    task = {"model": "gen4_image", "promptText": "a kite", "ratio": "720:720"}
    assert submit(at_fal, "a kite").status_code == 503
    assert at_runway.post("/v1/text_to_image", json=task).status_code == 200
    at_fal.post("/_sim/reset")
    assert submit(at_fal, "a kite").status_code == 200


def test_a_fault_that_nobody_knows_is_refused_with_those_that_are_known(at_fal: httpx.Client) -> None:
    for answer in (
        submit(at_fal, "a kite [sim:gremlins]"),
        at_fal.put("/_sim/faults", json={"faults": {"gremlins": 1}}),
        at_fal.put("/_sim/faults", json=[]),
    ):
        assert answer.status_code == 400
    assert "lost-webhook" in submit(at_fal, "a kite [sim:gremlins]").json()["error"]


def test_silence_and_a_reset_are_no_answers(at_fal: httpx.Client) -> None:
    for fault in ("no-answer", "accept-no-answer", "reset"):
        with pytest.raises(httpx.RemoteProtocolError if fault != "reset" else httpx.ReadError):
            submit(at_fal, f"a kite [sim:{fault}]")


def test_outputs_are_gone_false_or_huge_if_asked_to(at_fal: httpx.Client) -> None:
    def url(fault: str) -> str:
        return str(made(at_fal, f"a kite [sim:{fault}]")["images"][0]["url"])

    assert httpx.get(url("expired-output")).status_code == 404
    assert httpx.get(url("wrong-type")).text.startswith("<!doctype html>")
    assert httpx.head(url("huge-output=30MB")).headers["content-length"] == "30000000"
    part = httpx.get(url("none"), headers={"range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, b"\x89PNG")


def test_a_key_that_reaches_the_media_host_is_a_leak(at_fal: httpx.Client) -> None:
    url = made(at_fal, "a kite")["images"][0]["url"]
    httpx.get(url)
    before = len(at_fal.get("/_sim/media").json()["leaks"])
    httpx.get(url, headers=KEY)
    assert len(at_fal.get("/_sim/media").json()["leaks"]) == before + 1


def test_a_reset_forgets_the_tasks_of_one_provider(at_fal: httpx.Client, at_runway: httpx.Client) -> None:
    task = {"model": "gen4_image", "promptText": "a kite", "ratio": "720:720"}
    kept = at_runway.post("/v1/text_to_image", json=task).json()["id"]
    lost = submit(at_fal, "a kite").json()["request_id"]
    assert at_fal.get(f"/_sim/tasks/{lost}").json()["prompt"] == "a kite"
    at_fal.post("/_sim/reset")
    assert at_fal.get(f"/_sim/tasks/{lost}").status_code == 404
    assert at_runway.get(f"/v1/tasks/{kept}").status_code == 200


@pytest.mark.parametrize("name", sorted(MODULES))
def test_every_simulated_provider_has_a_name_a_key_and_addresses(name: str) -> None:
    module = load(name)
    assert name == module.NAME
    assert module.LOCAL_KEY
    assert all("127.0.0.1:1" in address for address in module.addresses("http://127.0.0.1:1").values())


def test_settings_come_from_variables_and_a_wrong_one_is_named() -> None:
    read = settings_from({"SIM_LATENCY": "0.5", "SIM_WEBHOOK_RETRIES": "1,2"}, host=None, media_port=7)
    assert (read.latency, read.webhook_retry_seconds, read.media_port) == (0.5, (1.0, 2.0), 7)
    with pytest.raises(ValueError, match="SIM_SEED='x'"):
        settings_from({"SIM_SEED": "x"})


def test_the_command_says_where_they_are_and_stops_at_a_signal() -> None:
    command = [sys.executable, "-m", "local.providers", "--only", "fal,runway"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        word, _, addresses = process.stdout.readline().partition(" ")
        urls = json.loads(addresses)
        assert (word, sorted(urls)) == ("ready", ["fal", "media", "runway"])
        assert httpx.get(f"{urls['fal']}/.well-known/jwks.json").status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


@pytest.mark.parametrize(
    "arguments", [["--only", "gremlins"], ["--media-port", "70000"]], ids=["unknown", "no port"]
)
def test_the_command_fails_with_a_reason(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "local.providers", *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "the provider simulators cannot start" in done.stderr


def test_a_port_in_use_is_told_and_leaves_nothing_behind(providers: Providers) -> None:
    taken = int(providers.urls["fal"].rpartition(":")[2])
    with (
        pytest.raises(OSError, match="in use"),
        running("runway", settings=Settings(ports={"runway": taken})),
    ):
        pass


def test_faults_that_are_none_are_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="gremlins"), running("fal", settings=Settings(faults="gremlins:1")):
        pass
