"""Each attempt is logged once it has ended: who, provider, model, outcome, time, cost; no key and no prompt."""

import json
import logging
from typing import Any

import pytest

from lib.aws.journal import LoggedJournal
from lib.domain.provider import AdapterTraits, FailureKind, SubmitSafety
from lib.ports.record import PlannedAttempt
from lib.stores.postgres.record import PostgresRecord
from tests.fakes.metrics import FakeMetrics
from tests.fakes.provider import OnSubmit
from tests.fakes.tier import FakeTier
from tests.integration.world import CREDENTIAL, PICTURE, World

PROMPT = "a very private lighthouse"


class Logged:
    """A world whose journal writes to the log, and the lines of it."""

    def __init__(
        self, record: PostgresRecord, log: pytest.LogCaptureFixture, patch: pytest.MonkeyPatch
    ) -> None:
        self.world = World(record, [FakeTier()])
        self.log = log
        log.set_level(logging.DEBUG)
        patch.setattr(self.world.journal, "note", LoggedJournal(FakeMetrics()).note)

    def create(self) -> str:
        answer = self.world.create(prompt=PROMPT)
        assert answer is not None
        return str(answer.body["jobId"])

    def ended(self) -> list[dict[str, Any]]:
        """The lines about ended attempts."""
        lines = [vars(line) for line in self.log.records]
        names = (
            "jobId",
            "userId",
            "attempt",
            "provider",
            "modelId",
            "state",
            "code",
            "credential",
            "submits",
        )
        return [
            {name: line[name] for name in (*names, "estimatedCost", "cost", "seconds")}
            for line in lines
            if line.get("event") == "attempt_ended"
        ]


@pytest.fixture
def logged(
    record: PostgresRecord, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> Logged:
    return Logged(record, caplog, monkeypatch)


def test_an_attempt_that_succeeded_is_logged_once(logged: Logged) -> None:
    job_id = logged.create()
    logged.world.settle_with_provider(job_id)

    (line,) = logged.ended()

    assert line["seconds"] >= 0
    del line["seconds"]
    assert line == {
        "jobId": job_id,
        "userId": "alice",
        "attempt": 1,
        "provider": "replicate",
        "modelId": "flux-schnell",
        "state": "succeeded",
        "code": None,
        "credential": "platform",
        "submits": 1,
        "estimatedCost": 0.003,
        "cost": None,
    }


def test_what_a_worker_sent_once_counts_as_one_submit(logged: Logged) -> None:
    provider = logged.world.provider
    provider.traits = AdapterTraits(submit_safety=SubmitSafety.NONE, synchronous=True, polls=False)
    provider.on_submit, provider.made = OnSubmit.ANSWER, PICTURE
    logged.create()
    logged.world.drain()
    assert [line["submits"] for line in logged.ended()] == [1]


def test_an_attempt_that_another_follows_is_logged_as_its_own_and_so_is_the_other(logged: Logged) -> None:
    logged.world.fallbacks = (
        PlannedAttempt(
            model_id="other-model",
            provider="replicate",
            model_ref="someone/other-model",
            credentials="platform",
            synchronous=False,
            estimated_time_seconds=7,
            estimated_cost="0.002",
            input={"prompt": PROMPT},
        ),
    )
    logged.world.provider.refuse_once(FailureKind.OUTAGE, unbilled=True)
    logged.world.settle_with_provider(logged.create())

    facts = [(line["attempt"], line["modelId"], line["state"], line["code"]) for line in logged.ended()]

    assert facts == [(1, "flux-schnell", "refused", "provider_outage"), (2, "other-model", "succeeded", None)]
    assert [line["estimatedCost"] for line in logged.ended()] == [0.003, 0.002]


def test_an_attempt_that_was_refused_is_logged_with_the_reason(logged: Logged) -> None:
    logged.world.provider.refuse_once(FailureKind.MODERATION, unbilled=True)
    assert logged.world.create(prompt=PROMPT) is None

    (line,) = logged.ended()

    assert (line["state"], line["code"]) == ("refused", "moderation_refused")


def test_an_attempt_that_ends_after_its_job_is_logged_then(logged: Logged) -> None:
    world = logged.world
    world.provider.on_submit = OnSubmit.ACCEPT_SILENTLY
    job_id = logged.create()
    world.real_record.fail_job(job_id, code="submit_unknown", message="-", retryable=True, now=world.now)
    assert logged.ended() == []
    for _ in range(2):
        world.provider.work(world.prediction)
    world.webhook(world.prediction)
    world.webhook(world.prediction, webhook_id="resent-under-another-id")
    world.drain()

    (line,) = logged.ended()

    assert (line["jobId"], line["attempt"], line["state"]) == (job_id, 1, "succeeded")


def test_nothing_of_the_prompt_or_the_key_is_in_any_line(logged: Logged) -> None:
    logged.world.settle_with_provider(logged.create())

    written = json.dumps([vars(line) for line in logged.log.records], default=str)

    assert logged.ended()
    assert PROMPT not in written
    assert CREDENTIAL.secret not in written
    assert "lighthouse" not in written
