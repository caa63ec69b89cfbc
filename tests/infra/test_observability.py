"""Alarms and dashboards."""

import json
from typing import Any

import pytest

from tests.infra.template import Template, flat


def _alarms(observability: Template, metric: str, dimension: str) -> dict[str, dict[str, Any]]:
    """The alarms on a metric by the value of one of its dimensions."""
    return {
        alarm["Properties"]["Dimensions"][0]["Value"]: alarm["Properties"]
        for alarm in observability.of_type("AWS::CloudWatch::Alarm").values()
        if alarm["Properties"]["MetricName"] == metric
        and [d["Name"] for d in alarm["Properties"].get("Dimensions", [])] == [dimension]
    }


def _queue_names(app: Template, *, dead: bool) -> set[str]:
    names = {queue["Properties"]["QueueName"] for queue in app.of_type("AWS::SQS::Queue").values()}
    return {name for name in names if name.endswith("-dead-letters") == dead}


def _dashboard(observability: Template, name: str) -> str:
    body = observability.properties("AWS::CloudWatch::Dashboard", DashboardName=name)["DashboardBody"]
    return flat(body)


def test_the_first_dead_letter_of_any_queue_is_an_alarm(app: Template, observability: Template) -> None:
    alarms = _alarms(observability, "ApproximateNumberOfMessagesVisible", "QueueName")
    assert set(alarms) == _queue_names(app, dead=True)
    assert {alarm["Threshold"] for alarm in alarms.values()} == {1}


@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
def test_every_function_has_an_alarm_on_errors_and_on_throttles(
    app: Template, observability: Template, metric: str
) -> None:
    functions = {function["Properties"]["FunctionName"] for function in app.functions().values()}
    assert set(_alarms(observability, metric, "FunctionName")) == functions


def test_a_queue_that_is_not_worked_off_is_an_alarm(app: Template, observability: Template) -> None:
    alarms = _alarms(observability, "ApproximateAgeOfOldestMessage", "QueueName")
    assert set(alarms) == _queue_names(app, dead=False)


def test_answers_of_the_5xx_kind_are_counted_from_the_access_log_and_are_an_alarm(
    app: Template, observability: Template
) -> None:
    alarm = observability.properties("AWS::CloudWatch::Alarm", MetricName="ServerErrors")
    counted = observability.of_type("AWS::Logs::MetricFilter").values()
    (server_errors,) = [
        found["Properties"]
        for found in counted
        if found["Properties"]["MetricTransformations"][0]["MetricName"] == "ServerErrors"
    ]
    assert server_errors["FilterPattern"] == "{ $.status >= 500 }"
    assert server_errors["MetricTransformations"][0]["MetricNamespace"] == alarm["Namespace"]
    assert server_errors["LogGroupName"] in {
        group["Properties"]["LogGroupName"] for group in app.of_type("AWS::Logs::LogGroup").values()
    }
    access_log = app.properties("AWS::ApiGatewayV2::Stage")["AccessLogSettings"]["Format"]
    assert '"status":$context.status,' in access_log


def test_silence_is_no_alarm_and_every_alarm_goes_to_the_topic(observability: Template) -> None:
    topic = observability.logical_id("AWS::SNS::Topic")
    for alarm in observability.of_type("AWS::CloudWatch::Alarm").values():
        assert alarm["Properties"]["TreatMissingData"] == "notBreaching"
        assert alarm["Properties"]["AlarmActions"] == [{"Ref": topic}]


def test_alarms_go_to_the_address_that_was_set(observability: Template) -> None:
    subscription = observability.properties("AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "ops@example.com")


def test_the_business_dashboard_shows_what_the_gateway_does_for_its_users(observability: Template) -> None:
    body = _dashboard(observability, "vsl-homolog-business")
    for metric in ("JobStarted", "JobCompleted", "JobFailed", "ProcessingTime", "WebhookLatency"):
        assert f'MetricName=\\"{metric}\\"' in body
    assert "VSL/Gateway" in body


def test_the_resource_dashboard_shows_every_function_and_queue(
    app: Template, observability: Template
) -> None:
    body = _dashboard(observability, "vsl-homolog-resources")
    shown = {value for widget in json.loads(_plain(body))["widgets"] for value in _metrics(widget)}
    functions = {function["Properties"]["FunctionName"] for function in app.functions().values()}
    assert functions | _queue_names(app, dead=True) | _queue_names(app, dead=False) <= shown


def _plain(body: str) -> str:
    return body.replace("<Region>", "eu-west-1")


def _metrics(widget: dict[str, Any]) -> set[str]:
    return {part for line in widget["properties"]["metrics"] for part in line if isinstance(part, str)}
