"""Fixtures of the unit tests."""

from collections.abc import Iterator

import pytest

from tests.fakes.wired import Wired, forget_everything, wire


@pytest.fixture
def wired(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wired]:
    """The functions over fakes; what they built is forgotten afterwards."""
    yield wire(monkeypatch)
    monkeypatch.undo()
    forget_everything()
