"""Finding the prediction that an attempt made, after its submit had no answer.

us                         Replicate
POST create ------------->  prediction made
             <-- x ------   201 is lost
attempt is `unknown`
GET predictions?created_after..created_before
             <-----------   it is among these, or it never was
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qs, urlsplit

from lib.domain.provider import RecoveredPrediction, Submission
from lib.providers.replicate_meaning import update_from
from lib.providers.replicate_models import Prediction


@dataclass(frozen=True)
class ListedPrediction(RecoveredPrediction):
    """A prediction in a listing, with the model and version that Replicate ran."""

    model: str = ""
    version: str = ""

    @classmethod
    def of(cls, prediction: Prediction) -> Self | None:
        """Return the listed form; None without a creation time, since then it has no place in a window."""
        if prediction.created_at is None:
            return None
        return cls(
            provider_job_id=prediction.id,
            created_at=prediction.created_at,
            callback_url=prediction.webhook,
            input=prediction.input,
            update=update_from(prediction),
            model=prediction.model or "",
            version=prediction.version or "",
        )


def match_listed(
    submission: Submission,
    callback_url: str | None,
    candidates: Sequence[RecoveredPrediction],
    *,
    complete: bool,
) -> RecoveredPrediction | None:
    """Return the one candidate that this attempt made; None when there is none or more than one could be.

    The webhook address proves it, since it names job and attempt. Listings without addresses leave only
    the input and model: then it must be the single one, of a window that was seen whole (`complete`).
    A candidate with another address is another attempt's, however alike.
    """
    named = [c for c in candidates if _is_our_callback(c.callback_url, callback_url, submission)]
    if named:
        return named[0] if len(named) == 1 else None
    alike = [c for c in candidates if c.callback_url is None and _is_alike(c, submission)]
    return alike[0] if complete and len(alike) == 1 else None


def _is_our_callback(theirs: str | None, ours: str | None, submission: Submission) -> bool:
    if theirs is None:
        return False
    if theirs == ours:
        return True
    query = parse_qs(urlsplit(theirs).query)  # our own address may have moved since the submit
    return query.get("job") == [submission.job_id] and query.get("attempt") == [str(submission.attempt)]


def _is_alike(candidate: RecoveredPrediction, submission: Submission) -> bool:
    if candidate.input is None or dict(candidate.input) != dict(submission.input):
        return False
    if not isinstance(candidate, ListedPrediction):
        return True
    name, _, version = submission.model_ref.rpartition(":")
    if "/" not in submission.model_ref:
        return candidate.version == submission.model_ref
    if not name:
        return candidate.model.lower() == submission.model_ref.lower()
    return candidate.version == version
