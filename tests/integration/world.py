"""The services around a real record and real mirrors, with a clock, queues and a provider that a test can disturb."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from lib.domain.caller import Caller
from lib.domain.errors import ConfigurationError, GatewayError
from lib.domain.provider import Credential
from lib.domain.provider_json import update_from_json, update_to_json
from lib.domain.retention import RetentionPeriods
from lib.domain.snapshot import JobSnapshot
from lib.domain.timing import Timing
from lib.ports.holds import GrantEverything
from lib.ports.record import Answer, PlannedAttempt
from lib.ports.tier import Tier
from lib.services.advance import AdvanceJob
from lib.services.advance_parts import AdvanceParts
from lib.services.after_commit import AfterCommit
from lib.services.cancel import CancelJob
from lib.services.choose_key import ChooseKey
from lib.services.generate import GenerateMedia
from lib.services.generate_request import GenerateRequest
from lib.services.handle_message import HandleMessage
from lib.services.keep_note import KeepNote
from lib.services.output_meter import BucketPlace
from lib.services.park_outputs import ParkOutputs
from lib.services.publish import Mirrors
from lib.services.retention import Retention
from lib.services.store_output import StoragePorts, store_output
from lib.services.store_result import StoreResult
from lib.services.submit_attempt import SubmitAttempt
from lib.services.sweep import Sweep, SweepReport
from lib.services.take_outputs import TakeOwnOutputs
from lib.services.waiting import TryLaterError
from lib.stores.models_source import load_catalogue
from tests.fakes.bucket import FakeBucket
from tests.fakes.darkroom import FakeDarkroom
from tests.fakes.journal import FakeJournal
from tests.fakes.memory_queue import MemoryQueue
from tests.fakes.output_source import FakeSource
from tests.fakes.processed_events import FakeProcessedEvents
from tests.fakes.provider import FakeProvider
from tests.fakes.seam import Killed, Seam

T = TypeVar("T")
START = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
VISIBILITY_SECONDS = 90
CATALOGUE = load_catalogue("config/models/replicate.json")
CREDENTIAL = Credential("replicate", "r8_Qx7mTz2LwK9vBn4RfYh8PdGc")
PLACE = BucketPlace("media-bucket", "eu-central-1")
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(992)


class World:
    """Everything that a job's life touches; `seam.decide` can kill or interleave at every call of a port."""

    def __init__(self, record: Any, tiers: Sequence[Tier], *, webhooks: bool = True) -> None:
        self.now = START
        self.seam = Seam()
        self.real_record = record
        self.record = self.seam.wrap(record, "record")
        self.provider = FakeProvider(self.clock)
        self.journal = FakeJournal()
        self.advance_queue = MemoryQueue(self.clock, CREDENTIAL.secret)
        self.store_queue = MemoryQueue(self.clock, CREDENTIAL.secret)
        self.submit_queue = MemoryQueue(self.clock, CREDENTIAL.secret)
        self.refused_keys: list[tuple[str, str]] = []
        self.credential = CREDENTIAL
        self.key_is_lost = False
        self.fallbacks: tuple[PlannedAttempt, ...] = ()
        self.bucket, self.source = FakeBucket(), FakeSource(PICTURE)
        self.storing_stops: Callable[[], bool] = lambda: False
        self.webhooks = webhooks
        self.timing = Timing(job_deadline=600, poll_after=60, sweep_grace=0)
        self.tiers = tiers
        self._build()

    def _build(self) -> None:
        mirrors = self.seam.wrap(Mirrors(self.tiers, on_outage=lambda _name: None), "mirrors")
        provider = self.seam.wrap(self.provider, "provider")
        advance_queue = self.seam.wrap(self.advance_queue, "advance_queue")
        queues = {
            "advance": advance_queue,
            "store": self.seam.wrap(self.store_queue, "store_queue"),
            "submit": self.seam.wrap(self.submit_queue, "submit_queue"),
        }
        after = AfterCommit(self.record, mirrors.publish, queues, self.journal)
        submit = SubmitAttempt(
            self.record,
            after,
            self._callback,
            advance_queue,
            self.journal,
            self.clock,
            self.timing,
            TakeOwnOutputs(ParkOutputs(lambda: self.bucket), None),
            lambda credential, user_id: self.refused_keys.append((credential.version, user_id)),
            jitter=lambda: 0.0,
        )
        self.generate = GenerateMedia(
            record=self.record,
            catalogue=CATALOGUE,
            provider=lambda _name: provider,
            credential=lambda _name, _version, _sealed=None: self.credential,
            keys=ChooseKey(lambda _name: self.provider.traits, lambda _name: True),
            plan=self._plan,
            submit=submit,
            after_commit=after,
            holds=GrantEverything(),
            bucket=_no_bucket,
            clock=self.clock,
            timing=self.timing,
        )
        parts = AdvanceParts(
            record=self.record,
            after_commit=after,
            submit=submit,
            provider=lambda _name: provider,
            credential=self._key,
            note_progress=lambda *_args: None,
            load_input=_no_input,
            journal=self.journal,
            clock=self.clock,
            timing=self.timing,
            jitter=lambda: 0.5,
        )
        advance = AdvanceJob(parts)
        self.handle = HandleMessage(
            advance,
            FakeProcessedEvents(),
            lambda message: update_from_json(message["update"]),
            lambda _job_id, _now: True,
            self.journal,
            self.clock,
            KeepNote(self.record),
        )
        darkroom = FakeDarkroom()
        bucket, source = self.seam.wrap(self.bucket, "bucket"), self.seam.wrap(self.source, "source")
        store_one = partial(store_output, ports=StoragePorts(bucket, source, darkroom, darkroom))
        self.store = StoreResult(self.record, after, store_one, self.journal, self.clock, self.timing, PLACE)
        self.cancel = CancelJob(self.record, after, self.clock)
        self.sweep = Sweep(
            record=self.record,
            after_commit=after,
            advance_queue=advance_queue,
            any_due=lambda _now: True,
            heal_due=lambda _now: 0,
            remove_expired=Retention(self.record, self.journal, RetentionPeriods()).remove_expired,
            journal=self.journal,
            clock=self.clock,
        )

    def clock(self) -> datetime:
        """The world's time."""
        return self.now

    def pass_time(self, seconds: float) -> None:
        """Time passes; the provider keeps its deadlines."""
        self.now += timedelta(seconds=seconds)
        self.provider.enforce_deadlines()

    @property
    def stored(self) -> list[str]:
        """The keys of the outputs in the bucket, without their small pictures."""
        return sorted(key for key in self.bucket.bodies if "-thumb." not in key)

    def create(self, **asked: str) -> Answer | None:
        """A caller asks for an image, as with `create_or_raise`; None where the request failed or died."""
        return self._survive(lambda: self.create_or_raise(**asked))

    def create_or_raise(
        self, prompt: str = "a lighthouse", key: str | None = None, user_id: str = "alice"
    ) -> Answer:
        """A caller asks for an image; what went wrong is raised."""
        request = GenerateRequest("image", "flux-schnell", {}, prompt, None, key, raw_hash=prompt)
        return self.generate.start(Caller(user_id, None), request)

    def start_job(self, **asked: str) -> str:
        """A caller asks for an image, as with `create_or_raise`, and is told the id of a job that begins."""
        answer = self.create_or_raise(**asked)
        assert answer.status_code == 202
        assert answer.body["status"] == "pending"
        return str(answer.body["jobId"])

    def job(self, job_id: str) -> JobSnapshot:
        """The job as the record has it."""
        found = self.real_record.find_job(job_id)
        assert isinstance(found, JobSnapshot)
        return found

    @property
    def prediction(self) -> str:
        """The provider's id of the only job that it has."""
        (provider_job_id,) = self.provider.predictions
        return provider_job_id

    def settle_with_provider(self, job_id: str) -> None:
        """The provider does its work and calls back, the workers theirs, until the job is final."""
        for _ in range(20):
            self.drain()
            found = self.real_record.find_job(job_id)
            if found is not None and found.final:
                return
            for provider_job_id, prediction in list(self.provider.predictions.items()):
                if not prediction.status.final:
                    self.provider.work(provider_job_id)
                    self.webhook(provider_job_id)
            self.pass_time(5)
        raise AssertionError("the job did not end")

    def request_cancel(self, job_id: str, user_id: str = "alice") -> None:
        """The user wants the job canceled."""
        self._survive(lambda: self.cancel.cancel(user_id, job_id))

    def run_sweep(self) -> SweepReport | None:
        """The schedule fires."""
        return self._survive(self.sweep.run)

    def webhook(self, provider_job_id: str, *, webhook_id: str | None = None) -> None:
        """The provider calls back with the prediction's present state, as `process_webhook` passes it on."""
        prediction = self.provider.predictions[provider_job_id]
        if prediction.callback_url is None:
            return
        message = {
            "kind": "event",
            "provider": "replicate",
            "webhookId": webhook_id or f"{provider_job_id}:{prediction.status}",
            "jobId": prediction.job_id,
            "attempt": prediction.attempt,
            "credentialVersion": CREDENTIAL.version,
            "update": update_to_json(prediction.update()),
        }
        self.advance_queue.send(message, group="alice")

    def work(self, queue: MemoryQueue, choice: int = 0) -> bool:
        """A worker receives one visible message and handles it; whether there was one."""
        visible = queue.visible()
        if not visible:
            return False
        message = visible[choice % len(visible)]
        message.visible_at = self.now + timedelta(seconds=VISIBILITY_SECONDS)
        message.receives += 1
        handle = self._handle_store if queue is self.store_queue else self.handle
        try:
            handle(message.body)
        except TryLaterError as later:
            queue.send(later.message or message.body, group="alice", delay_seconds=later.delay_seconds)
        except Killed:
            return True
        queue.messages = [other for other in queue.messages if other is not message]
        return True

    def drain(self) -> None:
        """Workers handle all that is visible."""
        while any(self.work(queue) for queue in (self.advance_queue, self.store_queue, self.submit_queue)):
            pass

    def settle(self, job_ids: Sequence[str], *, limit_seconds: float = 7200) -> None:
        """Let time, workers and sweeps do their work until the jobs are final."""
        end = self.now + timedelta(seconds=limit_seconds)
        while self.now < end:
            self.drain()
            jobs = [self.real_record.find_job(job_id) for job_id in job_ids]
            ended = all(job is not None and job.final for job in jobs)
            if (
                ended
                and not self.advance_queue.messages
                and not self.store_queue.messages
                and not self.submit_queue.messages
                and not self._unsent()
            ):
                return
            self.pass_time(30)
            self.run_sweep()
        states = [(job.status, job.step) for job in jobs if job]
        raise AssertionError(f"jobs did not end: {states}")

    def _unsent(self) -> bool:
        """Whether the outbox holds anything; taken by the sweep once its lease is over."""
        later = self.now + timedelta(days=1)
        return bool(self.real_record.take_outbox(now=later, limit=1, lease_until=self.now))

    def _survive(self, action: Callable[[], T]) -> T | None:
        try:
            return action()
        except (GatewayError, Killed):
            return None

    def _handle_store(self, message: Mapping[str, Any]) -> None:
        self.store.handle(message, self.storing_stops)

    def _key(self, _name: str, _version: str) -> Credential:
        if self.key_is_lost:
            raise ConfigurationError("the key cannot be opened", code="key_unreadable")
        return self.credential

    def _plan(self, *_asked: Any) -> tuple[PlannedAttempt, ...]:
        return self.fallbacks

    def _callback(self, provider: str, job_id: str, attempt: int, credential_version: str) -> str | None:
        return f"https://gateway.test/{provider}?job={job_id}&attempt={attempt}" if self.webhooks else None


def _no_bucket(*_args: Any) -> Any:
    raise AssertionError("small requests need no bucket")


def _no_input(request_ref: str, _attempt: int, _model_id: str) -> Mapping[str, Any]:
    raise AssertionError(f"small requests are in the record, not at {request_ref}")
