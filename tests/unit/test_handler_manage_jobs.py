"""`GET /jobs` and `POST /jobs/{jobId}/cancel`, over the real record."""

from typing import Any

import pytest

from handlers import generate_media, manage_jobs
from lib import bootstrap
from lib.api.answer_models import JobList, JobView, Problem
from lib.stores.postgres.record import PostgresRecord
from tests.fakes.events import JOB_ID, Context, body_of, request
from tests.fakes.provider import FakeProvider, OnSubmit
from tests.fakes.wired import Wired


@pytest.fixture
def provider(wired: Wired, api_record: PostgresRecord, monkeypatch: pytest.MonkeyPatch) -> FakeProvider:
    """The provider behind the functions."""
    fake = FakeProvider(lambda: wired.now)
    monkeypatch.setattr(bootstrap, "record", lambda: api_record)
    monkeypatch.setattr(bootstrap, "provider", lambda _name: fake)
    return fake


@pytest.fixture
def key(wired: Wired, provider: FakeProvider) -> str:
    """The caller's key."""
    return wired.key()


def start(key: str) -> str:
    """A new job of the caller's."""
    return str(body_of(generate_media.handler(request("generate_media", key=key), Context()))["jobId"])


def jobs(key: str, **query: str) -> dict[str, Any]:
    return manage_jobs.handler(request("list_jobs", key=key, query=query), Context())


def cancel(key: str, job_id: str) -> dict[str, Any]:
    return manage_jobs.handler(request("cancel_job", key=key, path=f"/jobs/{job_id}/cancel"), Context())


def test_my_jobs_are_listed_as_documented(key: str) -> None:
    started = [start(key) for _ in range(3)]
    first = body_of(jobs(key, limit="2"))
    JobList.model_validate(first)
    assert first["pagination"] | {"nextCursor": None} == {
        "page": 1,
        "limit": 2,
        "total": 3,
        "totalPages": 2,
        "hasNext": True,
        "hasPrev": False,
        "nextCursor": None,
    }
    second = body_of(jobs(key, limit="2", cursor=first["pagination"]["nextCursor"]))
    shown = [job["jobId"] for page in (first, second) for job in page["data"]]
    assert sorted(shown) == sorted(started)
    assert (second["pagination"]["page"], second["pagination"]["hasNext"]) == (None, False)


def test_filters_are_understood_in_both_spellings(key: str) -> None:
    start(key)
    assert [len(body_of(jobs(key, mediaType="image", status="pending"))["data"])] == [1]
    assert [len(body_of(jobs(key, media_type="video"))["data"])] == [0]


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ({"status": "done"}, "status"),
        ({"limit": "many"}, "limit"),
        ({"limit": "0"}, "limit"),
        ({"page": "-1"}, "page"),
        ({"page": "501"}, "page"),
        ({"cursor": "forged"}, "cursor"),
        ({"sort": "asc"}, "sort"),
        ({"status": "pending,failed"}, "status"),
    ],
)
def test_a_wrong_query_is_refused_by_name(key: str, query: dict[str, str], path: str) -> None:
    answer = jobs(key, **query)
    problem = Problem.model_validate(body_of(answer))
    assert (answer["statusCode"], [error.path for error in problem.errors]) == (422, [path])


def test_a_submitted_job_is_canceled_at_its_provider_first(wired: Wired, key: str) -> None:
    job_id = start(key)
    answer = cancel(key, job_id)
    body = body_of(answer)
    JobView.model_validate(body)
    assert (answer["statusCode"], body["status"], body["cancelRequested"]) == (202, "pending", True)
    assert [sent.message["kind"] for sent in wired.advance_queue.sent if "poll" not in str(sent)] != []


def test_a_job_that_was_not_submitted_is_canceled_at_once(provider: FakeProvider, key: str) -> None:
    provider.on_submit = OnSubmit.THROTTLE
    job_id = start(key)
    answer = cancel(key, job_id)
    assert (answer["statusCode"], body_of(answer)["status"]) == (200, "canceled")
    again = cancel(key, job_id)
    assert (again["statusCode"], body_of(again)["status"]) == (200, "canceled")


@pytest.mark.parametrize("job_id", [JOB_ID, "none"])
def test_a_job_that_is_not_there_cannot_be_canceled(key: str, job_id: str) -> None:
    assert cancel(key, job_id)["statusCode"] == 404


def test_somebody_elses_job_cannot_be_canceled(wired: Wired, key: str) -> None:
    assert cancel(wired.key("user-2"), start(key))["statusCode"] == 404


def test_a_failed_job_cannot_be_canceled(wired: Wired, key: str, record: PostgresRecord) -> None:
    job_id = start(key)
    record.fail_job(job_id, code="x", message="x", retryable=False, now=wired.now)
    answer = cancel(key, job_id)
    assert (answer["statusCode"], body_of(answer)["code"]) == (409, "job_is_final")


@pytest.mark.parametrize("call", [jobs, lambda key: cancel(key, JOB_ID)])
def test_a_wrong_key_is_refused(wired: Wired, call: Any) -> None:
    assert call("vsl_" + "A" * 43)["statusCode"] == 401
