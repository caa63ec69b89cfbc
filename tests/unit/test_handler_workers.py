"""The functions behind queues and the schedule: partial failures, and waiting that wears nothing out."""

from collections.abc import Mapping
from typing import Any

import pytest

from handlers import advance_job, check_replicate_status, store_result
from lib import bootstrap
from lib.ports.correlation import current_request_id
from lib.services.sweep import SweepReport
from lib.services.waiting import TryLaterError
from tests.fakes.events import Context, event, failed_messages, sqs_event
from tests.fakes.wired import Wired


class Work:
    """A service that does with each message what `acts` says for its job."""

    def __init__(self, **acts: Exception) -> None:
        self.acts = acts
        self.handled: list[tuple[str, str | None]] = []
        self.stops: list[bool] = []

    def __call__(self, message: Mapping[str, Any]) -> None:
        self.handled.append((message["jobId"], current_request_id()))
        if message["jobId"] in self.acts:
            raise self.acts[message["jobId"]]

    def handle(self, message: Mapping[str, Any], stop: Any) -> None:
        """As StoreResult."""
        self.stops.append(stop())
        self(message)


def advancing(monkeypatch: pytest.MonkeyPatch, **acts: Exception) -> Work:
    work = Work(**acts)
    monkeypatch.setattr(bootstrap, "handle_message", lambda: work)
    return work


def message(job_id: str, **more: Any) -> dict[str, Any]:
    return {"kind": "check", "jobId": job_id, **more}


def test_only_what_failed_comes_again(wired: Wired, monkeypatch: pytest.MonkeyPatch) -> None:
    advancing(monkeypatch, b=ValueError("broken"))
    answer = advance_job.handler(sqs_event(message("a"), message("b"), message("c")), Context())
    assert failed_messages(answer) == ["message-1"]


def test_when_everything_fails_everything_comes_again(wired: Wired, monkeypatch: pytest.MonkeyPatch) -> None:
    advancing(monkeypatch, a=ValueError("broken"))
    assert failed_messages(advance_job.handler(sqs_event(message("a")), Context())) == ["message-0"]


def test_a_message_that_is_no_json_fails_alone(wired: Wired, monkeypatch: pytest.MonkeyPatch) -> None:
    work = advancing(monkeypatch)
    answer = advance_job.handler(sqs_event("not json", message("a")), Context())
    assert failed_messages(answer) == ["message-0"]
    assert [job for job, _ in work.handled] == ["a"]


def test_a_message_that_must_wait_is_sent_again_and_counts_as_done(
    wired: Wired, monkeypatch: pytest.MonkeyPatch
) -> None:
    advancing(monkeypatch, a=TryLaterError(42.5, "the record is away"))
    answer = advance_job.handler(sqs_event(message("a", requestId="r-1")), Context())
    assert failed_messages(answer) == []
    (sent,) = wired.advance_queue.sent
    assert (dict(sent.message), sent.group, sent.delay_seconds) == (
        message("a", requestId="r-1"),
        "user-1",
        42.5,
    )


def test_a_message_may_come_again_changed(wired: Wired, monkeypatch: pytest.MonkeyPatch) -> None:
    advancing(monkeypatch, a=TryLaterError(1, "later", message("a", tries=3)))
    advance_job.handler(sqs_event(message("a")), Context())
    assert wired.advance_queue.sent[0].message["tries"] == 3


def test_what_cannot_be_begun_in_time_is_sent_again_and_wears_nothing_out(
    wired: Wired, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow first message leaves the others to another invocation, instead of taking them along into a timeout."""
    work = advancing(monkeypatch)
    late = Context(advance_job.MESSAGE_MILLISECONDS - 1)
    answer = advance_job.handler(sqs_event(message("a"), message("b", requestId="r-2")), late)
    assert [job for job, _ in work.handled] == ["a"], (
        "the first is begun whatever the time, or none ever would be"
    )
    assert failed_messages(answer) == []
    assert [dict(sent.message) for sent in wired.advance_queue.sent] == [message("b", requestId="r-2")]


def test_what_a_provider_told_waits_for_no_call_to_another_that_hangs(
    wired: Wired, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = advancing(monkeypatch, b=ValueError("broken"))
    told = [message(job, kind="event") for job in ("b", "d")]
    batch = sqs_event(message("a"), told[0], message("c", kind="submit"), told[1], "[]", "null", "not json")
    answer = advance_job.handler(batch, Context())
    assert [job for job, _ in work.handled] == ["b", "d", "a", "c"]
    assert failed_messages(answer) == ["message-1", "message-4", "message-5", "message-6"]


def test_a_message_that_cannot_be_sent_again_stays_in_the_queue(
    wired: Wired, monkeypatch: pytest.MonkeyPatch
) -> None:
    wired.advance_queue.down = True
    advancing(monkeypatch, a=TryLaterError(1, "later"))
    assert failed_messages(advance_job.handler(sqs_event(message("a")), Context())) == ["message-0"]


def test_the_request_that_caused_it_follows_the_work(wired: Wired, monkeypatch: pytest.MonkeyPatch) -> None:
    work = advancing(monkeypatch)
    advance_job.handler(sqs_event(message("a", requestId="trace-7"), message("b")), Context())
    assert work.handled == [("a", "trace-7"), ("b", None)]
    assert current_request_id() is None


def test_a_failure_is_logged_with_its_job(
    wired: Wired, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    advancing(monkeypatch, a=ValueError("broken"))
    advance_job.handler(sqs_event(message("a")), Context())
    (record,) = [each for each in caplog.records if each.levelname == "ERROR"]
    assert (vars(record)["jobId"], vars(record)["kind"]) == ("a", "check")


@pytest.mark.parametrize(("remaining", "stop"), [(299_000, False), (59_000, True)])
def test_storing_is_told_when_its_time_is_up(
    wired: Wired, monkeypatch: pytest.MonkeyPatch, remaining: int, stop: bool
) -> None:
    work = Work()
    monkeypatch.setattr(bootstrap, "store_result", lambda: work)
    store_result.handler(sqs_event(message("a")), Context(remaining))
    assert work.stops == [stop]


def test_storing_goes_on_in_the_store_queue(wired: Wired, monkeypatch: pytest.MonkeyPatch) -> None:
    later = TryLaterError(0, "the time is up", message("a", checkpoints={"0": {}}))
    monkeypatch.setattr(bootstrap, "store_result", lambda: Work(a=later))
    answer = store_result.handler(sqs_event(message("a")), Context())
    assert failed_messages(answer) == []
    assert wired.advance_queue.sent == []
    assert [dict(sent.message) for sent in wired.store_queue.sent] == [message("a", checkpoints={"0": {}})]


class OneSweep:
    """A sweep that notes how it was called."""

    def __init__(self) -> None:
        self.request_id: str | None = None

    def run(self, stop: Any) -> SweepReport:
        """As Sweep."""
        self.request_id = current_request_id()
        return SweepReport(asked_record=True, jobs=2, messages=1, out_of_time=stop())


def test_the_schedule_sweeps_and_reports(wired: Wired, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = OneSweep()
    monkeypatch.setattr(bootstrap, "sweep", lambda: sweep)
    report = check_replicate_status.handler(event("schedule"), Context(9_000))
    assert report == {"asked_record": True, "jobs": 2, "messages": 1, "out_of_time": True, "removed": {}}
    assert sweep.request_id == event("schedule")["id"]


@pytest.mark.parametrize("part", ["handle_message", "store_result", "sweep", "generate_media", "cancel_job"])
def test_the_real_parts_fit_together(wired: Wired, part: str) -> None:
    assert getattr(bootstrap, part)() is getattr(bootstrap, part)()
