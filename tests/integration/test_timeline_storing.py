"""The steps of storing: a pause, an end, a fault, and who comes after."""

from lib.domain.errors import OutputError, RecordUnavailableError, UnavailableError
from lib.domain.job import JobStatus
from lib.domain.stored_output import OutputFault
from tests.fakes.bucket import away
from tests.fakes.darkroom import THUMBNAIL
from tests.fakes.output_source import stops_after, unavailable
from tests.integration.work_log import generate, only, operations, replace_outputs, small_parts, steps, store
from tests.integration.world import PICTURE, World


def test_a_pause_is_reported_and_the_next_try_reports_only_its_own_bytes(
    world: World, postgres_url: str
) -> None:
    generate(world)
    small_parts(world)
    answers = stops_after(9)
    world.storing_stops = lambda: next(answers)
    store(world)
    paused = steps(postgres_url)[-2:]
    assert [(step.step, step.success, step.details["paused"]) for step in paused] == [
        ("downloading", True, True),
        ("uploading", True, True),
    ]
    assert (paused[0].details["bytes"], paused[1].details["bytes"]) == (450, 400)
    assert [row["metadata"] for row in operations(postgres_url)] == [{"partial": True}, {"partial": True}]

    world.storing_stops = lambda: False
    world.pass_time(1)
    store(world)
    assert [(step.step, step.success) for step in steps(postgres_url)[-2:]] == [
        ("downloading", True),
        ("uploading", True),
    ]
    assert sum(row["file_size"] for row in operations(postgres_url) if row["operation"] == "upload") == len(
        PICTURE
    ) + len(THUMBNAIL)


def test_a_source_that_breaks_off_fails_both_steps_and_the_download_until_it_comes_again(
    world: World, postgres_url: str
) -> None:
    job_id = generate(world)
    world.source.refusal = unavailable()
    store(world)
    assert [(step.success, step.details["code"]) for step in steps(postgres_url)[-2:]] == [
        (False, OutputFault.UNAVAILABLE.value)
    ] * 2
    (failed,) = operations(postgres_url)
    assert (failed["operation"], failed["success"], failed["error_code"]) == (
        "download",
        False,
        OutputFault.UNAVAILABLE.value,
    )
    world.source.refusal = None
    world.pass_time(10)
    store(world)
    assert world.real_record.find_job(job_id).status is JobStatus.COMPLETED
    assert [step.success for step in steps(postgres_url)[-4:]] == [False, False, True, True]


def test_an_output_that_is_gone_fails_the_job_with_its_log(world: World, postgres_url: str) -> None:
    job_id = generate(world)
    world.source.refusal = OutputError("It is gone.", code=OutputFault.EXPIRED)
    store(world)
    assert world.real_record.find_job(job_id).status is JobStatus.FAILED
    assert [row["error_code"] for row in operations(postgres_url)] == [OutputFault.EXPIRED.value]
    assert [step.success for step in steps(postgres_url)] == [True, True, False, False]


def test_a_bucket_that_is_away_fails_the_upload_and_not_the_source(world: World, postgres_url: str) -> None:
    generate(world)
    world.bucket.before["put"] = away
    store(world)
    found = operations(postgres_url)
    assert (only(found, "download")["success"], only(found, "upload")["success"]) == (True, False)
    assert only(found, "upload")["error_code"] == UnavailableError.code
    assert [step.success for step in steps(postgres_url)[-2:]] == [False, False]


def test_what_is_in_the_bucket_already_is_not_logged_again(world: World, postgres_url: str) -> None:
    def dies(where: str) -> None:
        if where == "before record.complete_job":
            raise RecordUnavailableError("away")

    job_id = generate(world)
    world.seam.decide = dies
    store(world)
    assert operations(postgres_url) == []  # the report goes with the transition
    world.seam.decide = lambda _where: None
    world.pass_time(10)
    store(world)
    assert world.real_record.find_job(job_id).status is JobStatus.COMPLETED
    assert [row["metadata"] for row in operations(postgres_url)] == [{"thumbnail": True}]
    assert [(step.step, step.success) for step in steps(postgres_url)[2:]] == [
        ("downloading", False),
        ("uploading", False),
        ("downloading", True),
        ("uploading", True),
    ]
    assert steps(postgres_url)[2].details == {"superseded": True}


def test_a_report_that_cannot_be_kept_does_not_lose_the_checkpoint(world: World) -> None:
    def away_for_reports(where: str) -> None:
        if where == "before record.record_work":
            raise RecordUnavailableError("away")

    job_id = generate(world)
    small_parts(world)
    answers = stops_after(9)
    world.storing_stops = lambda: next(answers)
    world.seam.decide = away_for_reports
    store(world)
    assert world.journal.counts["WorkNotRecorded"] == 1
    assert "checkpoints" in world.store_queue.messages[-1].body
    world.storing_stops, world.seam.decide = lambda: False, lambda _where: None
    world.drain()
    assert world.real_record.find_job(job_id).status is JobStatus.COMPLETED
    assert world.source.opened == [0, 400]


def test_a_job_without_outputs_fails_and_leaves_no_step_open(world: World, postgres_url: str) -> None:
    job_id = generate(world)
    replace_outputs(world, [])
    store(world)
    assert world.real_record.find_job(job_id).status is JobStatus.FAILED
    assert [step.success for step in steps(postgres_url)] == [True, True, False, False]
