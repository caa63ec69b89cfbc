"""The master key in AWS KMS: data keys are made and opened there, and the master key never leaves it."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.aws.json_call import call, error_kind
from lib.domain.envelope import CredentialContext
from lib.domain.errors import EncryptionNotConfiguredError, UnavailableError, UnreadableCredentialError

TIMEOUT_SECONDS = 2.0
PREFIX = "kms:"
_WRONG = frozenset({"InvalidCiphertextException", "IncorrectKeyException"})
_AWAY = frozenset({"DependencyTimeoutException", "KMSInternalException", "KeyUnavailableException"})


@dataclass(frozen=True)
class KmsMasterKey:
    """A `MasterKey` by GenerateDataKey, Encrypt and Decrypt, each with the context as encryption context.

    Sources: docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKey.html, API_Decrypt.html.

    Args:
        arn: the key's address; its rotation by KMS changes nothing here.
        timeout_seconds: how long each of two tries may take.
    """

    arn: str
    timeout_seconds: float = TIMEOUT_SECONDS

    @property
    def key_id(self) -> str:
        """`kms:` and the key's address."""
        return PREFIX + self.arn

    def generate_data_key(self, context: CredentialContext) -> tuple[bytes, bytes]:
        """See the port."""
        answer = self._ask("GenerateDataKey", {"KeySpec": "AES_256"}, context)
        return _bytes(answer, "Plaintext"), _bytes(answer, "CiphertextBlob")

    def wrap(self, plain: bytes, context: CredentialContext) -> bytes:
        """See the port."""
        given = {"Plaintext": base64.b64encode(plain).decode("ascii")}
        return _bytes(self._ask("Encrypt", given, context), "CiphertextBlob")

    def unwrap(self, wrapped: bytes, key_id: str, context: CredentialContext) -> bytes:
        """See the port."""
        del key_id  # whoever has several keys chose this one by it
        given = {"CiphertextBlob": base64.b64encode(wrapped).decode("ascii")}
        return _bytes(self._ask("Decrypt", given, context), "Plaintext")

    def _ask(self, action: str, given: Mapping[str, Any], context: CredentialContext) -> Mapping[str, Any]:
        parameters = {"KeyId": self.arn, "EncryptionContext": context.as_pairs(), **given}
        try:
            return self._answer(action, parameters)
        except UnavailableError:
            return self._answer(action, parameters)  # none of these calls changes anything

    def _answer(self, action: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        status, answer = call(
            "kms",
            f"TrentService.{action}",
            parameters,
            title="AWS KMS",
            timeout_seconds=self.timeout_seconds,
        )
        if status == 200:
            return answer
        kind = error_kind(status, answer)
        if kind in _WRONG:
            raise UnreadableCredentialError("The stored key cannot be opened any more: put it again.")
        if status >= 500 or kind in _AWAY or "Throttling" in kind or "LimitExceeded" in kind:
            raise UnavailableError(
                f"AWS KMS did not answer ({kind}); try again shortly.", retry_after_seconds=5
            )
        raise EncryptionNotConfiguredError(
            f"Encryption service is not properly configured: the key of CREDENTIAL_KMS_KEY_ID cannot be used ({kind}). "
            "It must be there, enabled, and this role must be allowed to use it."
        )


def _bytes(answer: Mapping[str, Any], name: str) -> bytes:
    try:
        return base64.b64decode(answer[name], validate=True)
    except (KeyError, TypeError, binascii.Error):
        raise UnavailableError("AWS KMS answered what is no answer; try again shortly.") from None
