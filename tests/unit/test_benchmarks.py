"""The benchmark's own promises: it says what was measured, and fails when a budget is exceeded."""

import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from types import ModuleType

import pytest

from benchmarks import __main__ as command
from benchmarks import report
from benchmarks.bench import Bench
from benchmarks.figures import Bound, Figure, Measurement
from benchmarks.functions.counting import Trips
from benchmarks.functions.status_cold import unused_modules
from benchmarks.storing.generated_video import BLOCK_BYTES, blocks
from benchmarks.timing import interleave, percentile
from benchmarks.turns import TurnCounter
from lib.domain.media_type import MediaType
from lib.domain.sniff import sniff

WITHIN = Figure("round trips", 1, 1)
OVER = Figure("memory", 300, 256, "MiB")


@pytest.mark.parametrize(
    ("figure", "ok"),
    [
        (Figure("at the limit", 2.0, 2.0), True),
        (Figure("above it", 2.01, 2.0), False),
        (Figure("nothing allowed, nothing there", 0, 0), True),
        (Figure("nothing allowed", 1, 0), False),
        (Figure("fast enough", 0.8, 0.8, bound=Bound.AT_LEAST), True),
        (Figure("too slow", 0.79, 0.8, bound=Bound.AT_LEAST), False),
        (Figure("not a number", float("nan"), 1), False),
        (Figure("not a number either", float("nan"), 1, bound=Bound.AT_LEAST), False),
    ],
    ids=lambda value: value.name if isinstance(value, Figure) else "",
)
def test_a_figure_is_within_its_budget_up_to_the_limit_itself(figure: Figure, ok: bool) -> None:
    assert figure.ok is ok


def test_the_table_shows_each_budget_beside_what_was_measured() -> None:
    shown = report.table([Measurement("Storing", [WITHIN, OVER])]).splitlines()
    assert shown[0].split() == ["budget", "measured", "limit", "of", "limit"]
    assert shown[2].split() == ["round", "trips", "1", "<=", "1", "1.00", "ok"]
    assert shown[3].split() == ["memory", "300", "MiB", "<=", "256", "MiB", "1.17", "OVER"]


@pytest.mark.parametrize(
    ("measurements", "code"),
    [
        ([Measurement("a", [WITHIN]), Measurement("b", [WITHIN])], 0),
        ([Measurement("a", [WITHIN]), Measurement("b", [WITHIN, OVER])], 1),
        ([Measurement("a", [WITHIN]), Measurement("b", failure="it broke")], 1),
        ([Measurement("a")], 1),
        ([], 1),
    ],
    ids=["all within", "one over", "one failed", "no figure", "no measurement"],
)
def test_the_exit_code_is_zero_only_if_all_was_measured_and_is_within_budget(
    measurements: list[Measurement], code: int
) -> None:
    assert report.exit_code(measurements) == code


def test_the_page_has_the_machine_the_day_and_what_failed() -> None:
    measurements = [
        Measurement("Sweep", [WITHIN], ["Among 100,000 jobs."]),
        Measurement("Load", failure="it broke"),
    ]
    page = report.page(measurements, "a machine with 2 cores", date(2026, 1, 31))
    assert "Measured on 2026-01-31 on a machine with 2 cores." in page
    assert "| round trips | 1 | <= 1 | 1.00 | ok |" in page
    assert "- Among 100,000 jobs." in page
    assert "| Load | not measured | | | FAILED |" in page
    assert "- it broke" in page


@pytest.fixture
def row(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[Bench], Measurement]], None]:
    """Adds a row to the command, after removing those that measure for minutes."""
    monkeypatch.setattr(command, "ROWS", {})

    def add(name: str, measure: Callable[[Bench], Measurement]) -> None:
        module = ModuleType(f"row_{name}")
        monkeypatch.setattr(module, "measure", measure, raising=False)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setitem(command.ROWS, name, module.__name__)

    return add


Row = Callable[[str, Callable[[Bench], Measurement]], None]


def test_a_budget_that_is_exceeded_makes_the_command_fail(
    row: Row, capsys: pytest.CaptureFixture[str]
) -> None:
    row("good", lambda _bench: Measurement("Good", [WITHIN]))
    assert command.main([]) == 0
    row("bad", lambda _bench: Measurement("Bad", [OVER]))
    assert command.main([]) == 1
    assert "OVER" in capsys.readouterr().out


def test_a_row_that_breaks_fails_the_run_and_lets_the_others_be_measured(
    row: Row, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_bench: Bench) -> Measurement:
        raise RuntimeError("no such server")

    row("broken", broken)
    row("good", lambda _bench: Measurement("Good", [WITHIN]))
    assert command.main([]) == 1
    out = capsys.readouterr().out
    assert "FAILED  broken: RuntimeError: no such server" in out
    assert "round trips" in out


def test_a_part_of_the_rows_is_not_written_to_the_page(row: Row) -> None:
    row("good", lambda _bench: Measurement("Good", [WITHIN]))
    with pytest.raises(SystemExit):
        command.main(["good", "--write"])


def test_sides_take_turns_and_each_goes_first() -> None:
    order: list[str] = []

    def side(name: str) -> Callable[[], float]:
        def run() -> float:
            order.append(name)
            return float(len(order))

        return run

    assert interleave(2, side("a"), side("b")) == [[1.0, 4.0], [2.0, 3.0]]
    assert order == ["a", "b", "b", "a"]


def test_percentiles_are_values_that_were_measured() -> None:
    values = [float(number) for number in range(1, 101)]
    assert (percentile(values, 50), percentile(values, 99), percentile(values, 100)) == (51.0, 100.0, 100.0)


@pytest.fixture
def echo() -> Iterator[str]:
    """A server that answers each line with the same line."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            peer = listener.accept()[0]
            with peer, peer.makefile("rwb", buffering=0) as stream:
                while line := stream.readline():
                    stream.write(line)

        threading.Thread(target=serve, daemon=True).start()
        yield f"tcp://127.0.0.1:{listener.getsockname()[1]}"


def test_a_round_trip_is_counted_each_time_the_client_speaks_after_the_server(echo: str) -> None:
    with TurnCounter(echo) as counter:
        port = int(counter.url.rpartition(":")[2])
        with (
            socket.create_connection(("127.0.0.1", port)) as client,
            closing(client.makefile("rb")) as answers,
        ):
            client.sendall(b"one\n")
            assert answers.readline() == b"one\n"
            client.sendall(b"two\nthree\n")
            assert [answers.readline(), answers.readline()] == [b"two\n", b"three\n"]
        assert (counter.turns, counter.opened) == (2, 1)


def test_the_worst_call_counts_with_the_connections_that_it_opened() -> None:
    trips = Trips.of([{"redis": (2, 0), "provider": (1, 1)}, {"redis": (1, 0), "provider": (1, 0)}])
    assert (trips.in_all, trips.by_server["redis"]) == (4, 2)
    assert str(trips) == "redis 2, provider 1; connections opened: provider 1"


def test_a_module_below_an_unwanted_one_is_unwanted_and_a_namesake_is_not() -> None:
    assert unused_modules({"psycopg.rows", "redistribute", "json"}) == ["psycopg"]


def test_the_generated_video_is_one_by_its_first_bytes_and_the_same_from_the_middle() -> None:
    size, middle = 2 * BLOCK_BYTES + 5, BLOCK_BYTES - 3
    whole = b"".join(blocks(size))
    assert len(whole) == size
    assert sniff(whole[:4096], MediaType.VIDEO) is not None
    assert b"".join(blocks(size, middle)) == whole[middle:]
    assert whole[BLOCK_BYTES : BLOCK_BYTES + 8] == (1).to_bytes(8, "big"), "a block knows its place"
