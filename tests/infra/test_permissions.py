"""Least privilege: each role may do what its function does, and nothing else."""

import re
from collections.abc import Iterator, Mapping

import pytest

from infra.functions import FUNCTIONS
from infra.routes import ROUTES
from tests.infra.template import Template, as_list, flat

MAY_DO = {
    # caller's key: cache, then record; limit: an update; large request: an object; catalogue: maybe an object
    "generate_media": """
        secret database/main, redis/main, providers/*, webhook/token-key
        kms Decrypt key/*
        dynamodb GetItem cache, PutItem cache, DeleteItem cache, UpdateItem cache, PutItem jobs
        s3 GetObject config/*, PutObject requests/*
        sqs SendMessage advance, SendMessage store, SendMessage submit""",
    # neither record nor mirror: token, signature, one message, which may be too large for the queue
    "process_webhook": """
        secret providers/*, webhook/token-key
        s3 GetObject config/*, PutObject temp/*
        sqs SendMessage advance""",
    # it signs addresses with its own right to write; a wrong token is told of through the queue
    "receive_upload": """
        secret webhook/token-key
        s3 PutObject temp/*
        sqs SendMessage advance""",
    # reads heal the mirrors above; it signs addresses with its own right to read them
    "get_status": """
        secret database/main, redis/main
        dynamodb GetItem cache, PutItem cache, DeleteItem cache, GetItem jobs, PutItem jobs
        s3 GetObject media/*
        sqs SendMessage advance""",
    "manage_jobs": """
        secret database/main, redis/main
        dynamodb GetItem cache, PutItem cache, DeleteItem cache, PutItem jobs
        s3 GetObject media/*
        sqs SendMessage advance, SendMessage store, SendMessage submit""",
    # a user's own key: sealed when it comes, opened to be tested
    "manage_providers": """
        secret database/main, redis/main, providers/*
        kms GenerateDataKey key/*, Decrypt key/*
        dynamodb GetItem cache, PutItem cache, DeleteItem cache, UpdateItem cache
        s3 GetObject config/*
        sqs SendMessage advance""",
    # details of the health: the mirror, and how long the queues are
    "describe_api": """
        secret database/main, redis/main
        dynamodb GetItem cache, PutItem cache, DeleteItem cache, GetItem jobs
        s3 GetObject config/*
        sqs SendMessage advance, measure advance, measure store, measure submit
        sqs measure advance-dead-letters, measure store-dead-letters, measure submit-dead-letters""",
    # from the replica where there is one; refused callers are told of through the queue
    "read_analytics": """
        secret database/main, database/replica, redis/main
        dynamodb GetItem cache, PutItem cache, DeleteItem cache
        sqs SendMessage advance""",
    # it tells the mirror anew of jobs that it wrongly believes to be due
    "check_replicate_status": """
        secret database/worker, redis/main
        dynamodb Query jobs/index/InFlightIndex, PutItem jobs
        sqs SendMessage advance, SendMessage store, SendMessage submit
        sqs SendMessage check-replicate-status-dead-letters""",
    # listing the bucket makes a missing object "not found" instead of "forbidden"
    "advance_job": """
        secret database/worker, redis/main, providers/*, webhook/token-key
        kms Decrypt key/*
        dynamodb GetItem cache, PutItem cache, PutItem jobs
        s3 GetObject config/*, GetObject requests/*, GetObject temp/*, PutObject temp/*, ListBucket .
        s3 DeleteObject temp/*, AbortMultipartUpload temp/*, ListMultipartUploadParts temp/*
        sqs SendMessage advance, SendMessage store, SendMessage submit, consume advance, measure advance""",
    # the same for providers whose answer is the result: what they made is parked in the bucket
    "submit_job": """
        secret database/worker, redis/main, providers/*, webhook/token-key
        kms Decrypt key/*
        dynamodb GetItem cache, PutItem cache, PutItem jobs
        s3 GetObject config/*, GetObject requests/*, GetObject temp/*, PutObject temp/*, ListBucket .
        s3 DeleteObject temp/*, AbortMultipartUpload temp/*, ListMultipartUploadParts temp/*
        sqs SendMessage advance, SendMessage store, SendMessage submit, consume submit, measure submit""",
    "store_result": """
        secret database/worker, redis/main
        dynamodb PutItem jobs
        s3 GetObject temp/*, GetObject media/*, PutObject media/*, DeleteObject media/*
        s3 AbortMultipartUpload media/*, ListMultipartUploadParts media/*
        s3 ListBucketMultipartUploads ., ListBucket .
        sqs SendMessage advance, SendMessage store, SendMessage submit, consume store, measure store""",
    # it makes the other two logins, with the passwords of their secrets
    "migrate_database": """
        secret database/migrator, database/main, database/worker""",
}
CONSUME = {"ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueUrl"}
MEASURE = "GetQueueAttributes"
NAMES = [spec.name for spec in FUNCTIONS]
JOBS, CACHE = ("realtime-jobs", "jobs"), ("gateway-cache", "cache")
OBJECTS = re.compile(r"arn:<Partition>:s3:::vsl-homolog-media-<AccountId>/[a-z]+/\*")
PROVIDER_KEYS = "arn:<Partition>:secretsmanager:<Region>:<AccountId>:secret:vsl/homolog/providers/*"
MASTER_KEY = "arn:<Partition>:kms:<Region>:<AccountId>:key/*"


def _allowed(app: Template, function: str, service: str) -> set[str]:
    """What a function may do with a service, as `Action end-of-resource`."""
    return {
        f"{action.partition(':')[2]} {resource.rpartition(':')[2]}"
        for action, resource in app.permissions(function)
        if action.startswith(f"{service}:")
    }


def _granted(app: Template, function: str) -> set[str]:
    """What the template lets a function do, in the words of `MAY_DO`; its own log goes without saying."""
    queues = {
        f"<{name}.Arn>": queue["Properties"]["QueueName"].removeprefix("vsl-homolog-")
        for name, queue in app.of_type("AWS::SQS::Queue").items()
    }
    (group,) = app.functions()[function]["Properties"]["LoggingConfig"].values()
    own_log = {
        ("logs:CreateLogStream", f"<{group['Ref']}.Arn>"),
        ("logs:PutLogEvents", f"<{group['Ref']}.Arn>"),
    }
    found = app.permissions(function)
    assert own_log <= found
    return {_in_short(action, resource, queues) for action, resource in found - own_log}


def _in_short(action: str, resource: str, queues: Mapping[str, str]) -> str:
    service, _, verb = action.partition(":")
    place = resource.rpartition(":")[2]
    match service:
        case "secretsmanager":
            return f"secret {place.removeprefix('vsl/homolog/').removesuffix('-??????')}"
        case "dynamodb":
            return (
                f"dynamodb {verb} {place.removeprefix('table/vsl-homolog-').replace(*JOBS).replace(*CACHE)}"
            )
        case "sqs":
            short = {MEASURE: "measure", **dict.fromkeys(CONSUME, "consume")}
            return f"sqs {short.get(verb, verb)} {queues[resource]}"
        case _:
            return (
                f"{service} {verb} {place.removeprefix('vsl-homolog-media-<AccountId>').lstrip('/') or '.'}"
            )


def _written_down(function: str) -> set[str]:
    lines = (line.strip().partition(" ") for line in MAY_DO[function].strip().splitlines())
    return {f"{service} {entry}" for service, _, entries in lines for entry in entries.split(", ")}


@pytest.mark.parametrize("function", NAMES)
def test_a_role_may_do_what_the_code_of_its_function_does_and_nothing_else(
    app: Template, function: str
) -> None:
    assert _granted(app, function) == _written_down(function)


def test_secrets_are_read_and_not_described(app: Template) -> None:
    actions = {action for name in NAMES for action, _ in app.permissions(name)}
    assert {action for action in actions if action.startswith("secretsmanager:")} == {
        "secretsmanager:GetSecretValue"
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


def test_a_wildcard_resource_is_a_prefix_of_the_bucket_or_of_the_secrets_and_nothing_wider(
    app: Template,
) -> None:
    resources = [flat(r) for statement in _statements(app) for r in as_list(statement["Resource"])]
    wide = [resource for resource in resources if "*" in resource]
    assert wide
    known = (PROVIDER_KEYS, MASTER_KEY)  # the master key is named by a condition, see below
    assert not [resource for resource in wide if not OBJECTS.fullmatch(resource) and resource not in known]


def test_the_master_key_is_used_by_its_alias_alone_and_only_for_users_keys(app: Template) -> None:
    """The id of a key is not known when policies are written; its alias is."""
    using = [each for each in _statements(app) if MASTER_KEY in map(flat, as_list(each["Resource"]))]
    alias = "alias/vsl-homolog-credentials"
    assert using
    for statement in using:
        assert set(as_list(statement["Action"])) <= {"kms:Decrypt", "kms:GenerateDataKey"}
        assert statement["Condition"] == {
            "ForAnyValue:StringEquals": {"kms:ResourceAliases": [alias, f"{alias}-retired"]},
            "StringEquals": {"kms:EncryptionContext:purpose": "provider-credential"},
        }


def test_only_the_routes_of_users_keys_can_seal_one(app: Template) -> None:
    sealing = {name for name in NAMES if "GenerateDataKey key/*" in _allowed(app, name, "kms")}
    assert sealing == {"manage_providers"}


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
        "vsl/homolog/database/worker-??????",
        "vsl/homolog/database/migrator-??????",
        "vsl/homolog/database/replica-??????",
        "vsl/homolog/redis/main-??????",
        "vsl/homolog/providers/*",
        "vsl/homolog/webhook/token-key-??????",
    }


def test_the_webhook_reaches_neither_table_nor_database(app: Template) -> None:
    assert not _allowed(app, "process_webhook", "dynamodb")
    secrets = _allowed(app, "process_webhook", "secretsmanager")
    assert not [secret for secret in secrets if "database" in secret or "redis" in secret]
    bucket = "vsl-homolog-media-<AccountId>"
    allowed = {f"PutObject {bucket}/temp/*", f"GetObject {bucket}/config/*"}
    assert _allowed(app, "process_webhook", "s3") == allowed


def test_the_status_sends_to_the_advance_queue_alone_and_reads_media_only_to_sign(app: Template) -> None:
    advance = app.logical_id("AWS::SQS::Queue", QueueName="vsl-homolog-advance")
    assert _allowed(app, "get_status", "sqs") == {f"SendMessage <{advance}.Arn>"}
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
        if any("providers/*" in allowed for allowed in _allowed(app, name, "secretsmanager"))
    }
    assert readers == {"generate_media", "process_webhook", "advance_job", "submit_job", "manage_providers"}


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
    assert {entry.rpartition("/")[2] for entry in allowed} == {
        "main-??????",
        "migrator-??????",
        "worker-??????",
    }


@pytest.mark.parametrize(
    ("secret", "readers"),
    [
        (
            "database/main",
            {
                "generate_media",
                "get_status",
                "manage_jobs",
                "manage_providers",
                "describe_api",
                "read_analytics",
                "migrate_database",
            },
        ),
        (
            "database/worker",
            {"advance_job", "submit_job", "store_result", "check_replicate_status", "migrate_database"},
        ),
        ("database/migrator", {"migrate_database"}),
        ("database/replica", {"read_analytics"}),
    ],
)
def test_a_login_of_the_database_is_known_to_those_whose_rights_it_has(
    app: Template, secret: str, readers: set[str]
) -> None:
    assert readers == {
        name
        for name in NAMES
        if any(
            entry.endswith(f"vsl/homolog/{secret}-??????") for entry in _allowed(app, name, "secretsmanager")
        )
    }


def test_every_function_that_answers_callers_can_tell_the_workers_what_happened(app: Template) -> None:
    advance = app.logical_id("AWS::SQS::Queue", QueueName="vsl-homolog-advance")
    for name in {route.function for route in ROUTES}:
        assert f"SendMessage <{advance}.Arn>" in _allowed(app, name, "sqs"), name
