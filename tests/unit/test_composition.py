"""What may be asked of a composed job."""

from datetime import UTC, datetime
from typing import Any

import pytest

from lib.domain.composition import MAX_ERRORS, read_composition, read_element
from lib.domain.element import Element, ElementType, FitMode
from lib.domain.errors import InvalidError
from lib.domain.ids import uuid7

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
JOB_ID = str(uuid7(NOW))
VIDEO = {"type": "video", "sourceUrl": "https://media.example/a.mp4"}


def read(*elements: Any, **fields: Any) -> tuple[Element, ...]:
    request = {"elements": list(elements), **fields}
    return read_composition(request, JOB_ID, NOW, lambda: str(uuid7(NOW))).elements


def problems(*elements: Any, **fields: Any) -> dict[str, str]:
    with pytest.raises(InvalidError) as refused:
        read(*elements, **fields)
    return {error.path: error.message for error in refused.value.errors}


def test_the_documents_example_is_an_element_of_either_spelling() -> None:
    example = {
        "type": "video",
        "source_url": "https://example.com/video.mp4",
        "element_order": 0,
        "track": 0,
        "x_position": "10%",
        "y_position": "10%",
        "width": "80%",
        "height": "80%",
        "fit_mode": "contain",
    }
    (element,) = read(example)
    assert (element.type, element.fit_mode, element.job_id) == (ElementType.VIDEO, FitMode.CONTAIN, JOB_ID)
    assert (element.x_position, element.width, element.source_url) == ("10%", "80%", example["source_url"])


def test_what_is_not_said_has_a_default() -> None:
    (element,) = read(VIDEO)
    assert (element.track, element.element_order, element.start_s, element.duration_s) == (0, 0, 0.0, None)
    assert (element.x_position, element.y_position, element.width, element.volume) == ("0", "0", None, None)


def test_elements_without_an_order_come_one_after_the_other_in_their_track() -> None:
    elements = read(VIDEO, {**VIDEO, "track": 1}, {**VIDEO, "elementOrder": 7}, VIDEO, {**VIDEO, "track": 1})
    assert [(element.track, element.element_order) for element in elements] == [
        (0, 0), (1, 0), (0, 7), (0, 8), (1, 1)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("10%", "10%"),
        ("-5.5%", "-5.5%"),
        ("120", "120"),
        ("120px", "120"),
        (120, "120"),
        (-3.5, "-3.5"),
        (0, "0"),
    ],
)
def test_a_position_is_pixels_or_percent(given: Any, kept: str) -> None:
    (element,) = read({**VIDEO, "xPosition": given})
    assert element.x_position == kept


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("xPosition", "ten"),
        ("xPosition", "10 %"),
        ("xPosition", "1e3"),
        ("xPosition", "1234567"),
        ("yPosition", True),
        ("yPosition", float("nan")),
        ("width", "0"),
        ("width", "-10%"),
        ("height", []),
        ("fitMode", "squeeze"),
        ("type", "smell"),
        ("track", -1),
        ("track", 1.5),
        ("elementOrder", 100_001),
        ("start", -0.1),
        ("duration", 0),
        ("duration", "3"),
        ("volume", 10.1),
        ("volume", float("inf")),
        ("sourceUrl", "http://media.example/a.mp4"),
        ("sourceUrl", "https://user:secret@media.example/a.mp4"),
        ("sourceUrl", "https:///a.mp4"),
        ("sourceUrl", "https://media.example:99999999/a"),
        ("sourceUrl", "https://media.example/a b"),
        ("sourceUrl", "https://[::1/a"),
        ("sourceUrl", "file:///etc/passwd"),
        ("sourceUrl", "https://media.example/" + "a" * 4096),
        ("elementId", "12"),
        ("elementId", "00000000-0000-4000-8000-000000000000"),
        ("colour", "red"),
    ],
)
def test_a_wrong_field_is_named_with_its_place(field: str, value: Any) -> None:
    found = problems(VIDEO, {**VIDEO, "track": 9}, {**VIDEO, field: value})
    assert list(found) == [f"elements[2].{field}"]


def test_a_text_has_content_and_all_else_an_address() -> None:
    assert read({"type": "text", "content": "The End"})[0].content == "The End"
    assert list(problems({"type": "text"})) == ["elements[0].content"]
    assert list(problems({"type": "image"})) == ["elements[0].sourceUrl"]
    assert list(problems({**VIDEO, "content": "x"})) == ["elements[0].content"]
    assert list(problems({**VIDEO, "type": "text", "content": "x"})) == ["elements[0].sourceUrl"]


def test_two_elements_have_neither_one_place_nor_one_id() -> None:
    one_id = str(uuid7(NOW))
    element = {**VIDEO, "elementOrder": 4, "elementId": one_id}
    assert problems(VIDEO, element, {**element, "track": 1}, {**VIDEO, "elementOrder": 4}) == {
        "elements[2].elementId": "is that of elements[1]",
        "elements[3].elementOrder": "is that of elements[1], in track 0 too",
    }


@pytest.mark.parametrize("elements", [None, [], "video", [VIDEO] * 501, {"0": VIDEO}])
def test_there_are_1_to_500_elements(elements: Any) -> None:
    with pytest.raises(InvalidError) as refused:
        read_composition({"elements": elements}, JOB_ID, NOW, str)
    assert [error.path for error in refused.value.errors] == ["elements"]


@pytest.mark.parametrize("request_", [None, [], "film", 7])
def test_a_request_is_an_object(request_: Any) -> None:
    with pytest.raises(InvalidError, match="request must be an object"):
        read_composition(request_, JOB_ID, NOW, str)


def test_an_element_is_an_object() -> None:
    assert problems(VIDEO, None, "x") == {
        "elements[1]": "must be an object",
        "elements[2]": "must be an object",
    }


def test_a_field_in_two_spellings_is_given_twice() -> None:
    assert problems({**VIDEO, "source_url": "https://other.example/"}) == {
        "elements[0].sourceUrl": "is given twice"
    }


def test_however_much_is_wrong_the_answer_stays_short() -> None:
    hostile = {f"field{number}": 1 for number in range(1000)}
    assert len(problems(*[hostile] * 500)) <= MAX_ERRORS


def test_a_name_that_is_no_text_is_refused_without_breaking_the_answer() -> None:
    (path,) = problems({**VIDEO, "\ud800\x00" + "x" * 1000: 1})
    assert path.encode().startswith(b"elements[0].??x")
    assert len(path) < 100


def test_one_element_alone_is_read_by_the_same_rules() -> None:
    assert read_element(VIDEO, JOB_ID, NOW, lambda: str(uuid7(NOW))).source_url == VIDEO["sourceUrl"]
    with pytest.raises(InvalidError) as refused:
        read_element({**VIDEO, "volume": -1}, JOB_ID, NOW, str)
    assert [error.path for error in refused.value.errors] == ["element.volume"]
