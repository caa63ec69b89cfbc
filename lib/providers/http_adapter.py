"""The adapter that is all data: a provider described by an entry of `config/providers.json`, without any code.

Every address is made here, of the entry's base URL, a path of the entry and checked ids: nothing that a provider says
leads a key anywhere.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from lib.domain.errors import ConfigurationError, InvalidError
from lib.domain.field_path import put
from lib.domain.http_exchange import HttpRequest, HttpResponse
from lib.domain.provider import (
    AdapterTraits,
    Credential,
    Failure,
    FailureKind,
    ProviderUpdate,
    RemoteJob,
    RemoteStatus,
    Submission,
    SubmitOutcome,
    SubmitResult,
    SubmitSafety,
    WebhookProof,
)
from lib.providers.adapter import BaseAdapter, unreadable_webhook
from lib.providers.answers import error_of, json_object
from lib.providers.base_url import checked_base_url
from lib.providers.http_entry import Call, HttpEntry
from lib.providers.http_meaning import Fault, Reader
from lib.providers.submit_judgement import is_judged, unread


@dataclass(frozen=True)
class HttpAdapter(BaseAdapter):
    """The provider of an entry, at the entry's base URL or at another one."""

    entry: HttpEntry
    base_url: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "base_url", checked_base_url(self.base_url or self.entry.base_url))
        object.__setattr__(self, "_reader", Reader(self.entry))

    @property
    def name(self) -> str:
        """The name of the entry."""
        return self.entry.name

    @property
    def traits(self) -> AdapterTraits:
        """As the entry says."""
        entry = self.entry
        return AdapterTraits(
            submit_safety=entry.submit_safety,
            credential_fields=entry.credentials,
            synchronous=entry.synchronous,
            submit_seconds=entry.submit_seconds,
            webhooks=entry.webhooks,
            polls=entry.poll is not None,
            cancels=entry.cancel is not None,
            cancel_removes=entry.cancel is not None
            and entry.cancel.method == "DELETE"
            and entry.poll is not None,
            poll_seconds=entry.poll_seconds,
            output_life_seconds=entry.output_life_seconds,
            rate_limit=entry.rate_limit,
            own_credentials=entry.own_credentials,
        )

    def submit_request(
        self, submission: Submission, credential: Credential, callback_url: str | None
    ) -> HttpRequest:
        """Build the submit: the constants, the input over them, and what is ours over both.

        Raises `ConfigurationError` for a model that the entry's pattern does not know, `InvalidError` for an input
        that stands where something of ours goes.
        """
        call, groups = self.entry.submit, self._groups(submission.model_ref)
        body: dict[str, Any] = json.loads(json.dumps(call.constants))
        ours = (
            (call.model, groups.get("model")),
            (call.callback, callback_url),
            (call.own_id, submission.own_id),
        )
        try:
            put(body, call.input, dict(submission.input))
            for path, value in ours:
                if path is not None and value is not None:
                    put(body, path, value)
        except ValueError as error:
            raise InvalidError(f"the input does not fit the body of {self.name}: {error}") from error
        headers = self._headers(credential)
        if call.key_header:
            headers[call.key_header] = submission.own_id
        if call.deadline_header:
            headers[call.deadline_header] = f"{submission.deadline_seconds}{call.deadline_suffix}"
        url = self._url(call, {**groups, "own_id": submission.own_id})
        return HttpRequest(call.method, url, headers, body, media_answer=self.entry.synchronous)

    def parse_submit(self, response: HttpResponse) -> SubmitResult:
        """Judge the answer to a submit; never raises.

        | answer | outcome | why |
        |---|---|---|
        | 2xx with an id, or a result if it is synchronous | accepted | |
        | 2xx with a code that is no success | refused, or deferred if it passes | the provider's own word |
        | other 2xx | unknown | it was taken, and we do not know under which id |
        | 429, and what a rule calls `beforeWork` | deferred, or refused if a rule says that it does not pass | |
        | 301, 307, 308, other 4xx but 408 | refused | judged, not taken |
        | all else | unknown | it may have been taken |
        """
        fault = self._read.fault(response)
        if fault is not None:
            return self._refused(response.status, fault)
        if self.entry.synchronous:
            return self._result_at_once(response)
        update = self._read.update(response)
        if update.provider_job_id is None and self.entry.submit_safety is not SubmitSafety.OWN_ID:
            return unread(response, "has no id")
        return SubmitResult(SubmitOutcome.ACCEPTED, update=update)

    def poll_request(self, remote: RemoteJob, credential: Credential) -> HttpRequest | None:
        """Build the poll, if there is one. Raises `InvalidError` for an impossible id."""
        return self._about(self.entry.poll, remote, credential, media_answer=self.entry.result is None)

    def parse_poll(self, response: HttpResponse) -> ProviderUpdate:
        """Read a poll. Raises `ProviderError`."""
        self._raise_unless_success(response)
        update = self._read.update(response)
        return replace(update, outputs=(), blobs=()) if self.entry.result else update

    def result_request(self, remote: RemoteJob, credential: Credential) -> HttpRequest | None:
        """Build the question for the result, if it is apart."""
        return self._about(self.entry.result, remote, credential, media_answer=True)

    def parse_result(self, response: HttpResponse) -> ProviderUpdate:
        """Read the result, which is there since a poll said so."""
        self._raise_unless_success(response)
        return replace(
            self._read.update(response, final=RemoteStatus.SUCCEEDED), raw_status="", provider_job_id=None
        )

    def cancel_request(self, remote: RemoteJob, credential: Credential) -> HttpRequest | None:
        """Build the cancel, if there is one. Raises `InvalidError` for an impossible id."""
        return self._about(self.entry.cancel, remote, credential)

    def parse_cancel(self, response: HttpResponse) -> ProviderUpdate:
        """Read the answer to a cancel: CANCELED where it is the end, else whatever status it tells."""
        cancel = self.entry.cancel
        good = response.status in cancel.ok if cancel and cancel.ok else response.is_success
        fault = self._read.fault(response)
        if fault is not None and (not good or response.is_success):
            raise error_of(fault.failure)
        if not good:
            raise error_of(Failure(FailureKind.UNKNOWN, f"HTTP {response.status} to a cancel"))
        if cancel and cancel.ends:
            failure = Failure(FailureKind.CANCELED, f"{self.entry.title} has canceled it")
            return ProviderUpdate(RemoteStatus.CANCELED, failure=failure, raw_status=str(response.status))
        return replace(self._read.update(response), provider_job_id=None)

    def test_request(self, credential: Credential) -> HttpRequest | None:
        """Build the test, if there is one."""
        call = self.entry.test
        return HttpRequest(call.method, self._url(call, {}), self._headers(credential)) if call else None

    def parse_test(self, response: HttpResponse) -> str:
        """Return what the entry shows of the account, else the provider's title."""
        self._raise_unless_success(response)
        shown = self.entry.account.first_in(json_object(response.body)) if self.entry.account else None
        return str(shown)[:200] if isinstance(shown, str | int | float) else self.entry.title

    def hinted_job_id(self, raw_body: bytes) -> str | None:
        """The id that a webhook's body names."""
        return self._read.job_id(json_object(self._as_poll(raw_body)))

    def parse_webhook(
        self, headers: Mapping[str, str], raw_body: bytes, secrets: Sequence[str], now: datetime
    ) -> ProviderUpdate:
        """Read a webhook, whose address alone proves it: its body is as a poll's.

        Raises `BadRequestError` for a body that names no job.
        """
        if self.entry.webhooks is WebhookProof.NONE:
            return super().parse_webhook(headers, raw_body, secrets, now)
        response = HttpResponse(200, {}, self._as_poll(raw_body))
        if self._read.job_id(json_object(response.body)) is None:
            raise unreadable_webhook(f"a job of {self.entry.title}")
        update = self._read.update(response)
        return replace(update, outputs=(), blobs=()) if self.entry.result else update

    @property
    def _read(self) -> Reader:
        reader: Reader = object.__getattribute__(self, "_reader")
        return reader

    def _as_poll(self, raw_body: bytes) -> bytes:
        """The body in the envelope of a poll, if it came without."""
        inside = self.entry.webhook_inside
        if inside and inside not in json_object(raw_body):
            return b'{"%s": %s}' % (inside.encode(), raw_body)
        return raw_body

    def _refused(self, status: int, fault: Fault) -> SubmitResult:
        failure, rule = fault.failure, fault.rule
        judged = 200 <= status < 300 or is_judged(status)
        before_work = rule is not None and rule.before_work
        if not judged and not before_work:
            return SubmitResult(SubmitOutcome.UNKNOWN, failure=failure)
        # an error under a 200 may have come after work: sent again it is only where it was one about too many
        limited = failure.kind is FailureKind.RATE_LIMITED
        passes = failure.retryable and (before_work or status == 429 or (limited and status < 300))
        said = rule.unbilled if rule else None
        failure = replace(failure, unbilled=(passes or status >= 300) if said is None else said)
        return SubmitResult(SubmitOutcome.DEFERRED if passes else SubmitOutcome.REFUSED, failure=failure)

    def _result_at_once(self, response: HttpResponse) -> SubmitResult:
        update = self._read.update(response)
        if update.status is RemoteStatus.UNKNOWN:
            update = self._read.update(response, final=RemoteStatus.SUCCEEDED)
        return SubmitResult(SubmitOutcome.ACCEPTED, update=update)

    def _about(
        self, call: Call | None, remote: RemoteJob, credential: Credential, *, media_answer: bool = False
    ) -> HttpRequest | None:
        if call is None:
            return None
        job_id = remote.provider_job_id
        if not self.entry.meaning.id_pattern.fullmatch(job_id) or job_id in (".", ".."):
            raise InvalidError(f"{job_id[:100]!r} is not the id of a job of {self.name}")
        groups = self._groups(remote.model_ref) if "{" in call.path.replace("{id}", "") else {}
        url = self._url(call, {**groups, "id": job_id})
        headers = self._headers(credential)
        return HttpRequest(call.method, url, headers, media_answer=media_answer and self._has_base64)

    @property
    def _has_base64(self) -> bool:
        return any(place.at is None or place.content_type for place in self.entry.meaning.outputs)

    def _groups(self, model_ref: str) -> dict[str, str]:
        match = self.entry.model.fullmatch(model_ref)
        if match is None:
            raise ConfigurationError(
                f"{model_ref[:200]!r} is no model of {self.name}: it must match {self.entry.model.pattern}"
            )
        return {name: value for name, value in match.groupdict().items() if value is not None}

    def _url(self, call: Call, values: Mapping[str, str]) -> str:
        path = call.path
        for name, value in values.items():
            path = path.replace(f"{{{name}}}", quote(value, safe=""))
        query = f"?{urlencode(call.query)}" if call.query else ""
        return f"{self.base_url}{path}{query}"

    def _headers(self, credential: Credential) -> dict[str, str]:
        auth, first = self.entry.auth, self.entry.credentials[0].name
        key = credential.secret if auth.field == first else credential.extra.get(auth.field, "")
        carried = {auth.header: f"{auth.prefix}{key.strip()}"} if key.strip() else {}
        return {"Accept": "application/json", **self.entry.headers, **carried}

    def _raise_unless_success(self, response: HttpResponse) -> None:
        fault = self._read.fault(response)
        if fault is not None:
            raise error_of(fault.failure)
