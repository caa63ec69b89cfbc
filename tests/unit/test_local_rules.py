"""Small rules of the local cloud: schedules, reports of failed messages, log lines, secrets, resource types."""

import json
import string
from datetime import UTC, datetime
from typing import Any

import pytest

from local.console import readable
from local.events import failed_ids
from local.resources import registry
from local.resources.secrets import generate
from local.schedule_expression import next_run

AFTER = datetime(2026, 11, 20, 19, 3, 30, tzinfo=UTC)  # a Friday


@pytest.mark.parametrize(
    ("expression", "due"),
    [
        ("rate(5 minutes)", "2026-11-20T19:08:30"),
        ("rate(1 hour)", "2026-11-20T20:03:30"),
        ("rate(2 days)", "2026-11-22T19:03:30"),
        ("cron(0/15 * * * ? *)", "2026-11-20T19:15:00"),
        ("cron(0 3 * * ? *)", "2026-11-21T03:00:00"),
        ("cron(30 8 ? * MON-FRI *)", "2026-11-23T08:30:00"),
        ("cron(0 0 1 JAN ? *)", "2027-01-01T00:00:00"),
        ("cron(5,10 19 20 11 ? 2026)", "2026-11-20T19:05:00"),
        ("cron(0 12 29 2 ? *)", "2028-02-29T12:00:00"),
    ],
)
def test_the_next_time_of_a_schedule(expression: str, due: str) -> None:
    assert next_run(expression, AFTER) == datetime.fromisoformat(due).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "expression",
    [
        "rate(5)",
        "every day",
        "cron(* * * * *)",
        "cron(61 * * * ? *)",
        "cron(0 0 L * ? *)",
        "cron(0 0 1 1 ? 2020)",
    ],
)
def test_a_schedule_that_is_not_understood_or_never_due_is_an_error(expression: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        next_run(expression, AFTER)


BATCH: list[dict[str, Any]] = [{"MessageId": "a"}, {"MessageId": "b"}]


@pytest.mark.parametrize(
    "answer", [b"", b"null", b"{}", b'{"batchItemFailures": []}', b'{"batchItemFailures": null}']
)
def test_nothing_reported_means_success(answer: bytes) -> None:
    assert failed_ids(answer, BATCH) == set()


def test_the_reported_messages_failed() -> None:
    assert failed_ids(b'{"batchItemFailures": [{"itemIdentifier": "b"}]}', BATCH) == {"b"}


@pytest.mark.parametrize(
    "answer",
    [
        b"no json",
        b'"text"',
        b'{"batchItemFailures": {"itemIdentifier": "a"}}',
        b'{"batchItemFailures": [{"itemIdentifier": ""}]}',
        b'{"batchItemFailures": [{"itemIdentifier": null}]}',
        b'{"batchItemFailures": [{"itemIdentifier": "unknown"}]}',
        b'{"batchItemFailures": ["a"]}',
    ],
)
def test_a_report_that_is_none_fails_the_whole_batch(answer: bytes) -> None:
    assert failed_ids(answer, BATCH) == {"a", "b"}


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        (
            {
                "level": "INFO",
                "message": "copied",
                "jobId": "0190-1234-5678-9abc",
                "status": "processing",
                "step": "storing",
            },
            "job 0190-1234-56  processing/storing  [store-result] copied",
        ),
        (
            {"level": "INFO", "message": {"jobId": "j", "step": "submitted"}, "shortId": "AbC"},
            "job AbC  submitted  [store-result]",
        ),
        ({"level": "WARNING", "message": "redis is away"}, "WARNING [store-result] redis is away"),
        ({"level": "INFO", "message": "hello"}, None),
        ({"_aws": {"CloudWatchMetrics": []}, "JobStarted": 1}, None),
    ],
)
def test_a_json_log_line_becomes_one_for_people(entry: dict[str, Any], line: str | None) -> None:
    assert readable("vsl-local-store-result", json.dumps(entry)) == line


def test_a_line_that_is_no_json_is_only_kept_in_the_log() -> None:
    assert readable("f", "{broken") is None
    assert readable("f", "plain text") is None


def test_a_generated_secret_follows_its_rules() -> None:
    plain = generate({"PasswordLength": 64, "ExcludePunctuation": True, "ExcludeCharacters": "aA0"})
    assert len(plain) == 64
    assert set(plain) <= set(string.ascii_letters + string.digits) - set("aA0")
    keyed = json.loads(generate({"SecretStringTemplate": '{"user": "x"}', "GenerateStringKey": "password"}))
    assert keyed["user"] == "x"
    assert len(keyed["password"]) == 32


def test_no_resource_type_is_declared_twice() -> None:
    """What has an effect is not at the same time said to have none: the later would win in silence."""
    declared = [name for module in registry.MODULES for name in module.KINDS]
    assert len(declared) == len(set(declared)) == len(registry.KINDS)
