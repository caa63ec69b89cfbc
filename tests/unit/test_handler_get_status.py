"""`GET /status/{jobId}`: its owner sees it, nobody else, and whatever is away it answers."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from handlers.get_status import handler
from lib import bootstrap
from lib.api.answer_models import JobView, Problem
from lib.domain.api_key import ApiKey, CachedKey, hash_key
from lib.domain.progress import Progress
from lib.domain.snapshot import JobSnapshot
from lib.ports.tier import TierUnavailableError
from tests.fakes.events import JOB_ID, Context, body_of, request
from tests.fakes.snapshots import completed, snapshot
from tests.fakes.wired import NOW, USER, Wired

OUTPUT = {
    "index": 0,
    "key": f"media/{USER}/image/2026/11/20/{JOB_ID}/0.webp",
    "thumbnailKey": f"media/{USER}/image/2026/11/20/{JOB_ID}/0-thumb.webp",
    "contentType": "image/webp",
    "fileSize": 48213,
    "width": 1024,
    "height": 768,
    "duration": None,
}


def get(wired: Wired, key: str | None = None, **changes: Any) -> dict[str, Any]:
    return handler(request("get_status", key=key or wired.key(), **changes), Context())


def running(**changes: Any) -> JobSnapshot:
    facts = {"estimatedTime": 20.0, "estimatedCost": 0.003, "completedAt": None, "error": None}
    return snapshot(JOB_ID, **{**facts, **changes})


def test_a_completed_job_shows_its_result_with_signed_addresses(wired: Wired) -> None:
    job = running(
        status="completed",
        step="storing",
        completedAt="2026-11-20T18:04:00.000Z",
        outputs=[OUTPUT, {**OUTPUT, "index": 1, "thumbnailKey": None}],
    )
    wired.mirror.write(job, NOW)
    answer = get(wired)
    body = body_of(answer)
    assert answer["statusCode"] == 200
    assert answer["headers"]["Cache-Control"] == "no-store"
    assert body["result"] == body["outputs"][0]
    assert body["result"]["originalUrl"].startswith(
        f"https://vsl-test-media.s3.us-east-1.amazonaws.com/{OUTPUT['key']}?X-Amz-Algorithm=AWS4-HMAC-SHA256"
    )
    assert body["result"]["s3Path"] == f"s3://vsl-test-media/{OUTPUT['key']}"
    assert (body["result"]["fileSize"], body["result"]["width"], body["result"]["height"]) == (
        48213,
        1024,
        768,
    )
    assert body["outputs"][1]["thumbnailUrl"] is None
    assert (body["progress"], body["estimatedTimeRemaining"], body["error"]) == (100, 0, None)


def test_the_answer_is_as_documented(wired: Wired) -> None:
    wired.mirror.write(running(status="completed", step="storing", outputs=[OUTPUT]), NOW)
    JobView.model_validate(body_of(get(wired)))


def test_a_failed_job_says_why(wired: Wired) -> None:
    error = {"code": "moderation_refused", "message": "NSFW content detected", "retryable": False}
    wired.mirror.write(running(status="failed", step="generating", error=error), NOW)
    body = body_of(get(wired))
    assert (body["error"], body["errorCode"], body["retryable"]) == (
        "NSFW content detected",
        "moderation_refused",
        False,
    )
    assert body["result"] is None


def test_a_running_job_shows_progress_and_the_time_that_remains(wired: Wired) -> None:
    began = (NOW - timedelta(seconds=8)).isoformat()
    wired.mirror.write(running(status="processing", step="generating", startedAt=began), NOW)
    wired.cache.put(f"job:progress:{JOB_ID}", Progress(1, 42, NOW).as_json(), 60, NOW)
    body = body_of(get(wired))
    assert (body["progress"], body["estimatedTimeRemaining"]) == (42, 12.0)
    assert body["replicateId"] == body["providerJobId"] == f"remote-{JOB_ID}"


def test_another_providers_job_has_no_replicate_id(wired: Wired) -> None:
    wired.mirror.write(running(provider="fal"), NOW)
    assert body_of(get(wired))["replicateId"] is None


def test_somebody_elses_job_is_not_there(wired: Wired) -> None:
    wired.mirror.write(running(userId="user-2"), NOW)
    answer = get(wired)
    assert answer["statusCode"] == 404
    assert "user-2" not in answer["body"]


@pytest.mark.parametrize("job_id", ["none", "4Zr8QmT1xKc", JOB_ID[:-1], JOB_ID[:-1] + "g"])
def test_an_id_that_is_none_is_not_there(wired: Wired, job_id: str) -> None:
    answer = get(wired, path=f"/status/{job_id}")
    assert answer["statusCode"] == 404
    assert "UUID" in body_of(answer)["detail"]


def test_an_unknown_job_is_not_there(wired: Wired) -> None:
    answer = get(wired)
    assert (answer["statusCode"], answer["headers"]["Content-Type"]) == (404, "application/problem+json")
    Problem.model_validate(body_of(answer))


@pytest.mark.parametrize("key", ["", "vsl_wrong", "vsl_" + "A" * 43])
def test_without_a_good_key_nothing_is_told(wired: Wired, key: str) -> None:
    wired.mirror.write(completed(JOB_ID), NOW)
    answer = handler(request("get_status", key=key, path="/status/none"), Context())
    assert (answer["statusCode"], body_of(answer)["code"]) == (401, "unauthenticated")
    assert answer["headers"]["WWW-Authenticate"]


def test_a_key_that_was_good_works_on_while_the_record_is_away(wired: Wired) -> None:
    key = wired.key()
    wired.mirror.write(running(status="completed", step="storing"), NOW)
    assert get(wired, key)["statusCode"] == 200
    wired.keys.down = wired.record_tier.down = True
    wired.now = NOW + timedelta(minutes=5)
    assert get(wired, key)["statusCode"] == 200


def test_a_stale_mirror_answers_while_the_record_is_away(wired: Wired) -> None:
    wired.mirror.write(running(status="processing", step="generating"), NOW)
    wired.record_tier.down = True
    wired.now = NOW + timedelta(seconds=31)
    assert body_of(get(wired))["status"] == "processing"


def test_when_nothing_answers_it_says_when_to_come_back(wired: Wired) -> None:
    wired.mirror.down = wired.record_tier.down = True
    answer = get(wired)
    assert (answer["statusCode"], answer["headers"]["Retry-After"]) == (503, "2")
    assert body_of(answer)["retryable"] is True


def test_every_answer_has_the_callers_request_id(wired: Wired) -> None:
    wired.mirror.write(running(), NOW)
    for key in (wired.key(), "vsl_wrong"):
        answer = get(wired, key, headers={"x-request-id": "mine-1"})
        assert answer["headers"]["X-Request-Id"] == "mine-1"


@dataclass
class Found:
    """What the fast path has."""

    key: CachedKey | None
    snapshot: JobSnapshot | None
    progress: Progress | None


class FastPath:
    """Redis's one-trip path as a value; an error is raised."""

    def __init__(self, found: Found | None) -> None:
        self.found = found
        self.asked: list[tuple[str, str]] = []

    def read(self, key_hash: str, job_id: str) -> Found:
        """See `lib.services.look_up_status.FastPath`."""
        self.asked.append((key_hash, job_id))
        if self.found is None:
            raise TierUnavailableError("away")
        return self.found


def fast(monkeypatch: pytest.MonkeyPatch, found: Found | None) -> FastPath:
    path = FastPath(found)
    monkeypatch.setattr(bootstrap, "fast_path", lambda: path)
    return path


def cached(user_id: str = USER, at: datetime = NOW) -> CachedKey:
    return CachedKey(ApiKey("key-1", user_id), at)


def test_a_hit_in_redis_asks_nothing_else(wired: Wired, monkeypatch: pytest.MonkeyPatch) -> None:
    key = wired.key()
    path = fast(
        monkeypatch, Found(cached(), running(status="processing", step="generating"), Progress(1, 7, NOW))
    )
    wired.cache.down = wired.keys.down = wired.mirror.down = wired.record_tier.down = True
    body = body_of(get(wired, key))
    assert (body["status"], body["progress"]) == ("processing", 7)
    assert path.asked == [(hash_key(key), JOB_ID)]
    assert wired.metrics.counted == []


def test_a_hit_in_redis_is_for_its_owner_only(wired: Wired, monkeypatch: pytest.MonkeyPatch) -> None:
    fast(monkeypatch, Found(cached("user-2"), running(), None))
    assert get(wired)["statusCode"] == 404


def test_a_key_that_redis_knows_as_revoked_is_refused(wired: Wired, monkeypatch: pytest.MonkeyPatch) -> None:
    fast(monkeypatch, Found(CachedKey(None, NOW), running(), None))
    assert get(wired)["statusCode"] == 401


def test_without_redis_answering_the_other_tiers_do(wired: Wired, monkeypatch: pytest.MonkeyPatch) -> None:
    fast(monkeypatch, None)
    wired.mirror.write(running(), NOW)
    assert get(wired)["statusCode"] == 200
    assert ("StoreUnavailable", {"store": "redis"}) in wired.metrics.counted
