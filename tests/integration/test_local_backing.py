"""The backing services start, die, freeze and come back; nothing outlives its parent."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import psutil
import psycopg
import pytest
import redis
from botocore.config import Config

from local.backing import Moto, PortInUseError, Postgres, RecordDatabase, Redis, ports
from local.backing.moto import REPOSITORY
from local.backing_services import BackingServices
from local.settings import CloudSettings, Part
from local.simulator import Simulator


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[Postgres]:
    with Postgres(tmp_path / "postgres") as service:
        yield service


def test_postgres_keeps_its_data_port_and_url_when_it_is_killed_and_started_again(postgres: Postgres) -> None:
    url = postgres.url
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept VALUES (1)")
        postgres.kill()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    postgres.start()
    assert postgres.url == url
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (1,)


def test_a_frozen_postgres_answers_nothing_and_everything_after_the_thaw(postgres: Postgres) -> None:
    with closing(psycopg.connect(postgres.url)) as connection:
        postgres.freeze()
        connection.pgconn.send_query(b"SELECT 7")
        with pytest.raises(TimeoutError):
            _wait_readable(connection.fileno(), seconds=0.3)
        postgres.thaw()
        _wait_readable(connection.fileno(), seconds=10)


def _wait_readable(descriptor: int, seconds: float) -> None:
    with socket.socket(fileno=os.dup(descriptor)) as watched:
        watched.settimeout(seconds)
        watched.recv(1, socket.MSG_PEEK)


def test_postgres_listens_on_the_loopback_address_only_and_durability_is_a_choice(tmp_path: Path) -> None:
    with Postgres(tmp_path / "postgres", durable=True) as service, psycopg.connect(service.url) as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
        assert connection.execute("SHOW listen_addresses").fetchone() == ("127.0.0.1",)
        assert connection.execute("SHOW unix_socket_directories").fetchone() == ("",)
        listening = psutil.Process(service.pid).net_connections()
        assert {c.laddr.ip for c in listening if c.status == psutil.CONN_LISTEN} == {"127.0.0.1"}


def test_the_record_belongs_to_a_migrator_who_makes_roles_and_is_no_superuser(tmp_path: Path) -> None:
    services = BackingServices(CloudSettings(parts=frozenset({Part.POSTGRES})), tmp_path)
    services.start()
    try:
        values = services.secrets()
        assert {name: urlsplit(url).username for name, url in values.items()} == {
            "database/main": "vsl_local_api",
            "database/worker": "vsl_local_worker",
            "database/migrator": "vsl_local_migrator",
        }
        assert {urlsplit(url).path for url in values.values()} == {"/vsl"}
        assert services.url(Part.POSTGRES) == values["database/migrator"]
        with psycopg.connect(values["database/migrator"]) as connection:
            assert connection.execute(
                "select rolsuper, rolbypassrls, rolcreaterole, datdba = r.oid from pg_roles r, pg_database"
                " where rolname = current_user and datname = current_database()"
            ).fetchone() == (False, False, True, True)
        with pytest.raises(psycopg.OperationalError, match="vsl_local_api"):
            psycopg.connect(values["database/main"])
    finally:
        services.stop()


def test_a_record_that_is_there_is_left_as_it_is_when_its_server_starts_again(postgres: Postgres) -> None:
    database = RecordDatabase(postgres, name="kept", stage="test")
    database.make()
    with psycopg.connect(database.owner_url) as connection:
        connection.execute("create table kept (n int)")
    postgres.kill()
    postgres.start()
    database.make()
    with psycopg.connect(database.owner_url) as connection:
        assert connection.execute("select count(*) from kept").fetchone() == (0,)


def test_without_postgres_there_are_no_secrets_of_it(tmp_path: Path) -> None:
    services = BackingServices(CloudSettings(parts=frozenset({Part.AWS})), tmp_path)
    assert services.secrets() == {}
    assert services.url(Part.POSTGRES) == ""


def test_redis_and_moto_keep_their_state_over_a_freeze_and_lose_it_by_a_kill(tmp_path: Path) -> None:
    with (
        Redis(tmp_path / "redis") as service,
        redis.Redis.from_url(service.url, socket_timeout=0.3) as client,
    ):
        client.set("key", "value")
        service.freeze()
        with pytest.raises(redis.exceptions.TimeoutError):
            client.get("key")
        service.thaw()
        assert client.get("key") == b"value"
        service.kill()
        service.start()
        assert client.get("key") is None
        client.close()
    with Moto(tmp_path / "moto") as moto:
        sqs = boto3.client(
            "sqs",
            endpoint_url=moto.url,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(retries={"max_attempts": 0}),
        )
        sqs.create_queue(QueueName="kept")
        moto.freeze()
        moto.thaw()
        assert len(sqs.list_queues()["QueueUrls"]) == 1
        moto.kill()
        moto.start()
        assert "QueueUrls" not in sqs.list_queues()
        sqs.close()


@pytest.mark.parametrize("kind", [Postgres, Redis, Moto])
def test_a_port_in_use_is_named_with_the_service(kind: type[Postgres | Redis | Moto], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUseError, match=rf"{kind.name.split()[0]}.*127\.0\.0\.1:{port}.*in use"):
            kind(tmp_path / "data", port).start()


def test_other_ports_are_chosen_when_somebody_has_taken_one_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        choices = iter([[*ports.free_ports(1), ports.port_of(taken)], ports.free_ports(2)])
        monkeypatch.setattr(ports, "free_ports", lambda _count: next(choices))
        with Simulator(tmp_path / "replicate") as simulator:
            assert ports.accepts_connections(simulator.port)
            assert ports.accepts_connections(simulator.media_port)
            assert ports.port_of(taken) not in (simulator.port, simulator.media_port)


def test_a_port_that_is_held_is_nobody_elses_until_its_service_starts(tmp_path: Path) -> None:
    service = Redis(tmp_path / "redis")
    service.hold_port()
    held = service.port
    with pytest.raises(PortInUseError):
        Redis(tmp_path / "other", held).start()
    with service:
        assert service.port == held
        assert ports.accepts_connections(held)


def test_a_held_port_that_a_spawned_process_still_has_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[int] = []

    def hold() -> socket.socket:
        held = original()
        kept.append(os.dup(held.fileno()))
        return held

    original = ports.hold_port
    monkeypatch.setattr(ports, "hold_port", hold)
    service = Redis(tmp_path / "redis")
    service.hold_port()
    threading.Timer(0.3, os.close, kept).start()
    with service:
        assert ports.accepts_connections(service.port)


def test_no_service_survives_a_parent_that_was_killed_even_when_frozen(tmp_path: Path) -> None:
    program = f"""
        import pathlib, sys, time
        from local.backing import Postgres, Redis
        directory = pathlib.Path({str(tmp_path)!r})
        services = [Postgres(directory / "pg").start(), Redis(directory / "redis").start()]
        for service in services:
            service.freeze()
        print(*(service.pid for service in services), flush=True)
        sys.stdin.read()
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=REPOSITORY,
    )
    assert parent.stdout is not None
    assert parent.stdin is not None
    roots = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
    family = [*roots, *(child for root in roots for child in root.children(recursive=True))]
    assert len(family) > 4
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    parent.stdin.close()
    gone, alive = psutil.wait_procs(family, timeout=20)
    assert [p for p in alive if p.status() != psutil.STATUS_ZOMBIE] == []
    assert len(gone) + len(alive) == len(family)


def test_a_number_that_a_stranger_uses_now_is_left_alone() -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    reaper = Path(__file__).parents[2] / "local" / "backing" / "reaper.py"
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import reaper; seen = iter(['before', 'after']);"
        "reaper.birth = lambda _pid: next(seen); reaper.main()"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(reaper.parent)], input=f"+{stranger.pid}\n", text=True, check=True
    )
    assert stranger.poll() is None
    stranger.communicate(b"\n")
