"""The secrets that a stage may hold, as types: each knows its fields, and which of them anybody may see.

They are kept under `vsl/{stage}/{group}/{name}`, as JSON objects with the field names given here.
"""

import re
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, TypeVar

from lib.domain.errors import ConfigurationError, FieldError

PREFIX = "vsl"
_PART = re.compile(r"[a-z0-9][a-z0-9_-]*")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NO_LETTER = re.compile(r"[^A-Za-z0-9]+")

SecretT = TypeVar("SecretT")


def secret_name(stage: str, group: str, name: str) -> str:
    """`vsl/{stage}/{group}/{name}`. Raises ConfigurationError for parts that are not lower-case words."""
    for part in (stage, group, name):
        if not _PART.fullmatch(part):
            raise ConfigurationError(
                f"A secret's name is {PREFIX}/stage/group/name in lower-case letters, digits, - and _, not {part!r}."
            )
    return f"{PREFIX}/{stage}/{group}/{name}"


def variable_name(name: str, wire: str = "") -> str:
    """The environment variable of a secret's field: of `vsl/dev/stripe/keys` and `secretKey`, STRIPE_KEYS_SECRET_KEY.

    The prefix and the stage are left out: a process works for one stage. Without a field, that of a plain secret.
    """
    parts = name.split("/")
    words = [*(parts[2:] if parts[0] == PREFIX and len(parts) > 2 else parts), _HUMP.sub("_", wire)]
    return _NO_LETTER.sub("_", "_".join(word for word in words if word)).strip("_").upper()


def _secret(wire: str, *, public: bool = False, optional: bool = False) -> Any:
    """A field by its name in the JSON object; shown and published only if it is public."""
    metadata = {"wire": wire, "public": public}
    if optional:
        return field(default=None, repr=public, metadata=metadata)
    return field(repr=public, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class DatabaseSecret:
    """The credentials of one login, in the form that RDS keeps and rotates."""

    engine: str = _secret("engine")
    host: str = _secret("host")
    username: str = _secret("username")
    password: str = _secret("password")
    dbname: str = _secret("dbname")
    port: int = _secret("port")


@dataclass(frozen=True, kw_only=True)
class DatabaseSecrets:
    """Connection strings of one database."""

    connection_string: str = _secret("connectionString")
    readonly_connection_string: str | None = _secret("readonlyConnectionString", optional=True)
    migration_password: str | None = _secret("migrationPassword", optional=True)


@dataclass(frozen=True, kw_only=True)
class StripeSecrets:
    """The keys of a Stripe account."""

    publishable_key: str = _secret("publishableKey", public=True)
    secret_key: str = _secret("secretKey")
    webhook_secret: str = _secret("webhookSecret")


@dataclass(frozen=True, kw_only=True)
class CognitoSecrets:
    """The user pool; a browser needs all of it."""

    user_pool_id: str = _secret("userPoolId", public=True)
    user_pool_client_id: str = _secret("userPoolClientId", public=True)
    identity_pool_id: str = _secret("identityPoolId", public=True)


@dataclass(frozen=True, kw_only=True)
class EmailSecrets:
    """How mail is sent."""

    smtp_host: str = _secret("smtpHost")
    smtp_port: int = _secret("smtpPort")
    smtp_user: str = _secret("smtpUser")
    smtp_pass: str = _secret("smtpPass")
    from_email: str = _secret("fromEmail")


@dataclass(frozen=True, kw_only=True)
class MediaGenerationSecrets:
    """The keys of providers of media."""

    openai_api_key: str = _secret("openaiApiKey")
    stability_api_key: str = _secret("stabilityApiKey")
    eleven_labs_api_key: str = _secret("elevenLabsApiKey")


def wire_names(kind: type) -> list[str]:
    """The fields of a secret, as they are called in its JSON object."""
    return [item.metadata["wire"] for item in fields(kind)]


def public_names(kind: type) -> list[str]:
    """Those of `wire_names` that anybody may see."""
    return [item.metadata["wire"] for item in fields(kind) if item.metadata["public"]]


def public_fields(secret: object) -> dict[str, Any]:
    """What anybody may see of a secret, by the names of its JSON object; nothing that is not declared public."""
    found = fields(secret)  # type: ignore[arg-type]  # any of the dataclasses above
    return {item.metadata["wire"]: getattr(secret, item.name) for item in found if item.metadata["public"]}


def read_secret(kind: type[SecretT], name: str, values: Mapping[str, Any]) -> SecretT:
    """The typed secret; fields that it does not know are ignored.

    Raises ConfigurationError naming every field that is missing or wrong at once, and no value.
    """
    read: dict[str, Any] = {}
    errors: list[FieldError] = []
    for item in fields(kind):  # type: ignore[arg-type]  # any of the dataclasses above
        wire = item.metadata["wire"]
        try:
            read[item.name] = _value(item, values.get(wire))
        except ValueError as problem:
            errors.append(FieldError(wire, str(problem)))
    if errors:
        listed = "; ".join(f"{error.path} {error.message}" for error in errors)
        raise ConfigurationError(f"The secret {name} is no {kind.__name__}: {listed}.", errors=errors)
    return kind(**read)


def _value(item: "Field[Any]", value: Any) -> Any:
    if value is None or value == "":
        if item.default is MISSING:
            raise ValueError("must be set")
        return item.default
    if item.type is int:
        return _port(value)
    if not isinstance(value, str):
        raise ValueError("must be text")
    return value


def _port(value: Any) -> int:
    number = int(value) if str(value).isascii() and str(value).isdigit() else 0
    if not 0 < number < 65536:
        raise ValueError("must be a port from 1 to 65535")
    return number
