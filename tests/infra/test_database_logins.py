"""The addresses of the lesser logins, derived from the migrator's."""

import pytest
from psycopg.conninfo import conninfo_to_dict

from infra.database_logins import (
    DERIVED,
    PASSWORD_LENGTH,
    derived_urls,
    new_password,
    password_of,
    shared_login,
    user_of,
    with_login,
)

MIGRATOR = "postgresql://owner:secret@db.example.com:6432/gateway?sslmode=verify-full&channel_binding=require"
API, WORKER = (login.variable for login in DERIVED)


def derive(
    given: dict[str, str], saved: dict[str, str] | None = None, stage: str = "homolog"
) -> dict[str, str]:
    return derived_urls(given, saved or {}, stage=stage)


def test_everything_but_the_login_is_the_migrators() -> None:
    made = derive({"DATABASE_URL": MIGRATOR})
    assert set(made) == {API, WORKER}
    for variable, name in ((API, "vsl_homolog_api"), (WORKER, "vsl_homolog_worker")):
        parts = conninfo_to_dict(made[variable])
        assert parts.pop("user") == name
        assert len(str(parts.pop("password"))) == PASSWORD_LENGTH == 48
        assert parts == {
            "host": "db.example.com",
            "port": "6432",
            "dbname": "gateway",
            "sslmode": "verify-full",
            "channel_binding": "require",
        }


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://owner:p%40ss@db.example.com/gateway",
        "postgres://owner@one.example.com:5432,two.example.com:5433/gateway?target_session_attrs=read-write",
        "postgresql://owner:secret@[2001:db8::1]:5432/gateway",
        "postgresql:///gateway?host=db.example.com&user=owner&password=secret",
        "postgresql://db.example.com/gateway?options=-c%20geqo%3Doff",
    ],
)
def test_libpq_reads_the_same_place_and_the_other_login(url: str) -> None:
    theirs, ours = conninfo_to_dict(url), conninfo_to_dict(with_login(url, "vsl_a_api", "p/w:@%?"))
    assert (ours.pop("user"), ours.pop("password")) == ("vsl_a_api", "p/w:@%?")
    assert ours == {key: value for key, value in theirs.items() if key not in ("user", "password")}


@pytest.mark.parametrize(
    ("url", "user", "password"),
    [
        (MIGRATOR, "owner", "secret"),
        ("postgresql://a%40b:c%2Fd@h/x", "a@b", "c/d"),
        ("postgresql://h/x?user=owner&password=secret", "owner", "secret"),
        ("postgresql://h/x", "", ""),
    ],
)
def test_user_and_password_are_read_as_libpq_reads_them(url: str, user: str, password: str) -> None:
    assert (user_of(url), password_of(url)) == (user, password)
    parts = conninfo_to_dict(url)
    assert (parts.get("user", ""), parts.get("password", "")) == (user, password)


def test_dashes_of_a_stage_are_none_of_the_login() -> None:
    made = derive({"DATABASE_URL": MIGRATOR}, stage="my-stage")
    assert user_of(made[API]) == "vsl_my_stage_api"


def test_passwords_are_made_once_and_follow_the_server() -> None:
    saved = {"DATABASE_URL": MIGRATOR, **derive({"DATABASE_URL": MIGRATOR})}
    assert derive({}, saved) == {API: saved[API], WORKER: saved[WORKER]}
    moved = MIGRATOR.replace("db.example.com", "new.example.com")
    after = derive({"DATABASE_URL": moved}, saved)
    for variable in (API, WORKER):
        assert after[variable] == saved[variable].replace("db.example.com", "new.example.com")


def test_a_new_password_of_the_migrator_changes_nobody_elses() -> None:
    saved = {"DATABASE_URL": MIGRATOR, **derive({"DATABASE_URL": MIGRATOR})}
    after = derive({"DATABASE_URL": MIGRATOR.replace("secret", "rotated")}, saved)
    assert after == {API: saved[API], WORKER: saved[WORKER]}


def test_what_the_operator_gave_is_left_alone_also_when_the_server_changes() -> None:
    by_hand = "postgresql://vsl_homolog_api:own@pooler.example.com/gateway"
    assert API not in derive({"DATABASE_URL": MIGRATOR, API: by_hand})
    saved = {"DATABASE_URL": MIGRATOR, API: by_hand}
    assert set(derive({"DATABASE_URL": MIGRATOR.replace("db.", "new.")}, saved)) == {WORKER}


def test_a_saved_address_with_the_migrators_own_login_is_replaced() -> None:
    made = derive({"DATABASE_URL": MIGRATOR}, {API: MIGRATOR})
    assert user_of(made[API]) == "vsl_homolog_api"
    assert password_of(made[API]) != "secret"


def test_nothing_is_derived_from_what_is_no_address() -> None:
    assert derive({"DATABASE_URL": '{"host": "db.example.com"}'}) == {}
    assert derive({}) == {}
    assert set(derive({"DATABASE_URL": MIGRATOR}, {API: '{"host": "x"}'})) == {WORKER}


def test_no_two_passwords_are_the_same_and_none_needs_quoting() -> None:
    made = {new_password() for _ in range(20)}
    assert len(made) == 20
    assert all(password.isascii() and password.isalnum() for password in made)


def test_one_login_in_two_places_is_named_without_its_password() -> None:
    said = shared_login({"DATABASE_URL": MIGRATOR, WORKER: MIGRATOR})
    assert said is not None
    assert said.startswith("WORKER_DATABASE_URL has the login of DATABASE_URL")
    assert "secret" not in said
    assert shared_login({"DATABASE_URL": MIGRATOR, **derive({"DATABASE_URL": MIGRATOR})}) is None
