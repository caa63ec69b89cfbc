"""MODELS_CONFIG is inline JSON, a file, a directory or an s3:// URI."""

import json
from pathlib import Path

import pytest

from lib.domain.errors import ConfigurationError
from lib.stores.checked_catalogue import is_checked, mark_checked
from lib.stores.models_source import load_catalogue, read_models_config

ENTRY = {"version": "owner/name", "pricing": 0.1, "estimatedTime": 5, "supportedParams": ["prompt"]}
TEXT = json.dumps({"image": {"one": ENTRY}})


def test_inline_json_is_the_catalogue() -> None:
    assert load_catalogue(f"  {TEXT}\n").ids() == ["one"]


def test_a_relative_path_starts_at_the_root_of_the_bundle(tmp_path: Path) -> None:
    (tmp_path / "models.json").write_text(TEXT, encoding="utf-8")

    assert load_catalogue("models.json", root=tmp_path).ids() == ["one"]


def test_an_absolute_path_is_taken_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "models.json"
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.encode())

    assert load_catalogue(str(path)).ids() == ["one"]


def test_the_shipped_file_is_found_from_anywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)

    assert "flux-schnell" in load_catalogue("config/models").ids()


def test_an_s3_uri_is_read_by_the_reader_that_is_given() -> None:
    asked: list[tuple[str, str]] = []

    def read_object(bucket: str, key: str) -> bytes:
        asked.append((bucket, key))
        return TEXT.encode()

    assert load_catalogue("s3://a-bucket/a/key.json", read_object=read_object).ids() == ["one"]
    assert asked == [("a-bucket", "a/key.json")]


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("", "is empty"),
        ("config/none.json", "cannot be read: No such file"),
        ("s3://bucket", "must be s3://bucket/key"),
        ("s3://bucket/key", "does not read"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_name(setting: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        read_models_config(setting)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "models.json").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(ConfigurationError, match="not UTF-8"):
        read_models_config("models.json", root=tmp_path)


def test_the_files_of_a_directory_are_one_catalogue_in_the_order_of_their_names(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text(json.dumps({"image": {"two": ENTRY}}), encoding="utf-8")
    (tmp_path / "a.json").write_text(json.dumps({"video": {"one": ENTRY}}), encoding="utf-8")
    (tmp_path / "notes.txt").write_text("not JSON", encoding="utf-8")

    assert load_catalogue(str(tmp_path)).ids() == ["one", "two"]


def test_an_id_in_two_files_is_refused_with_both_names(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(TEXT, encoding="utf-8")
    (tmp_path / "b.json").write_text(TEXT, encoding="utf-8")

    with pytest.raises(ConfigurationError, match=r"b\.json: image\.one: the id is taken .* in a\.json"):
        load_catalogue(str(tmp_path))


def test_a_model_may_fall_back_to_one_of_another_file(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"image": {"one": {**ENTRY, "fallbacks": ["two"]}}}))
    (tmp_path / "b.json").write_text(json.dumps({"image": {"two": ENTRY}}))

    assert load_catalogue(str(tmp_path)).get_model_config("one").fallbacks == ("two",)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"image": ', r"The file b\.json of the model catalogue is not JSON"),
        ('{"image": {}, "image": {}}', r"b\.json .* stands twice"),
        ('{"image": {"two": {}}}', r"b\.json: image\.two"),
        (json.dumps({"image": {"two": {**ENTRY, "fallbacks": ["x"]}}}), r"b\.json: image\.two\.fallbacks\.0"),
    ],
)
def test_what_is_wrong_is_told_with_its_file(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "a.json").write_text(TEXT, encoding="utf-8")
    (tmp_path / "b.json").write_text(content, encoding="utf-8")

    with pytest.raises(ConfigurationError, match=words):
        load_catalogue(str(tmp_path))


def test_a_directory_without_files_is_no_catalogue(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"without \*\.json files"):
        load_catalogue(str(tmp_path))


def test_a_catalogue_that_was_checked_in_the_bundle_is_not_checked_again_unless_it_changed(
    tmp_path: Path,
) -> None:
    directory = tmp_path / "config"
    directory.mkdir()
    (directory / "one.json").write_text(TEXT, encoding="utf-8")
    texts = read_models_config("config", root=tmp_path)
    assert not is_checked(texts, tmp_path)

    mark_checked(texts, tmp_path)

    assert is_checked(texts, tmp_path)
    assert load_catalogue("config", root=tmp_path).ids() == ["one"]
    for changed in (TEXT.replace("one", "two"), TEXT + " "):
        assert not is_checked({"one.json": changed}, tmp_path)
    assert not is_checked({"other.json": TEXT}, tmp_path)


def test_a_wrong_catalogue_gets_no_mark(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()

    with pytest.raises(ConfigurationError):
        mark_checked({"one.json": '{"image": {"one": {}}}'}, tmp_path)

    assert list((tmp_path / "config").iterdir()) == []
