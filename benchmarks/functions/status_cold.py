"""The cold start of a status that Redis can answer, beside `import boto3`, and what it must not import."""

from benchmarks.bench import Bench, run_child
from benchmarks.figures import Figure, Measurement
from benchmarks.functions.invocation import environment_of
from benchmarks.functions.status_warm import FUNCTION, status_event
from benchmarks.timing import take_turns

TURNS = 20
NOT_ON_THIS_PATH = (
    "av",
    "boto3",
    "botocore.client",
    "botocore.session",
    "certifi",
    "concurrent.futures.thread",
    "jsonschema",
    "lib.domain.catalogue",
    "lib.providers",
    "lib.services.advance",
    "lib.services.generate",
    "lib.services.store_output",
    "lib.services.sweep",
    "lib.stores.bucket",
    "lib.stores.postgres.connection",
    "lib.stores.postgres.record",
    "lib.stores.probe",
    "numpy",
    "PIL",
    "psycopg",
    "pydantic",
    "redis",
    "requests",
    "urllib3",
)
"""Modules, each with all below it, that a status answered by Redis has no use for."""


def measure(bench: Bench) -> Measurement:
    """Start fresh interpreters in turns: one imports the handler and answers, the other imports boto3."""
    cloud = bench.cloud()
    event, environment = status_event(cloud), environment_of(cloud, FUNCTION)
    loaded: set[str] = set()

    def status() -> float:
        done = run_child("benchmarks.functions.cold_status", environment=environment, given=event)
        loaded.update(done["modules"])
        return float(done["seconds"])

    def boto3() -> float:
        return float(run_child("benchmarks.functions.cold_boto3", environment=environment)["seconds"])

    take_turns(status, boto3, 2)  # byte code is compiled, files are in memory
    pair = take_turns(status, boto3, TURNS)
    (ours, theirs), least, unused = pair.medians, pair.minima, unused_modules(loaded)
    return Measurement(
        "Status, cold start",
        [
            Figure("status, cold: time to that of `import boto3`", pair.ratio_of_minima, 1.0),
            Figure("status, cold: modules that it does not use", len(unused), 0),
        ],
        [
            f"Best of {TURNS} turns: start and answer {1000 * least[0]:.0f} ms, boto3 {1000 * least[1]:.0f} ms.",
            f"Medians: {1000 * ours:.0f} and {1000 * theirs:.0f} ms, ratio {pair.ratio_of_medians:.2f}.",
            "The first answer fetches the secret of Redis from Secrets Manager (moto), and connects.",
            f"Not to be imported: {', '.join(NOT_ON_THIS_PATH)}.",
            f"Imported nevertheless: {', '.join(unused) or 'none of them'}.",
        ],
    )


def unused_modules(loaded: set[str]) -> list[str]:
    """Those of `NOT_ON_THIS_PATH` that were loaded, themselves or something below them."""
    return [
        name
        for name in NOT_ON_THIS_PATH
        if any(module == name or module.startswith(f"{name}.") for module in loaded)
    ]
