"""The Lambda functions: what they run on, their limits, and the variables they get."""

from importlib.util import find_spec
from typing import Any

import pytest

from infra.functions import FUNCTIONS, FunctionSpec
from infra.names import LOGINS_PARAMETER
from infra.parameters import PARAMETERS
from lib import settings, work_settings
from lib.variables import present
from tests.infra.template import Template, flat

EVERY_FUNCTION_HAS = {"STAGE", "LOG_LEVEL", "POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE"}
SETTINGS: dict[str, Any] = {
    "generate_media": work_settings.GenerateSettings,
    "process_webhook": work_settings.WebhookSettings,
    "receive_upload": work_settings.UploadSettings,
    "get_status": settings.StatusSettings,
    "manage_jobs": work_settings.JobsSettings,
    "manage_providers": work_settings.ProvidersSettings,
    "describe_api": work_settings.DescribeSettings,
    "read_analytics": work_settings.AnalyticsSettings,
    "check_replicate_status": work_settings.SweepSettings,
    "advance_job": work_settings.AdvanceSettings,
    "submit_job": work_settings.AdvanceSettings,
    "store_result": work_settings.StoreSettings,
    "migrate_database": work_settings.MigrationSettings,
}
each_function = pytest.mark.parametrize("spec", FUNCTIONS, ids=lambda spec: str(spec.name))


def environment(app: Template, function: str) -> dict[str, Any]:
    found: dict[str, Any] = app.functions()[function]["Properties"]["Environment"]["Variables"]
    return found


def test_the_template_has_the_functions_of_the_table_and_no_other(app: Template) -> None:
    assert set(app.functions()) == {spec.name for spec in FUNCTIONS} == set(SETTINGS)


@each_function
def test_a_function_runs_its_handler_on_arm64_and_the_newest_python(
    app: Template, spec: FunctionSpec
) -> None:
    properties = app.functions()[spec.name]["Properties"]
    assert properties["Handler"] == f"handlers.{spec.name}.handler"
    assert find_spec(f"handlers.{spec.name}") is not None
    assert properties["Architectures"] == ["arm64"]
    assert properties["Runtime"] == "python3.14"
    assert properties["FunctionName"] == f"vsl-homolog-{spec.name.replace('_', '-')}"
    assert (properties["Timeout"], properties["MemorySize"]) == (spec.timeout_seconds, spec.memory_mb)


@each_function
def test_a_function_gets_exactly_the_variables_that_its_settings_read(
    app: Template, spec: FunctionSpec
) -> None:
    read = {variable.name for variable in present(SETTINGS[spec.name]).values()}
    assert set(environment(app, spec.name)) == read | EVERY_FUNCTION_HAS


def deployed(app: Template, function: str) -> dict[str, str]:
    """A function's variables as they are after a deployment with the parameters' defaults."""
    declared = app.content["Parameters"]

    def value_of(value: Any) -> str:
        reference = value.get("Ref") if isinstance(value, dict) else None
        if reference in declared:
            return str(declared[reference]["Default"])
        if reference in app.of_type("AWS::SQS::Queue"):
            return f"https://sqs.eu-west-1.amazonaws.com/123456789012/{reference}"
        return flat(value).replace("<", "").replace(">", "")

    return {name: value_of(value) for name, value in environment(app, function).items()}


@each_function
def test_the_variables_of_a_function_as_deployed_satisfy_its_settings(
    app: Template, spec: FunctionSpec
) -> None:
    assert settings.load(SETTINGS[spec.name], deployed(app, spec.name))


@each_function
def test_the_variables_of_a_function_leave_half_of_lambdas_4_kb_to_the_operator(
    app: Template, spec: FunctionSpec
) -> None:
    variables = deployed(app, spec.name)
    assert sum(len(name) + len(value) for name, value in variables.items()) < 2048


def test_a_parameter_that_nobody_sets_means_what_an_absent_variable_means() -> None:
    defaults = {parameter.variable: parameter.default for parameter in PARAMETERS}
    given_by_name = {
        kind: {variable.name for variable in present(kind).values()} for kind in SETTINGS.values()
    }
    needed = {
        "STAGE": "homolog",
        "DYNAMODB_TABLE": "t",
        "CACHE_TABLE": "t",
        "S3_BUCKET": "b",
        "DATABASE_SECRET_NAME": "d",
        "WEBHOOK_TOKEN_SECRET_NAME": "k",
        "WEBHOOK_BASE_URL": "https://api.example.com",
        "ADVANCE_QUEUE_URL": "https://sqs.example.com/a",
        "STORE_QUEUE_URL": "https://sqs.example.com/s",
        "SUBMIT_QUEUE_URL": "https://sqs.example.com/g",
        "ADVANCE_DEAD_LETTERS_URL": "https://sqs.example.com/da",
        "STORE_DEAD_LETTERS_URL": "https://sqs.example.com/ds",
        "SUBMIT_DEAD_LETTERS_URL": "https://sqs.example.com/dg",
    }
    for kind, names in given_by_name.items():
        with_parameters = {**needed, **{name: defaults[name] for name in names if name in defaults}}
        assert settings.load(kind, with_parameters) == settings.load(kind, needed)


@each_function
def test_a_function_logs_to_its_own_group_which_forgets(app: Template, spec: FunctionSpec) -> None:
    reference = app.functions()[spec.name]["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]
    group = app.resources[reference]["Properties"]
    assert group["LogGroupName"] == f"/aws/lambda/vsl-homolog-{spec.name.replace('_', '-')}"
    assert group["RetentionInDays"] == 30


def test_every_log_group_forgets(app: Template) -> None:
    groups = app.of_type("AWS::Logs::LogGroup").values()
    assert groups
    assert all("RetentionInDays" in group["Properties"] for group in groups)


def test_no_two_functions_share_a_role(app: Template) -> None:
    roles = [flat(function["Properties"]["Role"]) for function in app.functions().values()]
    assert len(set(roles)) == len(FUNCTIONS)
    assert not any(
        "ManagedPolicyArns" in role["Properties"] for role in app.of_type("AWS::IAM::Role").values()
    )


def test_the_migrations_run_before_any_other_function_changes(app: Template) -> None:
    (migration,) = app.of_type("Custom::DatabaseMigration")
    for name, function in app.functions().items():
        waits = migration in function.get("DependsOn", [])
        assert waits == (name != "migrate_database"), name


def test_the_migration_calls_its_function_directly_and_again_when_a_file_changes(app: Template) -> None:
    properties = app.properties("Custom::DatabaseMigration")
    called = app.resources[properties["ServiceToken"]["Fn::GetAtt"][0]]
    assert called is app.functions()["migrate_database"]
    assert len(properties["MigrationsHash"]) == 32


def test_the_migration_runs_again_when_a_login_of_the_database_changes(app: Template) -> None:
    assert app.properties("Custom::DatabaseMigration")["Logins"] == {"Ref": LOGINS_PARAMETER}
    assert app.content["Parameters"][LOGINS_PARAMETER]["Default"] == ""


def test_only_workers_that_send_to_their_own_queue_are_allowed_to_loop(app: Template) -> None:
    looping = {
        name
        for name, function in app.functions().items()
        if function["Properties"].get("RecursiveLoop") == "Allow"
    }
    assert looping == {"advance_job", "submit_job", "store_result"}
