"""The configuration of providers: what is right is read, and all that is wrong is told with its path."""

import json
from pathlib import Path
from typing import Any

import pytest

from lib.domain.errors import ConfigurationError
from lib.domain.provider import RateLimit, SubmitSafety, WebhookProof
from lib.providers.http_adapter import HttpAdapter
from lib.providers.http_config import SCHEMA_PATH, load_entries
from lib.stores.providers_source import read_providers_config
from tests.fakes.http_entries import EXAMPLE, KLING_LIKE, luma_entry

MISSING = object()


def errors_of(entry: dict[str, Any], name: str = "shaped") -> dict[str, str]:
    """What is wrong with a configuration of this one entry, by path."""
    with pytest.raises(ConfigurationError) as caught:
        load_entries(json.dumps({"providers": {name: entry}}))
    return {error.path: error.message for error in caught.value.errors}


def changed(path: str, value: Any, entry: dict[str, Any] | None = None) -> dict[str, Any]:
    """The example's entry with another value at a dotted path, or without any."""
    entry = luma_entry() if entry is None else json.loads(json.dumps(entry))
    inner = entry
    *outer, last = path.split(".")
    for step in outer:
        inner = inner.setdefault(step, {})
    if value is MISSING:
        del inner[last]
    else:
        inner[last] = value
    return entry


def test_the_shipped_configuration_and_the_example_are_right() -> None:
    assert load_entries(read_providers_config("config/providers.json")) == {}
    assert list(load_entries(EXAMPLE.read_text())) == ["luma"]


def test_an_entry_becomes_what_the_gateway_decides_by() -> None:
    entry = {**luma_entry(), "rateLimit": {"perMinute": 20, "burst": 5}, "outputLifeSeconds": 3600}
    traits = HttpAdapter(load_entries(json.dumps({"providers": {"luma": entry}}))["luma"]).traits

    assert (traits.submit_safety, traits.webhooks) == (SubmitSafety.NONE, WebhookProof.TOKEN)
    assert (traits.polls, traits.cancels, traits.recovers, traits.synchronous) == (True, True, False, False)
    assert (traits.rate_limit, traits.output_life_seconds, traits.poll_seconds) == (RateLimit(20, 5), 3600, 2)
    assert [field.name for field in traits.credential_fields] == ["apiKey"]


def test_the_key_of_a_laptop_has_a_variable_of_the_providers_name_unless_another_is_given() -> None:
    entries = load_entries(json.dumps({"providers": {"my-own": KLING_LIKE, "luma": luma_entry()}}))

    assert {name: entry.variable for name, entry in entries.items()} == {
        "my-own": "MY_OWN_API_KEY",
        "luma": "LUMAAI_API_KEY",
    }


@pytest.mark.parametrize(
    ("path", "value", "where", "words"),
    [
        ("baseUrl", "http://api.example", "baseUrl", "must be https"),
        ("baseUrl", "https://user@api.example", "baseUrl", "must be https"),
        ("baseUrl", "https://api.example/?key=1", "baseUrl", "must be https"),
        ("poll.path", "/generations", "poll.path", "must hold {id}"),
        ("poll.path", "/generations/{task}/{id}", "poll.path", "{task} is not known here"),
        ("poll.path", "//evil.example/{id}", "poll.path", "must be a plain path"),
        ("poll.path", "/../{id}", "poll.path", "must be a plain path"),
        ("poll.path", "/a/./{id}", "poll.path", "must be a plain path"),
        ("poll.path", "/a/{id}?key=1", "poll.path", "must be a plain path"),
        ("poll.path", "/a/{id}#x", "poll.path", "must be a plain path"),
        ("poll.path", "/a/%2e%2e/{id}", "poll.path", "must be a plain path"),
        ("poll.path", "/a\\{id}", "poll.path", "must be a plain path"),
        ("cancel.path", "/stop", "cancel.path", "must hold {id}"),
        ("test.path", "/credits/{model}", "test.path", "{model} is not known here; known: nothing in braces"),
        ("submit.path", "/generations/{id}", "submit.path", "{id} is not known here"),
        ("submit.path", "generations", "submit.path", "does not match"),
        ("submit.callback", "hooks[0]", "submit.callback", "through members alone"),
        ("submit.callback", ".", "submit.callback", "must name a member"),
        ("submit.callback", MISSING, "submit.callback", "is missing"),
        ("submit.idempotencyHeader", "Idempotency-Key", "submitSafety", "only with it"),
        ("submit.idempotencyHeader", "Authorization", "submit.idempotencyHeader", "is not to be set here"),
        ("submitSafety", "own_id", "submitSafety", "is own_id with submit.ownId"),
        ("submitSafety", "sometimes", "submitSafety", "is not one of"),
        ("outputs", ["assets..video"], "outputs.0", "is no path"),
        ("outputs", [], "outputs", "should be non-empty"),
        ("status.at", "$.state", "status.at", "is no path"),
        ("status.words", {"done": "succeeded", "DONE": "failed"}, "status.words", "stands twice"),
        ("status.words", {"done": "succeeded", "busy": "running"}, "status.words", "no word means failed"),
        ("status.words", {"done": "finished", "bad": "failed"}, "status.words.done", "is not one of"),
        ("modelPattern", "(video", "modelPattern", "is no regular expression"),
        ("modelPattern", "(?P<kind>video|image)", "modelPattern", "must have a group called model"),
        ("failure.rules", [{"kind": "billing"}], "failure.rules.0", "give http, codes or words"),
        (
            "failure.rules",
            [{"codes": [7], "kind": "billing"}],
            "failure.rules.0.codes",
            "failure.code, which is missing",
        ),
        (
            "failure.rules",
            [{"words": "(", "kind": "billing"}],
            "failure.rules.0.words",
            "no regular expression",
        ),
        ("auth.field", "token", "auth.field", "must be one of the credentials' names: apiKey"),
        ("auth.header", "Host", "auth.header", "cannot carry a key"),
        ("auth.query", "key", "auth", "Additional properties are not allowed"),
        ("headers", {"authorization": "Bearer x"}, "headers.authorization", "is not to be set here"),
        ("headers", {"X-Version": "a\nb"}, "headers.X-Version", "does not match"),
        ("webhook.proof", "signature", "webhook.proof", "is not one of"),
        ("poll", MISSING, None, ""),
        ("pollSeconds", 0, "pollSeconds", "less than the minimum"),
        ("surprise", 1, "", "Additional properties"),
    ],
)
def test_what_is_wrong_is_told_with_its_path(path: str, value: Any, where: str | None, words: str) -> None:
    entry = changed(path, value)
    if where is None:  # webhooks alone will do
        load_entries(json.dumps({"providers": {"shaped": entry}}))
        return
    errors = errors_of(entry)
    place = "providers.shaped" + (f".{where}" if where else "")
    assert words in errors[place]


def test_without_polls_and_webhooks_no_end_would_be_heard_of() -> None:
    entry = changed("webhook", MISSING, changed("poll", MISSING))
    assert "no end would ever be heard of" in errors_of(entry)["providers.shaped.poll"]


def test_a_synchronous_provider_has_nothing_to_poll() -> None:
    assert "nothing to poll" in errors_of(changed("synchronous", True))["providers.shaped.synchronous"]


@pytest.mark.parametrize("name", ["replicate", "cog"])
def test_a_built_in_provider_is_not_shadowed(name: str) -> None:
    assert errors_of(luma_entry(), name) == {
        f"providers.{name}": "is the name of a provider that is built in"
    }


def test_everything_that_is_wrong_is_told_at_once() -> None:
    entry = changed("outputs", ["a b"], changed("poll.path", "/x", changed("baseUrl", "http://a.example")))
    assert len(errors_of(entry)) == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is not JSON"),
        ("[]", "is not a JSON object"),
        ('{"providers": {"a": {}, "a": {}}}', "the name 'a' stands twice"),
        ("{}", "'providers' is a required property"),
        ('{"providers": {"Not A Name": {}}}', "Not A Name"),
    ],
)
def test_what_is_no_configuration_is_told(text: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        load_entries(text)


def test_the_setting_is_inline_a_file_or_an_object_of_the_bucket(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text('{"providers": {}}')

    assert read_providers_config('{"providers": {}}') == '{"providers": {}}'
    assert read_providers_config("p.json", root=tmp_path) == '{"providers": {}}'
    read = read_providers_config("s3://b/config/p.json", read_object=lambda b, k: f"{b} {k}".encode())
    assert read == "b config/p.json"
    with pytest.raises(ConfigurationError, match=r"PROVIDERS_CONFIG '.*away.json' cannot be read"):
        read_providers_config("away.json", root=tmp_path)


def test_the_schema_itself_is_a_schema() -> None:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - only here

    Draft202012Validator.check_schema(json.loads(SCHEMA_PATH.read_text()))
