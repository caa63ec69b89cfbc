"""Secrets: kept for five minutes, and longer while Secrets Manager is away."""

import pytest

from lib.aws import account
from lib.aws.secrets import LIFE_SECONDS, Secrets, fetch_secret, plain_value
from lib.domain.errors import ConfigurationError, UnavailableError
from lib.variables import Secret
from local.backing import Moto
from tests.fakes.aws_tables import aws_client

NAMED = Secret("vsl/test/database/main")


class Manager:
    """Secrets Manager as a value that can go away."""

    def __init__(self, value: str) -> None:
        self.value: str | None = value
        self.asked = 0

    def __call__(self, name: str, timeout_seconds: float) -> str:
        self.asked += 1
        if self.value is None:
            raise UnavailableError("away")
        return self.value


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_direct_secret_asks_nobody() -> None:
    manager = Manager("stored")
    assert Secrets(manager).get(Secret("DATABASE_URL", "given")) == "given"
    assert manager.asked == 0


def test_a_fetched_secret_is_kept_and_a_rotated_one_is_taken_after_five_minutes() -> None:
    manager, clock = Manager("old"), Clock()
    secrets = Secrets(manager, monotonic=clock)
    assert [secrets.get(NAMED), secrets.get(NAMED)] == ["old", "old"]
    manager.value = "new"
    assert (secrets.get(NAMED), manager.asked) == ("old", 1)
    clock.seconds = LIFE_SECONDS
    assert (secrets.get(NAMED), manager.asked) == ("new", 2)


def test_while_secrets_manager_is_away_the_last_value_is_good() -> None:
    manager, clock = Manager("held"), Clock()
    secrets = Secrets(manager, monotonic=clock)
    secrets.get(NAMED)
    manager.value, clock.seconds = None, LIFE_SECONDS + 1
    assert secrets.get(NAMED) == "held"


def test_without_any_value_the_outage_shows() -> None:
    manager = Manager("")
    manager.value = None
    with pytest.raises(UnavailableError):
        Secrets(manager).get(NAMED)


@pytest.mark.parametrize(
    ("text", "value"),
    [("plain", "plain"), (' {"value": "inside"} ', "inside"), ("{generated-key", "{generated-key")],
)
def test_a_secret_is_plain_text_or_the_value_of_an_object(text: str, value: str) -> None:
    assert plain_value("name", text) == value


@pytest.mark.parametrize("text", ["", "  ", '{"password": "x"}', '{"value": 5}', '{"value": ""}'])
def test_anything_else_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        plain_value("vsl/test/x", text)
    assert "vsl/test/x" in caught.value.message
    assert "password" not in caught.value.message


@pytest.fixture
def at_moto(moto_server: Moto, monkeypatch: pytest.MonkeyPatch) -> Moto:
    for name, value in (
        ("AWS_ENDPOINT_URL", moto_server.url),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
    ):
        monkeypatch.setenv(name, value)
    return moto_server


def test_a_secret_is_fetched_by_a_signed_request(at_moto: Moto) -> None:
    client = aws_client("secretsmanager", at_moto.url)
    client.create_secret(Name="vsl/test/settings/fetched", SecretString="from the manager")
    client.close()
    assert fetch_secret("vsl/test/settings/fetched", 2.0) == "from the manager"


def test_a_secret_that_is_not_there_is_a_matter_of_configuration(at_moto: Moto) -> None:
    with pytest.raises(ConfigurationError, match=r"vsl/test/none.*ResourceNotFoundException"):
        fetch_secret("vsl/test/none", 2.0)


def test_a_manager_that_does_not_answer_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with pytest.raises(UnavailableError):
        fetch_secret("vsl/test/x", 0.5)


def test_addresses_follow_the_region_and_the_endpoint() -> None:
    here = {"AWS_REGION": "eu-west-1"}
    assert account.endpoint("secretsmanager", here) == "https://secretsmanager.eu-west-1.amazonaws.com"
    assert (
        account.object_url("b", "a b/ü.png", here) == "https://b.s3.eu-west-1.amazonaws.com/a%20b/%C3%BC.png"
    )
    local = {**here, "AWS_ENDPOINT_URL": "http://127.0.0.1:5000/"}
    assert account.object_url("b", "k.png", local) == "http://127.0.0.1:5000/b/k.png"
    assert account.endpoint("s3", {"AWS_REGION": "cn-north-1"}) == "https://s3.cn-north-1.amazonaws.com.cn"
    with pytest.raises(ConfigurationError, match="AWS_REGION"):
        account.region({})
