"""Secrets as types: names, variables, what is missing, and what anybody may see."""

from dataclasses import fields

import pytest

from lib.domain import secrets as s
from lib.domain.errors import ConfigurationError

KINDS = (
    s.DatabaseSecret,
    s.DatabaseSecrets,
    s.StripeSecrets,
    s.CognitoSecrets,
    s.EmailSecrets,
    s.MediaGenerationSecrets,
)
PUBLIC = {"publishableKey", "userPoolId", "userPoolClientId", "identityPoolId"}
STRIPE = {"publishableKey": "pk_1", "secretKey": "sk_hidden", "webhookSecret": "wh_hidden"}


def complete(kind: type) -> dict[str, str]:
    """A JSON object with every field of a kind; a port is right for all that are numbers."""
    return dict.fromkeys(s.wire_names(kind), "4711")


def test_names_are_hierarchical() -> None:
    assert s.secret_name("dev", "stripe", "keys") == "vsl/dev/stripe/keys"


@pytest.mark.parametrize("part", ["", "Dev", "a/b", "a b", "-a", "ä"])
def test_a_part_of_a_name_that_would_be_another_is_refused(part: str) -> None:
    for parts in ((part, "g", "n"), ("s", part, "n"), ("s", "g", part)):
        with pytest.raises(ConfigurationError, match="vsl/stage/group/name"):
            s.secret_name(*parts)


@pytest.mark.parametrize(
    ("name", "wire", "variable"),
    [
        ("vsl/dev/stripe/keys", "secretKey", "STRIPE_KEYS_SECRET_KEY"),
        ("vsl/production/cognito/config", "userPoolClientId", "COGNITO_CONFIG_USER_POOL_CLIENT_ID"),
        ("vsl/dev/database/main", "", "DATABASE_MAIN"),
        ("vsl/dev/webhook/token-key", "", "WEBHOOK_TOKEN_KEY"),
        ("other/name", "a.b", "OTHER_NAME_A_B"),
    ],
)
def test_variables_are_derived_from_names_without_the_stage(name: str, wire: str, variable: str) -> None:
    assert s.variable_name(name, wire) == variable


@pytest.mark.parametrize("kind", KINDS)
def test_every_missing_field_is_named_at_once(kind: type) -> None:
    required = {item.metadata["wire"] for item in fields(kind) if "None" not in str(item.type)}
    with pytest.raises(ConfigurationError) as caught:
        s.read_secret(kind, "vsl/dev/a/b", {})
    assert {error.path for error in caught.value.errors} == required
    assert all(wire in caught.value.message for wire in required)
    assert "vsl/dev/a/b" in caught.value.message


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_is_declared_public_is_shown_or_published(kind: type[object]) -> None:
    secret = s.read_secret(kind, "name", complete(kind))
    assert set(s.public_fields(secret)) == set(s.public_names(kind)) == set(s.wire_names(kind)) & PUBLIC
    assert repr(secret).count("4711") == len(s.public_names(kind))


def test_values_are_read_as_their_types_and_unknown_fields_ignored() -> None:
    read = s.read_secret(s.EmailSecrets, "name", {**complete(s.EmailSecrets), "smtpPort": "587", "more": 1})
    assert (read.smtp_port, read.smtp_host) == (587, "4711")
    assert s.read_secret(s.DatabaseSecrets, "name", {"connectionString": "x"}).migration_password is None


@pytest.mark.parametrize("port", [0, -1, 65536, "many", 5.5, True, [], "٤"])
def test_a_port_that_is_none_is_refused(port: object) -> None:
    with pytest.raises(ConfigurationError, match="smtpPort must be a port from 1 to 65535"):
        s.read_secret(s.EmailSecrets, "name", {**complete(s.EmailSecrets), "smtpPort": port})


def test_a_wrong_value_is_named_and_not_shown() -> None:
    with pytest.raises(
        ConfigurationError, match="secretKey must be text; webhookSecret must be set"
    ) as caught:
        s.read_secret(s.StripeSecrets, "name", {**STRIPE, "secretKey": ["sk_hidden"], "webhookSecret": ""})
    assert "hidden" not in caught.value.message
