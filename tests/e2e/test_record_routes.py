"""All that is told of a job, its media and the gateway; to whom; and what is kept of those who were refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest

from lib.api import detail_models as models
from lib.domain.ids import uuid7
from tests.e2e.caller import Caller

STEPS = ["submitting", "generating", "downloading", "uploading"]


@contextmanager
def somebody(caller: Caller, *options: str) -> Iterator[httpx.Client]:
    """Another caller: a new user of any name, or with `--guest` a new token of the user `visitors`."""
    user = "visitors" if "--guest" in options else f"user-{uuid4().hex[:8]}"
    key = caller.new_key(user, options=options)
    headers = {"Authorization": f"Bearer {key}", "User-Agent": f"test/{user}"}
    url = caller.endpoints.api_url
    with httpx.Client(base_url=url, headers=headers, timeout=35, trust_env=False) as client:
        yield client


def good(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def refused(answer: httpx.Response, status: int) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def events(caller: Caller, where: str, *params: Any) -> list[tuple[Any, ...]]:
    """Security events; the condition is of this file."""
    columns = "kind, user_id, job_id::text, host(client_ip), details"
    query = f"select {columns} from security_events where {where}"  # noqa: S608 - of this file
    return caller.query(query, *params)


@pytest.fixture(scope="module")
def done(cloud: Any) -> Iterator[dict[str, Any]]:
    """The status of a job of the developer's that is completed."""
    with Caller(cloud) as caller:
        status = caller.ended(caller.start("a lighthouse on record"))
        assert status["status"] == "completed", status
        yield status


def test_details_of_a_finished_job_tell_its_steps_outputs_and_storage(
    caller: Caller, done: dict[str, Any]
) -> None:
    details = good(caller.api.get(f"/jobs/{done['jobId']}"))
    models.JobDetails.model_validate(details)
    assert [step["step"] for step in details["timeline"]] == STEPS
    assert all(step["success"] and step["endedAt"] for step in details["timeline"])
    assert all(
        step["memoryUsage"] > 0 and step["cpuUsage"] is not None
        for step in details["timeline"]
        if step["step"] != "generating"
    )
    assert details["storage"]["bytes"] >= done["result"]["fileSize"]
    assert details["outputs"][0]["outputId"] == done["outputs"][0]["outputId"]
    assert details["parameters"]["prompt"].startswith("a lighthouse")
    assert (details["clientIp"], details["kind"]) == ("127.0.0.1", "generation")


def test_timeline_elements_and_storage_are_lists_as_documented(caller: Caller, done: dict[str, Any]) -> None:
    path = f"/jobs/{done['jobId']}"
    timeline = good(caller.api.get(f"{path}/timeline"))
    models.TimelineList.model_validate(timeline)
    assert [step["step"] for step in timeline["data"]] == STEPS
    assert good(caller.api.get(f"{path}/elements"))["data"] == []
    storage = good(caller.api.get(f"{path}/storage"))
    models.StorageList.model_validate(storage)
    moved = {(entry["operation"], entry["success"]) for entry in storage["data"]}
    assert {("download", True), ("upload", True)} <= moved
    shown = {entry["operation"]: entry["objectKey"] for entry in storage["data"]}
    assert shown["download"] is None
    assert shown["upload"].startswith("media/local-developer/")
    first = good(caller.api.get(f"{path}/storage", params={"limit": 1}))
    rest = good(caller.api.get(f"{path}/storage", params={"cursor": first["pagination"]["nextCursor"]}))
    assert [*first["data"], *rest["data"]] == storage["data"]
    for params in (
        {"cursor": "nonsense"},
        {"limit": 0},
        {"operation": "steal"},
        {"success": "1"},
        {"x": "y"},
    ):
        refused(caller.api.get(f"{path}/storage", params=params), 422)


def test_media_leads_to_the_right_bytes_and_the_access_is_kept_once(
    caller: Caller, done: dict[str, Any]
) -> None:
    output = done["outputs"][0]
    answer = caller.api.get(f"/media/{output['outputId']}", headers={"User-Agent": "reader/1.0"})
    assert (answer.status_code, answer.headers["cache-control"]) == (302, "no-store")
    fetched = httpx.get(answer.headers["location"], trust_env=False)
    assert fetched.content == httpx.get(output["originalUrl"], trust_env=False).content
    small = caller.api.get(f"/media/{output['outputId']}", params={"thumbnail": "true"})
    assert httpx.get(small.headers["location"], trust_env=False).status_code == 200
    rows = caller.until(
        lambda: caller.query(
            "select access_type, user_id, host(client_ip), user_agent = 'reader/1.0', job_id::text"
            " from url_access_logs where output_id = %s order by accessed_at",
            output["outputId"],
        ),
        lambda rows: len(rows) >= 2,
    )
    assert rows == [
        ("redirect", "local-developer", "127.0.0.1", True, done["jobId"]),
        ("thumbnail", "local-developer", "127.0.0.1", False, done["jobId"]),
    ]


def test_somebody_elses_job_and_output_are_not_there_and_the_attempts_are_kept(
    caller: Caller, done: dict[str, Any]
) -> None:
    output_id = done["outputs"][0]["outputId"]
    job = f"/jobs/{done['jobId']}"
    paths = {
        "getJob": job,
        "getTimeline": f"{job}/timeline",
        "getElements": f"{job}/elements",
        "getStorage": f"{job}/storage",
        "getStatus": f"/status/{done['jobId']}",
        "getMedia": f"/media/{output_id}",
    }
    with somebody(caller) as mallory:
        refused(mallory.get(f"/jobs/{uuid7()}"), 404)
        user = mallory.headers["user-agent"].removeprefix("test/")

        def try_what_is_not_kept_yet() -> list[tuple[Any, ...]]:
            """A note that a slow queue did not take is lost by design: whoever tries again is noted again."""
            kept = {str(row[4]["operation"]) for row in events(caller, "user_id = %s", user)}
            for operation in paths.keys() - kept:
                refused(mallory.get(paths[operation]), 404)
            return events(caller, "user_id = %s", user)

        rows = caller.until(
            try_what_is_not_kept_yet,
            lambda rows: {str(row[4]["operation"]) for row in rows} == paths.keys(),
            pause=1,
        )
    assert {row[:4] for row in rows} == {("access_refused", user, done["jobId"], "127.0.0.1")}


def test_a_wrong_key_is_kept_without_the_key(caller: Caller) -> None:
    key, mark = f"vsl_{uuid4().hex}{uuid4().hex[:11]}", f"thief-{uuid4().hex}"
    headers = {"Authorization": f"Bearer {key}", "User-Agent": mark}
    refused(httpx.get(f"{caller.endpoints.api_url}/jobs", headers=headers, trust_env=False), 401)
    (row,) = caller.until(lambda: events(caller, "user_agent = %s", mark), bool)
    assert row[:4] == ("wrong_key", None, None, "127.0.0.1")
    assert key not in str(caller.query("select * from security_events"))
    assert key not in caller.logs()


def test_reports_are_for_admins(caller: Caller, done: dict[str, Any]) -> None:
    with somebody(caller) as user:
        for what in ("system", "processing", "storage", "daily"):
            refused(user.get(f"/analytics/{what}"), 403)
        refused(user.get("/health/details"), 403)
    assert good(caller.api.get("/analytics/system"))["lastDay"]["completed"] >= 1
    steps = good(caller.api.get("/analytics/processing"))["steps"]
    assert set(STEPS) <= {step["step"] for step in steps}
    operations = good(caller.api.get("/analytics/storage"))["operations"]
    assert {"download", "upload"} <= {each["operation"] for each in operations}
    assert sum(day["jobs"] for day in good(caller.api.get("/analytics/daily"))["days"]) >= 1
    for params in (
        {"from": "yesterday", "to": "'; --"},
        {"from": "2026-01-01", "to": "2025-01-01"},
        {"x": "y"},
    ):
        refused(caller.api.get("/analytics/daily", params=params), 422)


def test_an_admin_reads_what_is_somebody_elses_and_cancels_nothing(caller: Caller) -> None:
    body = {"mediaType": "image", "modelId": "flux-schnell", "prompt": "[sim:never-finishes]"}
    with somebody(caller) as user:
        job_id = user.post("/generate-media", json=body).json()["jobId"]
        assert good(caller.api.get(f"/jobs/{job_id}"))["jobId"] == job_id
        refused(caller.api.post(f"/jobs/{job_id}/cancel"), 404)
        assert user.post(f"/jobs/{job_id}/cancel").status_code in (200, 202)


def test_guests_from_one_address_do_not_see_each_others_jobs(caller: Caller) -> None:
    body = {"mediaType": "image", "modelId": "flux-schnell", "prompt": f"a guest {uuid4().hex[:6]}"}
    with somebody(caller, "--guest") as one, somebody(caller, "--guest") as other:
        job_id = one.post("/generate-media", json=body).json()["jobId"]
        caller.until(lambda: good(one.get(f"/status/{job_id}")), lambda now: now["status"] == "completed")
        output_id = good(one.get(f"/jobs/{job_id}"))["outputs"][0]["outputId"]
        assert one.get(f"/media/{output_id}").status_code == 302
        for path in (
            f"/status/{job_id}",
            f"/jobs/{job_id}",
            f"/jobs/{job_id}/timeline",
            f"/media/{output_id}",
        ):
            refused(other.get(path), 404)
        refused(other.post(f"/jobs/{job_id}/cancel"), 404)
        assert [job["jobId"] for job in good(one.get("/jobs"))["data"]] == [job_id]
        assert good(other.get("/jobs"))["data"] == []


def test_health_in_detail_names_every_part(caller: Caller) -> None:
    def look() -> dict[str, str]:
        report = good(caller.api.get("/health/details"))
        models.HealthDetails.model_validate(report)
        return {check["name"]: check["status"] for check in report["checks"]}

    def well(parts: dict[str, str]) -> bool:
        return "unhealthy" not in parts.values() and parts["migrations"] == parts["mirror"] == "healthy"

    parts = caller.until(look, well)  # a process that has just begun is slow, and says so
    assert {"connection", "read", "write", "realtime", "migrations", "cache", "mirror", "queue"} == set(parts)
