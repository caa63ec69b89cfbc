"""The custom resource that migrates: it always answers, and says why it failed."""

import json
import shutil
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import psycopg
import pytest

from handlers.migrate_database import handler
from lib import bootstrap
from lib.api.custom_resource import CustomResourceAnswer, send_answer
from lib.aws.secrets import Secrets
from lib.stores.postgres.migrations import MIGRATIONS, migrate_up
from local.backing import Postgres, RecordDatabase
from tests.fakes.events import Context, event
from tests.fakes.wired import Wired
from tests.integration.own_database import own_database, rows, tables_of


class CloudFormation:
    """Takes answers at a pre-signed address."""

    def __init__(self) -> None:
        self.answers: list[dict[str, Any]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            """Takes one PUT."""

            def do_PUT(self) -> None:
                """Keep the answer."""
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.answers.append(
                    {**json.loads(body), "path": self.path, "type": self.headers["Content-Type"]}
                )
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/answer?Signature=a%2Fb"


@pytest.fixture
def cloudformation() -> Iterator[CloudFormation]:
    """CloudFormation on this machine."""
    made = CloudFormation()
    thread = Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def call(cloudformation: CloudFormation, kind: str, **more: Any) -> dict[str, Any]:
    handler(
        {**event("custom_resource"), "RequestType": kind, "ResponseURL": cloudformation.url, **more},
        Context(),
    )
    return cloudformation.answers[-1]


@pytest.fixture
def empty(postgres: Postgres) -> Iterator[str]:
    """The migrator's address of a database with nothing in it."""
    with own_database(postgres) as database:
        yield database.owner_url


def test_create_migrates_an_empty_database_and_answers(
    wired: Wired, cloudformation: CloudFormation, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = RecordDatabase(postgres, name="migrated", stage="test")
    database.make()
    monkeypatch.setenv("DATABASE_URL", database.owner_url)
    answer = call(cloudformation, "Create")
    assert (answer["Status"], answer["path"]) == ("SUCCESS", "/answer?Signature=a%2Fb")
    assert answer["Data"]["Applied"].startswith("001_initial_schema,002_functions")
    assert answer["PhysicalResourceId"] == "database-migration"
    for name in ("StackId", "RequestId", "LogicalResourceId"):
        assert answer[name] == event("custom_resource")[name]
    database.drop()


def test_the_logins_of_the_functions_are_made_with_their_rights_and_a_second_time_nothing(
    wired: Wired, cloudformation: CloudFormation, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = RecordDatabase(postgres, name="with_logins", stage="test")
    database.make()
    monkeypatch.setenv("DATABASE_URL", database.owner_url)
    addresses = {
        login: database.owner_url.replace("vsl_test_migrator", f"made_{login}:secret")
        for login in ("api", "worker")
    }
    for login, address in addresses.items():
        monkeypatch.setenv(f"{login.upper()}_DATABASE_URL", address)
    for _ in range(2):
        assert call(cloudformation, "Update")["Status"] == "SUCCESS"
    for login, address in addresses.items():
        with psycopg.connect(address) as connection:
            found = connection.execute(
                "select pg_has_role('vsl_api', 'usage'), pg_has_role('vsl_worker', 'usage'),"
                " pg_has_role('vsl_owner', 'member')"
            ).fetchone()
        assert found == (login == "api", login == "worker", False)
    database.drop()


def test_the_logins_are_those_of_the_secrets_that_are_named(
    wired: Wired, cloudformation: CloudFormation, empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = {
        "vsl/test/database/migrator": empty,
        "vsl/test/database/main": empty.replace("vsl_test_migrator", "named_api:hidden"),
        "vsl/test/database/worker": empty.replace("vsl_test_migrator", "named_worker:hidden"),
    }
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.setenv("DATABASE_SECRET_NAME", "vsl/test/database/migrator")
    monkeypatch.setenv("API_DATABASE_SECRET_NAME", "vsl/test/database/main")
    monkeypatch.setenv("WORKER_DATABASE_SECRET_NAME", "vsl/test/database/worker")
    monkeypatch.setattr(bootstrap, "secrets", lambda: Secrets(lambda name, _seconds: secrets[name]))
    assert call(cloudformation, "Create")["Status"] == "SUCCESS"
    found = rows(empty, "select rolname::text from pg_roles where rolname like 'named%' order by 1")
    assert found == [("named_api",), ("named_worker",)]


def test_a_rollback_to_older_code_takes_nothing_back(
    wired: Wired, cloudformation: CloudFormation, empty: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    newer = Path(shutil.copytree(MIGRATIONS, tmp_path / "newer"))
    (newer / "900_newer.sql").write_text("create table newer (id int);")
    migrate_up(empty, newer)
    monkeypatch.setenv("DATABASE_URL", empty)
    answer = call(cloudformation, "Update", PhysicalResourceId="kept")
    assert (answer["Status"], answer["Data"]) == ("SUCCESS", {"Applied": ""})
    assert "newer" in tables_of(empty)


def test_a_migration_that_fails_fails_the_deployment_with_its_name_and_reason(
    wired: Wired, cloudformation: CloudFormation, empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute("create table users (id int)")
    monkeypatch.setenv("DATABASE_URL", empty)
    answer = call(cloudformation, "Create")
    assert answer["Status"] == "FAILED"
    assert '001_initial_schema failed and was undone: relation "users" already exists' in answer["Reason"]


def test_a_login_that_is_the_migrators_own_fails_the_deployment_with_the_reason(
    wired: Wired, cloudformation: CloudFormation, owner_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", owner_url)
    monkeypatch.setenv("API_DATABASE_URL", owner_url)
    answer = call(cloudformation, "Update")
    assert answer["Status"] == "FAILED"
    assert "the login of vsl_api must be another" in answer["Reason"]


def test_an_update_without_anything_new_applies_nothing(
    wired: Wired, cloudformation: CloudFormation, owner_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", owner_url)
    answer = call(cloudformation, "Update", PhysicalResourceId="kept")
    assert (answer["Status"], answer["Data"], answer["PhysicalResourceId"]) == (
        "SUCCESS",
        {"Applied": ""},
        "kept",
    )


def test_delete_touches_no_database(wired: Wired, cloudformation: CloudFormation) -> None:
    assert call(cloudformation, "Delete")["Status"] == "SUCCESS"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql://user:hidden@127.0.0.1:9/none", "127.0.0.1"),
        ("postgresql://user:hidden@127.0.0.1:port/none", "port"),
        ("postgresql//user:hidden@127.0.0.1/none", "must name the host"),
        ("postgresql://user:hidden@db.example/none?sslmode=disable", "plain text"),
    ],
)
def test_a_failure_is_answered_with_its_reason_and_without_the_password(
    wired: Wired,
    cloudformation: CloudFormation,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    url: str,
    reason: str,
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    answer = call(cloudformation, "Create")
    assert answer["Status"] == "FAILED"
    assert reason in answer["Reason"]
    assert "hidden" not in json.dumps(answer) + caplog.text


def test_wrong_settings_are_answered_too(
    wired: Wired, cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL")
    answer = call(cloudformation, "Create")
    assert (answer["Status"], "DATABASE_SECRET_NAME" in answer["Reason"]) == ("FAILED", True)


@pytest.mark.parametrize(
    "url",
    ["http://example.com/x", "ftp://127.0.0.1/x", "file:///etc/passwd", "http://127.0.0.1:9/nobody", ""],
)
def test_an_address_that_may_not_or_cannot_be_answered_raises_nothing(wired: Wired, url: str) -> None:
    given = {**event("custom_resource"), "ResponseURL": url}
    assert send_answer(given, Context(), CustomResourceAnswer(succeeded=True), physical_id="x") is False


def test_an_event_that_is_none_raises_nothing(wired: Wired) -> None:
    handler({}, Context())
