"""The README's requests, run as they stand there, give what they promise: an image, a video, a sound and a text."""

import io
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

from local.cloud import LocalCloud
from tests.e2e.caller import Caller

README = Path(__file__).parents[2] / "README.md"


def shell_blocks(first: str, last: str) -> str:
    """All `sh` blocks between two headings, as one script."""
    text = README.read_text()
    chapter = text[text.index(f"\n## {first}\n") : text.index(f"\n## {last}\n")]
    blocks = re.findall(r"```sh\n(.*?)```", chapter, re.DOTALL)
    assert blocks
    return "\n".join(blocks)


def test_the_first_requests_give_files_that_are_what_their_status_says(
    caller: Caller, cloud: LocalCloud
) -> None:
    place = cloud.settings.directory.parent
    script = "set -e\n" + shell_blocks("First requests", "Deploying")
    done = subprocess.run(
        ["bash", "-c", script], cwd=place, capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert done.stdout.count('"status": "completed"') == 6
    assert "invalid_parameters" in done.stdout
    assert "8 s is what" in done.stdout
    assert '"isValid":true' in done.stdout
    assert "HTTP 204" in done.stdout
    files = place / ".local"
    with Image.open(files / "lighthouse.webp") as image:
        image.load()
        assert facts(caller, "image") == (*image.size, None, (files / "lighthouse.webp").stat().st_size)
    for name, media_type in (("sunset.mp4", "video"), ("piano.wav", "audio")):
        body = (files / name).read_bytes()
        with av.open(io.BytesIO(body), "r") as container:
            stream = container.streams.video[0] if media_type == "video" else container.streams.audio[0]
            assert len(list(container.decode(stream))) > 10
            assert container.duration is not None
            seconds = container.duration / av.time_base
            width, height = getattr(stream, "width", None), getattr(stream, "height", None)
        told = facts(caller, media_type)
        assert told == (width, height, pytest.approx(seconds, abs=0.001), len(body))
    assert len((files / "sea.txt").read_text()) > 20


def facts(caller: Caller, media_type: str) -> tuple[Any, ...]:
    """Width, height, duration and size of the newest completed job's result, but for the fault dial's."""
    listed = caller.api.get("/jobs", params={"mediaType": media_type, "status": "completed", "limit": 2})
    assert listed.status_code == 200, listed.text
    jobs = listed.json()["data"]
    result = jobs[1 if media_type == "image" else 0]["result"]
    assert result, json.dumps(jobs)
    return result["width"], result["height"], result["duration"], result["fileSize"]
