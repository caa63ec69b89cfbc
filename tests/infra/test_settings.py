"""What an operator chooses: context, environment, defaults, `.env`."""

from pathlib import Path

import pytest

from infra import parameters, settings
from infra.bundle_paths import ROOT
from infra.env_file import read_env_file
from infra.operator_secrets import SECRETS
from infra.settings import InfraSettings

SHAPE = {"VSL_STAGE", "VSL_ALARM_EMAIL", "VSL_LOG_RETENTION_DAYS", "VSL_THROTTLE_RATE", "VSL_THROTTLE_BURST"}


def test_the_stage_is_homolog_unless_somebody_chooses() -> None:
    assert settings.load(environment={}) == InfraSettings(stage="homolog")


def test_context_wins_over_the_environment_and_the_environment_over_defaults() -> None:
    environment = {"VSL_STAGE": "staging", "VSL_THROTTLE_RATE": "9"}
    chosen = settings.load({"stage": "production"}.get, environment)
    assert (chosen.stage, chosen.throttle_rate) == ("production", 9)
    assert chosen.is_production


@pytest.mark.parametrize("stage", ["", "A", "x", "my_stage", "-dash", "dash-", "a" * 21])
def test_a_stage_that_aws_would_refuse_in_a_name_is_refused_here(stage: str) -> None:
    with pytest.raises(ValueError, match="2 to 20 lower-case letters"):
        InfraSettings(stage=stage)


def test_a_retention_that_cloudwatch_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="log_retention_days 10: one of"):
        settings.load(environment={"VSL_LOG_RETENTION_DAYS": "10"})


@pytest.mark.parametrize(
    ("variable", "value"),
    [("LOG_RETENTION_DAYS", "a month"), ("THROTTLE_RATE", "fast"), ("THROTTLE_BURST", "-3")],
)
def test_a_number_that_is_none_is_named(variable: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"{variable.lower()} .*{value}.*: a whole number"):
        settings.load(environment={f"VSL_{variable}": value})


def test_parameters_come_from_the_environment_else_from_their_defaults() -> None:
    values = parameters.values({"RATE_LIMIT_PER_HOUR": "7", "LOG_LEVEL": ""}, stage="homolog")
    assert values["RateLimitPerHour"] == "7"
    assert values["LogLevel"] == "INFO"
    assert set(values) == {parameter.name for parameter in parameters.PARAMETERS}


def test_every_wrong_parameter_is_named_at_once() -> None:
    wrong = {
        "POLL_AFTER_SECONDS": "soon",
        "PROVIDER_WEBHOOKS": "maybe",
        "CORS_ALLOW_ORIGINS": "https://a.example,b",
    }
    with pytest.raises(ValueError, match="POLL_AFTER_SECONDS='soon'") as caught:
        parameters.values(wrong, stage="homolog")
    assert [line.partition("=")[0] for line in str(caught.value).splitlines()] == [
        "PROVIDER_WEBHOOKS",
        "POLL_AFTER_SECONDS",
        "CORS_ALLOW_ORIGINS",
    ]


def test_several_origins_may_call() -> None:
    origins = "https://a.example,http://localhost:3000"
    assert parameters.values({"CORS_ALLOW_ORIGINS": origins}, stage="homolog")["CorsAllowOrigins"] == origins


def test_redis_is_the_secret_of_this_stage_or_none() -> None:
    named = parameters.values({"REDIS_SECRET_NAME": "vsl/homolog/redis/main"}, stage="homolog")
    assert named["RedisSecretName"] == "vsl/homolog/redis/main"
    with pytest.raises(ValueError, match="REDIS_SECRET_NAME"):
        parameters.values({"REDIS_SECRET_NAME": "vsl/production/redis/main"}, stage="homolog")


def test_the_replica_is_the_secret_of_this_stage_or_none() -> None:
    named = {"DATABASE_REPLICA_SECRET_NAME": "vsl/homolog/database/replica"}
    values = parameters.values(named, stage="homolog")
    assert values["DatabaseReplicaSecretName"] == "vsl/homolog/database/replica"
    with pytest.raises(ValueError, match="DATABASE_REPLICA_SECRET_NAME"):
        parameters.values({"DATABASE_REPLICA_SECRET_NAME": "vsl/homolog/database/main"}, stage="homolog")


def test_only_jobs_may_be_kept_for_ever() -> None:
    retention = {p.variable: "0" for p in parameters.PARAMETERS if p.variable.startswith("RETENTION_")}
    assert len(retention) == 6
    assert parameters.values({"RETENTION_JOBS_DAYS": "0"}, stage="homolog")["RetentionJobsDays"] == "0"
    with pytest.raises(ValueError, match="RETENTION_TIMELINE_DAYS='0' must match") as caught:
        parameters.values(retention, stage="homolog")
    assert len(str(caught.value).splitlines()) == 5


def test_every_parameter_takes_its_own_default() -> None:
    assert parameters.values({}, stage="homolog")["MaxOutputBytes"] == "5368709120"


def test_the_example_of_env_names_everything_and_holds_the_defaults() -> None:
    example = read_env_file(ROOT / ".env.example")
    operator_sets = {p.variable for p in parameters.PARAMETERS if not p.variable.endswith("_SECRET_NAME")}
    assert set(example) == operator_sets | {s.variable for s in SECRETS} | SHAPE | {
        "AWS_PROFILE",
        "AWS_REGION",
    }
    assert parameters.values(example, stage="homolog") == parameters.values({}, stage="homolog")
    assert settings.load(environment=example) == InfraSettings()
    assert not [secret.variable for secret in SECRETS if example[secret.variable]]


def test_an_env_file_has_comments_quotes_and_exports(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text(
        "# a comment\n\nA=1\nexport B = two # said\nC='with # and =' \nD=\"\"\nE=\nF=postgres://u:p#x@h/d\n"
    )
    assert read_env_file(path) == {
        "A": "1",
        "B": "two",
        "C": "with # and =",
        "D": "",
        "E": "",
        "F": "postgres://u:p#x@h/d",
    }


def test_an_env_file_may_be_absent(tmp_path: Path) -> None:
    assert read_env_file(tmp_path / ".env") == {}


def test_a_line_of_an_env_file_that_says_nothing_is_named_without_its_value(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("A=1\n9LIVES=secret\n")
    with pytest.raises(ValueError, match=r"\.env, line 2: expected NAME=value, found '9LIVES'"):
        read_env_file(path)
