"""What cannot be read is refused with what would be right."""

import base64
import time
from typing import Any

import pytest

from lib.api import incoming
from lib.domain.caller import LONGEST_USER_AGENT
from lib.domain.errors import BadRequestError, TooLargeError
from tests.fakes.events import request


def posted(body: str, **headers: str) -> dict[str, Any]:
    return request("generate_media", body=body, headers=headers)


def test_a_json_object_is_read() -> None:
    assert incoming.json_object(posted('{"a": [1, "ü"]}')) == {"a": [1, "ü"]}


def test_a_base64_body_is_the_same_body() -> None:
    event = posted(base64.b64encode('{"a": "ü"}'.encode()).decode())
    event["isBase64Encoded"] = True
    assert incoming.json_object(event) == {"a": "ü"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", "not JSON"),
        ('{"a": 1', "not JSON"),
        ("[1, 2]", "must be a JSON object"),
        ("null", "must be a JSON object"),
        ('{"a": NaN}', "NaN is not a JSON number"),
        ('{"a": Infinity}', "Infinity is not a JSON number"),
        ('{"a": 1, "a": 2}', "'a' stands twice"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_json_object_is_refused_with_the_reason(body: str, words: str) -> None:
    with pytest.raises(BadRequestError, match=words):
        incoming.json_object(posted(body))


def test_of_a_secret_body_nothing_is_quoted() -> None:
    """A key may stand where a name should."""
    key = "sk-0123456789abcdef"
    with pytest.raises(BadRequestError, match="not JSON") as refused:
        incoming.json_object(posted(f'{{"{key}": 1, "{key}": 2}}'), secret=True)
    assert key not in refused.value.message
    with pytest.raises(BadRequestError, match="line 1 column") as refused:
        incoming.json_object(posted(f'{{"apiKey": "{key}"'), secret=True)
    assert key not in refused.value.message


def test_a_name_twice_among_very_many_is_found_at_once() -> None:
    names = ",".join(f'"{number}":0' for number in range(60_000))
    started = time.process_time()
    with pytest.raises(BadRequestError, match="'59999' stands twice"):
        incoming.json_object(posted(f'{{{names},"59999":0}}'))
    assert time.process_time() - started < 5  # a search in the square of the names takes over a minute


def test_bytes_that_are_no_utf8_are_refused() -> None:
    event = posted(base64.b64encode(b'{"a": "\xff"}').decode())
    event["isBase64Encoded"] = True
    with pytest.raises(BadRequestError, match="UTF-8"):
        incoming.json_object(event)


def test_broken_base64_is_refused() -> None:
    event = posted("%%%")
    event["isBase64Encoded"] = True
    with pytest.raises(BadRequestError):
        incoming.json_object(event)


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain; charset=utf-8"])
def test_another_content_type_is_refused_by_name(kind: str) -> None:
    with pytest.raises(BadRequestError, match=kind.partition(";")[0]):
        incoming.json_object(posted("{}", **{"content-type": kind}))


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "Application/JSON", "application/x+json"]
)
def test_every_way_to_say_json_is_understood(kind: str) -> None:
    assert incoming.json_object(posted("{}", **{"content-type": kind})) == {}


def test_the_limit_is_in_bytes_and_exact() -> None:
    body = '{"a": "' + "x" * (incoming.MIB - 9) + '"}'
    assert len(body) == incoming.MIB
    assert incoming.json_object(posted(body))
    with pytest.raises(TooLargeError, match="1048576 bytes"):
        incoming.json_object(posted(body + " "))
    with pytest.raises(TooLargeError):
        incoming.json_object(posted('{"a": "' + "ü" * (incoming.MIB // 2) + '"}'))


@pytest.mark.parametrize("given", ["abc-1.2_3", "A" * 128, "trace:1/2+3=4@5"])
def test_a_safe_request_id_is_kept(given: str) -> None:
    assert incoming.request_id(posted("{}", **{"x-request-id": given})) == given


@pytest.mark.parametrize("given", ["", "A" * 129, "two words", 'quo"te', "line\nbreak", "ümlaut"])
def test_an_unsafe_request_id_is_replaced_by_the_gateways(given: str) -> None:
    assert incoming.request_id(posted("{}", **{"x-request-id": given})) == "JKJaXmPLvHcESHA="


def test_a_key_that_is_sent_for_an_id_or_as_the_clients_name_is_not_kept() -> None:
    """Both are recorded, and shown to whoever reads the records."""
    key = "vsl_" + "k" * 43
    event = posted("{}", **{"x-request-id": key})
    event["requestContext"]["http"]["userAgent"] = f"curl/8 ({key}) " + "token=a " * 100
    assert incoming.request_id(event) == "JKJaXmPLvHcESHA="
    agent = incoming.origin(event).user_agent or ""
    assert agent.startswith("curl/8 (***) token=*** ")
    assert len(agent) == LONGEST_USER_AGENT


def test_a_request_without_any_id_gets_one() -> None:
    assert len(incoming.request_id({})) == 36


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ({"authorization": "Bearer vsl_x"}, "vsl_x"),
        ({"authorization": "bearer   vsl_x "}, "vsl_x"),
        ({"Authorization": "Bearer vsl_x"}, "vsl_x"),
        ({"x-api-key": "vsl_x"}, "vsl_x"),
        ({"X-API-Key": " vsl_x "}, "vsl_x"),
        ({"authorization": "Basic dTpw"}, None),
        ({}, None),
    ],
)
def test_the_key_is_found_in_either_header(headers: dict[str, str], key: str | None) -> None:
    assert incoming.presented_key({"headers": headers}) == key
