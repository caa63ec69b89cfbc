"""Chooses a model for a standard request: one that honours it, that the caller may use, and that is cheap."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lib.domain.alternative import Alternative, standard_alternative
from lib.domain.caller import Caller
from lib.domain.catalogue import Catalogue
from lib.domain.credential import StoredCredential
from lib.domain.credential_policy import CredentialPolicy
from lib.domain.errors import FieldError, InvalidError, NoCredentialError, UnknownModelError
from lib.domain.model_config import ModelConfig
from lib.domain.pricing import UnpricedModels
from lib.domain.provider import PLATFORM_VERSION
from lib.domain.standard_request import StandardRequest, refused
from lib.domain.translate import Translation, translate
from lib.domain.who_can import with_hints


@dataclass(frozen=True)
class ChooseModel:
    """The choice of the gateway where a request names no model.

    `policy` says whose key holds for a model and a caller, or raises NoCredentialError; `own_keys` are a caller's keys
    by provider; `is_shut` says whether the circuit of a provider is open for a credential's version and a user.
    """

    catalogue: Catalogue
    policy: Callable[[ModelConfig, Caller], CredentialPolicy]
    own_keys: Callable[[Caller], Mapping[str, StoredCredential]]
    is_shut: Callable[[str, str, str], bool]
    unpriced: UnpricedModels = UnpricedModels.REFUSED

    def choose(self, caller: Caller, request: StandardRequest, provider: str | None = None) -> Alternative:
        """The model that makes it, of this provider if one is given.

        Of those that can: the fewest warnings, then a known price, then the lowest, then the first of the catalogue;
        passing over those without a usable key, and, while another is left, those whose circuit is open.

        Raises:
            UnknownModelError: the provider has no model that takes such requests.
            InvalidError: none can make it, each field with the reason; or the price of none is known.
            NoCredentialError: those that can have no usable key.
        """
        models = self._models(request, provider)
        translations = [translate(request, model) for model in models]
        able = [translation for translation in translations if translation.possible]
        if not able:
            raise refused(_nearest_refusal(translations, request, self.catalogue))
        return self._first_usable(caller, self._in_order(able))

    def _models(self, request: StandardRequest, provider: str | None) -> list[ModelConfig]:
        takes = [
            model
            for model in self.catalogue
            if model.standard and not model.only_by_name and model.media_type is request.media_type
        ]
        found = [model for model in takes if provider in (None, model.provider)]
        if not found:
            known = ", ".join(dict.fromkeys(model.provider for model in takes)) or "none"
            message = f"there is no model of {provider} for standard {request.media_type} requests; providers: {known}"
            if provider is None:
                message = f"there is no model for standard {request.media_type} requests"
            raise UnknownModelError(
                message, errors=[FieldError("provider" if provider else "mediaType", message)]
            )
        return found

    def _in_order(self, able: list[Translation]) -> list[Alternative]:
        priced: list[Alternative] = []
        problem: InvalidError | None = None
        for translation in able:
            try:
                priced.append(standard_alternative(translation, self.unpriced))
            except InvalidError as error:
                problem = problem or error
        if not priced and problem is not None:
            raise problem
        return sorted(priced, key=lambda one: (len(one.warnings), not one.quote.known, one.quote.amount))

    def _first_usable(self, caller: Caller, ordered: list[Alternative]) -> Alternative:
        keys: Mapping[str, StoredCredential] | None = None
        waiting: Alternative | None = None
        why: dict[str, str] = {}
        for one in ordered:
            try:
                policy = self.policy(one.model, caller)
                if keys is None and policy is not CredentialPolicy.PLATFORM:
                    keys = self.own_keys(caller)
                version = _version(one.model, policy, keys or {})
            except NoCredentialError as error:
                why.setdefault(one.model.provider, error.message)
                continue
            if not self.is_shut(one.model.provider, version, caller.user_id):
                return one
            waiting = waiting or one
        if waiting is not None:
            return waiting
        raise NoCredentialError(
            "No model that can make this has a usable key. " + " ".join(dict.fromkeys(why.values()))
        )


def _version(model: ModelConfig, policy: CredentialPolicy, keys: Mapping[str, StoredCredential]) -> str:
    """The version of the credential that the record will choose. Raises NoCredentialError: it will choose none."""
    key = keys.get(model.provider)
    place = f"/providers/{model.provider}/credentials"
    if policy is CredentialPolicy.PLATFORM:
        return PLATFORM_VERSION
    if key is not None and key.is_valid is False:
        raise NoCredentialError(f"Your key for {model.provider} was refused: put a new one at {place}.")
    if key is not None:
        return key.pin
    if policy is CredentialPolicy.OWN:
        raise NoCredentialError(f"{model.id} is made with a key of your own: put one at {place}.")
    return PLATFORM_VERSION


def _nearest_refusal(
    translations: list[Translation], request: StandardRequest, catalogue: Catalogue
) -> list[FieldError]:
    """The reasons of the model that comes nearest: the one with the fewest."""
    nearest = min(translations, key=lambda translation: len(translation.errors))
    return with_hints(nearest, request, catalogue)


def check_provider(model: ModelConfig, provider: str | None) -> None:
    """Raise UnknownModelError where a request names a model and a provider that has it not."""
    if provider is not None and provider != model.provider:
        message = f"{model.id} is at {model.provider}, not {provider[:100]}: leave one of them out"
        raise UnknownModelError(message, errors=[FieldError("provider", message)])
