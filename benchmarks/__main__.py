"""`python -m benchmarks [--write] [ROW ...]`: measures the budgets; exit code 1 if one is exceeded.

Without names every row is measured. `--write` writes docs/performance.md, which needs all rows.
"""

import argparse
import importlib
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from benchmarks import machine, report
from benchmarks.bench import Bench
from benchmarks.figures import Measurement
from local.backing.moto import REPOSITORY

PAGE = REPOSITORY / "docs" / "performance.md"
ROWS = {
    "adapters": "benchmarks.adapters.measure",
    "storing": "benchmarks.storing.measure",
    "sweep": "benchmarks.sweep.measure",
    "record": "benchmarks.record.measure",
    "status-cold": "benchmarks.functions.status_cold",
    "status-warm": "benchmarks.functions.status_warm",
    "generate": "benchmarks.functions.generate_warm",
    "webhook": "benchmarks.functions.webhook",
    "ready": "benchmarks.whole.result_ready",
    "load": "benchmarks.whole.load",
    "outage": "benchmarks.outage.measure",
}
"""The rows in the order of their measuring: what a busy local cloud would disturb comes before it is started."""


def main(arguments: Sequence[str]) -> int:
    """Measure, print a table, and say by the exit code whether all is within budget."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measures the budgets.")
    parser.add_argument(
        "rows", nargs="*", choices=[*ROWS, []], metavar="ROW", help=f"one of {', '.join(ROWS)}"
    )
    parser.add_argument("--write", action="store_true", help="write docs/performance.md (all rows)")
    given = parser.parse_args(arguments)
    if given.write and given.rows:
        parser.error("--write needs all rows: leave their names out")
    shown = machine.describe()
    print(f"measuring on {shown}", flush=True)
    measurements = measure_rows(given.rows or list(ROWS))
    print(report.table(measurements))
    if given.write:
        PAGE.write_text(report.page(measurements, shown, datetime.now(UTC).date()))
    return report.exit_code(measurements)


def measure_rows(names: Sequence[str]) -> list[Measurement]:
    """Each row's measurement; one that fails does not keep the others from being measured."""
    measurements = []
    with Bench() as bench:
        for name in names:
            begun = time.monotonic()
            measurement = _measure(name, bench)
            print(
                f"{measurement.title} ({time.monotonic() - begun:.0f} s)\n{report.notes(measurement)}",
                flush=True,
            )
            measurements.append(measurement)
    return measurements


def _measure(name: str, bench: Bench) -> Measurement:
    try:
        measured: Measurement = importlib.import_module(ROWS[name]).measure(bench)
    except Exception as error:  # noqa: BLE001 - whatever it was, the row is not within budget
        return Measurement(name, failure=f"{type(error).__name__}: {error}")
    return measured


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
