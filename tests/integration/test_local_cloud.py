"""Whatever the template says, the local cloud does: routes, variables, handlers, limits, queues, schedules."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import requests

from local.backing import PortInUseError
from local.cloud import LocalCloud
from local.run_directory import AlreadyRunningError
from local.runtime import FunctionError
from local.settings import CloudSettings, Part
from local.template import TemplateError
from tests.fixtures.local_cloud.templates import Json, api, function, write_assembly

Start = Callable[..., LocalCloud]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a cloud of AWS alone with one stack of the given resources."""
    started: list[LocalCloud] = []

    def start_cloud(resources: Json, **settings: Any) -> LocalCloud:
        for cloud in started:
            cloud.stop()
        assembly = write_assembly(tmp_path / "assembly", app={"Resources": resources})
        given = {
            "port": 0,
            "directory": tmp_path / "run",
            "template": assembly,
            "parts": frozenset({Part.AWS}),
            "max_workers": 2,
        }
        cloud = LocalCloud(CloudSettings(**{**given, **settings}))
        started.append(cloud)
        return cloud.start()

    yield start_cloud
    for cloud in started:
        cloud.stop()


def url(cloud: LocalCloud, path: str) -> str:
    assert cloud.endpoints is not None
    return f"{cloud.endpoints.api_url}{path}"


def test_another_variable_route_handler_and_time_limit_in_the_template_change_what_happens(
    start: Start,
) -> None:
    cloud = start(
        {"Greet": function("greet", variables={"GREETING": "hello"}), **api({"GET /hello": "Greet"})}
    )
    assert requests.get(url(cloud, "/hello"), timeout=20).text == "hello"
    assert requests.get(url(cloud, "/moved"), timeout=20).status_code == 404

    changed = {"Greet": function("greet", variables={"GREETING": "salut"}), **api({"GET /moved": "Greet"})}
    cloud = start(changed)
    assert requests.get(url(cloud, "/moved"), timeout=20).text == "salut"
    assert requests.get(url(cloud, "/hello"), timeout=20).json() == {"message": "Not Found"}

    cloud = start({"Greet": function("part"), **api({"GET /moved": "Greet"})})
    assert requests.get(url(cloud, "/moved"), timeout=20).text == "good bye"

    slow = {"SLEEP_SECONDS": "1.5"}
    cloud = start({"Greet": function("sleep", timeout=1, variables=slow), **api({"GET /slow": "Greet"})})
    refused = requests.get(url(cloud, "/slow"), timeout=20)
    assert (refused.status_code, refused.json()) == (500, {"message": "Internal Server Error"})

    cloud = start({"Greet": function("sleep", timeout=5, variables=slow), **api({"GET /slow": "Greet"})})
    assert requests.get(url(cloud, "/slow"), timeout=20).text == "awake"


def test_a_resource_type_nobody_knows_stops_the_start_and_is_named(start: Start) -> None:
    with pytest.raises(TemplateError, match="app/Cluster is a AWS::ECS::Cluster"):
        start({"Cluster": {"Type": "AWS::ECS::Cluster", "Properties": {}}})


def test_a_property_nobody_knows_stops_the_start_and_is_named(start: Start) -> None:
    with pytest.raises(TemplateError, match=r"app/Echo \(AWS::Lambda::Function\).*FileSystemConfigs"):
        start({"Echo": function("echo", FileSystemConfigs=[])})


def test_an_integration_that_takes_too_long_is_a_503(start: Start) -> None:
    resources = {"Slow": function("sleep", variables={"SLEEP_SECONDS": "5"}), **api({"GET /": "Slow"})}
    resources["Integration0"]["Properties"]["TimeoutInMillis"] = 300
    refused = requests.get(url(start(resources), "/"), timeout=20)
    assert (refused.status_code, refused.json()) == (503, {"message": "Service Unavailable"})


def test_the_event_of_a_request_is_payload_format_2(start: Start) -> None:
    cloud = start({"Echo": function("echo"), **api({"POST /things/{thingId}/{rest+}": "Echo"})})
    answer = requests.post(
        url(cloud, "/things/a%20b/c/d?x=1&x=2&y="),
        data=json.dumps({"n": 1}),
        headers={"Content-Type": "application/json", "X-Custom": "yes", "Cookie": "a=1; b=2"}
        | {"X-Forwarded-For": "203.0.113.9"},
        timeout=20,
    )
    event = answer.json()["event"]
    assert event["version"] == "2.0"
    assert event["routeKey"] == "POST /things/{thingId}/{rest+}"
    assert event["rawPath"] == "/things/a%20b/c/d"
    assert event["rawQueryString"] == "x=1&x=2&y="
    assert event["queryStringParameters"] == {"x": "1,2", "y": ""}
    assert event["pathParameters"] == {"thingId": "a b", "rest": "c/d"}
    assert event["cookies"] == ["a=1", "b=2"]
    assert event["headers"]["x-custom"] == "yes"
    assert (event["body"], event["isBase64Encoded"]) == ('{"n": 1}', False)
    assert event["requestContext"]["http"]["method"] == "POST"
    assert event["requestContext"]["http"]["sourceIp"] == "127.0.0.1"  # a header can claim any
    assert event["requestContext"]["requestId"] == answer.headers["apigw-requestid"]


def test_answers_on_a_kept_connection_do_not_wait_for_acknowledgements(start: Start) -> None:
    cloud = start({"Greet": function("greet"), **api({"GET /": "Greet"})})
    with requests.Session() as session:
        moments = [time.monotonic()]
        for _ in range(40):
            session.get(url(cloud, "/"), timeout=20)
            moments.append(time.monotonic())
    elapsed = [after - before for before, after in pairwise(moments)]
    # With Nagle's algorithm each of them waits 0.04 s for a delayed acknowledgement, but for the first few.
    assert min(elapsed[-20:]) < 0.03


def test_a_body_over_ten_megabytes_is_refused_by_the_gateway(start: Start) -> None:
    cloud = start({"Echo": function("echo"), **api({"POST /": "Echo"})})
    refused = requests.post(url(cloud, "/"), data=b"x" * (10 * 1024 * 1024 + 1), timeout=20)
    assert refused.status_code == 413


def test_the_gateway_answers_preflights_itself_and_adds_cors_headers(start: Start) -> None:
    cors = {
        "AllowOrigins": ["https://a.example"],
        "AllowMethods": ["GET"],
        "ExposeHeaders": ["x-request-id"],
        "MaxAge": 60,
    }
    cloud = start({"Greet": function("greet"), **api({"GET /": "Greet"}, cors=cors)})
    asks = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
    preflight = requests.options(url(cloud, "/"), headers=asks, timeout=20)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "https://a.example"
    assert preflight.headers["access-control-max-age"] == "60"
    answer = requests.get(url(cloud, "/"), headers={"Origin": "https://a.example"}, timeout=20)
    assert answer.headers["access-control-expose-headers"] == "x-request-id"
    other = requests.get(url(cloud, "/"), headers={"Origin": "https://b.example"}, timeout=20)
    assert "access-control-allow-origin" not in other.headers


def test_the_apis_own_address_in_a_variable_is_the_local_one(start: Start) -> None:
    joined = {
        "Fn::Join": [
            "",
            ["https://", {"Ref": "Api"}, ".execute-api.", {"Ref": "AWS::Region"}, ".amazonaws.com/x"],
        ]
    }
    variables = {
        "BASE": {"Fn::GetAtt": ["Api", "ApiEndpoint"]},
        "JOINED": joined,
        "SUBBED": {"Fn::Sub": "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}"},
    }
    cloud = start({"Echo": function("echo", variables=variables), **api({"GET /": "Echo"})})
    seen = requests.get(url(cloud, "/"), timeout=20).json()["environment"]
    assert seen["BASE"] == seen["SUBBED"] == url(cloud, "")
    assert seen["JOINED"] == url(cloud, "/x")


def migrated(error: str = "") -> Json:
    return {
        "Migrate": function("migrate", variables={"MIGRATION_ERROR": error}),
        "Migration": {
            "Type": "Custom::DatabaseMigration",
            "Properties": {"ServiceToken": {"Fn::GetAtt": ["Migrate", "Arn"]}, "Version": 7},
        },
        "Greet": function("greet", variables={"GREETING": {"Fn::GetAtt": ["Migration", "Version"]}}),
        **api({"GET /": "Greet"}),
    }


def test_a_custom_resource_is_called_with_text_and_its_data_can_be_referred_to(start: Start) -> None:
    assert requests.get(url(start(migrated()), "/"), timeout=20).text == "7"


def test_a_broken_migration_stops_the_start_with_its_reason(start: Start, tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="relation jobs already exists"):
        start(migrated("relation jobs already exists"))
    assert not (tmp_path / "run" / "endpoints.json").exists()


def test_a_schedule_runs_on_demand_with_its_input_and_says_why_it_failed(start: Start) -> None:
    def rule(payload: Json) -> Json:
        target = {"Arn": {"Fn::GetAtt": ["Tick", "Arn"]}, "Id": "T0", "Input": json.dumps(payload)}
        return {
            "Type": "AWS::Events::Rule",
            "Properties": {"ScheduleExpression": "rate(5 minutes)", "Targets": [target]},
        }

    cloud = start({"Tick": function("tick"), "Every": rule({"task": "sweep"}), "Bad": rule({"fail": True})})
    assert cloud.run_schedule("app-Every") == [{"got": {"task": "sweep"}}]
    ran = requests.post(url(cloud, "/_local/schedules/app-Every/run"), timeout=20)
    assert ran.json() == {"answers": [{"got": {"task": "sweep"}}]}
    with pytest.raises(FunctionError, match="no tick"):
        cloud.run_schedule("app-Bad")
    assert requests.post(url(cloud, "/_local/schedules/app-Bad/run"), timeout=20).status_code == 502
    assert requests.post(url(cloud, "/_local/schedules/none/run"), timeout=20).status_code == 404


def test_functions_are_listed_counted_and_killed_over_the_control_endpoints(start: Start) -> None:
    cloud = start({"Greet": function("greet"), **api({"GET /": "Greet"})})
    requests.get(url(cloud, "/"), timeout=20)
    (listed,) = requests.get(url(cloud, "/_local/functions"), timeout=20).json()["functions"]
    assert (listed["name"], listed["invocations"], listed["errors"], listed["workers"]) == (
        "app-Greet",
        1,
        0,
        1,
    )
    killed = requests.post(url(cloud, "/_local/functions/app-Greet/kill"), timeout=20)
    assert killed.json() == {"killed": 1}
    assert requests.get(url(cloud, "/"), timeout=20).text == "none"


def test_when_aws_is_killed_and_started_its_queues_tables_and_secrets_are_there_again(start: Start) -> None:
    secret = {
        "Type": "AWS::SecretsManager::Secret",
        "Properties": {"Name": "key", "GenerateSecretString": {}},
    }
    table = {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {
            "TableName": "things",
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "TimeToLiveSpecification": {"AttributeName": "ttl", "Enabled": True},
        },
    }
    cloud = start({"Key": secret, "Things": table, "Greet": function("greet"), **api({"GET /": "Greet"})})
    aws = cloud.aws()
    secrets, tables = aws.client("secretsmanager"), aws.client("dynamodb")
    before = secrets.get_secret_value(SecretId="key")["SecretString"]
    assert len(before) == 32
    tables.put_item(TableName="things", Item={"id": {"S": "1"}})
    for action in ("kill", "start"):
        assert requests.post(url(cloud, f"/_local/backing/aws/{action}"), timeout=20).status_code == 200
    assert secrets.get_secret_value(SecretId="key")["SecretString"] == before
    assert tables.scan(TableName="things")["Count"] == 0
    secrets.close()
    tables.close()
    assert requests.post(url(cloud, "/_local/backing/postgres/kill"), timeout=20).status_code == 404


def test_a_port_in_use_and_a_second_run_in_the_same_directory_are_refused(
    start: Start, tmp_path: Path
) -> None:
    resources = {"Greet": function("greet"), **api({"GET /": "Greet"})}
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(PortInUseError, match="in use"):
        start(resources, port=taken.getsockname()[1])
    cloud = start(resources)
    (tmp_path / "run" / "kept-while-running").touch()
    second = LocalCloud(cloud.settings)
    with pytest.raises(AlreadyRunningError, match=r"already runs in .* \(process \d+\)"):
        second.start()
    assert requests.get(url(cloud, "/"), timeout=20).status_code == 200
    written = json.loads((tmp_path / "run" / "endpoints.json").read_text())
    assert written["apiUrl"] == url(cloud, "")
    cloud.stop()
    assert not (tmp_path / "run" / "endpoints.json").exists()
    start(resources)
    assert not (tmp_path / "run" / "kept-while-running").exists()
