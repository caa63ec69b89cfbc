"""What the DynamoDB mirror alone promises: sparse in-flight index, look-up by provider, no scan."""

import socket
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lib.domain.snapshot import parse_time
from lib.ports.tier import TierUnavailableError
from lib.stores.dynamodb_client import READ_SECONDS, DynamoDB
from lib.stores.dynamodb_tier import SHARDS, DynamoDBTier, poll_shard, to_item
from lib.stores.outage import Outage
from local.backing import Moto
from tests.fakes.aws_tables import aws_client, create_jobs_table
from tests.fakes.snapshots import completed, new_job_id, snapshot

NOW = datetime(2026, 5, 1, 12, 0, 2, tzinfo=UTC)
DUE = parse_time("2026-05-01T12:05:00.000Z")
TABLE_LIMIT = 64


@pytest.fixture
def table(moto_server: Moto) -> str:
    name = f"jobs-{new_job_id()}"[:TABLE_LIMIT]
    create_jobs_table(moto_server.url, name)
    return name


@pytest.fixture
def tier(moto_server: Moto, aws_environment: None, table: str) -> Iterator[DynamoDBTier]:
    with closing(DynamoDB(endpoint_url=moto_server.url, timeout_seconds=5)) as dynamodb:
        yield DynamoDBTier(dynamodb, table)


def _stored(moto_server: Moto, table: str, job_id: str) -> dict[str, Any]:
    with closing(aws_client("dynamodb", moto_server.url)) as client:
        item: dict[str, Any] = client.get_item(TableName=table, Key={"jobId": {"S": job_id}})["Item"]
        return item


def test_an_item_has_its_keys_and_the_snapshot_as_json(
    moto_server: Moto, tier: DynamoDBTier, table: str
) -> None:
    job_id = new_job_id()
    tier.write(snapshot(job_id, 3), NOW)
    item = _stored(moto_server, table, job_id)
    assert item.pop("snapshot")["S"].startswith('{"jobId":"')
    assert item == {
        "jobId": {"S": job_id},
        "userId": {"S": "user-1"},
        "createdAt": {"S": "2026-05-01T12:00:00.000Z"},
        "version": {"N": "3"},
        "updatedAt": {"S": "2026-05-01T12:00:02.000Z"},
        "ttl": {"N": str(int((NOW + timedelta(days=7)).timestamp()))},
        "providerKey": {"S": f"replicate:remote-{job_id}"},
        "pollShard": {"S": poll_shard(job_id)},
        "nextPollAt": {"N": str(int(DUE.timestamp()))},
    }


def test_a_final_job_leaves_the_in_flight_index_and_stays_thirty_days(
    moto_server: Moto, tier: DynamoDBTier, table: str
) -> None:
    job_id = new_job_id()
    tier.write(snapshot(job_id, 3), NOW)
    tier.write(completed(job_id, 4), NOW)
    item = _stored(moto_server, table, job_id)
    assert not {"pollShard", "nextPollAt"} & item.keys()
    assert item["ttl"] == {"N": str(int((NOW + timedelta(days=30)).timestamp()))}


def test_any_due_sees_jobs_of_every_shard_once_their_time_has_come(tier: DynamoDBTier) -> None:
    assert not tier.any_due(DUE)
    tier.write(snapshot(new_job_id()), NOW)
    assert not tier.any_due(DUE - timedelta(seconds=1))
    assert tier.any_due(DUE)


def test_due_jobs_are_named_by_shard(tier: DynamoDBTier) -> None:
    due, later = {new_job_id() for _ in range(6)}, new_job_id()
    for job_id in due:
        tier.write(snapshot(job_id), NOW)
    tier.write(snapshot(later, dueAt="2026-05-01T13:00:00.000Z"), NOW)
    assert set(tier.due_jobs(DUE)) == due
    assert len(tier.due_jobs(DUE, limit_per_shard=1)) == len({poll_shard(job_id) for job_id in due})


def test_any_due_does_not_see_final_jobs(tier: DynamoDBTier) -> None:
    job_id = new_job_id()
    tier.write(snapshot(job_id, 1), NOW)
    tier.write(completed(job_id, 2), NOW)
    assert not tier.any_due(DUE + timedelta(days=1))


def test_a_job_that_is_not_final_and_has_no_due_time_is_due_at_once() -> None:
    item = to_item(snapshot(new_job_id(), dueAt=None), NOW)
    assert item["nextPollAt"] == {"N": str(int(NOW.timestamp()))}


def test_jobs_spread_over_all_shards() -> None:
    assert {poll_shard(new_job_id()) for _ in range(400)} == set(SHARDS)


def test_a_job_is_found_by_the_id_that_its_provider_gave_it(tier: DynamoDBTier) -> None:
    job = snapshot(new_job_id(), 2)
    tier.write(job, NOW)
    assert tier.find_by_provider(f"replicate:remote-{job.job_id}") == job
    assert tier.find_by_provider("replicate:somebody-else") is None


def test_a_job_without_a_provider_id_is_mirrored_without_that_key() -> None:
    assert "providerKey" not in to_item(snapshot(new_job_id(), providerJobId=None), NOW)


def test_a_late_heal_does_not_make_an_entry_look_older(tier: DynamoDBTier) -> None:
    job = snapshot(new_job_id())
    tier.write(job, NOW)
    assert not tier.write(job, NOW - timedelta(seconds=20))
    entry = tier.read(job.job_id, NOW + timedelta(seconds=29))
    assert entry is not None
    assert entry.fresh


def test_a_missing_table_is_an_outage(moto_server: Moto, aws_environment: None) -> None:
    with (
        closing(DynamoDB(endpoint_url=moto_server.url, timeout_seconds=5)) as dynamodb,
        pytest.raises(TierUnavailableError, match="ResourceNotFound"),
    ):
        DynamoDBTier(dynamodb, "no-such-table").read(new_job_id(), NOW)


def test_a_limit_that_is_given_takes_the_place_of_the_short_ones(aws_environment: None) -> None:
    limit_seconds = 2 * READ_SECONDS
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url, never_down = f"http://127.0.0.1:{silent.getsockname()[1]}", Outage("dynamodb", pause_seconds=0)
        with closing(
            DynamoDB(endpoint_url=url, timeout_seconds=limit_seconds, outage=never_down)
        ) as dynamodb:
            for _ in range(2):  # the first loads boto3 too
                begun = time.monotonic()
                with pytest.raises(TierUnavailableError):
                    dynamodb.get_item("jobs", {"jobId": {"S": "x"}})
    assert time.monotonic() - begun >= limit_seconds
