"""Whether a provider may be called now: the shared bucket, pauses and circuits, asked for as seldom as can be."""

import random
from collections.abc import Callable, Sequence
from datetime import datetime

from lib.domain.flow import (
    Allowance,
    Circuit,
    CircuitRules,
    FlowAsk,
    FlowReport,
    Traffic,
    flow_name,
    milliseconds,
)
from lib.domain.provider import AdapterTraits, Credential, Failure, FailureKind
from lib.ports.flow import FlowStore, Pause
from lib.ports.journal import Journal
from lib.services.flow_memory import FlowMemory, Known

PAUSE_WITHOUT_WORD_SECONDS = 1.0
"""After a 429 that does not say when to come back."""
LONGEST_WAIT_FOR_A_PROBE_MS = 15_000
"""About as long as a provider that does not answer keeps a probe waiting; after it the circuit is open anew."""
LEFT_TO_WORKERS_MS = 1_000
PROBE_MARGIN_SECONDS = 20.0
QUESTION_SECONDS = 40.0
MOST_TRIES = 5


class SharedFlow:
    """The `FlowControl` of all processes together, over a store that is never away (`FallbackFlowStore`).

    A call to a provider that is well costs no round trip of its own: tokens come in batches, what is shut was told
    less than a second ago, and whoever asks Redis anyway brings both along (`wanted`, `told`). A success is written
    down only where a failure was. An open circuit is known to others within a second.
    """

    def __init__(
        self,
        store: FlowStore,
        rules: CircuitRules,
        journal: Journal,
        *,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._rules = rules
        self._journal = journal
        self._jitter = jitter
        self._memory = FlowMemory()
        self._probes = True

    def leave_probes_to_workers(self) -> None:
        """From now on this process makes no probe with a submit: somebody waits for its answers, and would for long.

        The job that would have been the probe is deferred for a moment, and its worker makes it.
        """
        self._probes = False

    def before(
        self,
        credential: Credential,
        traits: AdapterTraits,
        now: datetime,
        *,
        traffic: Traffic = Traffic.SUBMITS,
        user_id: str = "",
    ) -> Pause | None:
        """See the port."""
        moment, submit = milliseconds(now), traffic is Traffic.SUBMITS
        with self._memory.of(flow_name(credential)) as known:
            known.allowance = Allowance.of(traits.rate_limit) if traits.rate_limit else None
            ask = known.ask(moment, submit=submit)
            must_ask = known.must_ask(ask, moment)
        if must_ask:
            self._ask(ask, moment)
        with self._memory.of(flow_name(credential)) as known:
            if submit:
                known.used_at = moment
            circuit = known.circuits.of(traffic).seen_by(user_id)
            pause = self._pause(known, circuit, moment)
            if pause is None and submit and not known.may_use_a_token(moment):
                pause = self._limited(known.wait)
        if pause is None and circuit.is_open and submit and not self._probes:
            return self._open(circuit, LEFT_TO_WORKERS_MS)
        if pause is None and circuit.is_open:
            lease = traits.submit_seconds + PROBE_MARGIN_SECONDS if submit else QUESTION_SECONDS
            return self._probe(credential, traffic, user_id, moment, lease)
        return pause

    def after(
        self,
        credential: Credential,
        failure: Failure | None,
        now: datetime,
        *,
        traffic: Traffic = Traffic.SUBMITS,
        user_id: str = "",
        inside: bool = False,
    ) -> None:
        """See the port."""
        moment = milliseconds(now)
        if failure is not None:
            self._obey(credential, failure, moment)
        if failure is not None and failure.kind is FailureKind.OUTAGE:
            error_for = user_id if inside else ""
            self._change(
                credential, traffic, lambda circuit: circuit.failed(moment, self._rules, error_for), moment
            )
        else:
            self._change(credential, traffic, lambda circuit: circuit.answered(moment, user_id), moment)

    def unsent(
        self,
        credential: Credential,
        now: datetime,
        *,
        traffic: Traffic = Traffic.SUBMITS,
        user_id: str = "",
    ) -> None:
        """See the port."""
        self._change(
            credential,
            traffic,
            lambda circuit: circuit.unprobed() if circuit.seen_by(user_id).is_open else circuit,
            milliseconds(now),
        )

    def is_shut(self, provider: str, version: str, user_id: str, now: datetime) -> bool:
        """Whether the circuit for a user's submits with this version of a key is open; takes no token and no probe."""
        moment = milliseconds(now)
        ask = FlowAsk(flow_name(Credential(provider, "", version)))
        with self._memory.of(ask.name) as known:
            fresh = known.is_fresh(moment)
        if not fresh:
            self._ask(ask, moment)
        with self._memory.of(ask.name) as known:
            return known.circuits.of(Traffic.SUBMITS).seen_by(user_id).wait(moment) > 0

    def wanted(self, now: datetime) -> Sequence[FlowAsk]:
        """See `FlowNews`."""
        return self._memory.used_lately(milliseconds(now))

    def told(self, ask: FlowAsk, report: FlowReport, now: datetime) -> None:
        """See `FlowNews`."""
        with self._memory.of(ask.name) as known:
            known.told(report, milliseconds(now))

    def _ask(self, ask: FlowAsk, moment: int) -> None:
        report = self._store.ask(ask, moment)
        with self._memory.of(ask.name) as known:
            known.told(report, moment)

    def _pause(self, known: Known, circuit: Circuit, moment: int) -> Pause | None:
        if known.closed_until > moment:
            return self._limited(known.closed_until - moment)
        return self._shut(circuit, moment) if circuit.wait(moment) else None

    def _probe(
        self, credential: Credential, traffic: Traffic, user_id: str, moment: int, lease_seconds: float
    ) -> Pause | None:
        """The circuit is half open: one process at a time makes one call.

        process A   probe: won    call .... answered: closed
        process B     probe: lost, waits
        """
        won = self._change(
            credential,
            traffic,
            lambda circuit: (
                circuit.probed(moment, lease_seconds)
                if _may_probe(circuit.seen_by(user_id), moment)
                else circuit
            ),
            moment,
        )
        with self._memory.of(flow_name(credential)) as known:
            circuit = known.circuits.of(traffic).seen_by(user_id)
        return None if won or not circuit.is_open else self._shut(circuit, moment)

    def _obey(self, credential: Credential, failure: Failure, moment: int) -> None:
        """Nobody calls before the provider wants to be called again."""
        seconds = failure.retry_after_seconds
        if seconds is None and failure.kind is FailureKind.RATE_LIMITED:
            seconds = PAUSE_WITHOUT_WORD_SECONDS
        if not seconds or failure.kind not in (FailureKind.RATE_LIMITED, FailureKind.OUTAGE):
            return
        until = moment + round(seconds * 1000)
        with self._memory.of(flow_name(credential)) as known:
            known.closed_until = max(known.closed_until, until)
            known.lease.tokens = 0
        self._store.close(flow_name(credential), until)
        self._journal.count("ProviderPaused", provider=credential.provider)

    def _change(
        self, credential: Credential, traffic: Traffic, change: Callable[[Circuit], Circuit], moment: int
    ) -> bool:
        """Whether the circuit was changed, by us. What others did meanwhile is read, and changed in its turn."""
        name = flow_name(credential)
        with self._memory.of(name) as known:
            held = known.circuits
        for _ in range(MOST_TRIES):
            before = held.of(traffic)
            changed = change(before)
            if changed == before:
                return False
            done, held = self._store.swap(name, held, held.with_one(traffic, changed, moment))
            with self._memory.of(name) as known:
                known.circuits = held
            if done:
                self._tell(credential, traffic, before, changed)
                return True
        return False

    def _tell(self, credential: Credential, traffic: Traffic, before: Circuit, after: Circuit) -> None:
        facts = {"provider": credential.provider, "credential": credential.version, "traffic": traffic.value}
        if after.is_open and after.only_for and not before.is_open:
            self._journal.note("circuit_opened_for_user", None, **facts, userId=after.only_for)
        if before.has_failed == after.has_failed:
            return
        event, counter = (
            ("circuit_opened", "CircuitOpened") if after.has_failed else ("circuit_closed", "CircuitClosed")
        )
        self._journal.note(event, None, **facts)
        self._journal.count(counter, provider=credential.provider, traffic=traffic.value)

    def _limited(self, wait: int) -> Pause:
        words = (
            f"The provider's limit for this key is reached; it is tried again in about {_seconds(wait)} s."
        )
        return Pause(self._spread(wait), FailureKind.RATE_LIMITED, words)

    def _shut(self, circuit: Circuit, moment: int) -> Pause:
        wait = circuit.wait(moment)
        shortened = min(wait, LONGEST_WAIT_FOR_A_PROBE_MS) if circuit.open_until <= moment else wait
        return self._open(circuit, shortened)

    def _open(self, circuit: Circuit, wait: int) -> Pause:
        why = "failed at each of your last jobs" if circuit.only_for else "does not answer"
        words = f"The provider {why} (circuit open); it is tried again in about {_seconds(wait)} s."
        return Pause(self._spread(wait), FailureKind.CIRCUIT_OPEN, words)

    def _spread(self, wait: int) -> float:
        """The wait in seconds and up to a fifth more, so that not all who wait come back at once."""
        return max(wait, 1) / 1000 * (1 + self._jitter() / 5)


def _may_probe(circuit: Circuit, moment: int) -> bool:
    return circuit.is_open and not circuit.wait(moment)


def _seconds(wait: int) -> int:
    return max(1, round(wait / 1000))
