"""How long adapters take to build a request and to read an answer, over every model and every stored answer."""

import json
import statistics
from collections.abc import Callable, Iterator
from functools import partial

from benchmarks.bench import Bench
from benchmarks.figures import Figure, Measurement
from benchmarks.timing import timed
from lib.domain.errors import GatewayError
from lib.domain.http_exchange import HttpResponse
from lib.domain.model_config import ModelConfig
from lib.domain.model_input import build_input
from lib.domain.parameters import validate_parameters
from lib.domain.provider import Credential, Submission
from lib.ports.provider import ProviderAdapter
from lib.providers.registry import ADAPTERS, load_adapter
from lib.stores.models_source import load_catalogue
from local.backing.moto import REPOSITORY
from local.model_examples import smallest
from tests.fakes.google_keys import key_file
from tests.fakes.stored_answers import FIXTURES, stored_answer

TRIES = 100
LIMIT_MS = 1.0
CALLBACK = "https://gateway.example/webhook/x?job=j&attempt=1&token=t"
LARGEST_INPUT = 64 * 1024
"""Models that take a file are measured by those that bring none: decoding one takes as long as the file is long."""


def measure(bench: Bench) -> Measurement:
    """The slowest median of each kind, in milliseconds."""
    del bench
    built, read = dict(_builds()), dict(_reads())
    slowest_build, slowest_read = max(built, key=built.__getitem__), max(read, key=read.__getitem__)
    return Measurement(
        "Adapters",
        [
            Figure("adapters: the slowest model's request, built", built[slowest_build], LIMIT_MS, "ms"),
            Figure("adapters: the slowest stored answer, read", read[slowest_read], LIMIT_MS, "ms"),
        ],
        [
            f"{len(built)} models, {len(read)} stored answers, the median of {TRIES} calls each.",
            f"Slowest to build: {slowest_build}; median of all {statistics.median(built.values()):.3f} ms.",
            f"Slowest to read: {slowest_read}; median of all {statistics.median(read.values()):.3f} ms.",
        ],
    )


def _builds() -> Iterator[tuple[str, float]]:
    for model in load_catalogue(str(REPOSITORY / "config" / "models")):
        submission = _submission(model)
        if submission is None:
            continue
        adapter, key = (
            load_adapter(model.provider),
            Credential(model.provider, "a-key", extra={"accessToken": "t"}),
        )
        if model.provider == "google_veo":
            key = Credential("google_veo", key_file(), extra=key.extra)
        yield model.id, _median_ms(partial(adapter.submit_request, submission, key, CALLBACK))


def _submission(model: ModelConfig) -> Submission | None:
    given = build_input(model, validate_parameters(model, smallest(model)))
    if len(str(given)) > LARGEST_INPUT or "data:" in str(given):
        return None
    return Submission("019a5f3e-7c1b-7d42-9a06-2f1d6f0c8b51", 1, model.version, given, 600)


def _reads() -> Iterator[tuple[str, float]]:
    for name in ADAPTERS:
        adapter = load_adapter(name)
        for path in sorted((FIXTURES / name).glob("*.json")):
            if not {"status", "headers"} <= json.loads(path.read_text()).keys():
                continue  # a webhook's body
            answer = stored_answer(name, path.stem)
            yield f"{name} {path.stem}", _median_ms(partial(_read, adapter, answer))


def _read(adapter: ProviderAdapter, answer: HttpResponse) -> None:
    """As a submit's answer and as a poll's; what is neither is refused, which takes its time too."""
    adapter.parse_submit(answer)
    try:
        adapter.parse_poll(answer)
    except GatewayError:
        return


def _median_ms(call: Callable[[], object]) -> float:
    side = timed(call)
    return 1000 * statistics.median(side() for _ in range(TRIES))
