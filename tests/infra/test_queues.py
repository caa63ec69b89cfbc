"""Queues, their dead letters, and the schedule."""

import json

import pytest

from tests.infra.template import Template, flat

FOURTEEN_DAYS = 1_209_600
WORKERS = {"advance": "advance_job", "store": "store_result"}
each_worker = pytest.mark.parametrize(("queue", "function"), WORKERS.items())


@each_worker
def test_a_message_that_failed_five_times_is_kept_for_fourteen_days(
    app: Template, queue: str, function: str
) -> None:
    redrive = app.properties("AWS::SQS::Queue", QueueName=f"vsl-homolog-{queue}")["RedrivePolicy"]
    assert redrive["maxReceiveCount"] == 5
    dead_letters = app.resources[redrive["deadLetterTargetArn"]["Fn::GetAtt"][0]]["Properties"]
    assert dead_letters["QueueName"] == f"vsl-homolog-{queue}-dead-letters"
    assert dead_letters["MessageRetentionPeriod"] == FOURTEEN_DAYS


@each_worker
def test_a_message_stays_hidden_longer_than_its_worker_may_run(
    app: Template, queue: str, function: str
) -> None:
    hidden = app.properties("AWS::SQS::Queue", QueueName=f"vsl-homolog-{queue}")["VisibilityTimeout"]
    assert hidden == {"advance": 90, "store": 330}[queue]
    assert hidden > app.functions()[function]["Properties"]["Timeout"]


@each_worker
def test_a_worker_says_which_messages_of_a_batch_failed(app: Template, queue: str, function: str) -> None:
    source = app.logical_id("AWS::SQS::Queue", QueueName=f"vsl-homolog-{queue}")
    mapping = app.properties(
        "AWS::Lambda::EventSourceMapping", EventSourceArn={"Fn::GetAtt": [source, "Arn"]}
    )
    assert app.resources[mapping["FunctionName"]["Ref"]] is app.functions()[function]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BatchSize"] == {"advance": 10, "store": 1}[queue]


def test_every_queue_is_encrypted_and_reached_over_tls_only(app: Template) -> None:
    guarded = {
        queue["Ref"]
        for policy in app.of_type("AWS::SQS::QueuePolicy").values()
        for queue in policy["Properties"]["Queues"]
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny"
        and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    }
    queues = app.of_type("AWS::SQS::Queue")
    assert guarded == set(queues)
    assert all(queue["Properties"]["SqsManagedSseEnabled"] for queue in queues.values())


def test_the_sweep_runs_every_five_minutes_with_a_constant_event(app: Template) -> None:
    rule = app.properties("AWS::Events::Rule")
    assert rule["ScheduleExpression"] == "rate(5 minutes)"
    (target,) = rule["Targets"]
    called = app.resources[target["Arn"]["Fn::GetAtt"][0]]
    assert called is app.functions()["check_replicate_status"]
    assert json.loads(target["Input"]) == {"source": "vsl.schedule", "task": "check_replicate_status"}


def test_a_sweep_that_failed_is_not_lost(app: Template) -> None:
    properties = app.functions()["check_replicate_status"]["Properties"]
    queue = app.logical_id("AWS::SQS::Queue", QueueName="vsl-homolog-check-replicate-status-dead-letters")
    assert flat(properties["DeadLetterConfig"]["TargetArn"]) == f"<{queue}.Arn>"
    assert ("sqs:SendMessage", f"<{queue}.Arn>") in app.permissions("check_replicate_status")
