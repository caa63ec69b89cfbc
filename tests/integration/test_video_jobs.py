"""The life of a composed job, as the database document's VideoJobService has it, over a real record."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from lib.domain.composed_output import ComposedOutput
from lib.domain.errors import ConflictError, InvalidError, NotFoundError
from lib.domain.ids import uuid7
from lib.domain.job import JobStatus, JobStep
from lib.ports.repositories import ElementChange, StorageSearch
from lib.ports.work_report import StorageOperation
from local.backing import RecordDatabase
from tests.integration.video_world import NOON, VideoWorld, counted, film, video, video_world

OUTPUT = ComposedOutput(
    key="media/alice/film.mp4", content_type="video/mp4", file_size=52_428_800, width=1920, duration_s=45.5
)


@pytest.fixture
def world(worker_url: str) -> Iterator[VideoWorld]:
    with video_world(worker_url) as made:
        yield made


def uploaded(**changes: Any) -> StorageOperation:
    fields: dict[str, Any] = {
        "operation_id": str(uuid7(NOON)),
        "operation": "upload",
        "bucket": "media",
        "key": OUTPUT.key,
        "success": True,
        "at": NOON,
        "duration_ms": 2500,
        "file_size": OUTPUT.file_size,
    }
    return StorageOperation(**{**fields, **changes})


def test_the_workflow_of_the_document_runs_from_end_to_end(world: VideoWorld) -> None:
    service = world.service
    made = service.create_video_job(
        "alice",
        film(),
        estimated_duration=45,
        client_ip="203.0.113.9",
        user_agent="curl/8",
        response_type="async",
    )
    job_id = made.job.job_id
    for element in made.elements:
        change = ElementChange(downloaded=True, local_path="/tmp/video.mp4", source_size=10_485_760)
        service.update_element_status(element.element_id, change)
    service.update_job_status(job_id, JobStatus.PROCESSING)
    step = service.start_processing_step(job_id, "download", 0, details={"source_count": 2})
    service.update_progress(job_id, 25)
    world.now += timedelta(seconds=4)
    assert service.complete_processing_step(
        job_id, step, True, 50, details={"files_processed": 2}, cpu_usage=45.2, memory_usage=1_073_741_824
    )
    service.log_storage_operation(job_id, uploaded())
    for element in made.elements:
        service.update_element_status(element.element_id, ElementChange(processed=True))
    done = service.complete(job_id, [OUTPUT])

    assert done.status is JobStatus.COMPLETED
    details = world.details.details(job_id, user_id="alice").details
    summary = details.summary
    assert (summary.kind, summary.provider, summary.model_id) == ("composition", "gateway", "composition")
    assert (summary.output_format, summary.width, summary.height) == ("mp4", 1920, 1080)
    assert (summary.client_ip, summary.user_agent, summary.response_type) == (
        "203.0.113.9",
        "curl/8",
        "async",
    )
    assert summary.estimated_duration_s == 45
    assert (summary.elements, summary.elements_processed, summary.outputs) == (2, 2, 1)
    assert (summary.steps, summary.steps_failed, summary.storage_operations) == (1, 0, 1)
    (kept,) = details.timeline
    assert kept.seconds == 4
    assert (kept.step, kept.success, kept.progress) == ("download", True, 50)
    assert (kept.cpu_usage, kept.memory_usage) == (45.2, 1_073_741_824)
    assert kept.details == {"source_count": 2, "files_processed": 2}
    assert [element.local_path for element in details.elements] == ["/tmp/video.mp4"] * 2
    assert [(output.object_key, output.size_bytes) for output in details.outputs] == [
        (OUTPUT.key, OUTPUT.file_size)
    ]
    assert [(entry.operation, entry.file_size) for entry in details.storage_operations] == [
        ("upload", OUTPUT.file_size)
    ]
    assert [transition.version for transition in details.transitions] == [1, 2, 3, 4]
    assert details.snapshot == done


def test_the_mirrors_are_told_of_every_change(world: VideoWorld) -> None:
    made = world.service.create_video_job("alice", film())
    world.service.update_job_status(made.job.job_id, JobStatus.PROCESSING)
    world.service.update_job_status(made.job.job_id, JobStatus.PROCESSING)  # changes nothing
    world.service.complete(made.job.job_id, [OUTPUT])
    assert [job.status for job in world.published] == ["pending", "processing", "completed"]
    assert [event for event, _ in world.journal.events] == ["created", "generating", "completed"]


def test_elements_are_added_once_and_never_in_the_same_place(world: VideoWorld) -> None:
    job_id = world.service.create_video_job("alice", film()).job.job_id
    element_id = str(uuid7(NOON))
    wanted = {"type": "text", "content": "The End", "element_order": 0, "track": 3, "elementId": element_id}
    added = world.service.add_element(job_id, wanted)
    assert world.service.add_element(job_id, wanted) == added
    with pytest.raises(ConflictError):
        world.service.add_element(job_id, video(0, track=3))
    assert world.service.get_job_elements(job_id)[-1] == added
    with pytest.raises(NotFoundError):
        world.service.add_element(str(uuid7(NOON)), wanted)


def test_an_element_is_not_processed_before_it_was_downloaded(world: VideoWorld) -> None:
    element = world.service.create_video_job("alice", film()).elements[0]
    with pytest.raises(InvalidError, match="processed_once_they_are_here"):
        world.service.update_element_status(element.element_id, ElementChange(processed=True))
    with pytest.raises(NotFoundError):
        world.service.update_element_status(str(uuid7(NOON)), ElementChange(downloaded=True))
    world.now += timedelta(seconds=1)
    world.service.update_element_status(
        element.element_id, ElementChange(downloaded=True, error_message="odd\x00")
    )
    changed = world.service.get_job_elements(element.job_id)[0]
    assert (changed.downloaded, changed.processed, changed.updated_at) == (True, False, world.now)
    assert changed.error_message == "odd\ufffd"


def test_a_job_that_has_ended_takes_no_more_work(world: VideoWorld) -> None:
    job_id = world.service.create_video_job("alice", film()).job.job_id
    step = world.service.start_processing_step(job_id, "render", 1)
    failed = world.service.fail(job_id, "no_sound", "The film has no sound track.", retryable=True)
    assert failed.data["error"] == {
        "code": "no_sound", "message": "The film has no sound track.", "retryable": True
    }  # fmt: skip
    (open_step,) = world.service.get_timeline(job_id)
    assert open_step.success is False
    assert not world.service.complete_processing_step(job_id, step, True)
    for more in (
        lambda: world.service.start_processing_step(job_id, "render", 2),
        lambda: world.service.add_element(job_id, video(9)),
    ):
        with pytest.raises(NotFoundError):
            more()
    with pytest.raises(ConflictError) as refused:
        world.service.complete(job_id, [OUTPUT])
    assert refused.value.code == "job_final"
    assert world.details.details(job_id).details.outputs == ()


def test_completing_twice_changes_nothing(world: VideoWorld, empty_record: RecordDatabase) -> None:
    job_id = world.service.create_video_job("alice", film()).job.job_id
    first = world.service.complete(job_id, [OUTPUT])
    assert world.service.complete(job_id, [OUTPUT]) == first
    assert counted(empty_record, "outputs") == 1


def test_a_move_that_cannot_be_says_why(world: VideoWorld) -> None:
    job_id = world.service.create_video_job("alice", film()).job.job_id
    moved = world.service.update_job_status(job_id, JobStatus.PROCESSING, step=JobStep.STORING)
    with pytest.raises(ConflictError) as back:
        world.service.update_job_status(job_id, JobStatus.PENDING, step=JobStep.QUEUED)
    assert back.value.code == "job_not_allowed"
    with pytest.raises(ConflictError) as old:
        world.service.update_job_status(job_id, JobStatus.COMPLETED, expected_version=moved.version - 1)
    assert old.value.code == "job_other_version"
    with pytest.raises(NotFoundError):
        world.service.update_job_status(str(uuid7(NOON)), JobStatus.PROCESSING)


def test_progress_is_shown_beside_the_job_and_is_no_transition(world: VideoWorld) -> None:
    job_id = world.service.create_video_job("alice", film()).job.job_id
    for percent, shown in (
        (29, 29),
        (12, 29),
        (57.9, 57),
        (100, 99),
    ):  # it never falls; only a completed job shows 100
        world.service.update_progress(job_id, percent)
        found = world.details.details(job_id)
        assert found.progress is not None
        assert found.progress.percent == shown
    assert found.details.snapshot.version == 1
    for wrong in (-1, 101, float("nan"), float("inf")):
        with pytest.raises(InvalidError):
            world.service.update_progress(job_id, wrong)
    world.cache.down = True
    world.service.update_progress(job_id, 99)
    assert world.details.details(job_id).progress is None


def test_a_step_begun_again_ends_the_one_that_was_left_open(world: VideoWorld) -> None:
    job_id = world.service.create_video_job("alice", film()).job.job_id
    first = world.service.start_processing_step(job_id, "download", 0)
    world.now += timedelta(seconds=9)
    second = world.service.start_processing_step(job_id, "download", 0)
    assert [(step.timeline_id, step.success) for step in world.service.get_timeline(job_id)] == [
        (first, False), (second, None)
    ]  # fmt: skip


def test_a_storage_operation_told_twice_is_kept_once(world: VideoWorld) -> None:
    job_id = world.service.create_video_job("alice", film()).job.job_id
    upload = uploaded(success=False, error_code="slow_down")
    for _ in range(2):
        world.service.log_storage_operation(job_id, upload)
    world.service.log_storage_operation(job_id, uploaded(operation="read"))
    assert len(world.details.storage(job_id, StorageSearch()).items) == 2
    (failed,) = world.details.storage(job_id, StorageSearch(success=False)).items
    assert (failed.operation_id, failed.error_code) == (upload.operation_id, "slow_down")
    with pytest.raises(NotFoundError):
        world.service.log_storage_operation(str(uuid7(NOON)), upload)
    with pytest.raises(InvalidError) as refused:
        world.service.log_storage_operation(job_id, uploaded(success=False))
    assert [error.path for error in refused.value.errors] == ["errorCode"]


def test_what_is_wrong_with_outputs_is_said_at_once(world: VideoWorld) -> None:
    job_id = world.service.create_video_job("alice", film()).job.job_id
    wrong = ComposedOutput(key="", content_type="video/\x00", file_size=0, output_id="x")
    with pytest.raises(InvalidError) as refused:
        world.service.complete(job_id, [OUTPUT, wrong])
    assert {error.path for error in refused.value.errors} == {
        "outputs[1].key", "outputs[1].contentType", "outputs[1].fileSize", "outputs[1].outputId"
    }  # fmt: skip
    with pytest.raises(InvalidError):
        world.service.complete(job_id, [])
    assert world.service.get_timeline(job_id) == ()
