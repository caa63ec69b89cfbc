"""Standard requests, providers and jobs by their providers' ids, over HTTP and the record as the API sees it."""

from collections.abc import Iterator
from typing import Any

import pytest

from handlers import generate_media, manage_providers
from lib import bootstrap
from lib.api.answer_models import AcceptedJob, JobView, Problem
from lib.api.gateway_models import CapabilitiesAnswer, ProviderList
from lib.domain.flow import CircuitRules
from lib.domain.provider import Credential, Failure, FailureKind
from lib.providers.registry import ADAPTERS
from lib.services.flow_control import SharedFlow
from lib.services.flow_fallback import FallbackFlowStore
from lib.stores.flow_memory import MemoryFlowStore
from lib.stores.postgres.record import PostgresRecord
from local.backing import RecordDatabase
from tests.fakes.events import Context, body_of, request
from tests.fakes.journal import FakeJournal
from tests.fakes.provider import FakeProvider
from tests.integration.http_house import House, build

CAT: dict[str, Any] = {"prompt": "a cat", "aspectRatio": "16:9"}


@pytest.fixture
def flow() -> SharedFlow:
    """The traffic to providers, as this process alone sees it."""
    store = FallbackFlowStore((), MemoryFlowStore(), on_outage=lambda _name: None)
    return SharedFlow(store, CircuitRules(), FakeJournal())


@pytest.fixture
def house(
    monkeypatch: pytest.MonkeyPatch,
    record: PostgresRecord,
    record_database: RecordDatabase,
    flow: SharedFlow,
) -> Iterator[House]:
    built = build(
        monkeypatch, record, api_url=record_database.api_url, owner_url=record_database.superuser_url
    )
    monkeypatch.setattr(bootstrap, "has_platform_key", lambda name: name == "replicate")
    monkeypatch.setattr(bootstrap, "flow_control", lambda: flow)
    yield built
    bootstrap.record_connection().close()


@pytest.fixture
def provider(house: House, monkeypatch: pytest.MonkeyPatch) -> FakeProvider:
    fake = FakeProvider(lambda: house.wired.now)
    monkeypatch.setattr(bootstrap, "provider", lambda _name: fake)
    return fake


def post(house: House, body: dict[str, Any], status: int = 202) -> dict[str, Any]:
    answer = generate_media.handler(request("generate_media", key=house.key("alice"), body=body), Context())
    assert answer["statusCode"] == status, answer["body"]
    return body_of(answer)


def providers(house: House, path: str, status: int = 200, user_id: str = "alice") -> dict[str, Any]:
    event = request("list_jobs", key=house.key(user_id), path=path, query={})
    answer = manage_providers.handler(event, Context())
    assert answer["statusCode"] == status, answer["body"]
    return body_of(answer)


def test_a_standard_request_without_a_model_is_made_by_the_cheapest_that_can(
    house: House, provider: FakeProvider
) -> None:
    body = post(house, {"mediaType": "image", "request": {**CAT, "style": "noir"}})

    AcceptedJob.model_validate(body)
    assert (body["modelId"], body["provider"]) == ("flux-schnell", "replicate")
    assert body["warnings"] == [
        'style: "noir" was written into prompt: flux-schnell has no parameter for it.'
    ]
    (prediction,) = provider.predictions.values()
    assert prediction.input["prompt"] == "a cat, noir style"
    assert prediction.input["aspect_ratio"] == "16:9"
    status = house.body(f"/jobs/{body['jobId']}")
    assert (status["modelId"], status["provider"]) == ("flux-schnell", "replicate")


def test_a_standard_request_may_name_its_model_and_its_prompt_alone(
    house: House, provider: FakeProvider
) -> None:
    asked = {"mediaType": "image", "modelId": "sdxl", "prompt": "a cat", "request": {"aspect_ratio": "16:9"}}

    assert post(house, asked)["modelId"] == "sdxl"
    (prediction,) = provider.predictions.values()
    assert (prediction.input["width"], prediction.input["height"]) == (1344, 768)


def test_a_prompt_alone_is_a_standard_request_where_nothing_else_is_required(
    house: House, provider: FakeProvider
) -> None:
    assert post(house, {"mediaType": "text", "prompt": "what is a cat?"})["modelId"] == "llama-3-8b"
    assert len(provider.predictions) == 1


def test_what_the_named_model_cannot_do_is_refused_with_those_that_can(
    house: House, provider: FakeProvider
) -> None:
    asked = {"mediaType": "image", "modelId": "flux-schnell", "request": {**CAT, "negativePrompt": "dogs"}}

    problem = Problem.model_validate(post(house, asked, 422))

    (error,) = problem.errors
    assert (problem.code, error.path) == ("invalid_standard_request", "request.negativePrompt")
    assert "Negative prompt is nothing that flux-schnell can be told. Models that can:" in error.message
    assert "sdxl" in error.message
    assert provider.predictions == {}


def test_all_that_is_wrong_with_a_video_request_is_told_in_the_documents_words(
    house: House, provider: FakeProvider
) -> None:
    asked = {"mediaType": "video", "request": {"prompt": " ", "duration": 0, "fps": 61}}

    problem = Problem.model_validate(post(house, asked, 422))

    assert {error.path: error.message for error in problem.errors} == {
        "request.prompt": "Prompt is required",
        "request.aspectRatio": "Aspect ratio is required",
        "request.motionIntensity": "Motion intensity must be between 1 and 10",
        "request.duration": "Duration must be between 1 and 120 seconds",
        "request.fps": "FPS must be between 6 and 60",
    }
    assert provider.predictions == {}


def test_without_a_usable_key_the_places_for_one_are_named(house: House, provider: FakeProvider) -> None:
    asked = {"mediaType": "audio", "request": {"prompt": "hello", "kind": "speech"}}

    problem = Problem.model_validate(post(house, asked, 422))

    assert problem.code == "no_credential"
    assert "/providers/" in problem.detail
    assert provider.predictions == {}


def test_a_model_whose_provider_does_not_answer_is_passed_by(
    house: House, provider: FakeProvider, flow: SharedFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "has_platform_key", lambda name: name in ("replicate", "stability"))
    monkeypatch.setenv("STABILITY_API_KEY", "sk-test-of-stability")
    asked = {"mediaType": "image", "request": CAT}
    outage = Failure(FailureKind.OUTAGE, "no answer", retryable=True)
    for _ in range(CircuitRules().failures):
        flow.after(Credential("replicate", "r8_test"), outage, house.wired.now)

    assert post(house, asked)["provider"] == "stability"
    assert post(house, {**asked, "provider": "replicate"})["provider"] == "replicate"


def test_a_job_is_found_by_its_providers_id_by_its_owner_alone(house: House) -> None:
    job = house.finished("alice")
    path = f"/providers/replicate/jobs/{job['providerJobId']}"

    found = house.body(path, "alice")

    JobView.model_validate(found)
    assert found["jobId"] == job["jobId"]
    for other in ("bob", "root", "guest-1"):
        assert house.get(path, other)["statusCode"] == 404
    assert house.get("/providers/runway/jobs/" + str(job["providerJobId"]))["statusCode"] == 404


def test_a_guests_job_is_found_by_that_guest_alone(house: House) -> None:
    job = house.finished("guest-1")
    path = f"/providers/replicate/jobs/{job['providerJobId']}"

    assert house.body(path, "guest-1")["jobId"] == job["jobId"]
    assert house.get(path, "guest-2")["statusCode"] == 404


@pytest.mark.parametrize("provider_job_id", ["none", "a%00b", "x" * 1001, "a~b", "'; drop table jobs; --"])
def test_an_id_that_is_none_is_not_there(house: House, provider_job_id: str) -> None:
    assert house.get(f"/providers/replicate/jobs/{provider_job_id}")["statusCode"] == 404


def test_all_providers_are_listed_with_what_the_caller_can_use(house: House) -> None:
    body = providers(house, "/providers")

    ProviderList.model_validate(body)
    found = {one["provider"]: one for one in body["data"]}
    assert set(ADAPTERS) <= set(found)
    assert found["replicate"]["source"] == "platform"
    assert found["replicate"]["isValid"] is None
    assert found["runway"]["configured"] is False
    assert found["runway"]["source"] is None


@pytest.mark.parametrize("name", sorted(ADAPTERS))
def test_the_capabilities_of_each_provider_come_from_the_catalogue_and_its_adapter(
    house: House, name: str
) -> None:
    body = providers(house, f"/providers/{name}/capabilities")

    CapabilitiesAnswer.model_validate(body)
    data = body["data"]
    assert data["provider"] == name
    assert all(part["name"] and part["description"] for part in data["credentials"])
    for model in data["models"]:
        assert model["parameters"]["type"] == "object"
        assert model["submitting"] in ("webhook", "poll", "synchronous")


def test_ranges_of_a_model_are_told_in_the_words_of_standard_requests(house: House) -> None:
    models = {
        one["modelId"]: one for one in providers(house, "/providers/replicate/capabilities")["data"]["models"]
    }
    standard = {one["field"]: one for one in models["musicgen"]["standard"]}

    assert standard["duration"] == {
        "field": "duration",
        "how": "nearest",
        "values": [],
        "minimum": 1,
        "maximum": 300,
        "required": False,
    }
    assert standard["kind"]["values"] == ["music"]
    assert (
        "16:9" in {one["field"]: one for one in models["flux-schnell"]["standard"]}["aspectRatio"]["values"]
    )


def test_an_unknown_provider_is_not_there_and_nobody_is_told_anything_without_a_key(house: House) -> None:
    assert providers(house, "/providers/nobody/capabilities", 404)["code"] == "not_found"
    event = request("list_jobs", key="vsl_wrong", path="/providers", query={})
    assert manage_providers.handler(event, Context())["statusCode"] == 401
