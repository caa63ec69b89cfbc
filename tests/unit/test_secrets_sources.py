"""The three sources of a database's credentials, and TLS for whatever leaves this machine."""

import json

import pytest
from psycopg.conninfo import conninfo_to_dict

from lib.domain.database import DatabaseCredentials, is_loopback, sslmode_for
from lib.domain.errors import ConfigurationError
from lib.settings import DatabaseSettings, load
from lib.stores.postgres.sources import (
    ConnectionSource,
    ConnectionStringSource,
    EnvironmentSource,
    SecretSource,
)

PASSWORD = "p@ss/w:rd %&?#'ü"
ENVIRONMENT = {
    "PGHOST": "db.example",
    "PGPORT": "6432",
    "PGUSER": "ada",
    "PGPASSWORD": PASSWORD,
    "PGDATABASE": "vsl",
}
LOGIN = {
    "engine": "postgres",
    "host": "db.example",
    "username": "ada",
    "password": PASSWORD,
    "dbname": "vsl",
    "port": 6432,
}
URL = "postgresql://ada:p%40ss%2Fw%3Ard%20%25%26%3F%23%27%C3%BC@db.example:6432/vsl"
EXPECTED = DatabaseCredentials(
    host="db.example", port=6432, username="ada", password=PASSWORD, database="vsl", ssl="require"
)


def secret(text: str, **options: bool) -> SecretSource:
    return SecretSource(lambda: text, "vsl/test/database/main", **options)  # type: ignore[arg-type]  # by name


@pytest.mark.parametrize(
    "source",
    [
        secret(json.dumps(LOGIN)),
        secret(json.dumps({**LOGIN, "port": "6432", "dbInstanceIdentifier": "x"})),
        secret(URL),
        secret(json.dumps({"value": URL})),
        secret(json.dumps({"connectionString": URL})),
        EnvironmentSource(ENVIRONMENT),
        ConnectionStringSource(URL),
        ConnectionStringSource(
            f"host=db.example port=6432 user=ada dbname=vsl password='{PASSWORD[:-2]}\\'ü'"
        ),
    ],
    ids=["login", "login of RDS", "url", "value", "connection strings", "environment", "string", "key=value"],
)
def test_every_source_gives_the_same_credentials_with_tls(source: ConnectionSource) -> None:
    assert source.credentials() == EXPECTED
    assert conninfo_to_dict(source.url()) == {
        "host": "db.example",
        "port": "6432",
        "user": "ada",
        "password": PASSWORD,
        "dbname": "vsl",
        "sslmode": "require",
    }


def test_a_secret_is_asked_for_again_so_that_a_rotation_is_noticed() -> None:
    texts = iter([URL, URL.replace("ada", "eve")])
    source = SecretSource(lambda: next(texts), "name")
    assert [source.credentials().username, source.credentials().username] == ["ada", "eve"]


def test_a_reader_takes_the_read_only_connection_string_if_there_is_one() -> None:
    both = json.dumps(
        {"connectionString": "postgresql://a@main/x", "readonlyConnectionString": "postgresql://a@copy/x"}
    )
    assert secret(both).credentials().host == "main"
    assert secret(both, read_only=True).credentials().host == "copy"
    assert secret(json.dumps({"connectionString": URL}), read_only=True).credentials() == EXPECTED


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST", "127.0.0.1", "127.8.9.1", "::1", "/var/run/pg", "@abstract"]
)
def test_on_this_machine_the_mode_is_as_given(host: str) -> None:
    assert is_loopback(host)
    assert [sslmode_for(host, mode) for mode in ("", "disable", "require")] == ["", "disable", "require"]


@pytest.mark.parametrize(
    "host",
    [
        "db.example",
        "10.0.0.5",
        "127.example.com",
        "localhost.example",
        "::2",
        "127.0.0.1,db.example",
    ],
)
def test_off_this_machine_the_mode_is_one_that_encrypts(host: str) -> None:
    assert [sslmode_for(host, mode) for mode in ("", "require", "verify-ca", "verify-full")] == [
        "require",
        "require",
        "verify-ca",
        "verify-full",
    ]
    for mode in ("disable", "allow", "prefer"):
        with pytest.raises(ConfigurationError, match=f"sslmode={mode} .* write sslmode=require"):
            sslmode_for(host, mode)


@pytest.mark.parametrize(
    "source",
    [
        ConnectionStringSource(f"{URL}?sslmode=prefer"),
        ConnectionStringSource("postgresql://ada@localhost/vsl?sslmode=disable&hostaddr=10.0.0.5"),
        EnvironmentSource({**ENVIRONMENT, "PGSSLMODE": "disable"}),
        secret(json.dumps({**LOGIN, "sslmode": "allow"})),
    ],
)
def test_no_source_gets_around_it(source: ConnectionSource) -> None:
    with pytest.raises(ConfigurationError, match="plain text"):
        source.credentials()


def test_the_mode_of_the_environment_may_make_it_stricter_and_never_looser() -> None:
    assert ConnectionStringSource(URL, {"PGSSLMODE": "verify-full"}).credentials().ssl == "verify-full"
    assert ConnectionStringSource(URL, {"PGSSLMODE": "disable"}).credentials().ssl == "require"


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="sslmode must be one of"):
        ConnectionStringSource(f"{URL}?sslmode=reqiure").credentials()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("postgresql:///vsl", "name the host"),
        ("service=x", "name the host"),
        ("postgresql://ada:p%zz@db.example/vsl", "percent-encoded"),
        ("not a connection string", "name the host"),
        ("postgresql://db.example/vsl", "lacks username"),
        ("postgresql://ada:hidden@db.example:99999/vsl", "port"),
        ("postgresql://ada:hidden@a:1,b:2/vsl", "port"),
        ("{broken", "begins like JSON"),
        (
            '{"host": "x", "password": "hidden"}',
            "engine must be set; username must be set; dbname must be set; port",
        ),
        ('{"password": "hidden"}', "engine must be set; host must be set"),
        (json.dumps({**LOGIN, "engine": "mysql"}), "must be Postgres, not 'mysql'"),
        (json.dumps({**LOGIN, "port": "many"}), "port must be a port"),
    ],
)
def test_what_is_wrong_is_said_without_the_secret(text: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says) as caught:
        secret(text).credentials()
    for word in ("hidden", "p%zz", PASSWORD):
        assert word not in caught.value.message


def test_missing_variables_are_named_at_once() -> None:
    with pytest.raises(ConfigurationError, match="PGHOST, PGUSER, PGDATABASE must be set"):
        EnvironmentSource({}).credentials()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ada@[::1]:5432/vsl",
        "postgresql://ada@a.example:6000,b.example:6000/vsl?target_session_attrs=read-write&sslmode=require",
        "postgresql://ada@/vsl?host=%2Fvar%2Frun%2Fpg&port=6000",
        "postgresql://ada@db.example:5432/v%2Fl?sslrootcert=/a%20b/ca.pem&application_name=x&sslmode=verify-full",
    ],
)
def test_the_url_means_what_the_given_one_means(url: str) -> None:
    assert conninfo_to_dict(ConnectionStringSource(url).url()) == conninfo_to_dict(url)


def test_several_hosts_share_one_port() -> None:
    source = ConnectionStringSource("postgresql://ada@a,b:6000/vsl?sslmode=require")
    assert conninfo_to_dict(source.url())["host"] == "a,b"


def test_nothing_shows_the_password() -> None:
    shown = repr(EXPECTED) + repr(
        DatabaseCredentials(**{**vars(EXPECTED), "options": {"passfile": PASSWORD}})
    )
    assert PASSWORD not in shown
    assert "db.example" in shown


def test_settings_take_the_variables_of_libpq_where_there_is_nothing_else() -> None:
    read = load(DatabaseSettings, {**ENVIRONMENT, "SLOW_QUERY_MS": "0"})
    assert ConnectionStringSource(read.database.direct or "").credentials() == EXPECTED
    assert read.slow_query_ms == 0
    assert PASSWORD not in repr(read)
    assert load(DatabaseSettings, {**ENVIRONMENT, "DATABASE_URL": "postgresql://x/y"}).database.direct == (
        "postgresql://x/y"
    )


def test_settings_name_what_the_variables_of_libpq_lack() -> None:
    with pytest.raises(
        ConfigurationError, match=r"DATABASE_SECRET_NAME is not set.*PGUSER, PGDATABASE must be set"
    ):
        load(DatabaseSettings, {"PGHOST": "db.example"})
