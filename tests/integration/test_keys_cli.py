"""`python -m lib.keys`: an operator hears why it did not work, and never a password."""

from collections.abc import Iterator

import pytest

from lib import bootstrap, keys
from tests.fakes.wired import forget_everything


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    forget_everything()
    yield
    forget_everything()


def refused(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str
) -> str:
    """The one line that it complains."""
    monkeypatch.setenv("DATABASE_URL", url)
    assert keys.main(words) == 1
    bootstrap.record_connection().close()
    out, complained = capsys.readouterr()
    assert (out, complained.count("\n")) == ("", 1)
    return complained


def test_a_record_that_cannot_be_reached_is_named_without_the_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    complained = refused("postgresql://someone:hidden@127.0.0.1:9/none", monkeypatch, capsys, "list")
    assert "port 9 failed" in complained
    assert "hidden" not in complained


def test_a_login_that_may_not_write_keys_is_told_which_one_may(
    api_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    complained = refused(api_url, monkeypatch, capsys, "create", "--user", "ann")
    assert complained.startswith("the database: permission denied")
    assert complained.endswith("; is this the migrator's login?\n")


def test_an_address_that_is_none_is_refused_without_showing_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    complained = refused("postgresql:/hidden", monkeypatch, capsys, "list")
    assert "postgresql://user:password@host:5432/database" in complained
    assert "hidden" not in complained
