"""How long things may take: the gateway's deadlines and intervals, in seconds."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Timing:
    """The deadlines of a job and the rhythm of looking after it.

    Attributes:
        job_deadline: from creation until the provider must have finished.
        submit_lease: how long one worker may be at a submit; longer than the transport's limits.
        generate_lease: the same where the answer to the submit is the result.
        poll_after: silence of a provider with webhooks after which it is asked.
        sweep_grace: how much later than the worker's own message the sweep may look.
        first_poll: the first question to a provider without webhooks.
        verdict_grace: how long, after the deadline, the provider may take to confirm the cancel.
        recover_again: between two searches for an unknown submit.
        storing_deadline: from success until the outputs must be stored.
        storing_lease: how long one worker may be at storing.
        idempotency_life: how long an Idempotency-Key is remembered.
    """

    job_deadline: float = 1800
    submit_lease: float = 60
    generate_lease: float = 480
    poll_after: float = 20
    sweep_grace: float = 30
    first_poll: float = 2
    verdict_grace: float = 300
    recover_again: float = 60
    storing_deadline: float = 3600
    storing_lease: float = 400
    idempotency_life: float = 86_400

    @staticmethod
    def after(now: datetime, seconds: float) -> datetime:
        """The moment `seconds` from now."""
        return now + timedelta(seconds=seconds)
