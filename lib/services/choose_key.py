"""Whose key a job may use: the user's own, the operator's, or the user's own where there is one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from lib.domain.caller import Caller
from lib.domain.credential_policy import CredentialPolicy
from lib.domain.errors import NoCredentialError
from lib.domain.model_config import ModelConfig
from lib.domain.provider import AdapterTraits, Credential


class OpenCredential(Protocol):
    """Opens the credential of a version."""

    def __call__(self, provider: str, version: str, sealed: Mapping[str, Any] | None = None, /) -> Credential:
        """The credential; `sealed` spares the record's being asked for one that a user brought.

        Raises ConfigurationError where it cannot be opened here, UnavailableError where it cannot be had now.
        """


@dataclass(frozen=True)
class ChooseKey:
    """Says which policy holds for a caller; which key it comes to, the record decides as it makes the job.

    `has_platform_key` says whether the operator has a key at a provider.
    """

    traits: Callable[[str], AdapterTraits]
    has_platform_key: Callable[[str], bool]

    def __call__(self, model: ModelConfig, caller: Caller) -> CredentialPolicy:
        """The policy of the model, without what cannot be.

        Raises NoCredentialError where no key can apply.
        """
        own = self.traits(model.provider).own_credentials and caller.guest_token is None
        may_own = own and model.credentials is not CredentialPolicy.PLATFORM
        may_platform = model.credentials is not CredentialPolicy.OWN and self.has_platform_key(model.provider)
        if may_own:
            return CredentialPolicy.OWN_THEN_PLATFORM if may_platform else CredentialPolicy.OWN
        if may_platform:
            return CredentialPolicy.PLATFORM
        raise NoCredentialError(_no_key(model, own=own))


def _no_key(model: ModelConfig, *, own: bool) -> str:
    if model.credentials is CredentialPolicy.OWN:
        return f"{model.id} is made with a key of your own for {model.provider}, which guests cannot have."
    return (
        f"The gateway has no key for {model.provider}, which makes {model.id}: the operator must set one."
        + (f" Or put your own at /providers/{model.provider}/credentials." if own else "")
    )
