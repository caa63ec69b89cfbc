"""What Redis alone promises: lives, one-trip reads, the counted caller, and a client with hard limits."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import hiredis
import pytest

from lib.domain.api_key import ApiKey, CachedKey, cache_key, hash_key, limit_key, new_key
from lib.domain.errors import ConfigurationError
from lib.domain.ids import short_id
from lib.domain.progress import Progress, progress_key
from lib.ports.tier import TierUnavailableError
from lib.stores.outage import Outage
from lib.stores.redis_admission import AdmissionPath
from lib.stores.redis_cache import RedisCache
from lib.stores.redis_client import RedisClient
from lib.stores.redis_connection import RedisAddress, RedisConnection
from lib.stores.redis_status import StatusFastPath
from lib.stores.redis_tier import RedisTier, status_key
from local.backing import Redis
from tests.fakes.snapshots import completed, new_job_id, snapshot

NOW = datetime.now(UTC)
HOUR = 3600


@pytest.fixture
def client(redis_server: Redis) -> Iterator[RedisClient]:
    with closing(RedisClient(redis_server.url, timeout_seconds=5)) as client:
        yield client


@pytest.fixture
def fast(client: RedisClient) -> StatusFastPath:
    return StatusFastPath(client)


@pytest.fixture
def admission(client: RedisClient) -> AdmissionPath:
    return AdmissionPath(client, default_limit_per_hour=3)


@pytest.fixture
def key_hash() -> str:
    found = hash_key(new_key())
    assert found is not None
    return found


def test_a_running_job_lives_five_seconds_and_a_final_one_an_hour(client: RedisClient) -> None:
    running, final = new_job_id(), new_job_id()
    tier = RedisTier(client)
    tier.write(snapshot(running), NOW)
    tier.write(completed(final), NOW)
    assert client.call("TTL", status_key(running)) in {4, 5}
    assert client.call("TTL", status_key(final)) in {3599, 3600}


@pytest.mark.parametrize("rubbish", ["", "not json", "[1]", "{}", '{"version":"x"}', '"text"'])
def test_rubbish_under_a_status_key_counts_as_nothing_and_is_replaced(
    client: RedisClient, rubbish: str
) -> None:
    tier, job = RedisTier(client), snapshot(new_job_id())
    client.call("SET", status_key(job.job_id), rubbish)
    assert tier.read(job.job_id, NOW) is None
    assert tier.write(job, NOW)
    assert tier.read(job.job_id, NOW) is not None


def test_key_status_and_progress_come_in_one_command(
    client: RedisClient, fast: StatusFastPath, key_hash: str
) -> None:
    job, cache = snapshot(new_job_id()), RedisCache(client)
    verified = CachedKey(ApiKey("key-1", "user-1", 50), NOW.replace(microsecond=0))
    progress = Progress(1, 40, NOW.replace(microsecond=0))
    cache.put(cache_key(key_hash), verified.as_json(), HOUR, NOW)
    cache.put(progress_key(job.job_id), progress.as_json(), HOUR, NOW)
    RedisTier(client).write(job, NOW)
    before = _commands(client)
    found = fast.read(key_hash, job.job_id)
    assert _commands(client) - before == 2, "the MGET, and the INFO that counts"
    assert (found.key, found.snapshot, found.progress) == (verified, job, progress)


def test_what_is_not_in_redis_is_none_each_by_itself(
    client: RedisClient, fast: StatusFastPath, key_hash: str
) -> None:
    job = snapshot(new_job_id())
    RedisTier(client).write(job, NOW)
    found = fast.read(key_hash, job.job_id)
    assert (found.key, found.snapshot, found.progress) == (None, job, None)


def test_a_known_caller_is_counted_by_the_default_limit(
    client: RedisClient, admission: AdmissionPath, key_hash: str
) -> None:
    user = f"user-{short_id()}"
    _remember(client, key_hash, ApiKey("key-1", user), NOW)
    decisions = [admission.check_caller(key_hash, NOW).decision for _ in range(4)]
    assert [decision and decision.allowed for decision in decisions] == [True, True, True, False]
    assert {decision and decision.limit for decision in decisions} == {3}


def test_a_key_with_a_limit_of_its_own_is_counted_by_that(
    client: RedisClient, admission: AdmissionPath, key_hash: str
) -> None:
    _remember(client, key_hash, ApiKey("key-1", f"user-{short_id()}", 1), NOW)
    first, second = (
        admission.check_caller(key_hash, NOW).decision,
        admission.check_caller(key_hash, NOW).decision,
    )
    assert first
    assert second
    assert (first.allowed, second.allowed, second.limit) == (True, False, 1)


def test_the_fast_path_and_the_cache_count_in_the_same_window(
    client: RedisClient, admission: AdmissionPath, key_hash: str
) -> None:
    user = f"user-{short_id()}"
    _remember(client, key_hash, ApiKey("key-1", user), NOW)
    admission.check_caller(key_hash, NOW)
    assert RedisCache(client).count(limit_key(user), 3, HOUR, NOW).remaining == 1


@pytest.mark.parametrize("age", [timedelta(seconds=61), timedelta(minutes=9)])
def test_a_caller_whose_key_must_be_verified_again_is_not_counted(
    client: RedisClient, admission: AdmissionPath, key_hash: str, age: timedelta
) -> None:
    user = f"user-{short_id()}"
    _remember(client, key_hash, ApiKey("key-1", user), NOW - age)
    checked = admission.check_caller(key_hash, NOW)
    assert checked.key is not None
    assert checked.decision is None
    assert client.call("EXISTS", limit_key(user)) == 0


def test_unknown_and_refused_callers_are_not_counted(
    client: RedisClient, admission: AdmissionPath, key_hash: str
) -> None:
    assert admission.check_caller(key_hash, NOW).key is None
    RedisCache(client).put(cache_key(key_hash), CachedKey(None, NOW).as_json(), 10, NOW)
    checked = admission.check_caller(key_hash, NOW)
    assert checked.key is not None
    assert (checked.key.key, checked.decision) == (None, None)


def test_a_server_that_says_nothing_costs_its_limit_once_and_then_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = RedisClient(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        durations = []
        for _ in range(5):
            start = time.monotonic()
            with pytest.raises(TierUnavailableError):
                client.call("PING")
            durations.append(time.monotonic() - start)
    assert 0.09 < durations[0] < 0.5
    assert sum(durations[1:]) < 0.05


def test_a_server_that_returned_is_used_after_the_pause(redis_server: Redis) -> None:
    clock = [0.0]
    outage = Outage("redis", pause_seconds=1.5, monotonic=lambda: clock[0])
    with closing(RedisClient(redis_server.url, timeout_seconds=5, outage=outage)) as client:
        with pytest.raises(TierUnavailableError), outage.watch(OSError):
            raise ConnectionResetError
        with pytest.raises(TierUnavailableError):
            client.call("PING")
        clock[0] = 1.6
        assert client.call("PING") == b"PONG"


def test_a_connection_that_redis_closed_meanwhile_is_replaced_without_a_failure(
    client: RedisClient, redis_server: Redis
) -> None:
    own_id = client.call("CLIENT", "ID")
    assert isinstance(own_id, int)
    with closing(RedisClient(redis_server.url, timeout_seconds=5)) as other:
        other.call("CLIENT", "KILL", "ID", own_id)
        assert client.call("CLIENT", "ID") != own_id


def test_a_refused_command_is_an_outage_of_that_command_alone(client: RedisClient) -> None:
    key = f"test:{short_id()}"
    client.call("LPUSH", key, "x")
    with pytest.raises(TierUnavailableError, match="WRONGTYPE"):
        client.call("GET", key)
    assert client.call("PING") == b"PONG"


def test_password_user_and_database_of_the_address_are_used(client: RedisClient, redis_server: Redis) -> None:
    user = f"u{short_id()}"
    client.call("ACL", "SETUSER", user, "on", ">p@ss/word", "~*", "+@all")
    url = redis_server.url.replace("//", f"//{user}:p%40ss%2Fword@").removesuffix("/0")
    with (
        closing(RedisClient(f"{url}/3", timeout_seconds=5)) as named,
        closing(RedisClient(url.replace("p%40", "x"), timeout_seconds=5)) as wrong,
    ):
        assert named.call("ACL", "WHOAMI") == user.encode()
        named.call("SET", user, "x")
        assert client.call("EXISTS", user) == 0, "it is in database 3"
        with pytest.raises(TierUnavailableError, match="WRONGPASS"):
            wrong.call("PING")


def test_many_threads_share_a_client_without_mixing_replies(client: RedisClient) -> None:
    wrong: list[object] = []

    def echo(number: int) -> None:
        for turn in range(50):
            text = f"{number}:{turn}".encode()
            if client.call("ECHO", text) != text:
                wrong.append(text)

    threads = [threading.Thread(target=echo, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize(
    "url", ["", "http://host", "redis://", "redis://host:port", "redis://host/x", "host:6379"]
)
def test_a_wrong_address_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ConfigurationError, match="must be redis"):
        RedisAddress.from_url(url)


def test_an_address_hides_its_password_and_asks_for_tls() -> None:
    address = RedisAddress.from_url("rediss://:secret@cache.example:6380/2")
    assert "secret" not in repr(address)
    assert (address.tls, address.port, address.database, address.user) == (True, 6380, 2, None)


@pytest.fixture
def scripted() -> Iterator[tuple[RedisConnection, socket.socket]]:
    """A connection whose other end the test holds."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = RedisAddress("127.0.0.1", server.getsockname()[1])
        connection = RedisConnection(address, 2)
        other, _ = server.accept()
        with other:
            yield connection, other
        connection.close()


def test_replies_of_every_kind_are_read_and_an_error_leaves_the_stream_in_step(
    scripted: tuple[RedisConnection, socket.socket],
) -> None:
    connection, other = scripted
    other.sendall(b"+OK\r\n-ERR no\r\n:-7\r\n$4\r\na\r\nb\r\n$-1\r\n*-1\r\n*2\r\n:1\r\n*1\r\n$0\r\n\r\n")
    assert connection.call("PING") == b"OK"
    assert isinstance(connection.call("PING"), hiredis.ReplyError)
    assert [connection.call("PING") for _ in range(5)] == [-7, b"a\r\nb", None, None, [1, [b""]]]


@pytest.mark.parametrize(
    ("answer", "error"), [(b"HTTP/1.1 400\r\n", hiredis.ProtocolError), (b"$10\r\nabc", ConnectionError)]
)
def test_what_is_not_redis_and_what_breaks_off_are_errors(
    scripted: tuple[RedisConnection, socket.socket], answer: bytes, error: type[Exception]
) -> None:
    connection, other = scripted
    other.sendall(answer)
    other.shutdown(socket.SHUT_WR)
    with pytest.raises(error):
        connection.call("PING")


def test_commands_are_binary_safe(scripted: tuple[RedisConnection, socket.socket]) -> None:
    connection, other = scripted
    other.sendall(b"+OK\r\n")
    connection.call("SET", "é", b"\r\n", 5)
    assert other.recv(100) == b"*4\r\n$3\r\nSET\r\n$2\r\n\xc3\xa9\r\n$2\r\n\r\n\r\n$1\r\n5\r\n"


def _remember(client: RedisClient, key_hash: str, key: ApiKey, verified_at: datetime) -> None:
    RedisCache(client).put(cache_key(key_hash), CachedKey(key, verified_at).as_json(), HOUR, NOW)


def _commands(client: RedisClient) -> int:
    info = client.call("INFO", "stats")
    assert isinstance(info, bytes)
    [line] = [line for line in info.split(b"\r\n") if line.startswith(b"total_commands_processed:")]
    return int(line.split(b":")[1])
