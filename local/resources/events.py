"""EventBridge: event buses, rules with a schedule, and Scheduler schedules."""

import json
from datetime import UTC, datetime
from typing import Any

from local.aws import arn
from local.deployment import Schedule, Target
from local.resources.kind import Json, Kind, Resource, World, kind
from local.schedule_expression import next_run
from local.template import ResourceState


def _bus(resource: Resource, world: World) -> ResourceState:
    name = resource.physical_name("Name")
    client = world.aws.client("events")
    client.create_event_bus(Name=name)
    client.close()
    bus_arn = arn("events", f"event-bus/{name}")
    return ResourceState(ref=name, attributes={"Arn": bus_arn, "Name": name})


def _rule(resource: Resource, world: World) -> ResourceState:
    name = resource.physical_name("Name")
    expression = resource.properties.get("ScheduleExpression")
    if not expression:
        raise resource.error("only rules with a ScheduleExpression are understood by the local cloud")
    rule_arn = arn("events", f"rule/{name}")
    world.deployment.schedules[name] = Schedule(
        name=name,
        arn=rule_arn,
        expression=_checked(resource, str(expression)),
        enabled=resource.properties.get("State", "ENABLED") == "ENABLED",
        targets=tuple(_target(resource, given) for given in resource.properties.get("Targets", [])),
    )
    return ResourceState(ref=name, attributes={"Arn": rule_arn})


def _schedule(resource: Resource, world: World) -> ResourceState:
    name = resource.physical_name("Name")
    schedule_arn = arn("scheduler", f"schedule/default/{name}")
    world.deployment.schedules[name] = Schedule(
        name=name,
        arn=schedule_arn,
        expression=_checked(resource, str(resource.require("ScheduleExpression"))),
        enabled=resource.properties.get("State", "ENABLED") == "ENABLED",
        targets=(_target(resource, resource.require("Target")),),
    )
    return ResourceState(ref=name, attributes={"Arn": schedule_arn})


def _checked(resource: Resource, expression: str) -> str:
    try:
        next_run(expression, datetime.now(UTC))
    except ValueError as error:
        raise resource.error(str(error)) from error
    return expression


def _target(resource: Resource, given: Json) -> Target:
    if unknown := sorted(given.keys() - {"Arn", "Id", "Input", "DeadLetterConfig", "RetryPolicy", "RoleArn"}):
        raise resource.error(f"the local cloud does not understand {', '.join(unknown)} of a target")
    if ":lambda:" not in given["Arn"]:
        raise resource.error(f"target {given['Arn']}: only functions are understood")
    return Target(
        arn=given["Arn"],
        payload=_payload(resource, given),
        dead_letter_arn=given.get("DeadLetterConfig", {}).get("Arn"),
    )


def _payload(resource: Resource, given: Json) -> Any:
    try:
        return json.loads(given["Input"]) if "Input" in given else None
    except json.JSONDecodeError as error:
        raise resource.error(f"Input of a target is no JSON: {given['Input']!r}") from error


KINDS: dict[str, Kind] = {
    "AWS::Events::EventBus": kind(_bus, used="Name", harmless="Description Tags DeadLetterConfig"),
    "AWS::Events::Rule": kind(
        _rule, used="Name ScheduleExpression State Targets", harmless="Description EventBusName Tags"
    ),
    "AWS::Scheduler::Schedule": kind(
        _schedule,
        used="Name ScheduleExpression State Target",
        harmless="Description FlexibleTimeWindow GroupName",
    ),
}
