"""Places in JSON: what is found at a path, what is put there, and what is no path."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain.field_path import FieldPath, put

DOCUMENT: dict[str, Any] = {
    "state": "completed",
    "none": None,
    "assets": {"video": "https://a.example/1.mp4", "image": None},
    "images": [{"url": "a"}, {"url": None}, {"other": 1}, {"url": "b"}],
    "grid": [[1, 2], [3]],
    "a-b_c": {"0": 7},
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".", [DOCUMENT]),
        ("state", ["completed"]),
        ("none", []),
        ("missing.deeper", []),
        ("state.deeper", []),
        ("assets.video", ["https://a.example/1.mp4"]),
        ("assets.image", []),
        ("images[].url", ["a", "b"]),
        ("images[0].url", ["a"]),
        ("images[9].url", []),
        ("assets[].video", []),
        ("grid[][]", [1, 2, 3]),
        ("grid[1][0]", [3]),
        ("a-b_c.0", [7]),
    ],
)
def test_a_path_finds_what_stands_there(path: str, found: list[Any]) -> None:
    parsed = FieldPath.parse(path)

    assert parsed.all_in(DOCUMENT) == found
    assert parsed.first_in(DOCUMENT) == (found[0] if found else None)


@pytest.mark.parametrize(
    "wrong", ["", "..", "a..b", ".a", "a.", "a b", "$.a", "a[x]", "a[-1]", "[]", "a[0", "a/b"]
)
def test_what_is_no_path_is_told(wrong: str) -> None:
    with pytest.raises(ValueError, match="is no"):
        FieldPath.parse(wrong)


@given(JSON)
def test_whatever_the_document_is_nothing_breaks(document: Any) -> None:
    for path in (".", "a", "a.b", "a[].b", "a[0]", "b[][1].c"):
        FieldPath.parse(path).all_in(document)


def test_a_value_is_put_at_a_member_and_objects_on_the_way_are_made() -> None:
    document: dict[str, Any] = {"model": {"name": "x"}}

    put(document, FieldPath.parse("model.version"), 2)
    put(document, FieldPath.parse("options.webhook.url"), "https://a.example")
    put(document, FieldPath.parse("."), {"prompt": "a fox"})

    assert document == {
        "model": {"name": "x", "version": 2},
        "options": {"webhook": {"url": "https://a.example"}},
        "prompt": "a fox",
    }


def test_what_stands_in_the_way_is_told() -> None:
    with pytest.raises(ValueError, match="leads through 'model', which is no object"):
        put({"model": "x"}, FieldPath.parse("model.version"), 2)
    with pytest.raises(ValueError, match="through members alone"):
        put({}, FieldPath.parse("images[0].url"), 2)
