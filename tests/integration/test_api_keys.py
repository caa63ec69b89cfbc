"""API keys in the real record, and the operator's command line over it."""

from collections.abc import Iterator

import pytest

from lib import bootstrap, keys
from lib.domain.api_key import ApiKey, hash_key
from lib.domain.caller import AccessRole, UserKind
from lib.domain.errors import ForbiddenError, RecordUnavailableError
from lib.stores.outage import Outage
from lib.stores.postgres.api_keys import PostgresApiKeys
from lib.stores.postgres.connection import RecordConnection
from tests.fakes.wired import forget_everything


@pytest.fixture
def record_keys(owner_url: str) -> Iterator[PostgresApiKeys]:
    """The keys of an empty record."""
    connection = RecordConnection(lambda: owner_url)
    yield PostgresApiKeys(lambda: connection)
    connection.close()


@pytest.fixture
def command_line(owner_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An operator's shell."""
    forget_everything()
    monkeypatch.setenv("DATABASE_URL", owner_url)
    for name in ("CACHE_TABLE", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    yield
    bootstrap.record_connection().close()
    forget_everything()


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str]]:
    code = keys.main(arguments)
    return code, capsys.readouterr().out.splitlines()


def test_a_created_key_is_found_by_its_hash_and_kept_by_its_hash_only(
    command_line: None, record_keys: PostgresApiKeys, capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines = run(capsys, "create", "--user", "ana@example.com", "--label", "laptop", "--rate", "30")
    found = record_keys.find(str(hash_key(lines[-1])))
    assert code == 0
    assert found is not None
    assert (found.user_id, found.rate_limit_per_hour) == ("ana@example.com", 30)
    _, listed = run(capsys, "list")
    assert len(listed) == 1
    assert "laptop" in listed[0]
    assert lines[-1] not in listed[0]


def test_a_function_finds_the_key_that_was_presented_with_whose_it_is_and_no_other(
    command_line: None, api_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _, ana = run(capsys, "create", "--user", "ana", "--admin")
    _, guest = run(capsys, "create", "--user", "visitors", "--guest")
    connection = RecordConnection(lambda: api_url)
    seen = PostgresApiKeys(lambda: connection)
    found = [seen.find(str(hash_key(lines[-1]))) for lines in (ana, guest)]
    assert [(key.user_id, key.kind, key.role) for key in found if key] == [
        ("ana", UserKind.REGISTERED, AccessRole.ADMIN),
        ("visitors", UserKind.GUEST, AccessRole.USER),
    ]
    assert seen.find("0" * 64) is None
    with pytest.raises(ForbiddenError):
        seen.list()
    connection.close()


def test_a_user_becomes_an_admin_by_saying_so_and_stays_one_without(
    command_line: None, record_keys: PostgresApiKeys, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "create", "--user", "ana")
    assert record_keys.find_user("ana") == (UserKind.REGISTERED, AccessRole.USER)
    run(capsys, "create", "--user", "ana", "--admin")
    run(capsys, "create", "--user", "ana")
    assert record_keys.find_user("ana") == (UserKind.REGISTERED, AccessRole.ADMIN)
    _, listed = run(capsys, "list")
    assert all(line.endswith("admin") for line in listed)


@pytest.mark.parametrize(
    ("first", "second"),
    [([], ["--guest"]), (["--admin"], ["--guest"]), (["--guest"], ["--admin"]), (["--guest"], [])],
)
def test_a_guest_is_nothing_else(
    command_line: None, capsys: pytest.CaptureFixture[str], first: list[str], second: list[str]
) -> None:
    run(capsys, "create", "--user", "x", *first)
    assert keys.main(["create", "--user", "x", *second]) == 1
    assert "guest" in capsys.readouterr().err
    assert len(run(capsys, "list")[1]) == 1


def test_a_guest_may_have_several_tokens(command_line: None, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        assert run(capsys, "create", "--user", "visitors", "--guest")[0] == 0
    assert [line.split()[-1] for line in run(capsys, "list")[1]] == ["guest", "guest"]


def test_a_revoked_key_is_not_found_any_more(
    command_line: None, record_keys: PostgresApiKeys, capsys: pytest.CaptureFixture[str]
) -> None:
    _, lines = run(capsys, "create", "--user", "ana")
    key_hash = str(hash_key(lines[-1]))
    found = record_keys.find(key_hash)
    assert found is not None
    assert run(capsys, "revoke", found.key_id)[0] == 0
    assert record_keys.find(key_hash) is None
    assert run(capsys, "revoke", found.key_id)[0] == 1
    _, listed = run(capsys, "list", "--user", "ana")
    assert "revoked" in listed[0]


def test_one_user_may_have_several_keys_and_lists_show_one_user(
    command_line: None, capsys: pytest.CaptureFixture[str]
) -> None:
    for user in ("ana", "ana", "bo"):
        run(capsys, "create", "--user", user)
    assert len(run(capsys, "list", "--user", "ana")[1]) == 2
    assert len(run(capsys, "list")[1]) == 3


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["create"],
        ["create", "--user", ""],
        ["create", "--user", "a", "--rate", "0"],
        ["revoke"],
        ["create", "--user", "a", "--admin", "--guest"],
    ],
)
def test_wrong_arguments_are_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        keys.main(arguments)
    assert caught.value.code == 2


def test_a_record_that_is_away_is_a_plain_message(
    command_line: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://user:hidden@127.0.0.1:9/none")
    assert keys.main(["create", "--user", "ana"]) == 1
    said = capsys.readouterr().err
    assert "Connection refused" in said
    assert "hidden" not in said


def test_creating_the_same_key_twice_changes_nothing(record_keys: PostgresApiKeys) -> None:
    key = ApiKey("019a5f3e-7c1b-7d42-9a06-2f1d6f0c8b51", "ana")
    for _ in range(2):
        record_keys.create(key, "a" * 64, "", bootstrap.clock())
    assert record_keys.find("a" * 64) == key


def test_a_record_that_failed_a_moment_ago_is_not_asked_again() -> None:
    asked = []

    class Away:
        """A connection to nowhere."""

        def fetch(self, sql: str, params: object = (), *, repeat: bool = True) -> list[tuple[object, ...]]:
            """Fail."""
            asked.append(sql)
            raise RecordUnavailableError("away")

    found = PostgresApiKeys(Away, outage=Outage("postgres"))
    for _ in range(2):
        with pytest.raises(RecordUnavailableError):
            found.find("a" * 64)
    assert len(asked) == 1
