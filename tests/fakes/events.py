"""Events as AWS sends them, from tests/events, and the context of an invocation."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "events"
JOB_ID = "019a5f3e-7c1b-7d42-9a06-2f1d6f0c8b51"


@dataclass
class Context:
    """The part of Lambda's context that the functions use."""

    remaining_milliseconds: int = 300_000
    aws_request_id: str = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
    log_stream_name: str = "2026/11/20/[$LATEST]abc"
    function_name: str = "vsl-test"

    def get_remaining_time_in_millis(self) -> int:
        """How long the invocation may still take."""
        return self.remaining_milliseconds


def event(name: str) -> dict[str, Any]:
    """The event of `tests/events/{name}.json`."""
    read: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return read


def request(
    name: str,
    *,
    key: str | None = None,
    headers: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
    path: str | None = None,
    method: str | None = None,
    body: Any = None,
) -> dict[str, Any]:
    """An API Gateway event with some things otherwise; a body that is no text is sent as JSON."""
    built = event(name)
    if key is not None:
        built["headers"]["authorization"] = f"Bearer {key}"
    built["headers"].update(headers or {})
    if query is not None:
        built["queryStringParameters"] = query
    if path is not None:
        built["rawPath"] = built["requestContext"]["http"]["path"] = path
    if method is not None:
        built["requestContext"]["http"]["method"] = method
    if body is not None:
        built["body"] = body if isinstance(body, str) else json.dumps(body)
    return built


def sqs_event(*bodies: Any) -> dict[str, Any]:
    """A batch of messages, numbered `message-0` onwards."""
    record = event("sqs")["Records"][0]
    return {
        "Records": [
            {
                **record,
                "messageId": f"message-{index}",
                "body": body if isinstance(body, str) else json.dumps(body),
            }
            for index, body in enumerate(bodies)
        ]
    }


def body_of(answer: dict[str, Any]) -> dict[str, Any]:
    """The JSON object that was answered."""
    read: dict[str, Any] = json.loads(answer["body"])
    return read


def failed_messages(answer: dict[str, Any]) -> list[str]:
    """Which messages of a batch come again."""
    return [item["itemIdentifier"] for item in answer["batchItemFailures"]]
