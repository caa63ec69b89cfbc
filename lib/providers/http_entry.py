"""One entry of `config/providers.json` as typed data: all that the `http` adapter knows of a provider.

The words of each field are in `config/providers.schema.json`; what a schema cannot say is checked in `http_checks`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.domain.field_path import FieldPath
from lib.domain.provider import (
    CredentialField,
    FailureKind,
    RateLimit,
    RemoteStatus,
    SubmitSafety,
    WebhookProof,
)

KINDS = {
    "moderation": FailureKind.MODERATION,
    "invalid_input": FailureKind.INVALID_INPUT,
    "authentication": FailureKind.AUTHENTICATION,
    "billing": FailureKind.BILLING,
    "rate_limited": FailureKind.RATE_LIMITED,
    "outage": FailureKind.OUTAGE,
    "not_found": FailureKind.NOT_FOUND,
    "model_error": FailureKind.MODEL_ERROR,
    "unknown": FailureKind.UNKNOWN,
}
DEFAULT_MODEL = r"(?P<model>[A-Za-z0-9][A-Za-z0-9._-]*)"
DEFAULT_ID = r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}"


WHOLE = FieldPath(".", ())


@dataclass(frozen=True)
class Auth:
    """How the key is sent: a header, what stands before the key in it, and which field of the credential it is."""

    header: str = "Authorization"
    prefix: str = "Bearer "
    field: str = "apiKey"


@dataclass(frozen=True)
class Call:
    """One request without a body: `path` may hold `{id}` and the groups of the model's pattern."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SubmitCall(Call):
    """The request that starts a job, and where its body takes what is ours."""

    constants: Mapping[str, Any] = field(default_factory=dict)
    input: FieldPath = WHOLE
    model: FieldPath | None = None
    callback: FieldPath | None = None
    own_id: FieldPath | None = None
    key_header: str = ""
    deadline_header: str = ""
    deadline_suffix: str = ""


@dataclass(frozen=True)
class CancelCall(Call):
    """The request that cancels. `ends`: its success is the end, and nothing more will be heard."""

    ok: tuple[int, ...] = ()
    ends: bool = False


@dataclass(frozen=True)
class OutputPlace:
    """Where outputs stand: at a path, as base64 where `content_type` says of what, or as the answer's very body."""

    at: FieldPath | None
    content_type: str = ""


@dataclass(frozen=True)
class FailureRule:
    """When a failure is of this kind: all that is given must hold."""

    kind: FailureKind
    http: tuple[int, ...] = ()
    codes: tuple[str, ...] = ()
    words: re.Pattern[str] | None = None
    retryable: bool | None = None
    unbilled: bool | None = None
    before_work: bool = False


@dataclass(frozen=True)
class Meaning:
    """How answers are read. `ok_values`: an answer counts as a success only with one of them at `ok_at`."""

    id: FieldPath
    id_pattern: re.Pattern[str]
    status: FieldPath
    words: Mapping[str, RemoteStatus]
    outputs: tuple[OutputPlace, ...]
    progress: FieldPath | None = None
    progress_of: float = 1.0
    ok_at: FieldPath | None = None
    ok_values: tuple[str, ...] = ()
    messages: tuple[FieldPath, ...] = ()
    code: FieldPath | None = None
    rules: tuple[FailureRule, ...] = ()
    retry_after: FieldPath | None = None


@dataclass(frozen=True)
class HttpEntry:
    """A configured provider."""

    name: str
    title: str
    variable: str
    base_url: str
    credentials: tuple[CredentialField, ...]
    auth: Auth
    headers: Mapping[str, str]
    model: re.Pattern[str]
    submit: SubmitCall
    meaning: Meaning
    submit_safety: SubmitSafety = SubmitSafety.NONE
    synchronous: bool = False
    submit_seconds: float = 12.0
    poll: Call | None = None
    result: Call | None = None
    cancel: CancelCall | None = None
    test: Call | None = None
    account: FieldPath | None = None
    webhooks: WebhookProof = WebhookProof.NONE
    webhook_inside: str = ""
    poll_seconds: float = 1.0
    output_life_seconds: float | None = None
    rate_limit: RateLimit | None = None
    own_credentials: bool = True


def read_entry(name: str, entry: Mapping[str, Any]) -> HttpEntry:
    """The entry, already right by its schema, what it leaves out filled in. Raises ValueError for a wrong path."""
    submit, safety = entry["submit"], entry.get("submitSafety", "none")
    webhook = entry.get("webhook", {"proof": "none"})
    limit = entry.get("rateLimit")
    tested = entry.get("test")
    return HttpEntry(
        name=name,
        title=entry.get("title", name),
        variable=entry.get("variable", f"{name.upper().replace('-', '_')}_API_KEY"),
        base_url=entry["baseUrl"],
        credentials=tuple(_credential(item) for item in entry.get("credentials", [{"name": "apiKey"}])),
        auth=Auth(**entry.get("auth", {})),
        headers=entry.get("headers", {}),
        model=re.compile(entry.get("modelPattern", DEFAULT_MODEL)),
        submit=_submit(submit),
        meaning=_meaning(entry),
        submit_safety=SubmitSafety(safety),
        synchronous=entry.get("synchronous", False),
        submit_seconds=float(submit.get("seconds", 12.0)),
        poll=_call(entry.get("poll")),
        result=_call(entry.get("result")),
        cancel=_cancel(entry.get("cancel")),
        test=_call(tested),
        account=_path((tested or {}).get("account")),
        webhooks=WebhookProof(webhook["proof"]),
        webhook_inside=webhook.get("inside", ""),
        poll_seconds=float(entry.get("pollSeconds", 1.0)),
        output_life_seconds=entry.get("outputLifeSeconds"),
        rate_limit=RateLimit(float(limit["perMinute"]), limit["burst"]) if limit else None,
        own_credentials=entry.get("ownCredentials", True),
    )


def _credential(item: Mapping[str, Any]) -> CredentialField:
    name = item["name"]
    known = {key: item[key] for key in ("secret", "required", "pattern") if key in item}
    return CredentialField(
        name, item.get("description", "The API key" if name == "apiKey" else name), **known
    )


def _path(text: str | None) -> FieldPath | None:
    return None if text is None else FieldPath.parse(text)


def _call(given: Mapping[str, Any] | None) -> Call | None:
    return None if given is None else Call(given.get("method", "GET"), given["path"], given.get("query", {}))


def _submit(given: Mapping[str, Any]) -> SubmitCall:
    deadline = given.get("deadline", {})
    return SubmitCall(
        given.get("method", "POST"),
        given["path"],
        given.get("query", {}),
        constants=given.get("constants", {}),
        input=FieldPath.parse(given.get("input", ".")),
        model=_path(given.get("model")),
        callback=_path(given.get("callback")),
        own_id=_path(given.get("ownId")),
        key_header=given.get("idempotencyHeader", ""),
        deadline_header=deadline.get("header", ""),
        deadline_suffix=deadline.get("suffix", ""),
    )


def _cancel(given: Mapping[str, Any] | None) -> CancelCall | None:
    if given is None:
        return None
    return CancelCall(
        given.get("method", "POST"),
        given["path"],
        given.get("query", {}),
        ok=tuple(given.get("ok", ())),
        ends=given.get("ends", False),
    )


def _meaning(entry: Mapping[str, Any]) -> Meaning:
    status, failure = entry.get("status", {}), entry.get("failure", {})
    progress, success = entry.get("progress"), entry.get("success")
    return Meaning(
        id=FieldPath.parse(entry.get("id", "id")),
        id_pattern=re.compile(entry.get("idPattern", DEFAULT_ID)),
        status=FieldPath.parse(status.get("at", "status")),
        words={word.lower(): RemoteStatus(ours) for word, ours in status.get("words", {}).items()},
        outputs=tuple(_output(place) for place in entry["outputs"]),
        progress=FieldPath.parse(progress["at"]) if progress else None,
        progress_of=float(progress.get("of", 1)) if progress else 1.0,
        ok_at=FieldPath.parse(success["at"]) if success else None,
        ok_values=tuple(map(str, success["is"])) if success else (),
        messages=tuple(map(FieldPath.parse, failure.get("messages", ("message", "error", "detail")))),
        code=_path(failure.get("code")),
        rules=tuple(_rule(rule) for rule in failure.get("rules", ())),
        retry_after=_path(failure.get("retryAfter")),
    )


def _output(place: str | Mapping[str, Any]) -> OutputPlace:
    if isinstance(place, str):
        return OutputPlace(FieldPath.parse(place))
    if place.get("body"):
        return OutputPlace(None)
    return OutputPlace(FieldPath.parse(place["at"]), place["contentType"])


def _rule(rule: Mapping[str, Any]) -> FailureRule:
    return FailureRule(
        KINDS[rule["kind"]],
        http=tuple(rule.get("http", ())),
        codes=tuple(map(str, rule.get("codes", ()))),
        words=re.compile(rule["words"], re.IGNORECASE) if "words" in rule else None,
        retryable=rule.get("retryable"),
        unbilled=rule.get("unbilled"),
        before_work=rule.get("beforeWork", False),
    )
