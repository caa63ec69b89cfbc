"""What KMS says when it does not do what it was asked for, and whose matter that is."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from lib.aws import kms_key
from lib.aws.kms_key import KmsMasterKey
from lib.domain.envelope import CredentialContext
from lib.domain.errors import (
    EncryptionNotConfiguredError,
    GatewayError,
    UnavailableError,
    UnreadableCredentialError,
)

CONTEXT = CredentialContext("alice", "replicate", "01a1fbb0-cf23-747a-9d00-dfe374a9d28b", 1)
NAME = "arn:aws:kms:eu-west-1:123456789012:key/1"
WRAPPED = b"nobody sees what is wrapped here"


class Kms:
    """Answers as it was told, and counts."""

    def __init__(self, status: int, answer: Mapping[str, Any]) -> None:
        self.said = (status, answer)
        self.asked: list[tuple[str, Mapping[str, Any]]] = []

    def call(
        self, service: str, target: str, parameters: Mapping[str, Any], *, title: str, timeout_seconds: float
    ) -> tuple[int, Mapping[str, Any]]:
        """As `lib.aws.json_call.call`."""
        assert (service, title) == ("kms", "AWS KMS")
        assert 0 < timeout_seconds <= kms_key.TOTAL_SECONDS
        self.asked.append((target, parameters))
        return self.said


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Kms]:
    """Let KMS say this."""

    def say(status: int, answer: Mapping[str, Any]) -> Kms:
        kms = Kms(status, answer)
        monkeypatch.setattr(kms_key, "call", kms.call)
        return kms

    return say


@pytest.mark.parametrize(
    ("status", "kind", "expected"),
    [
        (400, "InvalidCiphertextException", UnreadableCredentialError),
        (400, "IncorrectKeyException", UnreadableCredentialError),
        (400, "AccessDeniedException", EncryptionNotConfiguredError),
        (400, "NotFoundException", EncryptionNotConfiguredError),
        (400, "DisabledException", EncryptionNotConfiguredError),
        (400, "KMSInvalidStateException", EncryptionNotConfiguredError),
        (400, "ThrottlingException", UnavailableError),
        (400, "com.amazonaws.kms#LimitExceededException", UnavailableError),
        (400, "KeyUnavailableException", UnavailableError),
        (500, "KMSInternalException", UnavailableError),
        (503, "ServiceUnavailable", UnavailableError),
    ],
)
def test_each_refusal_of_kms_is_the_matter_of_the_key_of_the_operator_or_of_time(
    says: Callable[..., Kms], status: int, kind: str, expected: type[GatewayError]
) -> None:
    kms = says(status, {"__type": kind, "message": "words that name a key"})
    with pytest.raises(expected) as refused:
        KmsMasterKey(NAME).unwrap(WRAPPED, f"kms:{NAME}", CONTEXT)
    assert NAME not in refused.value.message
    assert refused.value.retryable is (expected is UnavailableError)
    assert len(kms.asked) == (2 if expected is UnavailableError else 1)


def test_the_context_goes_with_each_call_and_the_row_names_the_key(says: Callable[..., Kms]) -> None:
    kms = says(200, {"Plaintext": "AAAA", "CiphertextBlob": "AAAA", "KeyId": NAME})
    key = KmsMasterKey("alias/vsl-dev-credentials")
    key.generate_data_key(CONTEXT)
    key.wrap(b"data key", CONTEXT)
    key.unwrap(WRAPPED, f"kms:{NAME}", CONTEXT)
    assert [(target, sent["KeyId"]) for target, sent in kms.asked] == [
        ("TrentService.GenerateDataKey", "alias/vsl-dev-credentials"),
        ("TrentService.Encrypt", "alias/vsl-dev-credentials"),
        ("TrentService.Decrypt", NAME),
    ]
    assert all(sent["EncryptionContext"] == CONTEXT.as_pairs() for _, sent in kms.asked)


@pytest.mark.parametrize("answer", [{}, {"Plaintext": None}, {"Plaintext": "no base64!"}])
def test_an_answer_that_is_none_is_an_outage(says: Callable[..., Kms], answer: Mapping[str, Any]) -> None:
    says(200, answer)
    with pytest.raises(UnavailableError):
        KmsMasterKey(NAME).unwrap(WRAPPED, f"kms:{NAME}", CONTEXT)
