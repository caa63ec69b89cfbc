"""A composed job is made whole, once, and for its owner alone, or all that is wrong with it is said."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from lib.domain.actor import Actor
from lib.domain.errors import ConflictError, InvalidError, NotFoundError
from lib.domain.ids import uuid7
from lib.ports.actor import acting_as
from local.backing import RecordDatabase
from tests.integration.video_world import NOON, VideoWorld, counted, film, video, video_world


@pytest.fixture
def world(worker_url: str) -> Iterator[VideoWorld]:
    with video_world(worker_url) as made:
        yield made


def test_a_job_is_made_with_its_elements_in_one_round_trip(world: VideoWorld) -> None:
    elements = [video(order, track=order % 3) for order in range(500)]
    made = world.service.create_video_job("alice", film(*elements))
    assert world.connection.statements == 1
    assert made.created
    assert set(world.service.get_job_elements(made.job.job_id)) == set(made.elements)
    assert len(made.elements) == 500


def test_a_call_repeated_with_its_id_gives_the_same_job(
    world: VideoWorld, empty_record: RecordDatabase
) -> None:
    job_id = str(uuid7(NOON))
    first = world.service.create_video_job("alice", film(), job_id=job_id)
    world.now += timedelta(seconds=30)
    again = world.service.create_video_job("alice", film(video(7)), job_id=job_id)
    world.now += timedelta(days=1)
    much_later = world.service.create_video_job("alice", film(), job_id=job_id)
    assert (again.created, much_later.created) == (False, False)
    assert again.elements == much_later.elements == first.elements
    assert again.job == first.job
    assert (counted(empty_record, "jobs"), counted(empty_record, "elements")) == (1, 2)


def test_the_id_of_another_users_job_is_taken(world: VideoWorld) -> None:
    job_id = str(uuid7(NOON))
    world.service.create_video_job("alice", film(), job_id=job_id)
    with pytest.raises(ConflictError, match="taken"):
        world.service.create_video_job("bob", film(), job_id=job_id)


def test_an_id_of_another_time_is_refused(world: VideoWorld, empty_record: RecordDatabase) -> None:
    for wrong in (str(uuid7(NOON - timedelta(minutes=2))), "ffffffff-ffff-7fff-bfff-ffffffffffff", "x" * 36):
        with pytest.raises(InvalidError) as refused:
            world.service.create_video_job("alice", film(), job_id=wrong)
        assert [error.path for error in refused.value.errors] == ["jobId"]
    assert counted(empty_record, "jobs") == 0


def test_an_element_id_that_another_job_has_undoes_the_whole_job(
    world: VideoWorld, empty_record: RecordDatabase
) -> None:
    taken = world.service.create_video_job("alice", film()).elements[0].element_id
    with pytest.raises(ConflictError):
        world.service.create_video_job("bob", film(video(0), video(1, elementId=taken)))
    assert (counted(empty_record, "jobs"), counted(empty_record, "elements")) == (1, 2)
    assert counted(empty_record, "job_transitions") == 1


def test_a_guest_makes_a_job_that_its_token_alone_shows(api_url: str) -> None:
    token = "a" * 64
    with video_world(api_url) as world:
        with acting_as(Actor.guest("guest-1", token)):
            made = world.service.create_video_job("guest-1", film(), guest_token=token)
            assert len(world.service.get_job_elements(made.job.job_id)) == 2
            step = world.service.start_processing_step(made.job.job_id, "download", 0)
            assert world.service.complete_processing_step(made.job.job_id, step, True)
        with acting_as(Actor.guest("guest-1", "b" * 64)), pytest.raises(NotFoundError):
            world.service.get_job_elements(made.job.job_id)
        with acting_as(Actor.user("alice")), pytest.raises(NotFoundError):
            world.details.timeline(made.job.job_id)


def test_all_that_is_wrong_with_a_request_is_said_at_once(
    world: VideoWorld, empty_record: RecordDatabase
) -> None:
    request = film(
        video(0),
        video(0, xPosition="ten"),
        video(2, fitMode="squeeze", sourceUrl="http://media.example/a.mp4", width="-5%"),
        width=0,
        outputFormat="MP4; drop table jobs",
        color="red",
    )
    with pytest.raises(InvalidError) as refused:
        world.service.create_video_job(
            "alice", request, client_ip="nowhere", response_type="maybe", estimated_duration=-1
        )
    assert {error.path for error in refused.value.errors} == {
        "clientIp", "responseType", "estimatedDuration", "width", "outputFormat", "color", "elements[1].xPosition",
        "elements[2].fitMode", "elements[2].sourceUrl", "elements[2].width",
    }  # fmt: skip
    assert world.connection.statements == 0
    assert counted(empty_record, "jobs") == 0
