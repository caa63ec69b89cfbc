"""Base64 inside JSON: lifted out where it is long, left where it is text, and read alike by an adapter."""

import base64
import binascii
import json
import re
import time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lib.domain.http_exchange import HttpResponse
from lib.domain.provider import OutputKind, ProviderOutput
from lib.providers.lifting import LONG_BYTES, Lifter
from lib.providers.media_answer import body_output, media_output
from lib.providers.spool import Spool, SpooledBlob, UnusableAnswerError

LONG = bytes(range(256)) * 16
MAX = 10_000_000


def lifted(body: bytes, step: int = 1000) -> tuple[bytes, tuple[SpooledBlob, ...]]:
    lifter = Lifter(Spool(), MAX)
    for at in range(0, len(body), step):
        lifter.feed(body[at : at + step])
    return lifter.end()


def one_blob(string: bytes, step: int = 1000) -> SpooledBlob:
    left, (blob,) = lifted(b'{"x": "' + string + b'", "y": 1}', step)
    assert json.loads(left) == {"x": blob.name, "y": 1}
    return blob


def content(blob: SpooledBlob) -> bytes:
    with blob.open() as file:
        data = file.read()
    assert len(data) == blob.size
    return data


def with_breaks(text: bytes, line_end: bytes = rb"\n", width: int = 76) -> bytes:
    return line_end.join(text[at : at + width] for at in range(0, len(text), width))


def all_unicode(text: bytes) -> bytes:
    return b"".join(b"\\u%04X" % byte for byte in text)


SPELLINGS = {
    "plain": lambda text: text,
    "slashes escaped": lambda text: text.replace(b"/", rb"\/"),
    "html safe": lambda text: text.replace(b"=", rb"\u003d").replace(b"+", rb"\u002B"),
    "without padding": lambda text: text.rstrip(b"="),
    "url safe": lambda text: text.replace(b"+", b"-").replace(b"/", b"_").rstrip(b"="),
    "mime": with_breaks,
    "mime with a last break": lambda text: with_breaks(text) + rb"\n",
    "pem in dos": lambda text: with_breaks(text, rb"\r\n", 64),
    "a data URL": lambda text: b"data:image/png;base64," + text,
    "a data URL with slashes escaped": lambda text: rb"data:image\/png;base64," + text.replace(b"/", rb"\/"),
    "every character escaped": all_unicode,
}


@pytest.mark.parametrize("extra", [b"", b"a", b"ab"], ids=["no padding", "two", "one"])
@pytest.mark.parametrize("step", [7, 1000, 10**6])
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_base64_is_lifted_however_it_is_spelled(spelling: str, step: int, extra: bytes) -> None:
    data = LONG + extra
    assert content(one_blob(SPELLINGS[spelling](base64.b64encode(data)), step)) == data


def test_a_data_url_tells_its_type_and_plain_base64_none() -> None:
    text = base64.b64encode(LONG)
    assert one_blob(rb"data:Audio\/L16;rate=24000;base64," + text).content_type == "audio/l16"
    assert one_blob(b"data:;base64," + text).content_type == ""
    assert one_blob(text).content_type == ""


TEXTS = {
    "words": "The quick brown fox jumps over the lazy dog. " * 300,
    "words alone": "word " * 2000,
    "a word a line": "\n".join(["house", "mouse", "elephant"] * 1000),
    "chinese": "世界" * 4000,
    "base64 with one stranger": base64.b64encode(LONG).decode() + "!",
    "base64 with a stranger far behind": base64.b64encode(LONG * 20).decode() + " end",
    "base64 with padding inside": base64.b64encode(LONG + b"a").decode() + "AAAA",
    "base64 with a digit alone": "A" * 8193,
    "padding alone": "=" * 5000,
    "base64 with a quote": base64.b64encode(LONG).decode() + '"' + base64.b64encode(LONG).decode(),
    "base64 with a backslash": base64.b64encode(LONG).decode() + "\\" + "n" * 5000,
    "backslashes": "\\" * 9001,
    "a data URL of percents": "data:image/svg+xml,%3Csvg%3E" + "%20" * 3000,
    "a data URL with a stranger": "data:image/png;base64," + "QUJD" * 2000 + "?",
    "almost long": base64.b64encode(LONG).decode()[: LONG_BYTES - 1],
    "json inside": json.dumps({"a": ["b"] * 3000}),
}


@pytest.mark.parametrize("step", [7, 1000, 10**6])
@pytest.mark.parametrize("name", TEXTS)
def test_a_long_text_stays_text_to_the_byte(name: str, step: int) -> None:
    for body in (
        json.dumps({"x": TEXTS[name], "y": [TEXTS[name]]}).encode(),
        json.dumps({TEXTS[name]: 1}, ensure_ascii=False).encode(),
    ):
        assert lifted(body, step) == (body, ())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'"',
        b'<html>it is "broken"</html>',
        b'{"x": "' + base64.b64encode(LONG),
        b'{"x": "' + base64.b64encode(LONG) + b"\\",
        b'{"x": "abc\\',
        bytes(range(256)) * 100,
    ],
)
def test_what_is_no_json_or_ends_too_soon_comes_through(body: bytes) -> None:
    assert lifted(body) == (body, ())


def test_blobs_have_names_of_their_own_that_no_answer_can_guess() -> None:
    body = json.dumps([base64.b64encode(LONG).decode()] * 3).encode()
    names = {blob.name for _ in range(2) for blob in lifted(body)[1]}
    assert len(names) == 6
    assert all(re.fullmatch(r"blob:[0-9a-f]{16}:[0-2]", name) for name in names)


def test_an_answer_that_says_the_name_of_a_blob_means_nothing_by_it() -> None:
    forged = "blob:0123456789abcdef:0"
    left, blobs = lifted(json.dumps({"a": forged, "b": base64.b64encode(LONG).decode()}).encode())
    output = media_output(json.loads(left)["a"], HttpResponse(200, {}, left, blobs), "image/png")
    assert output.kind is OutputKind.DATA_URL


def test_a_text_put_back_is_bounded_like_any_other() -> None:
    lifter = Lifter(Spool(), 50_000)
    with pytest.raises(UnusableAnswerError, match="50000 bytes beside its media"):
        lifter.feed(b'"' + b"A" * 100_000 + b'!"')


def test_a_spool_forgets_what_was_put_back() -> None:
    spool = Spool()
    lifter = Lifter(spool, MAX)
    lifter.feed(b'["' + b"A" * 8000 + b'!", "' + b"QUJD" * 2000 + b'"]')
    _, (blob,) = lifter.end()
    assert spool.size == 8000
    assert content(blob) == b"ABC" * 2000


base64_strings = st.builds(
    lambda data, times, spell: spell(base64.b64encode(data * times)).decode(),
    st.binary(max_size=200),
    st.integers(0, 60),
    st.sampled_from(
        [
            lambda text: text,
            lambda text: text.rstrip(b"="),
            lambda text: text.translate(bytes.maketrans(b"+/", b"-_")),
            lambda text: b"data:video/mp4;base64," + text,
        ]
    ),
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=30) | base64_strings,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9) | base64_strings, inner, max_size=4)
    ),
    max_leaves=12,
)


def substituted(value: Any, blobs: dict[str, SpooledBlob], original: Any) -> Any:
    """`value` with the string of `original` wherever a blob's name stands, once its bytes were seen to be the same."""
    if isinstance(value, str) and value in blobs:
        text = original.partition(",")[2] if original.startswith("data:") else original
        text = text.translate(str.maketrans("-_", "+/")).rstrip("=")
        assert content(blobs[value]) == binascii.a2b_base64(text + "=" * (-len(text) % 4))
        return original
    if isinstance(value, list):
        return [substituted(item, blobs, twin) for item, twin in zip(value, original, strict=True)]
    if isinstance(value, dict):
        pairs = zip(value.items(), original.items(), strict=True)
        return {
            substituted(key, blobs, twin_key): substituted(item, blobs, twin)
            for (key, item), (twin_key, twin) in pairs
        }
    return value


@settings(max_examples=150, deadline=None)
@given(values, st.booleans(), st.sampled_from([None, 1]), st.integers(1, 9000), st.booleans())
@example({"a": ["QUJD" * 5000, None], "QUJD" * 2000: "data:,"}, True, 1, 4096, True)
def test_any_json_is_the_same_with_the_blobs_put_back(
    value: Any, ascii_only: bool, indent: int | None, step: int, escaped: bool
) -> None:
    body = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    if escaped:
        body = body.replace("/", r"\/")
    left, blobs = lifted(body.encode("utf-8", "surrogatepass"), step)
    again = json.loads(left.decode("utf-8", "surrogatepass"))
    assert substituted(again, {blob.name: blob for blob in blobs}, value) == value
    assert len(left) < len(body.encode("utf-8", "surrogatepass")) or not blobs


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=3000), st.integers(1, 500))
def test_any_bytes_that_hold_no_long_string_come_through(body: bytes, step: int) -> None:
    assert lifted(body, step) == (body, ())


def test_many_short_strings_cost_little() -> None:
    """An answer with the time of each character (ElevenLabs): 5 MB of strings without a blob."""
    body = json.dumps({"characters": ["a", "é", '"'] * 200_000}).encode()
    begun = time.thread_time()
    assert lifted(body, 65536) == (body, ())
    assert time.thread_time() - begun < 2


def response(body: bytes = b"", content_type: str = "", blobs: tuple[SpooledBlob, ...] = ()) -> HttpResponse:
    return HttpResponse(200, {"content-type": content_type} if content_type else {}, body, blobs)


def test_an_output_is_what_stands_in_the_answer() -> None:
    blob = one_blob(base64.b64encode(LONG))
    answer = response(blobs=(blob,))
    assert media_output(blob.name, answer, "image/png") == ProviderOutput(OutputKind.BLOB, blob.name)
    for value, kind, told in (
        ("https://cdn.example/a.png", OutputKind.URL, "https://cdn.example/a.png"),
        (" HTTPS://cdn.example/a.png\n", OutputKind.URL, "HTTPS://cdn.example/a.png"),
        ("data:image/webp;base64,QUJD", OutputKind.DATA_URL, "data:image/webp;base64,QUJD"),
        ("QUJD", OutputKind.DATA_URL, "data:image/png;base64,QUJD"),
        ("QU-_\nQUI=", OutputKind.DATA_URL, "data:image/png;base64,QU+/QUI="),
    ):
        assert media_output(value, answer, "image/png") == ProviderOutput(kind, told)


def test_a_body_is_its_blob_or_the_bytes_themselves() -> None:
    spool = Spool()
    spool.append(LONG)
    blob = SpooledBlob("blob:body", "audio/mpeg", len(LONG), spool, 0, len(LONG))
    assert body_output(response(blobs=(blob,))) == ProviderOutput(OutputKind.BLOB, "blob:body")
    assert body_output(response(b"ABC", "audio/mpeg; rate=1")).value == "data:audio/mpeg;base64,QUJD"
    assert body_output(response(b"ABC")).value == "data:application/octet-stream;base64,QUJD"
