"""The running cloud over a record that restarts under load, takes no writes, is full, or is full of locks."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from uuid import uuid4

import pytest

from tests.e2e.caller import Caller
from tests.integration.record_trouble import KINDS, Make, Trouble

CALLERS = 4
ASKED_EACH = 5
PATIENCE_SECONDS = 60.0
PARTS = ("", "/timeline", "/elements", "/storage")
TABLES_OF_A_JOB = """
select (select count(*) from job_transitions t where t.job_id = j.job_id) = j.version,
       (select count(*) from processing_timeline p where p.job_id = j.job_id and p.ended_at is null),
       (select count(*) from outputs o where o.job_id = j.job_id),
       (select count(*) from outbox o where o.job_id = j.job_id)
from jobs j where j.job_id = %s
"""


@pytest.fixture
def well(caller: Caller) -> Iterator[Caller]:
    """The caller, when all is well before the test; and after it."""

    def look() -> bool:
        return caller.api.get("/health").status_code == 200 and caller.key_is_cached()

    caller.until(look, bool, pause=0.2)
    yield caller
    caller.until(look, bool, pause=0.2)


def whole(caller: Caller, job_id: str) -> None:
    """A completed job has every row that belongs to it, once."""

    def look() -> list[tuple[object, ...]]:
        caller.sweep()
        return caller.query(TABLES_OF_A_JOB, job_id)

    caller.until(look, lambda rows: rows == [(True, 0, 1, 0)], pause=0.5)


def test_under_restarts_each_key_makes_one_job_with_one_submit(well: Caller) -> None:
    begun = Event()

    def ask(number: int) -> list[str]:
        made = []
        for count in range(ASKED_EACH):
            made.append(persist(well, f"restart {number} {count} {uuid4().hex[:8]}"))
            begun.set()
        return made

    with ThreadPoolExecutor(CALLERS) as threads:
        asking = [threads.submit(ask, number) for number in range(CALLERS)]
        assert begun.wait(PATIENCE_SECONDS)
        for _ in range(2):
            well.cloud.backing("postgres", "kill")
            well.cloud.backing("postgres", "start")
        jobs = [job for each in asking for job in each.result()]
    assert len(set(jobs)) == CALLERS * ASKED_EACH
    for job_id in jobs:
        ended = well.ended(job_id, seconds=120)
        assert ended["status"] == "completed", ended
        assert len(well.submits(job_id)) == 1
        whole(well, job_id)
    with_prompt = "select count(*) from jobs where parameters ->> 'prompt' like 'restart %%'"
    assert well.query(with_prompt) == [(len(jobs),)]


def persist(caller: Caller, prompt: str) -> str:
    """Asks with one Idempotency-Key until there is an answer that is one; the job's id."""
    body = {
        "mediaType": "image",
        "modelId": "flux-schnell",
        "parameters": {"prompt": prompt, "megapixels": "0.25"},
    }
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        answer = caller.api.post("/generate-media", json=body, headers={"Idempotency-Key": prompt})
        if answer.status_code == 202:
            return str(answer.json()["jobId"])
        assert answer.status_code in (409, 503), answer.text
        assert int(answer.headers["retry-after"]) >= 1
        time.sleep(0.2)  # the answer says how long to wait; here nobody is in the way
    raise AssertionError("no answer")


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_in_trouble_nothing_is_started_and_known_jobs_are_answered(well: Caller, make: Make) -> None:
    done, running = well.start("well before"), well.start("[sim:never-finishes]")
    assert well.ended(done)["status"] == "completed"
    trouble = Trouble(well.cloud.record, well.endpoints.postgres_api_url)
    before = well.query("select count(*) from jobs")
    with make(trouble):
        for answer in (well.generate("too late"), well.api.post(f"/jobs/{running}/cancel")):
            assert (answer.status_code, answer.json()["code"]) == (503, "record_unavailable"), answer.text
            assert int(answer.headers["retry-after"]) >= 1
        if make is not KINDS["read-only"]:
            for path in ("/jobs", *(f"/jobs/{done}{part}" for part in PARTS)):
                assert well.api.get(path).status_code == 503, path
        assert well.status(done)["status"] == "completed"
        assert well.status(running)["status"] in ("pending", "processing")
    assert well.query("select count(*) from jobs") == before
    for path in ("/jobs", *(f"/jobs/{done}{part}" for part in PARTS)):
        assert well.api.get(path).status_code == 200, path
    assert well.api.post(f"/jobs/{running}/cancel").status_code in (200, 202)
    assert well.swept(running)["status"] == "canceled"


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_what_ends_while_the_workers_record_is_in_trouble_is_recorded_once_when_it_is_over(
    well: Caller, make: Make
) -> None:
    job_id = well.start("[sim:slow=2s]")
    remote = well.status(job_id)["providerJobId"]
    trouble = Trouble(well.cloud.record, well.endpoints.postgres_worker_url)
    with make(trouble):
        well.until(
            lambda: well.replicate.get(f"/_sim/predictions/{remote}").json(),
            lambda seen: "succeeded" in str(seen),
        )
        assert well.status(job_id)["status"] != "completed"
    assert well.ended(job_id, seconds=120)["status"] == "completed"
    assert len(well.submits(job_id)) == 1
    whole(well, job_id)
    assert well.query(
        "select step, count(*) filter (where success) from processing_timeline where job_id = %s group by 1 order by 1",
        job_id,
    ) == [("downloading", 1), ("generating", 1), ("submitting", 1), ("uploading", 1)]
