"""Entries of configured providers: the example of the docs, and one whose answers come in an envelope with a code."""

import json
from pathlib import Path
from typing import Any

from lib.providers.http_adapter import HttpAdapter
from lib.providers.http_config import load_entries

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "provider-luma.json"

KLING_LIKE: dict[str, Any] = {
    "title": "Kling-like",
    "baseUrl": "https://api.kling.example",
    "modelPattern": "(?P<kind>text2video|image2video)/(?P<model>[a-z0-9-]+)",
    "submit": {
        "path": "/v1/videos/{kind}",
        "model": "model_name",
        "callback": "callback_url",
        "ownId": "external_task_id",
    },
    "submitSafety": "own_id",
    "id": "data.task_id",
    "status": {
        "at": "data.task_status",
        "words": {"submitted": "queued", "processing": "running", "succeed": "succeeded", "failed": "failed"},
    },
    "success": {"at": "code", "is": [0]},
    "outputs": ["data.task_result.videos[].url", "data.task_result.images[].url"],
    "failure": {
        "messages": ["data.task_status_msg", "message"],
        "code": "code",
        "rules": [
            {"codes": [1000, 1001, 1002, 1003, 1004], "kind": "authentication"},
            {"codes": [1100, 1101, 1102], "kind": "billing", "retryable": False},
            {"codes": [1302, 1303], "kind": "rate_limited"},
            {"codes": [1300, 1301], "kind": "moderation"},
            {"codes": [1200, 1201], "kind": "invalid_input"},
            {"codes": [1202, 1203], "kind": "not_found"},
            {"codes": [5000, 5001, 5002], "kind": "outage"},
        ],
    },
    "poll": {"path": "/v1/videos/{kind}/{id}"},
    "test": {"path": "/v1/videos/text2video", "query": {"pageNum": "1", "pageSize": "1"}},
    "webhook": {"proof": "token", "inside": "data"},
    "outputLifeSeconds": 2592000,
}


def luma_entry() -> dict[str, Any]:
    """The example's entry, to be changed."""
    entry: dict[str, Any] = json.loads(EXAMPLE.read_text(encoding="utf-8"))["providers"]["luma"]
    return entry


def adapter_of(entry: dict[str, Any], name: str = "shaped", base_url: str = "") -> HttpAdapter:
    """The adapter of an entry, through the checks that every configuration passes."""
    entries = load_entries(json.dumps({"providers": {name: entry}}))
    return HttpAdapter(entries[name], base_url)
