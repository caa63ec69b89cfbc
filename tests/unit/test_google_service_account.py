"""A service account's key is exchanged at the address that we know, and never shown."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import jwt
import pytest

from lib.domain.errors import ConfigurationError, ProviderError
from lib.domain.provider import Credential, FailureKind
from lib.providers.google_veo import TRAITS, GoogleVeoAdapter
from tests.fakes.google_keys import EMAIL, key_file, public_pem
from tests.fakes.stored_answers import stored_answer

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
UNKNOWN_ALGORITHM = """-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2UQBCIEIGFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh
-----END PRIVATE KEY-----
"""
"""PKCS #8 of a kind that cryptography has no name for."""
adapter = GoogleVeoAdapter()


def credential(text: str) -> Credential:
    return Credential("google_veo", text)


def test_an_assertion_is_signed_for_googles_token_endpoint_alone() -> None:
    request = adapter.token_request(credential(key_file()), NOW)

    assert (request.method, request.url) == ("POST", "https://oauth2.googleapis.com/token")
    assert request.form is not None
    assert request.form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assertion = request.form["assertion"]
    claims = jwt.decode(
        assertion,
        public_pem(),
        algorithms=["RS256"],
        audience="https://oauth2.googleapis.com/token",
        options={"verify_exp": False, "verify_iat": False},
    )
    issued = int(NOW.timestamp())
    assert claims == {
        "iss": EMAIL,
        "scope": "https://www.googleapis.com/auth/cloud-platform",
        "aud": "https://oauth2.googleapis.com/token",
        "iat": issued,
        "exp": issued + 3600,
    }
    assert jwt.get_unverified_header(assertion) == {
        "alg": "RS256",
        "typ": "JWT",
        "kid": "0123456789abcdef",
    }


def test_a_simulator_may_give_the_tokens_but_never_the_file() -> None:
    local = GoogleVeoAdapter(token_url="http://127.0.0.1:9/token")
    assert local.token_request(credential(key_file()), NOW).url == "http://127.0.0.1:9/token"
    with pytest.raises(ConfigurationError, match="must be https"):
        GoogleVeoAdapter(token_url="http://elsewhere.example/token")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no json", "no service account's key"),
        ('["a"]', "no service account's key"),
        (key_file(type="authorized_user"), "no service account's key"),
        (key_file(client_email=None), "lacks client_email"),
        (key_file(private_key=""), "lacks private_key"),
        (key_file(private_key=5), "lacks private_key"),
        (
            key_file(private_key=5, client_email="", project_id=[]),
            "lacks client_email, private_key, project_id",
        ),
        ("[" * 10_000, "no service account's key"),
        (key_file(private_key="-----BEGIN PRIVATE KEY-----\nVEhFU0VDUkVU\n"), "cannot be read"),
        (key_file(private_key=public_pem()), "cannot be read"),
        (key_file(private_key=UNKNOWN_ALGORITHM), "cannot be read"),
    ],
)
def test_what_is_no_key_file_is_told_without_being_quoted(text: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as raised:
        adapter.token_request(credential(text), NOW)
    assert "VEhFU0VDUkVU" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_the_credential_field_takes_a_file_as_it_was_downloaded() -> None:
    pattern = TRAITS.credential_fields[0].pattern
    assert re.fullmatch(pattern, key_file())
    assert not re.fullmatch(pattern, "AIza-an-api-key")


def test_a_token_and_its_life_are_read() -> None:
    assert adapter.parse_token(stored_answer("google_veo", "token")) == ("ya29.c.example", 3599.0)
    for life in ("soon", None, True, [3599]):
        answer = stored_answer("google_veo", "token", expires_in=life)
        assert adapter.parse_token(answer) == ("ya29.c.example", 0.0)


@pytest.mark.parametrize(
    ("name", "changes", "kind", "retryable", "words"),
    [
        ("token_refused", {}, FailureKind.AUTHENTICATION, False, "invalid_grant: Invalid JWT Signature."),
        ("token_disabled", {}, FailureKind.AUTHENTICATION, False, "disabled"),
        ("token_unavailable", {}, FailureKind.OUTAGE, True, "Backend Error"),
        ("token", {"access_token": None}, FailureKind.OUTAGE, True, "HTTP 200"),
        ("token", {"access_token": "a\nb"}, FailureKind.OUTAGE, True, "HTTP 200"),
        ("token", {"access_token": "a\n"}, FailureKind.OUTAGE, True, "HTTP 200"),
        ("token", {"access_token": ""}, FailureKind.OUTAGE, True, "HTTP 200"),
        (
            "token_refused",
            {"error": {"code": 5}},
            FailureKind.AUTHENTICATION,
            False,
            "(HTTP 400): Invalid JWT",
        ),
        ("bad_gateway", {}, FailureKind.OUTAGE, True, "no readable reason"),
    ],
)
def test_an_answer_without_a_token_says_whose_fault_it_is(
    name: str, changes: dict[str, object], kind: FailureKind, retryable: bool, words: str
) -> None:
    with pytest.raises(ProviderError, match=re.escape(words)) as raised:
        adapter.parse_token(stored_answer("google_veo", name, **changes))
    assert (raised.value.code, raised.value.retryable) == (kind.value, retryable)


@pytest.mark.parametrize("status", [408, 429])
def test_a_token_that_is_not_given_just_now_says_nothing_against_the_key(status: int) -> None:
    with pytest.raises(ProviderError) as raised:
        adapter.parse_token(replace(stored_answer("google_veo", "token_refused"), status=status))
    assert (raised.value.code, raised.value.retryable) == (FailureKind.OUTAGE.value, True)
