"""One line for each attempt at a provider, once it has ended: who, where, what came of it, how long, for how much.

It holds no key and nothing of the request. What was asked for stands in the line "generate requested" of the same job
and request id, and there only if the operator sets LOG_PROMPTS.
"""

from lib.ports.journal import Journal
from lib.ports.record import Transition

_FACTS = (
    "attempt",
    "provider",
    "modelId",
    "state",
    "code",
    "credential",
    "seconds",
    "submits",
    "estimatedCost",
    "cost",
)
"""As the record tells them: `credential` is own or platform, `cost` what the provider said, both in USD."""


def log_ended_attempt(journal: Journal, transition: Transition) -> None:
    """Tell of the attempt that this transition ended, or heard the cost of, if it did. Never raises."""
    ended = transition.extra.get("ended")
    if not ended or transition.snapshot is None:
        return
    facts = {name: ended.get(name) for name in _FACTS}
    journal.note("attempt_ended", transition.job.job_id, userId=transition.job.user_id, **facts)
