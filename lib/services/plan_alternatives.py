"""Plans the attempts at other models that may follow a job's first: by the catalogue's `fallbacks`."""

from collections.abc import Callable
from dataclasses import dataclass

from lib.domain.alternative import Alternative, plan_alternatives
from lib.domain.caller import Caller
from lib.domain.catalogue import Catalogue
from lib.domain.credential_policy import CredentialPolicy
from lib.domain.errors import ConfigurationError, NoCredentialError
from lib.domain.model_config import ModelConfig
from lib.domain.parameters import merge_prompt
from lib.domain.pricing import Quote, UnpricedModels
from lib.ports.provider import ProviderAdapter
from lib.ports.record import PlannedAttempt
from lib.services.generate_request import GenerateRequest


@dataclass(frozen=True)
class PlanAlternatives:
    """The `PlanFallbacks` of the catalogue; `policy` says whose key holds, or raises NoCredentialError."""

    catalogue: Catalogue
    adapter: Callable[[str], ProviderAdapter]
    policy: Callable[[ModelConfig, Caller], CredentialPolicy]
    unpriced: UnpricedModels = UnpricedModels.REFUSED

    def __call__(
        self, caller: Caller, model: ModelConfig, request: GenerateRequest, price: Quote, /
    ) -> tuple[PlannedAttempt, ...]:
        """In order; none of them dearer than `price`, each with a key that may apply."""
        if not request.fallback or not model.fallbacks:
            return ()
        asked = request.standard or merge_prompt(request.prompt, request.parameters)
        found = plan_alternatives(self.catalogue, model, asked, price, self.unpriced)
        planned = (self._planned(caller, one) for one in found)
        return tuple(attempt for attempt in planned if attempt is not None)

    def _planned(self, caller: Caller, one: Alternative) -> PlannedAttempt | None:
        """None where no key can apply, or the entry is wrong: that is no reason to refuse the job itself."""
        try:
            policy = self.policy(one.model, caller)
            synchronous = self.adapter(one.model.provider).is_synchronous(one.model.version)
        except (NoCredentialError, ConfigurationError):
            return None
        return PlannedAttempt(
            model_id=one.model.id,
            provider=one.model.provider,
            model_ref=one.model.version,
            credentials=policy.value,
            synchronous=synchronous,
            estimated_time_seconds=one.quote.estimated_time_seconds,
            estimated_cost=str(one.quote.amount),
            input=one.input,
            warnings=one.warnings,
        )
