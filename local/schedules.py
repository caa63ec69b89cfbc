"""Runs the deployment's schedules, by the clock or on demand."""

import asyncio
import json
import uuid
from datetime import UTC, datetime
from typing import Any

from local.aws import ACCOUNT_ID, REGION
from local.deployment import Schedule, Target
from local.runtime import AsynchronousCalls, Runtime
from local.schedule_expression import next_run


class Schedules:
    """The schedules of a deployment. `run` follows the clock; `run_now` calls the targets at once."""

    def __init__(self, runtime: Runtime, calls: AsynchronousCalls) -> None:
        self._runtime = runtime
        self._calls = calls
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Follow every enabled schedule until cancelled. ValueError for an expression that is not understood."""
        enabled = [item for item in self._runtime.deployment.schedules.values() if item.enabled]
        async with asyncio.TaskGroup() as group:
            for schedule in enabled:
                group.create_task(self._follow(schedule))

    async def run_now(self, name: str) -> list[Any]:
        """Call the targets once, wait, give their answers; KeyError without such a schedule, else FunctionError."""
        schedule = self._runtime.deployment.schedules[name]
        answers = []
        for target in schedule.targets:
            function = self._runtime.deployment.function_by_arn(target.arn)
            answers.append(
                json.loads(await self._runtime.invoke(function.name, _event(schedule, target)) or b"null")
            )
        return answers

    async def _follow(self, schedule: Schedule) -> None:
        due = next_run(schedule.expression, datetime.now(UTC))
        while True:
            await asyncio.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds()))
            for target in schedule.targets:
                function = self._runtime.deployment.function_by_arn(target.arn)
                task = asyncio.create_task(self._calls.call(function.name, _event(schedule, target)))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            due = next_run(schedule.expression, due)


def _event(schedule: Schedule, target: Target) -> Any:
    if target.payload is not None:
        return target.payload
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT_ID,
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [schedule.arn],
        "detail": {},
    }
