"""Every work queue keeps the same promises: the fake and SQS on moto's server."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest

from lib.aws.sqs import SqsQueue
from lib.domain.errors import UnavailableError
from lib.domain.ids import short_id
from lib.ports.queue import WorkQueue
from local.backing import Moto
from local.backing.ports import free_port
from tests.fakes.aws_tables import REGION, aws_client
from tests.fakes.queue import FakeQueue


@dataclass
class Subject:
    """A queue under test; `receive` takes what can be delivered now as (message, group)."""

    queue: WorkQueue
    away: WorkQueue
    receive: Callable[[], list[tuple[Any, str]]]


@pytest.fixture
def fake() -> Subject:
    queue, away = FakeQueue(), FakeQueue()
    away.down = True

    def receive() -> list[tuple[Any, str]]:
        return [(sent.message, sent.group) for sent in queue.sent if sent.delay_seconds == 0]

    return Subject(queue, away, receive)


@pytest.fixture
def sqs(moto_server: Moto, aws_environment: None) -> Iterator[Subject]:
    with closing(aws_client("sqs", moto_server.url)) as client:
        url = client.create_queue(QueueName=f"queue-{short_id()}")["QueueUrl"]
        queue = SqsQueue(url, endpoint_url=moto_server.url, region=REGION)
        dead = SqsQueue(url, endpoint_url=f"http://127.0.0.1:{free_port()}", region=REGION)

        def receive() -> list[tuple[Any, str]]:
            got = client.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["MessageGroupId"]
            )
            return [
                (json.loads(message["Body"]), message["Attributes"]["MessageGroupId"])
                for message in got.get("Messages", [])
            ]

        with closing(queue), closing(dead):
            yield Subject(queue, dead, receive)


@pytest.fixture(params=["fake", "sqs"])
def subject(request: pytest.FixtureRequest) -> Subject:
    found: Subject = request.getfixturevalue(request.param)
    return found


def test_a_message_arrives_whole_with_its_group(subject: Subject) -> None:
    message = {"type": "poll", "jobId": "é 語", "n": [1, None, {"a": True}]}
    subject.queue.send(message, group="user-1")
    assert subject.receive() == [(message, "user-1")]


@pytest.mark.parametrize("words", ["\uffff\ufffe", "half \ud83d of a pair", "\x00\x01\x7f\x85", "\U0001f98a"])
def test_words_that_a_caller_chose_do_not_keep_a_message_from_being_sent(
    subject: Subject, words: str
) -> None:
    subject.queue.send({"userAgent": words}, group="user-1")
    assert subject.receive() == [({"userAgent": words}, "user-1")]


def test_ten_messages_arrive_each_with_its_group(subject: Subject) -> None:
    messages = [({"n": number}, f"user-{number}") for number in range(10)]
    assert subject.queue.send_many(messages) == 0
    assert sorted(subject.receive(), key=lambda got: int(got[0]["n"])) == messages


def test_a_queue_that_is_away_takes_none_of_them(subject: Subject) -> None:
    assert subject.away.send_many([({"n": 1}, "a"), ({"n": 2}, "b")]) == 2


def test_a_delayed_message_cannot_be_received_yet(subject: Subject) -> None:
    subject.queue.send({"n": 1}, group="user-1", delay_seconds=899.2)
    assert subject.receive() == []


def test_a_queue_that_is_away_says_so_and_nothing_else(subject: Subject) -> None:
    with pytest.raises(UnavailableError) as caught:
        subject.away.send({"n": 1}, group="user-1")
    assert caught.value.retryable


@pytest.mark.parametrize("group", ["u" * 129, "user with spaces", "é", ""])
def test_a_group_that_sqs_would_refuse_is_replaced_by_its_hash(sqs: Subject, group: str) -> None:
    sqs.queue.send({"n": 1}, group=group)
    [(_, received)] = sqs.receive()
    assert len(received) == 64
    assert received.isalnum()


def test_a_delay_beyond_the_longest_is_cut_to_it(sqs: Subject) -> None:
    sqs.queue.send({"n": 1}, group="user-1", delay_seconds=4000)
    assert sqs.receive() == []
