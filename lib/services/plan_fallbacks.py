"""What may be tried if a job's model fails: planned with the job, so that its price and its input are known before."""

from typing import Protocol

from lib.domain.caller import Caller
from lib.domain.model_config import ModelConfig
from lib.domain.pricing import Quote
from lib.ports.record import PlannedAttempt
from lib.services.generate_request import GenerateRequest


class PlanFallbacks(Protocol):
    """Plans the attempts that may follow."""

    def __call__(
        self, caller: Caller, model: ModelConfig, request: GenerateRequest, price: Quote, /
    ) -> tuple[PlannedAttempt, ...]:
        """In order; none of them dearer than `price`, each with a key that may apply."""
