"""Queues feed functions as Lambda's event source mappings do: batches, partial failures, dead letters, quickly."""

import json
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.cloud import LocalCloud
from local.settings import CloudSettings, Part
from tests.fixtures.local_cloud.templates import feed, function, queue, write_assembly

WAIT_SECONDS = 30.0


class Workload:
    """A queue that feeds a function, seen from both ends."""

    def __init__(self, cloud: LocalCloud, notes: Path) -> None:
        self.cloud = cloud
        self.notes = notes
        self.sqs = cloud.aws().client("sqs")
        self.url = self.sqs.get_queue_url(QueueName="app-Work")["QueueUrl"]

    def send(self, body: str, **more: Any) -> str:
        answer: str = self.sqs.send_message(QueueUrl=self.url, MessageBody=body, **more)["MessageId"]
        return answer

    def taken(self) -> list[dict[str, Any]]:
        lines = self.notes.read_text().splitlines() if self.notes.exists() else []
        return [json.loads(line) for line in lines if line.endswith("}")]

    def await_taken(self, count: int) -> list[dict[str, Any]]:
        wait_for(lambda: len(self.taken()) >= count)
        return self.taken()

    def left(self) -> int:
        """Messages in the queue, waiting or being worked on."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(int(attributes[name]) for name in names)

    def dead(self) -> list[str]:
        url = self.sqs.get_queue_url(QueueName="app-Dead")["QueueUrl"]
        received = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [message["Body"] for message in received.get("Messages", [])]


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the condition was not met in time"
        time.sleep(0.02)


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Callable[..., Workload]]:
    clouds: list[LocalCloud] = []
    workloads: list[Workload] = []

    def start(*, visibility: int = 1, partial: bool = True, batch_size: int = 10) -> Workload:
        notes = tmp_path / "notes.jsonl"
        resources = {
            "Work": queue(visibility=visibility, dead_letters="Dead", max_receives=2),
            "Dead": queue(),
            "Take": function("take", variables={"NOTES": str(notes)}),
            "Feed": feed("Work", "Take", partial=partial, batch_size=batch_size),
        }
        settings = CloudSettings(
            port=0,
            directory=tmp_path / "run",
            template=write_assembly(tmp_path / "assembly", app={"Resources": resources}),
            parts=frozenset({Part.AWS}),
        )
        clouds.append(LocalCloud(settings).start())
        workloads.append(Workload(clouds[-1], notes))
        return workloads[-1]

    yield start
    for workload in workloads:
        workload.sqs.close()
    for cloud in clouds:
        cloud.stop()


def test_a_message_arrives_in_lambdas_shape_and_is_deleted_after_success(
    work: Callable[..., Workload],
) -> None:
    workload = work()
    message_id = workload.send(
        "hello",
        MessageGroupId="user-1",
        MessageAttributes={"kind": {"DataType": "String", "StringValue": "greeting"}},
    )
    (record,) = workload.await_taken(1)
    assert record["messageId"] == message_id
    assert record["body"] == "hello"
    assert record["md5OfBody"] == "5d41402abc4b2a76b9719d911017c592"
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert record["attributes"]["MessageGroupId"] == "user-1"
    assert record["messageAttributes"]["kind"]["stringValue"] == "greeting"
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"].endswith(":app-Work")
    assert record["awsRegion"] == "us-east-1"
    wait_for(lambda: workload.left() == 0)


def test_only_the_reported_messages_of_a_batch_come_again_and_end_in_the_dead_letter_queue(
    work: Callable[..., Workload],
) -> None:
    workload = work()
    entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(["good", "fail", "fine"])]
    workload.sqs.send_message_batch(QueueUrl=workload.url, Entries=entries)
    wait_for(lambda: workload.dead() == ["fail"])
    taken = [(record["body"], record["attributes"]["ApproximateReceiveCount"]) for record in workload.taken()]
    assert sorted(taken) == [("fail", "1"), ("fail", "2"), ("fine", "1"), ("good", "1")]
    assert workload.left() == 0


def test_without_the_setting_a_report_of_failures_is_ignored(work: Callable[..., Workload]) -> None:
    workload = work(partial=False)
    workload.send("fail")
    workload.await_taken(1)
    wait_for(lambda: workload.left() == 0)
    assert workload.dead() == []


def test_a_batch_whose_function_raised_comes_again_as_a_whole(work: Callable[..., Workload]) -> None:
    workload = work(batch_size=1)
    workload.send("raise")
    wait_for(lambda: workload.dead() == ["raise"])
    assert [record["attributes"]["ApproximateReceiveCount"] for record in workload.taken()] == ["1", "2"]


def test_messages_are_delivered_after_aws_was_frozen_and_after_it_was_killed(
    work: Callable[..., Workload],
) -> None:
    workload = work()
    workload.cloud.backing("aws", "freeze")
    workload.cloud.backing("aws", "thaw")
    workload.send("after the freeze")
    workload.await_taken(1)
    workload.cloud.backing("aws", "kill")
    workload.cloud.backing("aws", "start")
    workload.send("after the kill")
    assert [record["body"] for record in workload.await_taken(2)] == ["after the freeze", "after the kill"]


def test_a_message_reaches_a_warm_function_within_50_ms_median(work: Callable[..., Workload]) -> None:
    workload = work()
    workload.send("warm up")
    sent = 1

    def median_delay() -> float:
        nonlocal sent
        delays: list[float] = []
        for _ in range(9):
            started = time.time()
            workload.send("timed")
            sent += 1
            delays.append(workload.await_taken(sent)[-1]["takenAt"] - started)
        return statistics.median(delays)

    workload.await_taken(1)
    assert min(median_delay() for _ in range(3)) < 0.05  # the best of three rounds: the machine may be busy
