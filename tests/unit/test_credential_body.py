"""The body of a key: all that is wrong with it at once, and nothing of it quoted, since a key may stand anywhere."""

import json
from typing import Any

import pytest

from lib.domain.credential import (
    credential_of,
    masked_fields,
    own_credential_id,
    read_credential_body,
    without_secrets,
)
from lib.domain.errors import InvalidError
from lib.domain.provider import Credential, CredentialField
from tests.fakes.credentials import leaks

KEY = "r8_Xk29fQmZ7bTrV4LsPq81nYwEdJh53GuCo6RaB0Mi"  # the same in every process: tests are named after it
ONE = (CredentialField("apiKey", "The API key"),)
TWO = (
    CredentialField("serviceAccount", "The service account's file", pattern=r"\{.{8,4000}\}"),
    CredentialField("projectId", "The project", secret=False, pattern=r"[a-z][a-z0-9-]{3,30}"),
    CredentialField("location", "The region", secret=False, required=False, pattern=r"[a-z0-9-]{3,30}"),
)


def refused(body: dict[str, Any], fields: tuple[CredentialField, ...] = ONE) -> InvalidError:
    with pytest.raises(InvalidError) as error:
        read_credential_body(body, fields)
    return error.value


@pytest.mark.parametrize("body", [{"credentials": {"apiKey": KEY}}, {"apiKey": KEY}])
def test_a_key_comes_by_itself_or_among_credentials(body: dict[str, Any]) -> None:
    assert read_credential_body(body, ONE) == {"apiKey": KEY}


def test_the_first_part_may_be_called_api_key_whatever_its_provider_calls_it() -> None:
    fields = (CredentialField("apiToken", "The API token"),)
    assert read_credential_body({"apiKey": KEY}, fields) == {"apiToken": KEY}
    assert read_credential_body({"apiToken": KEY}, fields) == {"apiToken": KEY}
    assert len(refused({"apiToken": KEY, "apiKey": KEY}, fields).errors) == 1


def test_a_part_that_is_an_object_is_kept_as_its_json() -> None:
    account = {"type": "service_account", "private_key": "-----BEGIN"}
    read = read_credential_body({"serviceAccount": account, "projectId": "my-project"}, TWO)
    assert json.loads(read["serviceAccount"]) == account
    assert read["projectId"] == "my-project"


def test_all_that_is_wrong_is_said_at_once() -> None:
    error = refused({"credentials": {"projectId": "NO", "location": 7, KEY: "x"}}, TWO)
    assert [item.path for item in error.errors] == [
        "credentials.serviceAccount",
        "credentials.projectId",
        "credentials.location",
        "credentials",
    ]
    assert "known are serviceAccount, projectId, location" in error.errors[-1].message


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"credentials": {}},
        {"credentials": KEY},
        {"credentials": [KEY]},
        {KEY: "apiKey"},
        {"credentials": {"apiKey": [KEY]}},
        {"credentials": {"apiKey": KEY + "\n"}},
        {"credentials": {"apiKey": KEY[:4]}},
        {"credentials": {"apiKey": KEY, "more": KEY}},
        {"credentials": {"apiKey": KEY * 1000}},
        {"credentials": {"apiKey": KEY}, "more": KEY},
        {"apiKey": None},
        {"apiKey": {"key": KEY}, KEY: KEY},
    ],
    ids=str,
)
def test_what_is_refused_is_never_quoted(body: dict[str, Any]) -> None:
    error = refused(body)
    assert error.errors
    assert leaks(f"{error!r} {error} {error.message} {error.errors}", KEY) == []


def test_secret_parts_are_masked_and_others_shown() -> None:
    values = {"serviceAccount": "{" + "x" * 30 + "wxyz", "projectId": "my-project", "unknown": "y" * 30}
    assert masked_fields(values, TWO) == {
        "serviceAccount": "…wxyz",
        "projectId": "my-project",
        "unknown": "…yyyy",
    }


def test_the_first_field_is_the_secret_and_a_version_tells_whose_it_is() -> None:
    made = credential_of("google_veo", {"serviceAccount": "s", "projectId": "p"}, TWO, "own:7")
    assert (made.secret, dict(made.extra), made.version) == ("s", {"projectId": "p"}, "own:7")
    assert (own_credential_id("own:7"), own_credential_id("platform")) == ("7", None)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (f"Incorrect API key provided: {KEY}.", "Incorrect API key provided: ***."),
        (f"no such key {KEY[:12]}****{KEY[-4:]}", f"no such key *******{KEY[-4:]}"),
        (f"it begins {KEY[:8]} and goes on", "it begins *** and goes on"),
        (f"it begins {KEY[:7]} and goes on", f"it begins {KEY[:7]} and goes on"),
        ("nothing of it", "nothing of it"),
        ("", ""),
    ],
)
def test_words_of_a_provider_are_told_without_what_they_share_with_the_key(words: str, told: str) -> None:
    assert without_secrets(words, Credential("replicate", KEY)) == told


def test_the_other_parts_of_a_key_are_taken_out_too() -> None:
    credential = Credential("x", "short", extra={"second": KEY})
    assert leaks(without_secrets(f"a {KEY} b {KEY[5:]} c", credential), KEY) == []


def test_of_the_other_parts_those_are_taken_out_that_are_secret() -> None:
    fields = (*TWO, CredentialField("webhookToken", "The webhooks' secret", required=False))
    values = {"serviceAccount": "short", "projectId": "my-project-one", "webhookToken": KEY}
    made = credential_of("x", values, fields, "own:7")
    assert without_secrets(f"my-project-one has {KEY}", made) == "my-project-one has ***"
