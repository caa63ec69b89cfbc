"""What the gateway tells of one job, of its output and of itself: over the real record, to whom it may."""

from collections.abc import Iterator
from typing import Any

import pytest

from handlers import manage_jobs
from lib import bootstrap
from lib.api import detail_models as models
from lib.api.answer_models import Problem
from lib.domain.ids import uuid7
from lib.stores.postgres.record import PostgresRecord
from tests.fakes.events import Context, body_of, request
from tests.fakes.wired import forget_everything
from tests.integration.http_house import House, build

HOSTILE = [
    "nonsense",
    "1' or '1'='1",
    "'; drop table jobs; --",
    "%00",
    "x" * 5000,
    "../../etc",
    "\ud800",
    "\x00",
]
PARTS = ["", "/timeline", "/elements", "/storage"]


@pytest.fixture
def house(
    monkeypatch: pytest.MonkeyPatch, record: PostgresRecord, api_url: str, superuser_url: str
) -> Iterator[House]:
    """The functions over the record."""
    yield build(monkeypatch, record, api_url=api_url, owner_url=superuser_url)
    for connection in (bootstrap.record_connection(), bootstrap.replica_connection()):
        connection.close()
    monkeypatch.undo()
    forget_everything()


def test_details_tell_everything_of_a_finished_job(house: House) -> None:
    job = house.finished()
    details = house.body(f"/jobs/{job['jobId']}")
    models.JobDetails.model_validate(details)
    assert [step["step"] for step in details["timeline"]] == [
        "submitting",
        "generating",
        "downloading",
        "uploading",
    ]
    assert all(step["success"] and step["seconds"] >= 0 for step in details["timeline"])
    assert details["outputs"][0]["outputId"] == job["outputs"][0]["outputId"]
    assert "X-Amz-Signature" in details["outputs"][0]["originalUrl"]
    assert details["parameters"]["prompt"] == "a lighthouse"
    assert (details["storage"]["failures"], details["storage"]["operations"] >= 2) == (0, True)
    assert (details["kind"], details["userId"], details["elements"]) == ("generation", "alice", [])
    assert "guestToken" not in str(details)


def test_lists_of_a_job_are_as_documented(house: House) -> None:
    job_id = house.finished()["jobId"]
    models.TimelineList.model_validate(house.body(f"/jobs/{job_id}/timeline"))
    assert house.body(f"/jobs/{job_id}/elements")["data"] == []
    first = house.body(f"/jobs/{job_id}/storage", limit="1")
    models.StorageList.model_validate(first)
    assert (first["pagination"]["hasNext"], first["pagination"]["hasPrev"]) == (True, False)
    cursor = first["pagination"]["nextCursor"]
    rest = house.body(f"/jobs/{job_id}/storage", cursor=cursor)
    seen = [entry["operationId"] for page in (first, rest) for entry in page["data"]]
    whole = house.body(f"/jobs/{job_id}/storage", limit="100")["data"]
    assert seen == [entry["operationId"] for entry in whole]
    assert rest["pagination"]["hasPrev"] is True


def test_of_a_download_only_the_host_is_told(house: House) -> None:
    job_id = house.finished()["jobId"]
    ((host, path),) = house.run(
        "select bucket, object_key from storage_operations where operation = 'download' and job_id = %s",
        job_id,
    )
    (download,) = house.body(f"/jobs/{job_id}/storage", operation="download")["data"]
    assert (download["bucket"], download["objectKey"]) == (host, None)
    for part in PARTS:
        assert path not in house.get(f"/jobs/{job_id}{part}")["body"]
    uploads = house.body(f"/jobs/{job_id}/storage", operation="upload", success="true")["data"]
    assert all(entry["objectKey"].startswith("media/") for entry in uploads)


@pytest.mark.parametrize("part", PARTS)
def test_an_admin_sees_everybodys_job_and_others_see_none(house: House, part: str) -> None:
    path = f"/jobs/{house.finished()['jobId']}{part}"
    assert house.get(path, "root")["statusCode"] == 200
    answer = house.get(path, "mallory")
    assert (answer["statusCode"], "alice" in answer["body"]) == (404, False)


def test_an_admin_writes_nothing_that_is_somebody_elses(house: House) -> None:
    job_id = house.finished()["jobId"]
    event = request("cancel_job", key=house.key("root"), path=f"/jobs/{job_id}/cancel")
    assert manage_jobs.handler(event, Context())["statusCode"] == 404


def test_who_is_no_admin_any_more_sees_nothing_more_whatever_a_cache_says(house: House) -> None:
    job_id = house.finished()["jobId"]
    house.key("root")
    house.run("update users set access_role = 'user' where user_id = 'root'")
    for part in PARTS:
        assert house.get(f"/jobs/{job_id}{part}", "root")["statusCode"] == 404
    assert all(count["jobs"] == 0 for count in house.body("/analytics/daily", "root")["days"])


@pytest.mark.parametrize("part", PARTS)
def test_guests_of_one_address_see_what_their_own_token_made(house: House, part: str) -> None:
    path = f"/jobs/{house.finished('guest-1')['jobId']}{part}"
    assert house.get(path, "guest-1")["statusCode"] == 200
    assert house.get(path, "guest-2")["statusCode"] == 404
    assert len(house.body("/jobs", "guest-1")["data"]) == 1
    assert house.body("/jobs", "guest-2")["data"] == []


@pytest.mark.parametrize("wanted", HOSTILE)
@pytest.mark.parametrize("place", [*(f"/jobs/{{}}{part}" for part in PARTS), "/media/{}"])
def test_an_id_that_is_none_is_not_there(house: House, place: str, wanted: str) -> None:
    answer = house.get(place.format(wanted.replace("/", "%2F")))
    assert answer["statusCode"] == 404, answer["body"]
    Problem.model_validate(body_of(answer))


@pytest.mark.parametrize(
    ("query", "paths"),
    [
        ({"limit": "0"}, ["limit"]),
        ({"limit": "many"}, ["limit"]),
        ({"limit": "9" * 30}, ["limit"]),
        (
            {"limit": "1e3", "operation": "steal", "success": "1", "sort": "x"},
            ["limit", "operation", "sort", "success"],
        ),
        *(({"cursor": text}, ["cursor"]) for text in HOSTILE),
    ],
)
def test_a_wrong_query_of_storage_is_refused_by_name(
    house: House, query: dict[str, str], paths: list[str]
) -> None:
    answer = house.get(f"/jobs/{uuid7()}/storage", **query)
    problem = Problem.model_validate(body_of(answer))
    assert (answer["statusCode"], sorted(error.path for error in problem.errors)) == (422, paths)


def test_media_leads_to_a_fresh_address_and_the_access_is_kept_once(house: House) -> None:
    output = house.finished()["outputs"][0]
    answer = house.get(f"/media/{output['outputId']}")
    assert (answer["statusCode"], answer["headers"]["Cache-Control"]) == (302, "no-store")
    assert f"/{output['key']}?" in answer["headers"]["Location"]
    assert "X-Amz-Signature=" in answer["headers"]["Location"]
    (sent,) = house.wired.note_queue.sent
    assert sent.group == "alice"
    assert "X-Amz" not in str(sent.message)
    house.wired.note_queue.sent.append(sent)
    house.handle_notes()
    rows = house.run(
        "select user_id, access_type, host(client_ip), user_agent, output_id::text from url_access_logs"
    )
    assert rows == [("alice", "redirect", "203.0.113.7", "curl/8.7.1", output["outputId"])]


def test_the_small_picture_is_asked_for_by_name(house: House) -> None:
    output = house.finished()["outputs"][0]
    house.run(
        "update outputs set thumbnail_key = 'media/small.webp' where output_id = %s", output["outputId"]
    )
    answer = house.get(f"/media/{output['outputId']}", thumbnail="true")
    assert "/media/small.webp?" in answer["headers"]["Location"]
    house.run("update outputs set thumbnail_key = null where output_id = %s", output["outputId"])
    bootstrap.query_cache().clear()  # an output never changes, but in this test
    assert house.get(f"/media/{output['outputId']}", thumbnail="true")["statusCode"] == 404
    house.handle_notes()
    assert house.run("select access_type from url_access_logs") == [("thumbnail",)]


@pytest.mark.parametrize("query", [{"thumbnail": "yes"}, {"thumbnail": ""}, {"size": "small"}])
def test_a_wrong_query_of_media_is_refused(house: House, query: dict[str, str]) -> None:
    assert house.get(f"/media/{uuid7()}", **query)["statusCode"] == 422


def test_a_queue_that_is_away_costs_no_reader_the_file(house: House) -> None:
    output = house.finished()["outputs"][0]
    house.wired.note_queue.down = True
    assert house.get(f"/media/{output['outputId']}")["statusCode"] == 302
    assert ("NoteLost", {"kind": "url_access"}) in house.wired.metrics.counted


def test_somebody_elses_output_is_not_there_and_the_attempt_is_kept(house: House) -> None:
    job = house.finished()
    output_id = job["outputs"][0]["outputId"]
    assert house.get(f"/media/{output_id}", "mallory")["statusCode"] == 404
    assert house.get(f"/jobs/{job['jobId']}", "mallory")["statusCode"] == 404
    assert house.get(f"/media/{uuid7()}", "mallory")["statusCode"] == 404
    assert house.get(f"/jobs/{uuid7()}", "mallory")["statusCode"] == 404
    house.handle_notes()
    rows = house.run(
        "select kind, user_id, job_id::text, details ->> 'operation' from security_events order by at, 4"
    )
    assert rows == [
        ("access_refused", "mallory", job["jobId"], "getJob"),
        ("access_refused", "mallory", job["jobId"], "getMedia"),
    ]
    assert house.run("select count(*) from url_access_logs") == [(0,)]


REPORTS: dict[str, Any] = {
    "/analytics/system": models.SystemStatistics,
    "/analytics/processing": models.ProcessingReport,
    "/analytics/storage": models.StorageReport,
    "/analytics/daily": models.DailyReport,
}


@pytest.mark.parametrize("path", REPORTS)
def test_reports_are_for_admins_and_as_documented(house: House, path: str) -> None:
    house.finished()
    for nobody in ("alice", "guest-1"):
        answer = house.get(path, nobody)
        assert (answer["statusCode"], body_of(answer)["code"]) == (403, "forbidden")
    REPORTS[path].model_validate(house.body(path, "root"))
    kinds = {sent.message["event"]["kind"] for sent in house.wired.note_queue.sent}
    assert kinds == {"access_refused"}


def test_a_report_has_the_job_that_was_made(house: House) -> None:
    house.finished()
    day = f"{house.world.now:%Y-%m-%d}"
    (row,) = house.body("/analytics/daily", "root", **{"from": day, "to": day})["days"]
    assert (row["day"], row["mediaType"], row["jobs"], row["successRate"]) == (day, "image", 1, 1.0)
    (model,) = house.body("/analytics/processing", "root", modelId="flux-schnell")["models"]
    assert (model["modelId"], model["completed"]) == ("flux-schnell", 1)
    assert house.body("/analytics/processing", "root", modelId="another")["models"] == []


@pytest.mark.parametrize("path", ["/analytics/processing", "/analytics/storage", "/analytics/daily"])
@pytest.mark.parametrize(
    "wrong", ["yesterday", "2026-13-45", "99999-01-01", "'; drop table jobs; --", "\x00", "9" * 400, "\ud800"]
)
def test_everything_that_is_wrong_in_a_range_is_named_at_once(house: House, path: str, wrong: str) -> None:
    answer = house.get(path, "root", **{"from": wrong, "to": wrong, "colour": "red"})
    problem = Problem.model_validate(body_of(answer))
    assert (answer["statusCode"], sorted(error.path for error in problem.errors)) == (
        422,
        ["colour", "from", "to"],
    )


@pytest.mark.parametrize(
    "query",
    [
        {"from": "2026-11-20", "to": "2026-11-01"},
        {"from": "1999-01-01", "to": "2026-11-01"},
        {"modelId": ""},
        {"modelId": "x" * 201},
    ],
)
def test_a_range_that_makes_no_sense_is_refused(house: House, query: dict[str, str]) -> None:
    path = "/analytics/processing" if "modelId" in query else "/analytics/daily"
    assert house.get(path, "root", **query)["statusCode"] == 422
    assert house.get("/analytics/system", "root", **query)["statusCode"] == 422


def test_health_in_detail_is_for_admins(house: House) -> None:
    """The queues are not there in this house: every part is named all the same."""
    assert house.get("/health/details")["statusCode"] == 403
    answer = house.get("/health/details", "root")
    report = body_of(answer)
    models.HealthDetails.model_validate(report)
    parts = {check["name"]: check["status"] for check in report["checks"]}
    assert len(parts) == 8
    assert (parts["connection"], parts["read"], parts["write"], parts["migrations"]) == ("healthy",) * 4
    assert (report["status"], answer["statusCode"]) == ("degraded", 200)
