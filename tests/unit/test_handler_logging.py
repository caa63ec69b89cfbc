"""What is logged and counted: JSON lines that belong to their request, without secrets."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from lib.aws import logging as logs
from lib.aws.journal import LoggedJournal
from lib.aws.metrics import EmfMetrics
from lib.aws.redaction import redact
from lib.domain.ids import uuid7
from lib.domain.snapshot import JobSnapshot
from lib.ports.correlation import CorrelatedQueue, current_request_id, working_for
from tests.fakes.metrics import FakeMetrics
from tests.fakes.queue import FakeQueue
from tests.fakes.snapshots import snapshot

JOB_ID = str(uuid7())


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Our loggers as in a function; afterwards as before."""
    monkeypatch.setenv("STAGE", "test")
    monkeypatch.setenv("LOG_LEVEL", "INFO")
    before = [
        (logging.getLogger(name), logging.getLogger(name).handlers, logging.getLogger(name).level)
        for name in logs.ROOTS
    ]
    logs.configure.cache_clear()
    logs.configure()
    yield
    logs.configure.cache_clear()
    for logger, handlers, level in before:
        logger.handlers, logger.propagate = handlers, True
        logger.setLevel(level)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The lines that were written."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_step_is_one_line_with_its_job_and_request(
    configured: None, capsys: pytest.CaptureFixture[str]
) -> None:
    with working_for("trace-1"):
        LoggedJournal(FakeMetrics()).transition("submitted", snapshot(JOB_ID))
    (line,) = lines(capsys)
    assert {name: line[name] for name in ("level", "jobId", "step", "status", "event", "requestId")} == {
        "level": "INFO",
        "jobId": JOB_ID,
        "step": "submitted",
        "status": "pending",
        "event": "submitted",
        "requestId": "trace-1",
    }
    assert (line["service"], line["stage"]) == ("vsl-gateway", "test")


def test_a_line_outside_of_any_request_has_no_request(
    configured: None, capsys: pytest.CaptureFixture[str]
) -> None:
    logging.getLogger("lib.anything").info("hello", extra={"jobId": JOB_ID})
    (line,) = lines(capsys)
    assert "requestId" not in line


def test_an_exception_is_logged_with_its_trace(configured: None, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise ValueError("at https://gateway.example/webhook/replicate?job=1&token=abcdefghijk")
    except ValueError:
        logging.getLogger("handlers.x").exception("failed")
    (line,) = lines(capsys)
    assert line["exception_name"] == "ValueError"
    assert "abcdefghijk" not in json.dumps(line)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (
            "POST /webhook/replicate?job=1&attempt=1&token=c2VjcmV0",
            "POST /webhook/replicate?job=1&attempt=1&token=***",
        ),
        ("Authorization: Bearer vsl_abcdefgh12345678", "Authorization: Bearer ***"),
        ("key vsl_abcdefgh12345678 and r8_abcdefgh12345678", "key *** and ***"),
        ("whsec_AAECAwQFBgcICQ==", "***"),
        ("postgresql://user:hidden@host:5432/db", "postgresql://user:***@host:5432/db"),
        ("redis://:hidden@host", "redis://:***@host"),
        ("http://127.0.0.1:5000/a@b and job 5", "http://127.0.0.1:5000/a@b and job 5"),
    ],
)
def test_secrets_are_taken_out_and_the_rest_is_kept(text: str, kept: str) -> None:
    assert redact(text) == kept


def ended(**changes: Any) -> JobSnapshot:
    times = {"createdAt": "2026-05-01T12:00:00.000Z", "completedAt": "2026-05-01T12:00:07.500Z"}
    return snapshot(JOB_ID, **{**times, **changes})


@pytest.mark.parametrize(
    ("job", "figures", "error_type"),
    [
        (ended(status="completed", step="storing"), {"JobCompleted": 1, "ProcessingTime": 7500}, None),
        (
            ended(status="failed", error={"code": "moderation_refused"}),
            {"JobFailed": 1},
            "moderation_refused",
        ),
        (ended(status="canceled"), {"JobCanceled": 1}, None),
        (snapshot(JOB_ID), {}, None),
    ],
)
def test_the_end_of_a_job_is_counted_by_type_and_model(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    job: JobSnapshot,
    figures: dict[str, float],
    error_type: str | None,
) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "VSL/Gateway")
    EmfMetrics().job_ended(job)
    written = lines(capsys)
    assert len(written) == (1 if figures else 0)
    for line in written:
        described = line["_aws"]["CloudWatchMetrics"][0]
        assert described["Namespace"] == "VSL/Gateway"
        assert {each["Name"]: line[each["Name"]][0] for each in described["Metrics"]} == figures
        assert {"mediaType", "modelId"} <= set(described["Dimensions"][0])
        assert (line["mediaType"], line["modelId"], line.get("errorType")) == (
            "image",
            "flux-schnell",
            error_type,
        )


def test_a_job_is_counted_as_started_once_and_as_ended_once() -> None:
    metrics = FakeMetrics()
    journal = LoggedJournal(metrics)
    journal.transition("created", snapshot(JOB_ID))
    journal.transition("submitted", snapshot(JOB_ID, 2))
    journal.transition("completed", ended(status="completed", step="storing"))
    assert [name for name, _ in metrics.counted] == ["JobStarted", "JobEnded"]


def test_webhooks_are_counted_with_their_lateness(capsys: pytest.CaptureFixture[str]) -> None:
    EmfMetrics().webhook_received("replicate")
    EmfMetrics().webhook_latency(snapshot(JOB_ID), 1.5)
    first, second = lines(capsys)
    assert (first["WebhookReceived"], first["provider"]) == ([1], "replicate")
    assert (second["WebhookLatency"], second["modelId"]) == ([1500], "flux-schnell")


def test_messages_carry_the_request_that_caused_them() -> None:
    queue = FakeQueue()
    with working_for("trace-1"):
        CorrelatedQueue(queue).send({"kind": "check"}, group="g")
        CorrelatedQueue(queue).send({"kind": "check", "requestId": "older"}, group="g", delay_seconds=3)
    CorrelatedQueue(queue).send({"kind": "check"}, group="g")
    assert [sent.message.get("requestId") for sent in queue.sent] == ["trace-1", "older", None]
    assert queue.sent[1].delay_seconds == 3
    assert current_request_id() is None
