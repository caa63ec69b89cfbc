"""Answers as pydantic models: what is wrong in one place is lost there, and nowhere else."""

from datetime import UTC, datetime
from typing import Any

import pytest

from lib.providers.answer_model import Answer, Flag, Items, Maybe, Moment, Seconds, Text, Whole, Word


class Part(Answer):
    name: str
    size: Whole = None


class Whatever(Answer):
    text: Text = None
    word: Word = ""
    flag: Flag = None
    moment: Moment = None
    seconds: Seconds = None
    whole: Whole = None
    part: Maybe[Part] = None
    parts: Items[Part] = ()


class Named(Answer):
    id: str


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"7", b'"text"', b"<html>", b"\xff", b"[" * 100_000]
)
def test_what_is_no_json_object_reads_as_an_empty_one_and_lacks_what_must_be_there(body: bytes) -> None:
    assert Whatever.of(body) == Whatever()
    assert Named.find(body) is None


@pytest.mark.parametrize(
    "wrong", [None, 7, "x", True, [], {}, [[]], {"name": 3}, [{"name": 3}, 4, None], 1e999]
)
@pytest.mark.parametrize("field", ["text", "word", "flag", "moment", "seconds", "whole", "part", "parts"])
def test_a_surprising_value_is_absent_and_the_fields_beside_it_are_not(field: str, wrong: Any) -> None:
    right: dict[str, Any] = {"text": "words", "word": "Quota ", "seconds": 1.5, "parts": [{"name": "a"}]}
    read = Whatever.read({**right, field: wrong, "unknown": wrong})
    assert read is not None
    if field != "text":
        assert read.text == "words"
    if field != "word":
        assert read.word == "quota"
    if field != "seconds":
        assert read.seconds == 1.5
    if field != "parts":
        assert read.parts == (Part(name="a"),)
    if field in ("part", "parts"):
        assert not getattr(read, field)


@pytest.mark.parametrize("seconds", [True, "3", -1, 1e8, float("nan"), float("inf")])
def test_neither_truth_nor_text_nor_what_no_job_lasts_is_a_number_of_seconds(seconds: Any) -> None:
    assert Whatever.read({"seconds": seconds}) == Whatever()


@pytest.mark.parametrize("word", [None, 7, ["a"], {}, " "])
def test_what_is_no_word_is_an_empty_one(word: Any) -> None:
    assert Whatever.read({"word": word}) == Whatever()


@pytest.mark.parametrize("whole", [True, "3", 2.5])
def test_a_whole_number_is_written_as_one(whole: Any) -> None:
    assert Whatever.read({"whole": whole}) == Whatever()


def test_the_right_items_of_a_list_stay_in_their_order() -> None:
    read = Whatever.of(b'{"parts": [{"name": "a"}, {"size": 1}, 3, {"name": "b", "size": "?"}]}')
    assert read.parts == (Part(name="a"), Part(name="b"))


def test_a_moment_is_in_utc_and_without_a_zone_it_is_taken_for_utc() -> None:
    at = datetime(2026, 11, 21, 10, 30, tzinfo=UTC)
    assert Whatever.of(b'{"moment": "2026-11-21T12:30:00+02:00"}').moment == at
    assert Whatever.of(b'{"moment": "2026-11-21T10:30:00"}').moment == at


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-13-01"])
def test_a_moment_that_utc_has_no_name_for_is_absent(moment: str) -> None:
    assert Whatever.read({"moment": moment}) == Whatever()
