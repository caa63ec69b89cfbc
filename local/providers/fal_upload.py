"""Outputs into the caller's bucket, by the S3 POST policy of ``x-app-fal-upload-policy``.

As fal does it: the answer names the object's address at once, and the file arrives there in the background.
Source: fal.ai/docs/documentation/model-apis/custom-output-storage.
"""

import asyncio
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import httpx

from local.providers.tasks import Task
from local.providers.world import World
from local.simulation.media_items import MediaItem

HEADER = "x-app-fal-upload-policy"
PLACEHOLDER = "${filename}"
LATE_SECONDS = 1.0


class PolicyError(ValueError):
    """The header is no policy that outputs can be sent with; the message is fal's answer."""


@dataclass(frozen=True)
class Policy:
    """Where a file may be posted, and the form that lets it in; its ``key`` has a place for the file's name."""

    url: str
    fields: Mapping[str, str]


def read_policy(headers: Mapping[str, str]) -> Policy | None:
    """The policy that came with a request, None without one. Raises PolicyError."""
    raw = headers.get(HEADER)
    if raw is None:
        return None
    try:
        policy = json.loads(raw)
        found = Policy(policy["url"], policy["fields"])
    except (ValueError, KeyError, TypeError) as error:
        raise PolicyError(f"Invalid {HEADER} header: not a policy ({error})") from error
    _check(found)
    return found


def store_outputs(world: World, task: Task) -> None:
    """Gives each file its address in the caller's bucket, and sends it there in the background."""
    policy: Policy | None = task.facts["policy"]
    if policy is None:
        return
    stored = []
    for item in task.files:
        key = policy.fields["key"].replace(PLACEHOLDER, f"{uuid.uuid4().hex}-{item.name}")
        stored.append(f"{policy.url.rstrip('/')}/{quote(key, safe='/~')}")
        if "lost-upload" not in task.faults:
            world.spawn(_post(world, task, policy, key, item))
    task.facts["stored"] = stored


async def _post(world: World, task: Task, policy: Policy, key: str, item: MediaItem) -> None:
    if "late-upload" in task.faults:
        await asyncio.sleep(task.faults.seconds("late-upload", LATE_SECONDS))
    fields = {**policy.fields, "key": key, "Content-Type": item.content_type}
    file = {"file": (item.name, item.bytes(), item.content_type)}
    try:
        answer = await world.http.post(policy.url, data=fields, files=file)
        result: int | str = answer.status_code
    except httpx.HTTPError as error:
        result = type(error).__name__
    task.deliveries.append({"kind": "upload", "key": key, "result": result})


def _check(policy: Policy) -> None:
    """fal takes https addresses of S3; here one on this machine will do as well, for its stand-in."""
    parts = urlsplit(policy.url) if isinstance(policy.url, str) else None
    if parts is None or not (parts.scheme == "https" or parts.hostname in ("127.0.0.1", "localhost")):
        raise PolicyError(f"Invalid {HEADER} 'url': must be an HTTPS S3 upload URL")
    if not isinstance(policy.fields, dict) or PLACEHOLDER not in str(policy.fields.get("key")):
        raise PolicyError(f"Invalid {HEADER} header: fields.key must contain '{PLACEHOLDER}'")
