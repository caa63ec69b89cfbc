"""The documentation is whole: links lead somewhere, every setting and counter is explained, every page is listed."""

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from infra.parameters import PARAMETERS
from lib import settings, work_settings

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
WRITTEN_BY_THE_TEMPLATES = re.compile(r".*_(SECRET_NAME|TABLE|URL)|S3_BUCKET|STAGE|WEBHOOK_TOKEN_KEY")
"""Variables of functions that no operator sets: names and addresses of resources."""


def prose(page: Path) -> str:
    """Without blocks and pieces of code."""
    text = re.sub(r"^ *```.*?^ *```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"`[^`\n]*`", lambda code: code[0].replace("(", "").replace("[", ""), text)


def anchors(page: Path) -> set[str]:
    """What GitHub makes of the headings, and what the page itself marks."""
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    made = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return made | set(re.findall(r'<a (?:id|name)="([^"]+)"', text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    lost = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        aim = (page.parent / path).resolve() if path else page
        if not aim.exists() or (anchor and anchor not in anchors(aim)):
            lost.append(target)
    assert lost == []


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text("utf-8")
    listed = {(ROOT / "docs" / target).resolve() for target in re.findall(r"\]\(([^)#]+)\)", index)}
    assert {page for page in PAGES if page.parent != ROOT} - {ROOT / "docs" / "README.md"} <= listed


def variables_of(module: ModuleType) -> Iterator[str]:
    """Those that the settings of a module read."""
    for kind in vars(module).values():
        if isinstance(kind, type) and kind.__name__.endswith("Settings"):
            each: Any
            for each in fields(kind):
                yield each.metadata["variable"].name


def test_every_variable_that_an_operator_may_set_is_in_the_example() -> None:
    example = (ROOT / ".env.example").read_text("utf-8")
    read = {*variables_of(settings), *variables_of(work_settings), *(each.variable for each in PARAMETERS)}
    own = {name for name in read if not WRITTEN_BY_THE_TEMPLATES.fullmatch(name)}
    assert "REALTIME_EVENTS_PER_SECOND" in own
    assert {name for name in own if not re.search(rf"^(# )?{name}=", example, re.MULTILINE)} == set()


def test_the_defaults_in_the_example_are_those_of_the_templates() -> None:
    given = dict(re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text("utf-8"), re.MULTILINE))
    shown = {each.variable: given[each.variable] for each in PARAMETERS if each.variable in given}
    assert shown == {each.variable: each.default for each in PARAMETERS if each.variable in given}


def test_every_counter_is_explained_to_operators() -> None:
    page = (ROOT / "docs" / "operating.md").read_text("utf-8")
    sources = [path.read_text("utf-8") for path in (ROOT / "lib").rglob("*.py")]
    counters = {name for text in sources for name in re.findall(r'count\(\s*"([A-Z]\w+)"', text)}
    assert "StoreUnavailable" in counters
    assert {name for name in counters if f"`{name}`" not in page} == set()
