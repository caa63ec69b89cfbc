"""What a configured provider's answers mean, by its entry."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from lib.domain.field_path import FieldPath
from lib.domain.http_exchange import HttpResponse
from lib.domain.provider import Failure, FailureKind, OutputKind, ProviderOutput, ProviderUpdate, RemoteStatus
from lib.providers.answers import MAX_WAIT_SECONDS, clipped, json_object, retry_after_seconds
from lib.providers.http_entry import FailureRule, HttpEntry
from lib.providers.media_answer import body_output, media_output
from lib.providers.outputs import collect_outputs
from lib.providers.status_kinds import PASSING_KINDS, kind_of_status, silence

_OWN_STATUSES = {
    408: FailureKind.UNKNOWN
}  # whether the provider or a proxy speaks is not known of any provider


@dataclass(frozen=True)
class Fault:
    """A failure, and the rule of the entry that named it, if one did."""

    failure: Failure
    rule: FailureRule | None


@dataclass(frozen=True)
class Reader:
    """Reads answers by an entry; never raises for what a provider sends."""

    entry: HttpEntry

    def update(self, response: HttpResponse, *, final: RemoteStatus | None = None) -> ProviderUpdate:
        """What an answer says of a job; `final` is what the answer itself proves, whatever word stands in it.

        A status that the entry does not name stays non-final. A success whose outputs cannot be found is left to the
        gateway to judge: `outputs` is empty then.
        """
        meaning, document = self.entry.meaning, json_object(response.body)
        word = _text(meaning.status.first_in(document))
        status = final or meaning.words.get(word.lower(), RemoteStatus.UNKNOWN)
        ended_well = status is RemoteStatus.SUCCEEDED
        return ProviderUpdate(
            status=status,
            provider_job_id=self.job_id(document),
            outputs=self._outputs(document, response) if ended_well else (),
            failure=self._failure_of(status, document, word),
            progress=1.0 if ended_well else self._progress(document),
            raw_status=word,
            blobs=response.blobs if ended_well else (),
        )

    def job_id(self, document: Mapping[str, Any]) -> str | None:
        """The id of the job, if one stands there that may be put into an address."""
        given = self.entry.meaning.id.first_in(document)
        text = str(given) if isinstance(given, str | int) and not isinstance(given, bool) else ""
        return text if self.entry.meaning.id_pattern.fullmatch(text) else None

    def fault(self, response: HttpResponse) -> Fault | None:
        """Why an answer is no success; None if it is one."""
        document = json_object(response.body)
        if response.is_success and self._says_ok(document):
            return None
        rule = self._rule(document, self._words(document), response.status)
        default = kind_of_status(response.status, _OWN_STATUSES)
        if response.status == 404 and not self._words(document):
            default = FailureKind.UNKNOWN  # some other server's page: it does not prove that the job is lost
        failure = self._failure(document, rule, default, silence(response))
        wait = self._wait(document)
        wait = wait if wait is not None else retry_after_seconds(response)
        return Fault(replace(failure, retry_after_seconds=wait), rule)

    def _says_ok(self, document: Mapping[str, Any]) -> bool:
        meaning = self.entry.meaning
        if meaning.ok_at is None:
            return True
        found = meaning.ok_at.first_in(document)
        return found is None or _text(found) in meaning.ok_values

    def _failure_of(self, status: RemoteStatus, document: Mapping[str, Any], word: str) -> Failure | None:
        if status is RemoteStatus.CANCELED:
            return Failure(FailureKind.CANCELED, self._words(document) or f"{self.entry.title} says: {word}")
        if status is not RemoteStatus.FAILED:
            return None
        rule = self._rule(document, self._words(document), None)
        return self._failure(document, rule, FailureKind.MODEL_ERROR, f"{self.entry.title} gave no reason")

    def _failure(
        self, document: Mapping[str, Any], rule: FailureRule | None, kind: FailureKind, unsaid: str
    ) -> Failure:
        kind = rule.kind if rule else kind
        retryable = rule.retryable if rule and rule.retryable is not None else kind in PASSING_KINDS
        unbilled = bool(rule and rule.unbilled)
        return Failure(kind, self._words(document) or unsaid, retryable, unbilled=unbilled)

    def _rule(self, document: Mapping[str, Any], words: str, http: int | None) -> FailureRule | None:
        """The first rule of which all holds."""
        code = self.entry.meaning.code
        codes = [_text(found) for found in code.all_in(document)] if code else []
        for rule in self.entry.meaning.rules:
            if rule.http and http not in rule.http:
                continue
            if rule.codes and not set(rule.codes) & set(codes):
                continue
            if rule.words and not rule.words.search(words):
                continue
            return rule
        return None

    def _words(self, document: Mapping[str, Any]) -> str:
        """The provider's own words, whatever their JSON type."""
        for path in self.entry.meaning.messages:
            for found in path.all_in(document):
                if said := clipped(
                    found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
                ):
                    return said
        return ""

    def _outputs(self, document: Mapping[str, Any], response: HttpResponse) -> tuple[ProviderOutput, ...]:
        found: list[ProviderOutput] = []
        for place in self.entry.meaning.outputs:
            if place.at is None:
                found.append(body_output(response))
                continue
            for value in place.at.all_in(document):
                if not place.content_type:
                    found += collect_outputs(value)
                elif isinstance(value, str) and value:
                    found.append(media_output(value, response, place.content_type))
        return tuple(output for output in found if output.kind is not OutputKind.TEXT or output.value)

    def _progress(self, document: Mapping[str, Any]) -> float | None:
        at, of = self.entry.meaning.progress, self.entry.meaning.progress_of
        seen = _number(at, document)
        return None if seen is None else min(max(seen / of, 0.0), 1.0)

    def _wait(self, document: Mapping[str, Any]) -> float | None:
        seconds = _number(self.entry.meaning.retry_after, document)
        return None if seconds is None or seconds < 0 else min(seconds, MAX_WAIT_SECONDS)


def _number(at: FieldPath | None, document: Mapping[str, Any]) -> float | None:
    found = at.first_in(document) if at else None
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        return None
    try:
        number = float(found)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) < 1e12 else None  # neither NaN nor infinite


def _text(value: Any) -> str:
    return "" if value is None or isinstance(value, dict | list) else str(value).strip()
