"""A job that continues an earlier one continues one of the caller's own, though all share the operator's key."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from handlers import generate_media
from lib import bootstrap
from lib.api.answer_models import Problem
from lib.domain.catalogue import load_models_config
from lib.domain.flow import CircuitRules
from lib.services.flow_control import SharedFlow
from lib.services.flow_fallback import FallbackFlowStore
from lib.stores.flow_memory import MemoryFlowStore
from lib.stores.postgres.record import PostgresRecord
from local.backing import RecordDatabase
from tests.fakes.events import Context, body_of, request
from tests.fakes.journal import FakeJournal
from tests.fakes.provider import FakeProvider
from tests.integration.http_house import House, build

OMNI = "gemini-omni-1.1-flash"


@pytest.fixture
def house(
    monkeypatch: pytest.MonkeyPatch, record: PostgresRecord, record_database: RecordDatabase
) -> Iterator[House]:
    built = build(
        monkeypatch, record, api_url=record_database.api_url, owner_url=record_database.superuser_url
    )
    provider = FakeProvider(lambda: built.wired.now)
    store = FallbackFlowStore((), MemoryFlowStore(), on_outage=lambda _name: None)
    flow = SharedFlow(store, CircuitRules(), FakeJournal())
    monkeypatch.setattr(bootstrap, "flow_control", lambda: flow)
    monkeypatch.setenv("GEMINI_API_KEY", "the-operators-key")
    monkeypatch.setattr(bootstrap, "provider", lambda _name: provider)
    yield built
    bootstrap.record_connection().close()


def ask(house: House, user_id: str, **parameters: Any) -> dict[str, Any]:
    body = {"mediaType": "video", "modelId": OMNI, "parameters": {"prompt": "a cat", **parameters}}
    return generate_media.handler(request("generate_media", key=house.key(user_id), body=body), Context())


def made_by(house: House, user_id: str) -> str:
    return str(body_of(ask(house, user_id))["providerJobId"])


@pytest.mark.parametrize("other", ["mallory", "root", "guest-1"])
def test_nobody_continues_another_users_job(house: House, other: str) -> None:
    answer = ask(house, other, previous_interaction_id=made_by(house, "alice"))
    assert answer["statusCode"] == 422
    (error,) = Problem.model_validate(body_of(answer)).errors
    assert error.path == "parameters.previous_interaction_id"
    assert "providerJobId of a job of yours at gemini" in error.message


def test_a_guest_continues_no_other_guests_job(house: House) -> None:
    answer = ask(house, "guest-1", previous_interaction_id=made_by(house, "guest-2"))
    assert answer["statusCode"] == 422


def test_ones_own_job_is_continued(house: House) -> None:
    for user_id in ("alice", "guest-1"):
        answer = ask(house, user_id, previous_interaction_id=made_by(house, user_id))
        assert answer["statusCode"] == 202, answer["body"]


def test_the_parameter_may_be_called_otherwise(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    model = {
        "provider": "gemini",
        "version": OMNI,
        "pricing": 0.1,
        "estimatedTime": 5,
        "params": {"prompt": {"type": "string"}, "continues": {"type": "string"}},
        "map": {"continues": "previous_interaction_id"},
    }
    catalogue = load_models_config(json.dumps({"video": {OMNI: model}}))
    monkeypatch.setattr(bootstrap, "catalogue", lambda: catalogue)
    earlier = made_by(house, "alice")
    assert ask(house, "alice", continues=earlier)["statusCode"] == 202
    assert ask(house, "mallory", continues=earlier)["statusCode"] == 422


@pytest.mark.parametrize("wrong", ["v1_nobodys", 7, {"id": "x"}, "", "x" * 2000, "\u202e"])
def test_what_is_no_job_at_all_is_refused(house: House, wrong: Any) -> None:
    assert ask(house, "alice", previous_interaction_id=wrong)["statusCode"] == 422
