"""`python -m lib.credentials`: all keys go under another master key while they are read, put, and interrupted."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lib import bootstrap, credentials
from lib.domain.caller import Caller
from lib.domain.credential import OWN_PREFIX
from lib.stores.encryption.master_keys import MasterKeys
from lib.stores.postgres.connection import RecordConnection
from lib.stores.postgres.repositories.credentials import PostgresCredentials
from local.backing import Moto, RecordDatabase
from tests.fakes.credentials import key_like, leaks, master_key, master_text
from tests.fakes.wired import forget_everything
from tests.integration.credential_house import ALICE, CredentialHouse, house_of

ROOT = Path(__file__).parents[2]
OLD, NEW = 1, 2
BOTH = MasterKeys(master_key(NEW), (master_key(OLD),))


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    forget_everything()
    yield
    forget_everything()


@pytest.fixture
def house(empty_record: RecordDatabase) -> Iterator[CredentialHouse]:
    """Sealed by the old master key."""
    with house_of(empty_record, MasterKeys(master_key(OLD))) as house:
        yield house


@pytest.fixture
def owner(empty_record: RecordDatabase) -> Iterator[PostgresCredentials]:
    """All rows, as the command line has them."""
    connection = RecordConnection(lambda: empty_record.owner_url)
    yield PostgresCredentials(connection)
    connection.close()


def fill(house: CredentialHouse, count: int) -> dict[str, str]:
    """So many users with a key each: the key by its pin."""
    keys = [key_like() for _ in range(count)]
    return {house.put(Caller(f"user-{n}"), key).pin: key for n, key in enumerate(keys)}


def run(
    house: CredentialHouse, monkeypatch: pytest.MonkeyPatch, *words: str, retired: str = "", key: str = ""
) -> int:
    """One command, as an operator gives it."""
    forget_everything()
    monkeypatch.setenv("DATABASE_URL", house.database.owner_url)
    monkeypatch.setenv("ENCRYPTION_KEY", key or master_text(NEW))
    monkeypatch.setenv("ENCRYPTION_KEYS_RETIRED", retired)
    code = credentials.main(words)
    bootstrap.record_connection().close()
    return code


def test_all_keys_are_wrapped_anew_and_status_tells_which_key_has_how_many(
    house: CredentialHouse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = fill(house, 7)
    assert run(house, monkeypatch, "status", retired=master_text(OLD)) == 0
    assert capsys.readouterr().out == f"       7  {master_key(OLD).key_id}  opens\n"
    assert run(house, monkeypatch, "rewrap", "--batch", "3", retired=master_text(OLD)) == 0
    assert capsys.readouterr().out == "7 wrapped anew, 0 changed meanwhile, 0 not to be opened\n"
    assert run(house, monkeypatch, "status") == 0
    assert capsys.readouterr().out == f"       7  {master_key(NEW).key_id}  current\n"
    with house_of(house.database, MasterKeys(master_key(NEW))) as after:
        opener = after.opener()
        assert {pin: opener.open("replicate", pin).secret for pin in keys} == keys


def test_a_second_run_has_nothing_to_do(
    house: CredentialHouse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(house, 2)
    for told in ("2 wrapped anew", "0 wrapped anew"):
        assert run(house, monkeypatch, "rewrap", retired=master_text(OLD)) == 0
        assert capsys.readouterr().out.startswith(told)


def test_what_was_wrapped_anew_meanwhile_is_not_wrapped_over(
    house: CredentialHouse, owner: PostgresCredentials
) -> None:
    fill(house, 1)
    (sealed,) = owner.wrapped_otherwise("a newer one", None, 10)
    assert owner.rewrap(sealed, "a newer one", b"first")
    assert not owner.rewrap(sealed, "a newer one", b"second")
    rows = house.rows("select key_id, wrapped_key from provider_credentials")
    assert rows == [("a newer one", b"first")]


def test_without_the_former_key_nothing_is_lost_and_it_is_said_what_is_missing(
    house: CredentialHouse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = fill(house, 3)
    assert run(house, monkeypatch, "rewrap") == 1
    told = capsys.readouterr()
    assert told.out == "0 wrapped anew, 0 changed meanwhile, 3 not to be opened\n"
    assert "status" in told.err
    assert run(house, monkeypatch, "status") == 0
    assert "NOT AMONG THE KEYS" in capsys.readouterr().out
    assert {pin: house.opener().open("replicate", pin).secret for pin in keys} == keys


def test_a_weak_key_is_refused_before_anything_is_changed(
    house: CredentialHouse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(house, 1)
    before = house.rows("select wrapped_key from provider_credentials")
    assert run(house, monkeypatch, "rewrap", key="my passphrase") == 1
    told = capsys.readouterr().err
    assert told.startswith("Encryption service is not properly configured: ENCRYPTION_KEY")
    assert "passphrase" not in told.replace("is a passphrase", "")
    assert house.rows("select wrapped_key from provider_credentials") == before


def test_a_login_that_does_not_own_the_rows_is_told_which_one_does(
    house: CredentialHouse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(house, 1)
    forget_everything()
    monkeypatch.setenv("DATABASE_URL", house.database.worker_url)
    monkeypatch.setenv("ENCRYPTION_KEY", master_text(NEW))
    monkeypatch.setenv("ENCRYPTION_KEYS_RETIRED", master_text(OLD))
    assert credentials.main(["rewrap"]) == 1
    bootstrap.record_connection().close()
    assert capsys.readouterr().err.endswith("; is this the migrator's login?\n")


def test_a_thousand_reads_go_on_while_all_is_wrapped_anew(
    house: CredentialHouse, owner: PostgresCredentials
) -> None:
    keys = fill(house, 40)
    pins, reads = list(keys), 1000

    def read(worker: int) -> list[str]:
        wrong = []
        with house_of(house.database, BOTH) as own:
            for n in range(reads // 4):
                pin = pins[(worker + n) % len(pins)]
                if n % 50 == 0:
                    opener = own.opener()  # holds no data key, as a new process does
                if opener.open("replicate", pin).secret != keys[pin]:
                    wrong.append(pin)
        return wrong

    with ThreadPoolExecutor(4) as pool:
        reading = [pool.submit(read, worker) for worker in range(4)]
        back_and_forth = 0
        while not all(each.done() for each in reading):
            current = BOTH if back_and_forth % 2 == 0 else MasterKeys(master_key(OLD), (master_key(NEW),))
            assert credentials.rewrap(owner, current, batch=7).unreadable == 0
            back_and_forth += 1
        assert [wrong for each in reading for wrong in each.result()] == []
    assert back_and_forth >= 2


def test_keys_that_are_put_and_taken_away_meanwhile_come_out_as_their_owners_left_them(
    house: CredentialHouse, owner: PostgresCredentials
) -> None:
    fill(house, 20)
    latest: dict[str, str] = {}
    stop = threading.Event()

    def change() -> None:
        with house_of(house.database, BOTH) as own:
            for n in range(60):
                caller = Caller(f"user-{n % 20}")
                key = key_like()
                latest[caller.user_id] = key
                own.put(caller, key)
        stop.set()

    thread = threading.Thread(target=change)
    thread.start()
    while not stop.is_set():
        credentials.rewrap(owner, BOTH, batch=5)
    thread.join()
    credentials.rewrap(owner, BOTH)
    assert [key_id for key_id, _ in owner.by_key()] == [master_key(NEW).key_id]
    with house_of(house.database, MasterKeys(master_key(NEW))) as after:
        for user_id, key in latest.items():
            assert after.opener().open("replicate", after.get(Caller(user_id)).pin).secret == key


def test_jobs_that_run_keep_their_key_through_a_rotation_of_both(
    house: CredentialHouse, owner: PostgresCredentials
) -> None:
    key = key_like()
    job = house.start_with(ALICE, key)
    house.put(ALICE, key_like())
    assert credentials.rewrap(owner, BOTH).rewrapped == 2
    with house_of(house.database, MasterKeys(master_key(NEW))) as after:
        (version,) = after.rows("select credential_version from attempts where job_id = %s", job)[0]
        assert version.startswith(OWN_PREFIX)
        assert after.opener().open("replicate", version).secret == key


def test_a_run_that_is_killed_goes_on_where_it_is_begun_again(house: CredentialHouse) -> None:
    keys = fill(house, 60)
    environment = {
        **os.environ,
        "DATABASE_URL": house.database.owner_url,
        "ENCRYPTION_KEY": master_text(NEW),
        "ENCRYPTION_KEYS_RETIRED": master_text(OLD),
    }
    command = [sys.executable, "-m", "lib.credentials", "rewrap", "--batch", "1"]
    done = "select count(*) from provider_credentials where key_id = %s"
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as killed:
        until = time.monotonic() + 60
        while house.rows(done, master_key(NEW).key_id)[0][0] < 3 and time.monotonic() < until:
            time.sleep(0.005)
        killed.send_signal(signal.SIGKILL)
        killed.communicate()
    with house_of(house.database, BOTH) as between:
        assert {pin: between.opener().open("replicate", pin).secret for pin in keys} == keys
    again = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert house.rows(done, master_key(NEW).key_id) == [(60,)]
    assert leaks(again.stdout + again.stderr, *keys.values(), master_text(NEW), master_text(OLD)) == []


def test_a_laptops_keys_move_to_kms_and_back(
    house: CredentialHouse, owner: PostgresCredentials, moto_server: Moto, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lib.aws.kms_key import KmsMasterKey  # noqa: PLC0415 - this test alone
    from local.aws import Aws  # noqa: PLC0415 - as above

    client = Aws(moto_server.url).client("kms")
    kms = KmsMasterKey(client.create_key()["KeyMetadata"]["Arn"], total_seconds=10)
    client.close()
    for name, value in {
        "AWS_ENDPOINT_URL": moto_server.url,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }.items():
        monkeypatch.setenv(name, value)
    keys = fill(house, 3)
    for master in (MasterKeys(kms, (master_key(OLD),)), MasterKeys(master_key(NEW), (kms,))):
        counts = credentials.rewrap(owner, master)
        assert (counts.rewrapped, counts.unreadable) == (3, 0)
        with house_of(house.database, master) as after:
            assert {pin: after.opener().open("replicate", pin).secret for pin in keys} == keys
