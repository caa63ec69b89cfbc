"""An output that is read again and again: asked for once a minute for each reader, and forgotten with its job."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from lib.domain.actor import Actor
from lib.domain.caller import Caller
from lib.domain.errors import NotFoundError
from lib.ports.actor import acting_as
from lib.ports.record import JobRecord
from lib.services.query_cache import QueryCache
from lib.services.read_media import CACHE_BRANCH, Reading, ReadMedia
from lib.services.worker_notes import WorkerNotes

OUTPUT = "019a5f3e-7c1b-7d42-9a06-2f1d6f0c8b51"
ALICE = Caller("alice")


class Outputs:
    """A record of one output, which `owner` alone may see; counts how often it is asked."""

    def __init__(self, owner: str = "alice") -> None:
        self.owner: str | None = owner
        self.asked = 0
        self.actor = Actor.user("alice")

    def find_output(self, output_id: str) -> Mapping[str, Any] | None:
        self.asked += 1
        if self.actor.user_id != self.owner:
            return None
        return {
            "outputId": output_id,
            "jobId": "job-1",
            "userId": "alice",
            "key": "a.webp",
            "thumbnailKey": None,
        }


@dataclass
class SentNotes:
    """What workers were told."""

    sent: list[Mapping[str, Any]]

    def send(self, message: Mapping[str, Any], *, group: str) -> None:
        self.sent.append(message)


@dataclass(frozen=True)
class Address:
    """A signed address."""

    url: str


def reader(outputs: Outputs, cache: QueryCache, notes: SentNotes) -> ReadMedia:
    return ReadMedia(
        record=cast("JobRecord", outputs),
        cache=cache,
        sign=lambda key, _now: Address(f"https://media.test/{key}"),
        notes=cast("WorkerNotes", notes),
        clock=lambda: datetime(2026, 11, 20, 12, 0, tzinfo=UTC),
    )


def test_an_output_that_is_read_again_is_not_asked_for_again_and_each_reading_is_noted() -> None:
    outputs, notes = Outputs(), SentNotes([])
    reading = reader(outputs, QueryCache(), notes)
    with acting_as(outputs.actor):
        addresses = {reading.address(ALICE, Reading(OUTPUT)) for _ in range(3)}
    assert addresses == {"https://media.test/a.webp"}
    assert (outputs.asked, len(notes.sent)) == (1, 3)


def test_what_one_reader_found_is_not_shown_to_another() -> None:
    outputs, cache = Outputs(), QueryCache()
    reading = reader(outputs, cache, SentNotes([]))
    with acting_as(outputs.actor):
        reading.address(ALICE, Reading(OUTPUT))
    outputs.actor = Actor.user("bob")
    with acting_as(outputs.actor), pytest.raises(NotFoundError):
        reading.address(Caller("bob"), Reading(OUTPUT))


def test_with_its_job_an_output_is_forgotten() -> None:
    outputs, cache = Outputs(), QueryCache()
    reading = reader(outputs, cache, SentNotes([]))
    with acting_as(outputs.actor):
        reading.address(ALICE, Reading(OUTPUT))
        outputs.owner = None
        assert cache.invalidate_prefix(CACHE_BRANCH)
        with pytest.raises(NotFoundError):
            reading.address(ALICE, Reading(OUTPUT))


def test_that_there_is_no_output_is_not_kept() -> None:
    outputs = Outputs(owner="nobody")
    reading = reader(outputs, QueryCache(), SentNotes([]))
    with acting_as(outputs.actor):
        for _ in range(2):
            with pytest.raises(NotFoundError):
                reading.address(ALICE, Reading(OUTPUT))
        outputs.owner = "alice"
        assert reading.address(ALICE, Reading(OUTPUT))
    assert outputs.asked == 3


def test_an_id_that_is_none_is_not_asked_for() -> None:
    outputs = Outputs()
    with acting_as(outputs.actor), pytest.raises(NotFoundError):
        reader(outputs, QueryCache(), SentNotes([])).address(ALICE, Reading("'; drop table jobs; --"))
    assert outputs.asked == 0
