"""The gateway: the operations of video-generation-gateway.md, for every media type and provider."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lib.domain.alternative import Alternative, standard_alternative
from lib.domain.caller import Caller
from lib.domain.capabilities import ProviderCapabilities, capabilities_of
from lib.domain.catalogue import Catalogue
from lib.domain.credential import CredentialCheck
from lib.domain.errors import FieldError, InvalidError, InvalidParametersError, NotFoundError
from lib.domain.media_type import MediaType
from lib.domain.model_config import ModelConfig
from lib.domain.pricing import UnpricedModels
from lib.domain.snapshot import JobSnapshot
from lib.domain.standard_request import StandardRequest, read_standard_request, refused
from lib.domain.translate import translate
from lib.domain.who_can import with_hints
from lib.ports.provider import ProviderAdapter
from lib.ports.record import Answer
from lib.services.choose_model import ChooseModel, check_provider
from lib.services.gateway_request import GatewayRequest
from lib.services.generate import GenerateMedia
from lib.services.generate_request import GenerateRequest
from lib.services.list_providers import ListProviders, ProviderStanding


@dataclass(frozen=True)
class GatewayParts:
    """What the operations are made of, each called for when an operation needs it: no function needs all.

    `adapter` raises NotFoundError for a provider that is not known. `job_at_provider` finds a caller's job by the
    provider's id; `cancel` cancels one; `test` asks a provider whether the caller's key is good.
    """

    catalogue: Callable[[], Catalogue]
    adapter: Callable[[str], ProviderAdapter]
    titles: Callable[[], Mapping[str, str]]
    generate: Callable[[], GenerateMedia]
    choose: Callable[[], ChooseModel]
    providers: Callable[[], ListProviders]
    job_at_provider: Callable[[Caller, str, str], JobSnapshot | None]
    cancel: Callable[[Caller, str], JobSnapshot]
    test: Callable[[Caller, str], CredentialCheck]
    unpriced: Callable[[], UnpricedModels]


@dataclass(frozen=True)
class Gateway:
    """One interface to all providers."""

    parts: GatewayParts

    def trigger_generation(self, caller: Caller, asked: GatewayRequest) -> Answer:
        """Start the job, with the model that was asked for or the one that fits best; the answer says which.

        Raises what `GenerateMedia.start` does, and InvalidError for a request that is wrong in itself, for a model
        that cannot honour it, and where no model can: each field with the reason and the models that can.
        """
        request = self._generate_request(caller, asked)
        self._check_earlier_jobs(caller, request)
        return self.parts.generate().start(caller, request)

    def check_generation_status(self, caller: Caller, provider: str, provider_job_id: str) -> JobSnapshot:
        """How a job of the caller's stands, by its provider's own id, once that is known.

        By our id it is `LookUpStatus`, which has a faster way. Raises NotFoundError, RecordUnavailableError.
        """
        found = self.parts.job_at_provider(caller, provider, provider_job_id)
        if found is None or not found.belongs_to(caller.actor):
            raise NotFoundError(f"there is no job {provider_job_id[:100]!r} of yours at {provider}")
        return found

    def cancel_generation(self, caller: Caller, job_id: str) -> JobSnapshot:
        """Cancel it, or ask its provider to. Raises NotFoundError, ConflictError."""
        return self.parts.cancel(caller, job_id)

    def get_available_providers(self, caller: Caller) -> Sequence[ProviderStanding]:
        """All that the gateway knows, with what the caller could use of them."""
        return self.parts.providers().list(caller)

    def get_provider_capabilities(self, provider: str) -> ProviderCapabilities:
        """What can be made there and how, from the catalogue and its adapter. Raises NotFoundError."""
        adapter = self.get_adapter(provider)
        title = self.parts.titles().get(provider, provider)
        catalogue = self.parts.catalogue()
        return capabilities_of(provider, title, adapter.traits, adapter.is_synchronous, catalogue)

    def test_provider_connection(self, caller: Caller, provider: str) -> CredentialCheck:
        """Ask the provider whether the caller's key is good; costs nothing. Raises NotFoundError, ForbiddenError."""
        return self.parts.test(caller, provider)

    def get_adapter(self, provider: str) -> ProviderAdapter:
        """The provider's own words. Raises NotFoundError for one that is not known."""
        return self.parts.adapter(provider)

    def _check_earlier_jobs(self, caller: Caller, request: GenerateRequest) -> None:
        """Refuse an earlier job of somebody else's: the operator's key at the provider would open it to anybody."""
        model = self.parts.catalogue().get_model_config(request.model_id)
        theirs = self.get_adapter(model.provider).traits.earlier_jobs
        for name, value in request.parameters.items():
            sent_as = model.map[name].to if name in model.map else name
            if sent_as in theirs and not self._is_own_job(caller, model.provider, value):
                problem = f"must be the providerJobId of a job of yours at {model.provider}"
                error = FieldError(f"parameters.{name}", problem)
                raise InvalidParametersError(f"{error.path} {problem}", errors=[error])

    def _is_own_job(self, caller: Caller, provider: str, provider_job_id: object) -> bool:
        try:
            return bool(self.check_generation_status(caller, provider, str(provider_job_id)))
        except NotFoundError:
            return False

    def _generate_request(self, caller: Caller, asked: GatewayRequest) -> GenerateRequest:
        if asked.model_id is None or asked.request is not None:
            return self._standard(caller, asked)
        check_provider(self.parts.catalogue().get_model_config(asked.model_id), asked.provider)
        return _with(asked, asked.model_id, asked.parameters, prompt=asked.prompt)

    def _standard(self, caller: Caller, asked: GatewayRequest) -> GenerateRequest:
        media_type = _media_type(asked.media_type)
        request = read_standard_request(media_type, asked.request or {}, asked.prompt)
        if asked.model_id is None:
            chosen = self.parts.choose().choose(caller, request, asked.provider)
        else:
            model = self.parts.catalogue().validate_model_id(asked.model_id, media_type)
            check_provider(model, asked.provider)
            chosen = self._translated(model, request)
        return _with(asked, chosen.model.id, chosen.given, warnings=chosen.told, standard=request)

    def _translated(self, model: ModelConfig, request: StandardRequest) -> Alternative:
        translation = translate(request, model)
        if not translation.possible:
            raise refused(with_hints(translation, request, self.parts.catalogue()))
        return standard_alternative(translation, self.parts.unpriced())


def _with(
    asked: GatewayRequest,
    model_id: str,
    parameters: Mapping[str, object],
    *,
    prompt: str | None = None,
    warnings: tuple[str, ...] = (),
    standard: StandardRequest | None = None,
) -> GenerateRequest:
    return GenerateRequest(
        media_type=asked.media_type,
        model_id=model_id,
        parameters=parameters,
        prompt=prompt,
        user_id=asked.user_id,
        idempotency_key=asked.idempotency_key,
        raw_hash=asked.raw_hash,
        origin=asked.origin,
        warnings=warnings,
        standard=standard,
        fallback=asked.fallback,
    )


def _media_type(text: str) -> MediaType:
    try:
        return MediaType(text)
    except ValueError:
        message = f"must be one of {', '.join(MediaType)}"
        raise InvalidError("mediaType is wrong", errors=[FieldError("mediaType", message)]) from None
