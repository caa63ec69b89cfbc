"""Asynchronous calls and schedules: tried again, buried when that does not help, and on time."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import local.schedules
from local.deployment import AsynchronousConfig, Deployment, Function, Schedule, Target
from local.runtime import AsynchronousCalls, FunctionError, Runtime
from local.schedules import Schedules
from local.sqs_client import SqsClient

QUEUE_ARN = "arn:aws:sqs:us-east-1:123456789012:dead"


class ScriptedRuntime(Runtime):
    """Fails the first `failures` calls; keeps the events of all."""

    def __init__(
        self, failures: int, config: AsynchronousConfig | None = None, dead_letter_arn: str | None = None
    ):
        function = Function(
            name="sweep",
            arn="arn:aws:lambda:us-east-1:123456789012:function:sweep",
            handler="h.h",
            runtime="python3.14",
            timeout_seconds=3,
            memory_mb=128,
            environment={},
            dead_letter_arn=dead_letter_arn,
        )
        deployment = Deployment(functions={"sweep": function})
        if config is not None:
            deployment.asynchronous["sweep"] = config
        super().__init__(deployment, task_root=Path(), aws_endpoint_url="")
        self.failures = failures
        self.events: list[Any] = []
        self.called = asyncio.Event()

    async def invoke(self, name: str, event: Any) -> bytes:
        self.events.append(event)
        self.called.set()
        if len(self.events) <= self.failures:
            raise FunctionError("ValueError", "not now")
        return b'"done"'


class RecordingSqs(SqsClient):
    """Keeps what is sent."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:1")
        self.sent: list[dict[str, Any]] = []

    async def call(self, action: str, seconds: float = 10, **parameters: Any) -> dict[str, Any]:
        if action == "SendMessage":
            self.sent.append(parameters)
        return {"QueueUrl": f"http://queue/{parameters.get('QueueName')}"}


def run_call(runtime_arguments: dict[str, Any]) -> tuple[ScriptedRuntime, RecordingSqs]:
    async def run() -> tuple[ScriptedRuntime, RecordingSqs]:
        runtime, sqs = ScriptedRuntime(**runtime_arguments), RecordingSqs()
        await AsynchronousCalls(runtime, sqs, retry_seconds=(0, 0)).call("sweep", {"task": 1})
        return runtime, sqs

    return asyncio.run(run())


def test_a_call_that_fails_twice_is_made_three_times_and_nothing_is_buried() -> None:
    runtime, sqs = run_call({"failures": 2, "dead_letter_arn": QUEUE_ARN})
    assert runtime.events == [{"task": 1}] * 3
    assert sqs.sent == []


def test_a_call_that_always_fails_goes_to_the_functions_dead_letter_queue_with_its_reason() -> None:
    runtime, sqs = run_call({"failures": 9, "dead_letter_arn": QUEUE_ARN})
    assert len(runtime.events) == 3
    (sent,) = sqs.sent
    assert sent["QueueUrl"] == "http://queue/dead"
    assert json.loads(sent["MessageBody"]) == {"task": 1}
    assert sent["MessageAttributes"]["ErrorMessage"]["StringValue"] == "not now"


def test_the_settings_of_the_function_decide_retries_and_destination() -> None:
    config = AsynchronousConfig(function_name="sweep", max_retries=0, on_failure_arn=QUEUE_ARN)
    runtime, sqs = run_call({"failures": 9, "config": config})
    assert len(runtime.events) == 1
    record = json.loads(sqs.sent[0]["MessageBody"])
    assert record["requestPayload"] == {"task": 1}
    assert record["requestContext"]["approximateInvokeCount"] == 1
    assert record["responsePayload"]["errorType"] == "ValueError"


@pytest.mark.parametrize(
    ("payload", "seen"), [({"task": "sweep"}, {"task": "sweep"}), (None, {"detail-type": "Scheduled Event"})]
)
def test_a_schedule_that_is_due_calls_its_function_with_the_targets_input(
    monkeypatch: pytest.MonkeyPatch, payload: Any, seen: dict[str, Any]
) -> None:
    delays = iter([timedelta(milliseconds=20)])
    monkeypatch.setattr(
        local.schedules, "next_run", lambda _expression, after: after + next(delays, timedelta(days=1))
    )

    async def run() -> list[Any]:
        runtime, sqs = ScriptedRuntime(0), RecordingSqs()
        arn = runtime.deployment.functions["sweep"].arn
        targets = (Target(arn=arn, payload=payload),)
        for name, enabled in (("on", True), ("off", False)):
            runtime.deployment.schedules[name] = Schedule(
                name=name,
                arn=f"arn:rule/{name}",
                expression="rate(5 minutes)",
                enabled=enabled,
                targets=targets,
            )
        schedules = asyncio.create_task(Schedules(runtime, AsynchronousCalls(runtime, sqs)).run())
        await asyncio.wait_for(runtime.called.wait(), 10)
        schedules.cancel()
        await asyncio.gather(schedules, return_exceptions=True)
        return runtime.events

    event = asyncio.run(run())[0]
    assert {key: event[key] for key in seen} == seen
