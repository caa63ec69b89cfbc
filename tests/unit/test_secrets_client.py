"""The secrets client against moto and against a manager that can go away."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from lib.aws.secrets_client import FALLBACK_LIFE_SECONDS, SecretsClient, SecretsConfig
from lib.domain.errors import ConfigurationError, UnavailableError
from lib.domain.secrets import CognitoSecrets, EmailSecrets, StripeSecrets
from local.backing import Moto
from tests.fakes.aws_tables import aws_client
from tests.unit.test_settings_secrets import Clock, Manager

NAME = "vsl/dev/stripe/keys"
STRIPE = {"publishableKey": "pk_1", "secretKey": "sk_hidden", "webhookSecret": "wh_hidden"}
READ = StripeSecrets(publishable_key="pk_1", secret_key="sk_hidden", webhook_secret="wh_hidden")
VARIABLES = {
    "STRIPE_KEYS_PUBLISHABLE_KEY": "pk_env",
    "STRIPE_KEYS_SECRET_KEY": "sk_env",
    "STRIPE_KEYS_WEBHOOK_SECRET": "wh_env",
}


def client(manager: Manager, environ: dict[str, str] | None = None, **config: Any) -> SecretsClient:
    clock = config.pop("clock", Clock())
    environ = {} if environ is None else environ
    return SecretsClient(
        SecretsConfig(stage="dev", **config), fetch=manager, environ=environ, monotonic=clock
    )


@pytest.fixture
def at_moto(moto_server: Moto, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of boto3 for the secrets of moto, which are gone afterwards."""
    for name, value in (
        ("AWS_ENDPOINT_URL", moto_server.url),
        ("AWS_REGION", "us-east-1"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
    ):
        monkeypatch.setenv(name, value)
    boto = aws_client("secretsmanager", moto_server.url)
    made: list[str] = []

    def create(name: str, value: Any) -> None:
        made.append(name)
        kind = "SecretBinary" if isinstance(value, bytes) else "SecretString"
        boto.create_secret(
            Name=name, **{kind: value if isinstance(value, str | bytes) else json.dumps(value)}
        )

    yield create
    for name in made:
        boto.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    boto.close()


def test_a_secret_is_typed_and_fetched_once_in_its_life() -> None:
    manager, clock = Manager(json.dumps(STRIPE)), Clock()
    secrets = client(manager, cache_seconds=60, clock=clock)
    assert [secrets.get_secret(NAME, StripeSecrets) for _ in range(2)] == [READ, READ]
    assert manager.asked == 1
    clock.seconds = 60
    assert secrets.get_secret(NAME, StripeSecrets) == READ
    assert manager.asked == 2


def test_names_are_of_the_stage() -> None:
    assert client(Manager("")).name("stripe", "keys") == NAME


def test_a_manager_that_is_away_is_asked_twice_and_then_the_old_value_serves() -> None:
    manager, clock = Manager(json.dumps(STRIPE)), Clock()
    secrets = client(manager, clock=clock)
    secrets.get_secret(NAME, StripeSecrets)
    manager.value, manager.asked, clock.seconds = None, 0, 1e6
    assert secrets.get_secret(NAME, StripeSecrets) == READ
    assert manager.asked == 2


def test_without_leave_the_environment_does_not_serve() -> None:
    manager = Manager("")
    manager.value = None
    with pytest.raises(UnavailableError):
        client(manager, VARIABLES).get_secret(NAME, StripeSecrets)


def test_with_leave_it_does_and_the_manager_is_asked_again_a_little_later() -> None:
    manager, clock = Manager(""), Clock()
    manager.value = None
    secrets = client(manager, VARIABLES, fallback_to_env=True, clock=clock)
    found = [secrets.get_secret(NAME, StripeSecrets) for _ in range(3)]
    assert {each.secret_key for each in found} == {"sk_env"}
    assert manager.asked == 2, "both tries of the first time"
    manager.value, clock.seconds = json.dumps(STRIPE), FALLBACK_LIFE_SECONDS
    assert secrets.get_secret(NAME, StripeSecrets) == READ


def test_an_incomplete_environment_names_its_variables_and_the_outage() -> None:
    manager = Manager("")
    manager.value = None
    some = {"STRIPE_KEYS_PUBLISHABLE_KEY": "pk"}
    with pytest.raises(UnavailableError, match=r"away.*STRIPE_KEYS_SECRET_KEY.*STRIPE_KEYS_WEBHOOK_SECRET"):
        client(manager, some, fallback_to_env=True).get_secret(NAME, StripeSecrets)


@pytest.mark.parametrize("text", ["plain", "[]", '{"publishableKey": "pk_hidden"}', '{"secretKey": 5}'])
def test_a_malformed_secret_is_told_not_shown_and_not_kept(
    text: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    manager = Manager(text)
    secrets = client(manager)
    with pytest.raises(ConfigurationError, match=NAME) as caught:
        secrets.get_secret(NAME, StripeSecrets)
    assert "hidden" not in caught.value.message + caplog.text
    manager.value = json.dumps(STRIPE)
    assert secrets.get_secret(NAME, StripeSecrets) == READ


def test_what_is_published_is_what_the_types_declare_and_the_rest_is_not_even_read() -> None:
    asked: list[str] = []
    texts = {
        NAME: STRIPE,
        "vsl/dev/cognito/config": dict.fromkeys(("userPoolId", "userPoolClientId", "identityPoolId"), "id"),
    }

    def fetch(name: str, timeout_seconds: float) -> str:
        asked.append(name)
        return json.dumps(texts[name])

    secrets = SecretsClient(SecretsConfig(stage="dev"), fetch=fetch, environ={})
    kinds = {
        NAME: StripeSecrets,
        "vsl/dev/email/smtp": EmailSecrets,
        "vsl/dev/cognito/config": CognitoSecrets,
    }
    assert secrets.public_secrets(kinds) == {
        NAME: {"publishableKey": "pk_1"},
        "vsl/dev/cognito/config": texts["vsl/dev/cognito/config"],
    }
    assert asked == [NAME, "vsl/dev/cognito/config"]


def test_a_secret_of_moto_is_read(at_moto: Any) -> None:
    at_moto("vsl/typed/stripe/keys", STRIPE)
    secrets = SecretsClient(SecretsConfig(stage="typed"), environ={})
    assert secrets.get_secret(secrets.name("stripe", "keys"), StripeSecrets) == READ


def test_all_secrets_of_the_stage_become_variables_and_none_is_overwritten(at_moto: Any) -> None:
    at_moto("vsl/bulk/stripe/keys", STRIPE)
    at_moto("vsl/bulk/database/main", "postgresql://x/y")
    at_moto("vsl/bulk/webhook/token-key", {"value": "{key"})
    at_moto("vsl/bulk/email/smtp", {"smtpPort": 587, "options": {"tls": True}, "unset": None})
    at_moto("vsl/bulk/a/binary", b"\x00")
    at_moto("vsl/bulk2/database/main", "of another stage")
    environ = {"DATABASE_MAIN": "mine"}
    secrets = SecretsClient(SecretsConfig(stage="bulk"), environ=environ)
    expected = {
        "EMAIL_SMTP_OPTIONS": '{"tls":true}',
        "EMAIL_SMTP_SMTP_PORT": "587",
        "STRIPE_KEYS_PUBLISHABLE_KEY": "pk_1",
        "STRIPE_KEYS_SECRET_KEY": "sk_hidden",
        "STRIPE_KEYS_WEBHOOK_SECRET": "wh_hidden",
        "WEBHOOK_TOKEN_KEY": "{key",
    }
    assert secrets.load_all_secrets_into_env() == sorted(expected)
    assert environ == {**expected, "DATABASE_MAIN": "mine"}
    assert secrets.load_all_secrets_into_env("vsl/bulk/database", overwrite=True) == ["DATABASE_MAIN"]
    assert environ["DATABASE_MAIN"] == "postgresql://x/y"


def test_more_secrets_than_a_page_holds_are_all_loaded(at_moto: Any) -> None:
    for number in range(45):
        at_moto(f"vsl/pages/many/n{number}", str(number))
    environ: dict[str, str] = {}
    assert len(SecretsClient(SecretsConfig(stage="pages"), environ=environ).load_all_secrets_into_env()) == 45
    assert environ["MANY_N44"] == "44"


@pytest.mark.parametrize(
    ("other", "value", "says"),
    [("vsl/clash/a/b_c", "hidden", "would both set A_B_C"), ("vsl/clash/x/y", {"z": "hidden\0"}, "NUL")],
)
def test_what_cannot_be_loaded_is_told_and_nothing_is_set(
    at_moto: Any, other: str, value: Any, says: str
) -> None:
    at_moto("vsl/clash/a/b-c", "hidden")
    at_moto(other, value)
    environ: dict[str, str] = {}
    with pytest.raises(ConfigurationError, match=says) as caught:
        SecretsClient(SecretsConfig(stage="clash"), environ=environ).load_all_secrets_into_env()
    assert environ == {}
    assert "hidden" not in caught.value.message


def test_a_manager_that_does_not_answer_in_bulk_is_unavailable(
    at_moto: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(UnavailableError, match="does not answer"):
        SecretsClient(SecretsConfig(stage="away"), environ={}).load_all_secrets_into_env()
