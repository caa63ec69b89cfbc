"""Settings: the environment is read as a whole, and everything wrong with it is named at once."""

from dataclasses import FrozenInstanceError

import pytest

from lib import settings, work_settings
from lib.domain.errors import ConfigurationError
from lib.settings import StatusSettings, load
from lib.work_settings import GenerateSettings, StoreSettings
from tests.fakes.wired import ENVIRONMENT


def test_a_complete_environment_is_read() -> None:
    read = load(GenerateSettings, {**ENVIRONMENT, "RATE_LIMIT_PER_HOUR": "77"})
    assert (read.jobs_table, read.bucket, read.rate_limit_per_hour) == ("jobs", "vsl-test-media", 77)
    assert read.webhook_base_url == "https://gateway.example"
    assert read.database.direct == ENVIRONMENT["DATABASE_URL"]


def test_every_missing_variable_is_named_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(StatusSettings, {})
    assert {error.path for error in caught.value.errors} == {
        "DATABASE_SECRET_NAME",
        "CACHE_TABLE",
        "DYNAMODB_TABLE",
        "S3_BUCKET",
        "ADVANCE_QUEUE_URL",
    }
    for error in caught.value.errors:
        assert error.path in caught.value.message


@pytest.mark.parametrize(
    ("variable", "value", "right"),
    [
        ("MAX_OUTPUT_BYTES", "many", "whole number of at least 1"),
        ("MAX_OUTPUT_BYTES", "0", "whole number of at least 1"),
        ("ADVANCE_QUEUE_URL", "not-an-address", "http or https address"),
    ],
)
def test_a_wrong_value_is_named_with_what_would_be_right(variable: str, value: str, right: str) -> None:
    with pytest.raises(ConfigurationError, match=right) as caught:
        load(StoreSettings, {**ENVIRONMENT, variable: value})
    assert [error.path for error in caught.value.errors] == [variable]


def test_an_unknown_choice_is_refused() -> None:
    with pytest.raises(
        ConfigurationError, match="enabled or disabled, or except: and providers with commas, not 'perhaps'"
    ):
        load(GenerateSettings, {**ENVIRONMENT, "PROVIDER_WEBHOOKS": "perhaps"})


@pytest.mark.parametrize(
    ("setting", "asked"),
    [
        ("enabled", {"fal": True, "replicate": True}),
        ("disabled", {"fal": False, "replicate": False}),
        ("except:replicate,runway", {"fal": True, "replicate": False}),
    ],
)
def test_providers_are_asked_to_call_back_unless_all_or_they_are_left_out(
    setting: str, asked: dict[str, bool]
) -> None:
    read = load(GenerateSettings, {**ENVIRONMENT, "PROVIDER_WEBHOOKS": setting})
    assert {name: read.asks_for_webhooks(name) for name in asked} == asked


def test_a_wrong_variable_never_shows_a_secret_and_neither_does_the_repr() -> None:
    read = load(StatusSettings, ENVIRONMENT)
    assert "postgresql" not in repr(read)


def test_without_both_redis_variables_there_is_no_redis() -> None:
    assert load(StatusSettings, {**ENVIRONMENT, "REDIS_SECRET_NAME": ""}).redis is None


def test_a_secret_may_be_given_by_name() -> None:
    read = load(StatusSettings, {**ENVIRONMENT, "REDIS_SECRET_NAME": "vsl/test/redis/main"})
    assert read.redis is not None
    assert (read.redis.name, read.redis.direct) == ("vsl/test/redis/main", None)


def test_settings_do_not_change() -> None:
    read = load(StatusSettings, ENVIRONMENT)
    with pytest.raises(FrozenInstanceError):
        read.bucket = "another"  # type: ignore[misc]


def test_every_function_has_settings() -> None:
    kinds = {
        name for module in (settings, work_settings) for name in vars(module) if name.endswith("Settings")
    }
    functions = (
        "Status",
        "Jobs",
        "Describe",
        "Analytics",
        "Advance",
        "Generate",
        "Webhook",
        "Sweep",
        "Store",
        "Migration",
    )
    assert {f"{name}Settings" for name in functions} <= kinds
