"""ElevenLabs's adapter: speech, sound effects and music, each answered with the audio itself.

Source: elevenlabs.io/docs/api-reference and the official client 2.78.0; read November 2026.
"""

import json
import re
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from lib.domain.errors import ConfigurationError, InvalidError
from lib.domain.http_exchange import HttpRequest, HttpResponse
from lib.domain.provider import (
    AdapterTraits,
    Credential,
    CredentialField,
    FailureKind,
    ProviderUpdate,
    RemoteStatus,
    Submission,
    SubmitOutcome,
    SubmitResult,
    SubmitSafety,
)
from lib.providers.adapter import BaseAdapter
from lib.providers.answers import raise_unless_success, unreadable
from lib.providers.base_url import checked_base_url
from lib.providers.elevenlabs_meaning import failure_in_http, has_own_words
from lib.providers.elevenlabs_models import Subscription
from lib.providers.media_answer import body_output
from lib.providers.submit_judgement import outcome_of, unread

SPEECH, SOUND, MUSIC = "text-to-speech", "sound-generation", "music"

_MODEL = re.compile(rf"(?P<operation>{SPEECH}|{SOUND}|{MUSIC})/(?P<model>[a-z0-9][a-z0-9_]{{0,63}})")
_VOICE_ID = re.compile(r"[A-Za-z0-9]{8,64}")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_QUERY = ("enable_logging", "optimize_streaming_latency", "output_format")
_NOT_AUDIO = ("application/json", "text/")

TRAITS = AdapterTraits(
    # There is neither an idempotency key nor an id of ours; the history is of speech only, and names no caller.
    submit_safety=SubmitSafety.NONE,
    credential_fields=(CredentialField("apiKey", "The API key, as in sk_..."),),
    synchronous=True,
    submit_seconds=280.0,
    polls=False,
    cancels=False,
)


@dataclass(frozen=True)
class ElevenLabsAdapter(BaseAdapter):
    """ElevenLabs at `base_url`, without `/v1`: the one for all, or that of a region."""

    base_url: str = "https://api.elevenlabs.io"

    def __post_init__(self) -> None:
        object.__setattr__(self, "base_url", checked_base_url(self.base_url))

    @property
    def name(self) -> str:
        """The provider's name."""
        return "elevenlabs"

    @property
    def traits(self) -> AdapterTraits:
        """The answer is the audio; nothing can be repeated, asked for or canceled."""
        return TRAITS

    def submit_request(
        self, submission: Submission, credential: Credential, callback_url: str | None
    ) -> HttpRequest:
        """Build the call: `voice_id` goes into the path, `output_format` and its like into the query.

        Raises `ConfigurationError` for a model that is none, `InvalidError` for a missing or impossible voice.
        """
        del callback_url
        operation, model = _target(submission.model_ref)
        body = {name: value for name, value in submission.input.items() if value is not None}
        path = operation
        if operation == SPEECH:
            path = f"{SPEECH}/{_checked_voice(body.pop('voice_id', None))}"
        query = {name: _in_query(body.pop(name)) for name in _QUERY if name in body}
        body["model_id"] = model
        url = f"{self.base_url}/v1/{path}" + (f"?{urlencode(query)}" if query else "")
        return HttpRequest("POST", url, _headers(credential), body, media_answer=True)

    def parse_submit(self, response: HttpResponse) -> SubmitResult:
        """Judge the answer: the audio, or an error (see `submit_judgement`); never raises.

        A 5xx in its own words is taken for what it says, that nothing was made. A 2xx without audio is UNKNOWN.
        """
        if not response.is_success:
            return _judged(response)
        content_type = response.headers.get("content-type", "").strip().lower()
        if not (response.blobs or response.body) or content_type.startswith(_NOT_AUDIO):
            return unread(response, "is no audio", may_be="made and charged")
        identity = response.headers.get("request-id", "")
        cost = response.headers.get("character-cost", "")
        update = ProviderUpdate(
            RemoteStatus.SUCCEEDED,
            identity if _REQUEST_ID.fullmatch(identity) else None,
            (body_output(response),),
            progress=1.0,
            raw_status=f"200, {cost[:20]} credits" if cost else "200",
            blobs=response.blobs,
        )
        return SubmitResult(SubmitOutcome.ACCEPTED, update=update)

    def test_request(self, credential: Credential) -> HttpRequest:
        """Build `GET /v1/user/subscription`."""
        return HttpRequest("GET", f"{self.base_url}/v1/user/subscription", _headers(credential))

    def parse_test(self, response: HttpResponse) -> str:
        """Return the plan, and how many of its credits are used if the answer says it."""
        raise_unless_success(response, failure_in_http)
        found = Subscription.find(response.body)
        if found is None:
            raise unreadable(response, "ElevenLabs", "subscription")
        used, limit = found.character_count, found.character_limit
        is_known = used is not None and limit is not None
        return f"{found.tier} plan" + (f", {used} of {limit} credits used" if is_known else "")


def _judged(response: HttpResponse) -> SubmitResult:
    failure = failure_in_http(response)
    outcome = outcome_of(response, in_own_words=has_own_words(response))
    if outcome in (SubmitOutcome.REFUSED, SubmitOutcome.DEFERRED) and response.status < 500:
        # a quota that is used up is told by 429, too, and waiting does not help it
        waits = failure.kind is FailureKind.RATE_LIMITED
        outcome = SubmitOutcome.DEFERRED if waits else SubmitOutcome.REFUSED
    # a conflict is with a request of the same, and what became of an internal error's work is not said
    doubtful = response.status in (409, 500)
    if outcome is SubmitOutcome.DEFERRED and doubtful:
        outcome = SubmitOutcome.REFUSED
    unbilled = outcome is not SubmitOutcome.UNKNOWN and not doubtful
    return SubmitResult(outcome, failure=replace(failure, unbilled=unbilled))


def _headers(credential: Credential) -> dict[str, str]:
    return {"xi-api-key": credential.secret.strip(), "Accept": "*/*"}


def _target(model_ref: str) -> tuple[str, str]:
    found = _MODEL.fullmatch(model_ref)
    if found is None:
        raise ConfigurationError(
            f"{model_ref[:100]!r} is no model of ElevenLabs: it must be {SPEECH}/, {SOUND}/ or {MUSIC}/ "
            "and the model's id, as in text-to-speech/eleven_multilingual_v2"
        )
    return found["operation"], found["model"]


def _checked_voice(voice_id: Any) -> str:
    if not isinstance(voice_id, str) or not _VOICE_ID.fullmatch(voice_id):
        raise InvalidError(
            f"{str(voice_id)[:100]!r} is not the id of a voice of ElevenLabs: it has letters and digits only"
        )
    return voice_id


def _in_query(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
