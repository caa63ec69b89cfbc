"""What the schema of `config/providers.json` cannot say: what an entry contradicts, and what it must never do."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lib.domain.errors import ConfigurationError, FieldError
from lib.domain.field_path import FieldPath
from lib.providers.base_url import checked_base_url
from lib.providers.http_entry import DEFAULT_MODEL

_CALLS = ("submit", "poll", "result", "cancel", "test")
_WITH_AN_ID = ("poll", "result", "cancel")
_IN_BRACES = re.compile(r"\{([^{}]*)\}")
_PLAIN_PATH = re.compile(r"(/([A-Za-z0-9._~:@!$&'()*+,;=-]|\{[a-z_]+\})+)+/?")
_HEADERS_OF_OURS = frozenset(
    {"host", "content-length", "content-type", "transfer-encoding", "connection", "cookie"}
)


def entry_errors(name: str, entry: Mapping[str, Any], built_in: frozenset[str]) -> list[FieldError]:
    """All that is wrong with an entry that is right by the schema, with the path of each wrong value."""
    return [
        FieldError(f"providers.{name}{path}", message) for path, message in _errors(name, entry, built_in)
    ]


def _errors(name: str, entry: Mapping[str, Any], built_in: frozenset[str]) -> Iterator[tuple[str, str]]:
    if name in built_in:
        yield "", "is the name of a provider that is built in"
    try:
        checked_base_url(entry["baseUrl"])
    except (ConfigurationError, ValueError) as error:
        yield ".baseUrl", str(error)
    yield from _patterns(entry)
    yield from _paths(entry)
    yield from _addresses(entry)
    yield from _headers(entry)
    yield from _rules(entry)
    yield from _contradictions(entry)


def _patterns(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    given = {".modelPattern": entry.get("modelPattern"), ".idPattern": entry.get("idPattern")}
    given |= {
        f".failure.rules.{index}.words": rule.get("words")
        for index, rule in enumerate(entry.get("failure", {}).get("rules", ()))
    }
    given |= {
        f".credentials.{index}.pattern": item.get("pattern")
        for index, item in enumerate(entry.get("credentials", ()))
    }
    for path, pattern in given.items():
        try:
            re.compile(pattern or "")
        except re.error as error:
            yield path, f"is no regular expression: {error}"


def _paths(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every field path, by the place where it stands."""
    submit, failure = entry["submit"], entry.get("failure", {})
    written = {f".submit.{name}": submit.get(name) for name in ("input", "model", "callback", "ownId")}
    read = {
        ".id": entry.get("id"),
        ".status.at": entry.get("status", {}).get("at"),
        ".progress.at": entry.get("progress", {}).get("at"),
        ".success.at": entry.get("success", {}).get("at"),
        ".failure.code": failure.get("code"),
        ".failure.retryAfter": failure.get("retryAfter"),
        ".test.account": entry.get("test", {}).get("account"),
    }
    read |= {f".failure.messages.{n}": text for n, text in enumerate(failure.get("messages", ()))}
    read |= {
        f".outputs.{n}": place if isinstance(place, str) else place.get("at")
        for n, place in enumerate(entry["outputs"])
    }
    for path, text in {**written, **read}.items():
        if text is None:
            continue
        try:
            steps = FieldPath.parse(text).steps
        except ValueError as error:
            yield path, str(error)
            continue
        if path in written and not all(isinstance(step, str) for step in steps):
            yield path, f"{text!r} must lead through members alone: it is written to"
        if path in written and path != ".submit.input" and not steps:
            yield path, "must name a member: only the input may be the whole body"


def _addresses(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """A path begins and stays at the base URL: no other host, no query, no way up."""
    groups = _groups(entry)
    for call in _CALLS:
        path = entry.get(call, {}).get("path")
        if path is None:
            continue
        where = f".{call}.path"
        if not _PLAIN_PATH.fullmatch(path) or any(part in (".", "..") for part in path.split("/")):
            yield where, f"{path!r} must be a plain path below the base URL, such as /generations/{{id}}"
            continue
        named = set(_IN_BRACES.findall(path))
        allowed = groups | ({"id"} if call in _WITH_AN_ID else set())
        allowed |= {"own_id"} if call == "submit" else set()
        allowed = set() if call == "test" else allowed
        if unknown := sorted(named - allowed):
            known = ", ".join(f"{{{name}}}" for name in sorted(allowed)) or "nothing in braces"
            yield where, f"{{{unknown[0]}}} is not known here; known: {known}"
        if call in _WITH_AN_ID and "id" not in named:
            yield where, "must hold {id}: it is about one job"


def _groups(entry: Mapping[str, Any]) -> set[str]:
    """The names of the parts of a model's name; of a pattern that is none, what a right one would have."""
    try:
        return set(re.compile(entry.get("modelPattern", DEFAULT_MODEL)).groupindex)
    except re.error:
        return {"model"}


def _headers(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    submit, key = entry["submit"], entry.get("auth", {}).get("header", "Authorization").lower()
    extra = {".submit.idempotencyHeader": submit.get("idempotencyHeader")}
    extra |= {".submit.deadline.header": submit.get("deadline", {}).get("header")}
    extra |= {f".headers.{name}": name for name in entry.get("headers", {})}
    for path, name in extra.items():
        if name is not None and name.lower() in _HEADERS_OF_OURS | {key}:
            yield path, f"{name!r} is not to be set here"
    if key in _HEADERS_OF_OURS:
        yield ".auth.header", f"{key!r} cannot carry a key"


def _rules(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Rules of failures that would hold always, or never."""
    failure = entry.get("failure", {})
    for index, rule in enumerate(failure.get("rules", ())):
        if not {"http", "codes", "words"} & set(rule):
            yield f".failure.rules.{index}", "says of nothing when it holds: give http, codes or words"
        if "codes" in rule and "code" not in failure:
            yield f".failure.rules.{index}.codes", "are compared with failure.code, which is missing"


def _contradictions(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    submit, safety = entry["submit"], entry.get("submitSafety", "none")
    fields = [item["name"] for item in entry.get("credentials", [{"name": "apiKey"}])]
    if len(set(fields)) < len(fields):
        yield ".credentials", "a name stands twice"
    if entry.get("auth", {}).get("field", "apiKey") not in fields:
        yield ".auth.field", f"must be one of the credentials' names: {', '.join(fields)}"
    if "model" in submit and "model" not in _groups(entry):
        yield ".modelPattern", "must have a group called model: (?P<model>...), which submit.model sends"
    if (safety == "idempotency_key") != ("idempotencyHeader" in submit):
        yield ".submitSafety", "is idempotency_key with submit.idempotencyHeader, and only with it"
    if (safety == "own_id") != ("ownId" in submit or "{own_id}" in submit["path"]):
        yield (
            ".submitSafety",
            "is own_id with submit.ownId or {own_id} in submit.path, and only with one of them",
        )
    yield from _ends(entry)


def _ends(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Somehow the end of a job must be heard of."""
    calls_back = entry.get("webhook", {}).get("proof") == "token"
    if entry.get("synchronous"):
        if entry.get("poll") or calls_back:
            yield (
                ".synchronous",
                "the answer to the submit is the result: there is nothing to poll or to call back",
            )
        return
    if not entry.get("poll") and not calls_back:
        yield ".poll", "is missing: without polls and webhooks no end would ever be heard of"
    if calls_back and "callback" not in entry["submit"]:
        yield ".submit.callback", "is missing: where in the body the webhook's address goes"
    if "result" in entry and "poll" not in entry:
        yield ".result", "is asked for after a poll, and there is none"
    words = [word.lower() for word in entry.get("status", {}).get("words", {})]
    if len(set(words)) < len(words):
        yield ".status.words", "a word stands twice, but for upper and lower case"
    missing = {"succeeded", "failed"} - set(entry.get("status", {}).get("words", {}).values())
    if missing:
        yield ".status.words", f"no word means {' or '.join(sorted(missing))}"
