"""The master key in AWS KMS: data keys are made and opened there, and the master key never leaves it."""

import base64
import binascii
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.aws.json_call import call, error_kind
from lib.domain.envelope import CredentialContext
from lib.domain.errors import EncryptionNotConfiguredError, UnavailableError, UnreadableCredentialError
from lib.ports.master_key import DataKey

TOTAL_SECONDS = 0.9
"""With a slow record and a slow provider within generate_media's 30 s, which are API Gateway's too."""
LEAST_SECONDS = 0.2
PREFIX = "kms:"
_WRONG = frozenset({"InvalidCiphertextException", "IncorrectKeyException"})
_AWAY = frozenset({"DependencyTimeoutException", "KMSInternalException", "KeyUnavailableException"})


@dataclass(frozen=True)
class KmsMasterKey:
    """A `MasterKey` by GenerateDataKey, Encrypt and Decrypt, each with the context as encryption context.

    Sources: docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKey.html, API_Decrypt.html.

    A row's `key_id` is `kms:` and the address (ARN) of the key itself: what one key wrapped still opens after the alias
    was moved to another, and the rotation by KMS changes nothing here.

    Args:
        name: the key that seals, by its address or alias.
        total_seconds: how long two tries may take together; the second is made if the first failed soon.
    """

    name: str
    total_seconds: float = TOTAL_SECONDS
    monotonic: Callable[[], float] = field(default=time.monotonic, repr=False, compare=False)

    def opens(self, key_id: str) -> bool:
        """See the port: every key of KMS, as far as this role may use it."""
        return key_id.startswith(PREFIX)

    def generate_data_key(self, context: CredentialContext) -> DataKey:
        """See the port."""
        answer = self._ask("GenerateDataKey", self.name, {"KeySpec": "AES_256"}, context)
        return _data_key(_bytes(answer, "Plaintext"), answer)

    def wrap(self, plain: bytes, context: CredentialContext) -> DataKey:
        """See the port."""
        given = {"Plaintext": base64.b64encode(plain).decode("ascii")}
        return _data_key(plain, self._ask("Encrypt", self.name, given, context))

    def unwrap(self, wrapped: bytes, key_id: str, context: CredentialContext) -> bytes:
        """See the port."""
        given = {"CiphertextBlob": base64.b64encode(wrapped).decode("ascii")}
        return _bytes(self._ask("Decrypt", key_id.removeprefix(PREFIX), given, context), "Plaintext")

    def _ask(
        self, action: str, key: str, given: Mapping[str, Any], context: CredentialContext
    ) -> Mapping[str, Any]:
        parameters = {"KeyId": key, "EncryptionContext": context.as_pairs(), **given}
        until = self.monotonic() + self.total_seconds
        try:
            return self._answer(action, parameters, self.total_seconds)
        except UnavailableError:
            left = until - self.monotonic()
            if left < LEAST_SECONDS:
                raise
            return self._answer(action, parameters, left)  # none of these calls changes anything

    def _answer(self, action: str, parameters: Mapping[str, Any], seconds: float) -> Mapping[str, Any]:
        status, answer = call(
            "kms",
            f"TrentService.{action}",
            parameters,
            title="AWS KMS",
            timeout_seconds=seconds,
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


def _data_key(plain: bytes, answer: Mapping[str, Any]) -> DataKey:
    return DataKey(plain, _bytes(answer, "CiphertextBlob"), PREFIX + str(answer.get("KeyId", "")))


def _bytes(answer: Mapping[str, Any], name: str) -> bytes:
    try:
        return base64.b64decode(answer[name], validate=True)
    except (KeyError, TypeError, binascii.Error):
        raise UnavailableError("AWS KMS answered what is no answer; try again shortly.") from None
