"""Shows measurements: as a table on the terminal and as the page docs/performance.md."""

from collections.abc import Sequence
from datetime import date

from benchmarks.figures import Figure, Measurement

_HEAD = ("budget", "measured", "limit", "of limit", "")
_PAGE_HEAD = """\
# Performance

The budgets of the gateway beside what was measured and counted. `make bench` measures them all in one run and fails
when one is exceeded; `python -m benchmarks --write` also writes this page. Durations are compared with something that
ran interleaved in the same run, so they hold on other machines; round trips are counted by TCP proxies in front of the
real servers, where opening a connection counts as one.
"""


def exit_code(measurements: Sequence[Measurement]) -> int:
    """0 if everything was measured and is within budget, else 1; nothing measured is no success."""
    return 0 if measurements and all(measurement.ok for measurement in measurements) else 1


def table(measurements: Sequence[Measurement]) -> str:
    """All figures in aligned columns, a line for each, with the notes below."""
    rows = [_HEAD, *(_row(figure) for measurement in measurements for figure in measurement.figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = [_aligned(row, widths) for row in rows]
    lines.insert(1, "-" * (sum(widths) + 2 * (len(widths) - 1)))
    lines += [f"FAILED  {item.title}: {item.failure}" for item in measurements if item.failure]
    return "\n".join(lines)


def notes(measurement: Measurement) -> str:
    """What was seen beside the figures, one indented line each."""
    return "\n".join(f"  {note}" for note in measurement.notes)


def page(measurements: Sequence[Measurement], machine: str, day: date) -> str:
    """docs/performance.md; ends with a newline."""
    parts = [_PAGE_HEAD, f"Measured on {day.isoformat()} on {machine}.\n", _markdown(measurements)]
    for measurement in measurements:
        parts.append(f"## {measurement.title}\n")
        parts.append(
            "\n".join(f"- {note}" for note in (measurement.failure, *measurement.notes) if note) + "\n"
        )
    return "\n".join(parts)


def _markdown(measurements: Sequence[Measurement]) -> str:
    lines = ["| budget | measured | limit | of limit | |", "|---|---:|---:|---:|---|"]
    for measurement in measurements:
        lines += [f"| {' | '.join(_row(figure))} |" for figure in measurement.figures]
        if measurement.failure:
            lines.append(f"| {measurement.title} | not measured | | | FAILED |")
    return "\n".join(lines) + "\n"


def _row(figure: Figure) -> tuple[str, ...]:
    share = "-" if figure.share is None else f"{figure.share:.2f}"
    limit = f"{figure.bound} {_number(figure.limit, figure.unit)}"
    return figure.name, _number(figure.measured, figure.unit), limit, share, "ok" if figure.ok else "OVER"


def _number(value: float, unit: str) -> str:
    whole = value == int(value) if abs(value) < 1e15 else False
    shown = f"{int(value)}" if whole else f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
    return f"{shown} {unit}".rstrip()


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    name, *numbers, verdict = row
    cells = [
        name.ljust(widths[0]),
        *(text.rjust(width) for text, width in zip(numbers, widths[1:], strict=False)),
    ]
    return "  ".join([*cells, verdict]).rstrip()
