"""The routes over a database in trouble, over lost answers, and with hostile words in every field."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from handlers import generate_media, manage_jobs
from lib import bootstrap
from lib.stores.postgres.record import PostgresRecord
from local.backing import RecordDatabase
from tests.fakes.events import Context, body_of, request
from tests.fakes.provider import FakeProvider
from tests.fakes.wired import forget_everything
from tests.integration.counting_proxy import CountingProxy
from tests.integration.http_house import House, build
from tests.integration.record_trouble import KINDS, Make, Trouble

BODY = {"mediaType": "image", "modelId": "flux-schnell", "prompt": "a lighthouse"}
REPORTS = ["/analytics/system", "/analytics/processing", "/analytics/storage", "/analytics/daily"]
INSIDES = ("psycopg", "select ", "vsl_test", "127.0.0.1", "traceback", "lock_timeout", "relation")
HOSTILE = [
    "'; drop table jobs; --",
    "' or '1'='1",
    "$1 %s %(user_id)s {0}",
    "a\x00b",
    "\ud800",
    "x" * 1_000_000,
    "\\u0000",
    "🦆\u202e",
]
ABSURD = ["-1", "0", "9" * 400, "1e9", "NaN", "\u0661", "", " 1", "0x10", "2147483648", "999999999"]


@pytest.fixture
def house(
    monkeypatch: pytest.MonkeyPatch, record: PostgresRecord, api_url: str, superuser_url: str
) -> Iterator[House]:
    with built(monkeypatch, record, api_url, superuser_url) as made:
        yield made


@contextmanager
def built(patch: pytest.MonkeyPatch, record: PostgresRecord, api_url: str, owner_url: str) -> Iterator[House]:
    """The functions over the record at this address, with a provider that keeps what it receives."""
    house = build(patch, record, api_url=api_url, owner_url=owner_url)
    patch.setattr(bootstrap, "provider", lambda _name: house.world.provider)
    yield house
    for each in (bootstrap.record_connection, bootstrap.replica_connection, bootstrap.reading_connection):
        each().close()
    patch.undo()
    forget_everything()


@pytest.fixture
def trouble(empty_record: RecordDatabase, api_url: str) -> Trouble:
    return Trouble(empty_record, api_url)


def generate(house: House, body: Any = None, **headers: str) -> dict[str, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    event = request("generate_media", key=house.key("alice"), headers=named, body=body or BODY)
    return generate_media.handler(event, Context())


def cancel(house: House, job_id: str) -> dict[str, Any]:
    event = request("cancel_job", key=house.key("alice"), path=f"/jobs/{job_id}/cancel")
    return manage_jobs.handler(event, Context())


def questions(house: House, job_id: str, output_id: str) -> dict[str, Callable[[], dict[str, Any]]]:
    """Every route that reads the record, and that has no other answer."""
    of_job = [f"/jobs/{job_id}{part}" for part in ("", "/timeline", "/elements", "/storage")]
    paths = ["/jobs", *of_job, f"/media/{output_id}"]
    asked = {path: partial(house.get, path) for path in paths}
    return {**asked, **{path: partial(house.get, path, "root") for path in REPORTS}}


def says_so(answer: dict[str, Any]) -> bool:
    """503, when to come again, and nothing of our insides."""
    told = json.dumps(answer).lower()
    return (
        answer["statusCode"] == 503
        and int(answer["headers"]["Retry-After"]) >= 1
        and body_of(answer)["code"] == "record_unavailable"
        and not any(word in told for word in INSIDES)
    )


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_in_trouble_nothing_is_started_or_canceled_and_every_route_says_so_until_it_is_over(
    house: House, trouble: Trouble, make: Make
) -> None:
    done = house.finished()
    running = body_of(generate(house))["jobId"]
    asked = questions(house, done["jobId"], done["outputs"][0]["outputId"])
    house.key("root")
    before, received = trouble.rows(), list(house.world.provider.received)
    with make(trouble):
        assert says_so(generate(house, idempotency_key="k1"))
        assert says_so(cancel(house, running))
        if make is not KINDS["read-only"]:
            assert [path for path, ask in asked.items() if not says_so(ask())] == []
        for user, path in (("alice", "/health"), ("root", "/health/details")):
            health = house.get(path, user)
            assert health["statusCode"] in (200, 503)
            unseen = path == "/health" and make is KINDS["locked"]  # it touches no table
            assert body_of(health)["status"] == ("healthy" if unseen else "unhealthy")
            assert not any(word in health["body"].lower() for word in INSIDES)
    assert (trouble.rows(), house.world.provider.received) == (before, received)
    assert {path: ask()["statusCode"] for path, ask in asked.items()} == {
        path: 302 if path.startswith("/media") else 200 for path in asked
    }
    assert cancel(house, running)["statusCode"] in (200, 202)
    assert generate(house, idempotency_key="k1")["statusCode"] == 202
    assert len(house.world.provider.received) == len(received) + 1


def test_questions_are_answered_by_a_database_that_takes_no_writes(house: House, trouble: Trouble) -> None:
    done = house.finished()
    house.key("root")
    with trouble.read_only():
        for path, ask in questions(house, done["jobId"], done["outputs"][0]["outputId"]).items():
            assert ask()["statusCode"] in (200, 302), path


@pytest.mark.parametrize("times", [1, 2], ids=["once", "twice"])
@pytest.mark.parametrize("fresh", [True, False], ids=["new connection", "used connection"])
def test_a_creation_whose_answer_is_lost_is_sent_once_or_ends_as_not_sent(
    monkeypatch: pytest.MonkeyPatch,
    record: PostgresRecord,
    api_url: str,
    superuser_url: str,
    *,
    times: int,
    fresh: bool,
) -> None:
    with CountingProxy(api_url) as proxy, built(monkeypatch, record, proxy.url, superuser_url) as house:
        provider: FakeProvider = house.world.provider
        if not fresh:
            house.get("/jobs")
            cancel(house, "019a5f3e-7c1b-7d42-9a06-2f1d6f0c8b51")
        proxy.times, proxy.lose_answer_to = times, b"select create_job("
        answer = generate(house)
        assert proxy.lose_answer_to is None
        if times == 1:
            assert (answer["statusCode"], provider.received) == (202, [(body_of(answer)["jobId"], 1)])
            assert house.run("select status, step from jobs") == [("pending", "submitted")]
            return
        assert says_so(answer)
        (told,) = [sent for sent in house.wired.advance_queue.sent if sent.message["kind"] == "not_sent"]
        assert told.delay_seconds > 30
        for _ in range(2):  # it may come twice
            house.world.handle(told.message)
        assert provider.received == []
        assert house.run("select status, error_code, error_retryable from jobs") == [
            ("failed", "not_sent", True)
        ]
        assert house.run("select count(*) from job_transitions") == [(2,)]


def test_a_cancel_whose_answer_is_lost_is_wished_once(
    monkeypatch: pytest.MonkeyPatch, record: PostgresRecord, api_url: str, superuser_url: str
) -> None:
    with CountingProxy(api_url) as proxy, built(monkeypatch, record, proxy.url, superuser_url) as house:
        job_id = body_of(generate(house))["jobId"]
        proxy.lose_answer_to = b"select request_cancel("
        assert cancel(house, job_id)["statusCode"] == 202
        assert proxy.lose_answer_to is None
        events = "select event from job_transitions order by version"
        assert house.run(events) == [("created",), ("submitted",), ("cancel_requested",)]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:20])
def test_hostile_words_in_every_field_of_a_request_are_kept_as_they_are_or_refused(
    house: House, text: str
) -> None:
    bodies: list[Any] = [
        {**BODY, name: text} for name in ("mediaType", "modelId", "prompt", "userId", "responseType")
    ]
    bodies += [
        {**BODY, "parameters": {"prompt": text}},
        {**BODY, "parameters": {text: text}},
        {**BODY, "parameters": {"prompt": "a", "seed": text}},
        {**BODY, "parameters": text},
        {**BODY, text: text},
        text,
        [text],
    ]
    answers = [generate(house, body) for body in bodies]
    answers += [generate(house, user_agent=text), generate(house, idempotency_key=text, x_request_id=text)]
    started = [body_of(answer)["jobId"] for answer in answers if answer["statusCode"] == 202]
    assert all(answer["statusCode"] in (202, 400, 403, 413, 422) for answer in answers)
    assert sorted(job for (job,) in house.run("select job_id::text from jobs")) == sorted(started)
    assert sorted(job for job, _ in house.world.provider.received) == sorted(started)
    kept = {prompt for (prompt,) in house.run("select parameters ->> 'prompt' from jobs")}
    assert kept <= {text, "a lighthouse", None}
    for job_id in started:
        assert house.get(f"/jobs/{job_id}")["statusCode"] == 200


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:20])
def test_hostile_words_in_every_query_are_refused_or_find_nothing(house: House, text: str) -> None:
    job_id = house.finished()["jobId"]
    house.key("root")
    before = house.run("select count(*) from jobs")
    of_list = ("status", "mediaType", "media_type", "cursor", "page", "limit", text)
    of_storage = ("operation", "success", "cursor", "limit", text)
    of_report = ("from", "to", "modelId", "model_id", text)
    answers = [house.get("/jobs", **{name: text}) for name in of_list]
    answers += [house.get(f"/jobs/{job_id}/storage", **{name: text}) for name in of_storage]
    answers += [house.get(path, "root", **{name: text}) for path in REPORTS for name in of_report]
    answers += [house.get(f"/jobs/{text}{part}") for part in ("", "/timeline", "/elements", "/storage")]
    answers += [house.get(f"/media/{text}")]
    assert {answer["statusCode"] for answer in answers} <= {200, 400, 404, 422}
    assert all(job_id not in answer["body"] for answer in answers if answer["statusCode"] == 200)
    assert not any(word in answer["body"].lower() for answer in answers for word in ("psycopg", "traceback"))
    assert house.run("select count(*) from jobs") == before


@pytest.mark.parametrize("number", ABSURD)
def test_absurd_pages_and_limits_are_refused_or_empty_and_never_an_error_of_ours(
    house: House, number: str
) -> None:
    job_id = house.finished()["jobId"]
    for path, name in (("/jobs", "page"), ("/jobs", "limit"), (f"/jobs/{job_id}/storage", "limit")):
        answer = house.get(path, **{name: number})
        assert answer["statusCode"] in (200, 400, 422), (path, name)
        if answer["statusCode"] == 200:
            assert body_of(answer)["data"] == [], (path, name)


def test_ten_megabytes_and_endless_nesting_are_refused_and_nothing_is_started(house: House) -> None:
    nested = '{"mediaType":"image","modelId":"flux-schnell","parameters":{"prompt":' + "[" * 200_000
    long, many = "x" * 10_000_000, [0] * 4_000_000
    for body in ({**BODY, "prompt": long}, {**BODY, "parameters": {"prompt": "a", "x": many}}, nested):
        assert generate(house, body)["statusCode"] in (400, 413, 422)
    assert house.run("select count(*) from jobs") == [(0,)]
    assert house.world.provider.received == []
