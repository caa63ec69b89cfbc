"""Users' keys on the record: which one makes a job, and that it opens for that job to its end."""

from collections.abc import Iterator

import pytest

from lib.domain.errors import UnreadableCredentialError
from lib.domain.provider import ProviderUpdate, RemoteStatus
from lib.ports.actor import acting_as
from lib.ports.record import PlannedAttempt
from local.backing import RecordDatabase
from tests.fakes.credentials import key_like
from tests.fakes.jobs import new_job
from tests.integration.credential_house import ALICE, BOB, NOW, CredentialHouse, house_of


@pytest.fixture
def house(empty_record: RecordDatabase) -> Iterator[CredentialHouse]:
    """Nobody has a key yet."""
    with house_of(empty_record) as house:
        yield house


@pytest.mark.parametrize(
    ("own", "policy", "outcome"),
    [
        ("none", "own", "none"),
        ("none", "platform", "platform"),
        ("none", "own_then_platform", "platform"),
        ("good", "own", "own"),
        ("good", "platform", "platform"),
        ("good", "own_then_platform", "own"),
        ("invalid", "own", "invalid"),
        ("invalid", "platform", "platform"),
        ("invalid", "own_then_platform", "invalid"),
    ],
)
def test_which_key_makes_a_job(house: CredentialHouse, own: str, policy: str, outcome: str) -> None:
    if own != "none":
        stored = house.put(ALICE, key_like())
        if own == "invalid":
            assert house.note_failure(stored.pin, "provider_authentication")
    chosen = house.choose(ALICE, policy)
    assert chosen["outcome"] == outcome
    made = house.start(ALICE, policy)
    assert made.outcome == ("created" if outcome in ("own", "platform") else f"credential_{outcome}")


@pytest.mark.parametrize(
    ("own", "policy", "made_with"),
    [
        ("none", "own", None),
        ("none", "own_then_platform", "platform"),
        ("good", "own", "own"),
        ("good", "platform", "platform"),
        ("invalid", "own_then_platform", None),
    ],
)
def test_a_fallback_is_made_with_the_key_of_its_own_setting_or_passed_over(
    house: CredentialHouse, own: str, policy: str, made_with: str | None
) -> None:
    pin = house.put(ALICE, key_like(), "runway").pin if own != "none" else ""
    if own == "invalid":
        assert house.note_failure(pin, "provider_authentication")
    planned = PlannedAttempt("gen4", "runway", "gen4_image", policy, False, 5, "0.002", {"prompt": "x"})
    job = new_job(NOW, fallbacks=(planned,))
    with acting_as(ALICE.actor):
        house.record.create_job(job, NOW)
    fallen = house.worker_record.fail_job(
        job.job_id, code="x", message="y", retryable=True, now=NOW, refused=True, unbilled=True, attempt=1
    )
    assert fallen.outcome == ("fell_back" if made_with else "failed")
    made = house.rows("select credential_version from attempts where attempt = 2")
    assert made == ([(pin if made_with == "own" else made_with,)] if made_with else [])


def test_a_job_is_made_with_what_opens_its_key_in_the_same_trip(house: CredentialHouse) -> None:
    key = key_like()
    pinned = house.put(ALICE, key)
    chosen = house.start(ALICE).extra["credential"]
    assert chosen["version"] == pinned.pin
    with acting_as(ALICE.actor):
        opened = house.opener(as_worker=False).open("replicate", chosen["version"], chosen["sealed"])
    assert (opened.secret, opened.version) == (key, pinned.pin)


@pytest.mark.parametrize("heard", ["answer", "webhook"])
def test_an_id_at_the_provider_counts_for_the_account_that_made_it_alone(
    house: CredentialHouse, heard: str
) -> None:
    jobs = []
    for caller in (ALICE, BOB):
        house.put(caller, key_like())
        jobs.append(house.start(caller).job.job_id)
    house.worker_record.record_submitted(jobs[0], 1, "1", now=NOW, due_at=NOW, answer=None)
    if heard == "answer":
        told = house.worker_record.record_submitted(jobs[1], 1, "1", now=NOW, due_at=NOW, answer=None)
        assert told.outcome == "submitted"
        return
    house.worker_record.mark_submit_unknown(jobs[1], 1, due_at=NOW, now=NOW)
    word = ProviderUpdate(RemoteStatus.RUNNING, "1")
    dues = dict.fromkeys(("now", "due_at", "storing_deadline_at", "storing_due_at"), NOW)
    told = house.worker_record.apply_update(jobs[1], 1, word, source="webhook", **dues)
    assert (told.outcome, told.job.data["providerJobId"]) == ("generating", "1")


def test_a_key_that_was_replaced_while_its_job_runs_still_opens_for_it(house: CredentialHouse) -> None:
    former, later = key_like(), key_like()
    pinned = house.put(ALICE, former)
    job = house.start(ALICE)
    house.put(ALICE, later)
    house.wait(hours=2)
    assert house.wipe() == 0
    assert house.opener().open("replicate", pinned.pin).secret == former
    assert house.start(ALICE).extra["credential"]["version"] != pinned.pin
    house.end(job.job.job_id)
    house.wait(minutes=59)
    assert house.wipe() == 0
    house.wait(minutes=2)
    assert house.wipe() == 1
    with pytest.raises(UnreadableCredentialError):
        house.opener().open("replicate", pinned.pin)


def test_the_opener_gives_the_operators_key_to_jobs_that_were_made_with_it(house: CredentialHouse) -> None:
    assert house.opener().open("replicate", "platform").secret == "r8_the operator's own"


@pytest.mark.parametrize(
    "version", ["own:", "own:7", "own:01a1fbb0-cf23-747a-9d00-dfe374a9d28b", "own:' or 1"]
)
def test_a_version_that_there_is_not_opens_nothing(house: CredentialHouse, version: str) -> None:
    with pytest.raises(UnreadableCredentialError):
        house.opener().open("replicate", version)


def test_what_was_sealed_for_another_version_or_provider_is_not_taken_for_the_pinned_one(
    house: CredentialHouse,
) -> None:
    mine, other = house.put(ALICE, key_like()), house.put(BOB, key_like())
    sealed = house.worker.find(other.credential_id)
    assert sealed is not None
    with pytest.raises(UnreadableCredentialError):
        house.opener().open("replicate", mine.pin, sealed.as_json())
    with pytest.raises(UnreadableCredentialError):
        house.opener().open("fal", other.pin, sealed.as_json())
