"""What must not be lost: tables, bucket, secret, key."""

from collections.abc import Callable
from pathlib import Path

from tests.infra.template import Template, flat


def _keys(index: dict[str, list[dict[str, str]]]) -> list[str]:
    return [key["AttributeName"] for key in index["KeySchema"]]


def test_jobs_are_found_by_id_by_user_by_provider_and_by_what_is_due(data: Template) -> None:
    table = data.properties("AWS::DynamoDB::Table", TableName="vsl-homolog-realtime-jobs")
    assert _keys(table) == ["jobId"]
    assert {index["IndexName"]: _keys(index) for index in table["GlobalSecondaryIndexes"]} == {
        "UserIdIndex": ["userId", "createdAt"],
        "ReplicateIdIndex": ["providerKey"],
        "InFlightIndex": ["pollShard", "nextPollAt"],
    }
    types = {a["AttributeName"]: a["AttributeType"] for a in table["AttributeDefinitions"]}
    assert types.pop("nextPollAt") == "N"
    assert set(types.values()) == {"S"}


def test_both_tables_forget_by_ttl_and_cost_nothing_when_idle(data: Template) -> None:
    tables = [table["Properties"] for table in data.of_type("AWS::DynamoDB::Table").values()]
    assert [table["TimeToLiveSpecification"] for table in tables] == [
        {"AttributeName": "ttl", "Enabled": True}
    ] * 2
    assert [table["BillingMode"] for table in tables] == ["PAY_PER_REQUEST"] * 2


def test_the_table_of_jobs_can_be_restored_to_a_point_in_time(data: Template) -> None:
    table = data.properties("AWS::DynamoDB::Table", TableName="vsl-homolog-realtime-jobs")
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True


def test_the_bucket_is_private_encrypted_and_reached_over_tls_only(data: Template) -> None:
    bucket = data.properties("AWS::S3::Bucket")
    assert flat(bucket["BucketName"]) == "vsl-homolog-media-<AccountId>"
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["BucketEncryption"]
    statements = data.properties("AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
    assert {"Bool": {"aws:SecureTransport": "false"}} in [s["Condition"] for s in statements]
    assert all(statement["Effect"] == "Deny" for statement in statements)


def test_temporary_files_go_old_media_get_cheaper_and_unfinished_uploads_are_aborted(data: Template) -> None:
    rules = {
        rule["Id"]: rule for rule in data.properties("AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"]
    }
    assert (rules["temp"]["Prefix"], rules["temp"]["ExpirationInDays"]) == ("temp/", 1)
    assert rules["old-media"]["Prefix"] == "media/"
    assert rules["old-media"]["Transitions"] == [{"StorageClass": "GLACIER_IR", "TransitionInDays": 90}]
    assert rules["unfinished-uploads"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert not [rule for rule in rules.values() if "ExpirationInDays" in rule and rule["Id"] != "temp"]


def test_the_key_that_seals_users_keys_is_rotated_and_outlives_the_stack(data: Template) -> None:
    (key,) = data.of_type("AWS::KMS::Key").values()
    assert key["Properties"]["EnableKeyRotation"] is True
    assert key["DeletionPolicy"] == key["UpdateReplacePolicy"] == "Retain"
    assert data.properties("AWS::KMS::Alias")["AliasName"] == "alias/vsl-homolog-credentials"


def test_the_key_of_callback_addresses_is_made_by_aws_and_in_no_template(data: Template) -> None:
    secret = data.properties("AWS::SecretsManager::Secret")
    assert secret["Name"] == "vsl/homolog/webhook/token-key"
    assert secret["GenerateSecretString"]["PasswordLength"] >= 32
    assert "SecretString" not in secret


def test_production_keeps_its_data_when_the_stack_goes_and_other_stages_do_not(
    data: Template, synthesize: Callable[[str], Path]
) -> None:
    production = Template.read(synthesize("production") / "Vsl-production-data.template.json")
    kinds = ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SecretsManager::Secret")
    kept = [r["DeletionPolicy"] for kind in kinds for r in production.of_type(kind).values()]
    let_go = [r["DeletionPolicy"] for kind in kinds for r in data.of_type(kind).values()]
    assert (kept, let_go) == (["Retain"] * 4, ["Delete"] * 4)
    table = production.properties("AWS::DynamoDB::Table", TableName="vsl-production-realtime-jobs")
    assert table["DeletionProtectionEnabled"] is True
