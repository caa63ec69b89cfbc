"""The fault dial: markers, shares and their arguments; and that the documentation names every fault."""

import re
from pathlib import Path

import pytest

from local.simulation.faults import (
    KNOWN,
    REQUEST_FAULTS,
    FaultSet,
    UnknownFaultError,
    from_input,
    parse_dial,
    without_markers,
)

DOCUMENT = Path(__file__).parents[2] / "docs" / "simulator.md"


def test_markers_are_found_in_any_string_of_the_input() -> None:
    faults = from_input(
        {"prompt": "a kite [sim:slow=5s] [sim:lost-webhook]", "more": [{"x": "[sim:nsfw]"}], "n": 3}
    )
    assert set(faults) == {"slow", "lost-webhook", "nsfw"}
    assert faults.from_markers
    assert faults.seconds("slow", 1.0) == 5.0


def test_a_marker_in_a_url_may_be_percent_encoded() -> None:
    assert "fail" in from_input({"input_image": "https://a.example/x.png#%5Bsim:fail%5D"})


def test_an_unknown_marker_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(UnknownFaultError, match=r"no fault 'lost-webhok'.*lost-webhook"):
        from_input({"prompt": "[sim:lost-webhok]"})


def test_markers_are_not_drawn() -> None:
    assert without_markers("a [sim:slow=5s] red  kite[sim:nsfw]") == "a red kite"


@pytest.mark.parametrize(
    ("text", "seconds"), [("3s", 3.0), ("250ms", 0.25), ("2m", 120.0), ("2", 2.0), ("2sx3", 2.0)]
)
def test_durations_have_units(text: str, seconds: float) -> None:
    assert FaultSet({"429": text}).seconds("429", 9.0) == seconds


def test_times_counts_and_sizes_are_read() -> None:
    faults = FaultSet(
        {"429": "2sx3", "500": "x2", "503": "", "duplicate-webhook": "4", "huge-output": "200MB"}
    )
    assert [faults.times(name, None) for name in ("429", "500", "503")] == [3, 2, None]
    assert faults.count("duplicate-webhook", 2) == 4
    assert faults.count("503", 2) == 2
    assert faults.size("huge-output", 1) == 200_000_000
    assert faults.size("503", 7) == 7
    assert faults.described() == ["429=2sx3", "500=x2", "503", "duplicate-webhook=4", "huge-output=200MB"]


def test_shares_are_drawn_the_same_for_the_same_seed() -> None:
    dial = parse_dial("lost-webhook:0.25, duplicate-webhook=3:1")
    drawn = [dial.draw(seed=7, number=number) for number in range(1000)]
    assert [list(f) for f in drawn] == [list(dial.draw(seed=7, number=number)) for number in range(1000)]
    assert 200 < sum("lost-webhook" in faults for faults in drawn) < 300
    assert all(faults.count("duplicate-webhook", 2) == 3 for faults in drawn)
    assert not drawn[0].from_markers


def test_a_dial_shows_itself_as_it_was_set() -> None:
    shares = {"late-webhook=3s": 0.5, "500": 0.1}
    assert parse_dial(shares).described() == shares
    assert parse_dial("").described() == {}


@pytest.mark.parametrize("setting", ["lost-webhook", "nothing:0.5", "500:2", "500:-1", "500:often"])
def test_a_dial_that_cannot_be_is_refused(setting: str) -> None:
    with pytest.raises(UnknownFaultError):
        parse_dial(setting)


def test_the_documentation_has_a_row_for_every_fault_and_for_no_other() -> None:
    rows = set(re.findall(r"^\| `([a-z0-9-]+)(?:=[^`]*)?` \|", DOCUMENT.read_text("utf-8"), re.MULTILINE))
    prefixed = {prefix + name for prefix in ("get-", "cancel-") for name in REQUEST_FAULTS}
    assert rows == set(KNOWN) - prefixed
