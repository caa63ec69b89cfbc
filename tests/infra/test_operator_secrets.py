"""The operator's secrets in Secrets Manager, and the dead letters in SQS: against moto."""

import os
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from infra.deploy import prepare
from infra.operator_secrets import OperatorSecrets
from infra.redrive import counts, main, redrive
from infra.session import NotReadyError
from infra.settings import InfraSettings

DATABASE = "postgresql://user:password@db.example.com/gateway"
CHOSEN = InfraSettings()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


@pytest.fixture
def client(aws: None) -> Any:
    return boto3.client("secretsmanager", region_name="eu-west-1")


@pytest.fixture
def secrets(client: Any) -> OperatorSecrets:
    return OperatorSecrets(client, CHOSEN)


def test_everything_that_is_missing_is_named_at_once(secrets: OperatorSecrets) -> None:
    with pytest.raises(NotReadyError) as caught:
        prepare(secrets, CHOSEN, {"LOG_LEVEL": "LOUD", "PROVIDERS_CONFIG": "{"})
    for name in (
        "stage homolog",
        "DATABASE_URL is missing",
        "REPLICATE_API_TOKEN is missing",
        "LOG_LEVEL='LOUD'",
        "PROVIDERS_CONFIG: The configuration of providers is not JSON",
    ):
        assert name in str(caught.value)


def test_an_address_that_lambda_cannot_use_is_refused_without_repeating_its_password(
    secrets: OperatorSecrets,
) -> None:
    for address in ("mysql://user:password@db.example.com/x", "postgresql://user:password@localhost/x"):
        (problem,) = secrets.problems({"DATABASE_URL": address, "REPLICATE_API_TOKEN": "r8_token"})
        assert problem.startswith("DATABASE_URL ")
        assert "password" not in problem


def test_secrets_are_saved_under_the_names_of_the_stage_and_only_when_they_change(
    client: Any, secrets: OperatorSecrets
) -> None:
    values = {"DATABASE_URL": DATABASE, "REPLICATE_API_TOKEN": "r8_token"}
    assert secrets.save(values) == [
        "vsl/homolog/database/main",
        "vsl/homolog/database/worker",
        "vsl/homolog/database/migrator",
        "vsl/homolog/providers/replicate",
    ]
    assert secrets.save(values) == []
    assert secrets.save({**values, "REPLICATE_API_TOKEN": "r8_next"}) == ["vsl/homolog/providers/replicate"]
    assert client.get_secret_value(SecretId="vsl/homolog/providers/replicate")["SecretString"] == "r8_next"


def test_a_key_at_any_provider_will_do_and_each_has_a_secret_of_its_own(
    client: Any, secrets: OperatorSecrets
) -> None:
    values = {"DATABASE_URL": DATABASE, "FAL_KEY": "id:secret", "OPENAI_API_KEY": "sk-1"}
    assert secrets.problems(values) == []
    assert set(secrets.save(values)) >= {"vsl/homolog/providers/fal", "vsl/homolog/providers/openai"}
    assert saved_at(client, "providers/fal") == "id:secret"
    assert secrets.problems({}) == []


def saved_at(client: Any, name: str) -> str:
    return str(client.get_secret_value(SecretId=f"vsl/homolog/{name}")["SecretString"])


def test_the_functions_get_logins_of_their_own_which_the_operator_need_not_think_of(
    client: Any, secrets: OperatorSecrets
) -> None:
    secrets.save({"DATABASE_URL": DATABASE, "REPLICATE_API_TOKEN": "r8_token"})
    assert saved_at(client, "database/migrator") == DATABASE
    kept = {name: saved_at(client, f"database/{name}") for name in ("main", "worker")}
    assert kept["main"].startswith("postgresql://vsl_homolog_api:")
    assert kept["worker"].startswith("postgresql://vsl_homolog_worker:")
    assert all(url.endswith("@db.example.com/gateway") for url in kept.values())
    moved = DATABASE.replace("db.example.com", "new.example.com")
    assert secrets.save({"DATABASE_URL": moved}) == [
        "vsl/homolog/database/main",
        "vsl/homolog/database/worker",
        "vsl/homolog/database/migrator",
    ]
    for name, url in kept.items():
        assert saved_at(client, f"database/{name}") == url.replace("db.example.com", "new.example.com")


def test_the_migrations_run_again_when_a_login_changes_and_only_then(secrets: OperatorSecrets) -> None:
    secrets.save({"DATABASE_URL": DATABASE, "REPLICATE_API_TOKEN": "r8_token"})
    before = secrets.logins_version()
    secrets.save({"DATABASE_URL": DATABASE, "REPLICATE_API_TOKEN": "r8_next"})
    assert secrets.logins_version() == before
    secrets.save({"WORKER_DATABASE_URL": "postgresql://other:password@db.example.com/gateway"})
    assert secrets.logins_version() != before


def test_a_login_that_stands_in_two_addresses_is_refused(secrets: OperatorSecrets) -> None:
    values = {"DATABASE_URL": DATABASE, "REPLICATE_API_TOKEN": "r8_token", "API_DATABASE_URL": DATABASE}
    (problem,) = secrets.problems(values)
    assert problem.startswith("API_DATABASE_URL has the login of DATABASE_URL")
    assert "password" not in problem


def test_where_nothing_can_be_derived_both_addresses_are_asked_for(
    client: Any, secrets: OperatorSecrets
) -> None:
    client.create_secret(Name="vsl/homolog/database/migrator", SecretString='{"host": "db.example.com"}')
    problems = secrets.problems({"REPLICATE_API_TOKEN": "r8_token"})
    assert [problem.partition(" is missing")[0] for problem in problems] == [
        "API_DATABASE_URL",
        "WORKER_DATABASE_URL",
    ]


def test_a_replica_without_a_login_is_read_as_the_api(client: Any, secrets: OperatorSecrets) -> None:
    secrets.save(
        {"DATABASE_URL": DATABASE, "DATABASE_REPLICA_URL": "postgresql://replica.example.com/gateway"}
    )
    main, replica = saved_at(client, "database/main"), saved_at(client, "database/replica")
    assert replica == main.replace("db.example.com", "replica.example.com")
    arguments = prepare(secrets, CHOSEN, {"REPLICATE_API_TOKEN": "r8_token"})
    assert "Vsl-homolog-app:DatabaseReplicaSecretName=vsl/homolog/database/replica" in arguments


def test_a_secret_that_was_saved_before_need_not_be_given_again(secrets: OperatorSecrets) -> None:
    secrets.save(
        {"DATABASE_URL": DATABASE, "REPLICATE_API_TOKEN": "r8_token", "REDIS_URL": "rediss://r.example.com"}
    )
    arguments = prepare(secrets, CHOSEN, {})
    assert "Vsl-homolog-app:RedisSecretName=vsl/homolog/redis/main" in arguments


def test_a_secret_that_is_about_to_be_deleted_is_said_so_with_the_way_out(
    client: Any, secrets: OperatorSecrets
) -> None:
    values = {"DATABASE_URL": DATABASE, "REPLICATE_API_TOKEN": "r8_token"}
    secrets.save(values)
    client.delete_secret(SecretId="vsl/homolog/database/main")
    with pytest.raises(NotReadyError, match="restore-secret --secret-id vsl/homolog/database/main"):
        secrets.save(values)
    with pytest.raises(NotReadyError):
        prepare(secrets, CHOSEN, {})


def test_without_redis_the_functions_are_told_that_there_is_none(secrets: OperatorSecrets) -> None:
    arguments = prepare(secrets, CHOSEN, {"DATABASE_URL": DATABASE, "REPLICATE_API_TOKEN": "r8_token"})
    assert "Vsl-homolog-app:RedisSecretName=" in arguments
    assert not [argument for argument in arguments if "r8_token" in argument or "password" in argument]


@pytest.fixture
def sqs(aws: None) -> Any:
    client = boto3.client("sqs", region_name="eu-west-1")
    for name in ("advance", "submit", "store", "check-replicate-status"):
        client.create_queue(QueueName=f"vsl-homolog-{name}-dead-letters")
    return client


def _put(sqs: Any, name: str, body: str) -> None:
    url = sqs.get_queue_url(QueueName=f"vsl-homolog-{name}-dead-letters")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=body)


def test_dead_letters_are_counted_by_queue(sqs: Any) -> None:
    _put(sqs, "store", "a")
    assert counts(sqs, CHOSEN) == {
        "advance": 0,
        "submit": 0,
        "store": 1,
        "check-replicate-status": 0,
    }


class RecordingSqs:
    """moto's SQS, and a record of the moves that it would be asked to start, which moto does not know."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.moves: list[dict[str, Any]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def start_message_move_task(self, **arguments: Any) -> None:
        self.moves.append(arguments)


def test_a_redrive_moves_the_letters_back_to_where_they_came_from(sqs: Any) -> None:
    recording = RecordingSqs(sqs)
    _put(sqs, "store", "a")
    assert redrive(recording, CHOSEN, "store") == 1
    (move,) = recording.moves
    assert move["SourceArn"].endswith(":vsl-homolog-store-dead-letters")
    assert "DestinationArn" not in move


def test_a_redrive_of_nothing_starts_nothing(sqs: Any) -> None:
    recording = RecordingSqs(sqs)
    assert redrive(recording, CHOSEN, "advance") == 0
    assert recording.moves == []


def test_a_stage_that_is_not_deployed_is_said_so(
    sqs: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("VSL_STAGE", "elsewhere")
    monkeypatch.setattr("infra.redrive.load_into_environment", lambda: dict(os.environ))
    assert main([]) == 1
    assert "is stage elsewhere deployed there?" in capsys.readouterr().err


def test_without_a_region_or_credentials_the_command_says_what_to_set(
    aws: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setattr("infra.redrive.load_into_environment", lambda: dict(os.environ))
    assert main(["store"]) == 1
    assert "set AWS_REGION in .env" in capsys.readouterr().err
