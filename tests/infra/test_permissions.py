"""Least privilege: each role may do what its function does, and nothing else."""

import re
from collections.abc import Iterator, Mapping

import pytest

from infra.functions import FUNCTIONS
from tests.infra.template import Template, as_list, flat

pytestmark = pytest.mark.xdist_group("infra")

NAMES = [spec.name for spec in FUNCTIONS]
OBJECTS = re.compile(r"arn:<Partition>:s3:::vsl-homolog-media-<AccountId>/[a-z]+/\*")


def _allowed(app: Template, function: str, service: str) -> set[str]:
    """What a function may do with a service, as `Action end-of-resource`."""
    return {
        f"{action.partition(':')[2]} {resource.rpartition(':')[2]}"
        for action, resource in app.permissions(function)
        if action.startswith(f"{service}:")
    }


def _statements(template: Template) -> Iterator[dict[str, object]]:
    for policy in template.of_type("AWS::IAM::Policy").values():
        yield from policy["Properties"]["PolicyDocument"]["Statement"]


def test_no_policy_has_a_wildcard_action(templates: Mapping[str, Template]) -> None:
    actions = [
        action
        for template in templates.values()
        for statement in _statements(template)
        for action in as_list(statement["Action"])
    ]
    assert actions
    assert not [action for action in actions if "*" in action]


def test_a_wildcard_resource_is_a_prefix_of_the_bucket_and_nothing_wider(app: Template) -> None:
    resources = [flat(r) for statement in _statements(app) for r in as_list(statement["Resource"])]
    wide = [resource for resource in resources if "*" in resource]
    assert wide
    assert not [resource for resource in wide if not OBJECTS.fullmatch(resource)]


def test_no_function_may_scan_a_table(app: Template) -> None:
    assert not [name for name in NAMES if any("Scan" in action for action, _ in app.permissions(name))]


def test_secrets_are_named_to_the_six_characters_that_aws_adds(app: Template) -> None:
    resources = {
        resource
        for name in NAMES
        for action, resource in app.permissions(name)
        if action == "secretsmanager:GetSecretValue"
    }
    assert {resource.rpartition(":secret:")[2] for resource in resources} == {
        "vsl/homolog/database/main-??????",
        "vsl/homolog/redis/main-??????",
        "vsl/homolog/providers/replicate-??????",
        "vsl/homolog/webhook/token-key-??????",
    }


def test_the_webhook_reaches_neither_table_nor_database(app: Template) -> None:
    assert not _allowed(app, "process_webhook", "dynamodb")
    secrets = _allowed(app, "process_webhook", "secretsmanager")
    assert not [secret for secret in secrets if "database" in secret or "redis" in secret]
    bucket = "vsl-homolog-media-<AccountId>"
    assert _allowed(app, "process_webhook", "s3") == {f"PutObject {bucket}/temp/*"}


def test_the_status_sends_no_message_and_reads_media_only_to_sign(app: Template) -> None:
    assert not _allowed(app, "get_status", "sqs")
    bucket = "vsl-homolog-media-<AccountId>"
    assert _allowed(app, "get_status", "s3") == {f"GetObject {bucket}/media/*"}


def test_only_the_copy_writes_media(app: Template) -> None:
    writers = {
        name
        for name in NAMES
        for action, resource in app.permissions(name)
        if action == "s3:PutObject" and resource.endswith("/media/*")
    }
    assert writers == {"store_result"}


def test_the_provider_token_is_read_by_those_who_speak_to_the_provider(app: Template) -> None:
    readers = {
        name
        for name in NAMES
        if any("providers/replicate" in allowed for allowed in _allowed(app, name, "secretsmanager"))
    }
    assert readers == {"generate_media", "process_webhook", "advance_job"}


def test_only_the_sweep_asks_what_is_in_flight(app: Template) -> None:
    asking = {
        name: allowed
        for name in NAMES
        if (allowed := {entry for entry in _allowed(app, name, "dynamodb") if entry.startswith("Query")})
    }
    assert asking == {
        "check_replicate_status": {"Query table/vsl-homolog-realtime-jobs/index/InFlightIndex"},
    }


def test_the_migrations_reach_the_database_and_nothing_else(app: Template) -> None:
    services = {action.partition(":")[0] for action, _ in app.permissions("migrate_database")}
    assert services == {"logs", "secretsmanager"}
    allowed = _allowed(app, "migrate_database", "secretsmanager")
    assert all(entry.endswith("vsl/homolog/database/main-??????") for entry in allowed)
