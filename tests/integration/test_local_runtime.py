"""Functions run as on Lambda: their environment, their time limit, and every way in which they can fail."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from local.aws import arn
from local.backing.moto import REPOSITORY
from local.deployment import Deployment, Function
from local.loop_thread import LoopThread
from local.runtime import FunctionError, Runtime
from tests.fixtures.local_cloud.templates import MODULE


def make_function(name: str, **changes: Any) -> Function:
    given: dict[str, Any] = {
        "name": name,
        "arn": arn("lambda", f"function:{name}"),
        "handler": f"{MODULE}.{name}",
        "runtime": "python3.14",
        "timeout_seconds": 20,
        "memory_mb": 256,
        "environment": {"GREETING": "hello"},
    }
    return Function(**{**given, **changes})


class Calls:
    """Calls functions of a runtime from synchronous tests."""

    def __init__(self, loop: LoopThread, runtime: Runtime, lines: list[tuple[str, str]]) -> None:
        self.loop = loop
        self.runtime = runtime
        self.lines = lines

    def add(self, function: Function) -> None:
        self.runtime.deployment.functions[function.name] = function

    def __call__(self, name: str, event: Any = None) -> Any:
        return json.loads(self.loop.run(self.runtime.invoke(name, event or {}), 60))


@pytest.fixture
def call() -> Iterator[Calls]:
    loop = LoopThread()
    lines: list[tuple[str, str]] = []

    async def make() -> Runtime:
        return Runtime(
            Deployment(),
            task_root=REPOSITORY,
            aws_endpoint_url="http://127.0.0.1:1",
            on_line=lambda name, line: lines.append((name, line)),
            max_workers=2,
        )

    runtime = loop.run(make())
    yield Calls(loop, runtime, lines)
    loop.run(runtime.close())
    loop.stop()


def test_a_function_sees_the_templates_variables_and_lambdas_own_and_nothing_of_the_callers(
    call: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOT_FOR_FUNCTIONS", "1")
    call.add(make_function("echo"))
    seen = call("echo", {"x": [1, "ü"]})
    environment = seen["environment"]
    assert seen["event"] == {"x": [1, "ü"]}
    assert environment["GREETING"] == "hello"
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == seen["functionName"] == "echo"
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert environment["AWS_REGION"] == "us-east-1"
    assert environment["LAMBDA_TASK_ROOT"] == seen["directory"] == str(REPOSITORY)
    assert environment["_HANDLER"] == f"{MODULE}.echo"
    assert "NOT_FOR_FUNCTIONS" not in environment
    assert 0 < seen["remainingMs"] <= 20_000
    assert seen["arn"] == "arn:aws:lambda:us-east-1:123456789012:function:echo"


def test_a_warm_process_is_used_again_and_a_second_one_is_started_only_for_a_second_call(call: Calls) -> None:
    call.add(make_function("echo"))
    assert len({call("echo")["pid"] for _ in range(5)}) == 1
    call.add(make_function("sleep"))
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lambda _: call("sleep", {"seconds": 0.2}), range(6))) == ["awake"] * 6
    assert call.runtime.pool("sleep").size == 2
    assert call.runtime.pool("sleep").invocations == 6


def test_a_function_over_its_time_limit_is_killed_and_the_next_call_gets_a_new_process(call: Calls) -> None:
    call.add(make_function("sleep", timeout_seconds=1))
    with pytest.raises(FunctionError, match=r"Task timed out after 1\.00 seconds") as caught:
        call("sleep", {"seconds": 30})
    assert caught.value.error_type == "Sandbox.Timedout"
    assert call("sleep", {"seconds": 0.01}) == "awake"


@pytest.mark.parametrize(("how", "reason"), [("exit", "exit status 7"), ("signal", "SIGKILL")])
def test_a_process_that_ends_fails_its_call_and_is_replaced(call: Calls, how: str, reason: str) -> None:
    call.add(make_function("crash"))
    with pytest.raises(FunctionError, match=reason) as caught:
        call("crash", {"how": how})
    assert caught.value.error_type == "Runtime.ExitError"
    assert call("crash") == "fine"


def test_an_exception_is_reported_with_its_class_and_text_and_the_process_stays(call: Calls) -> None:
    call.add(make_function("crash"))
    with pytest.raises(FunctionError) as caught:
        call("crash", {"how": "raise"})
    assert (caught.value.error_type, caught.value.message) == ("ValueError", "the handler's own reason")
    assert any("functions.py" in line for line in caught.value.trace)
    assert call.runtime.pool("crash").size == 1


@pytest.mark.parametrize(
    ("handler", "error_type", "reason"),
    [
        ("tests.fixtures.local_cloud.broken.handler", "RuntimeError", "no import today"),
        ("tests.fixtures.local_cloud.missing.handler", "Runtime.ImportModuleError", "missing"),
        (f"{MODULE}.no_such_handler", "Runtime.HandlerNotFound", "no_such_handler"),
    ],
)
def test_a_handler_that_cannot_be_imported_says_why_each_time(
    call: Calls, handler: str, error_type: str, reason: str
) -> None:
    call.add(make_function("broken", handler=handler))
    for _ in range(2):
        with pytest.raises(FunctionError, match=reason) as caught:
            call("broken")
        assert caught.value.error_type == error_type


def test_what_a_function_prints_arrives_line_by_line(call: Calls) -> None:
    call.add(make_function("crash"))
    call("crash")
    call.loop.run(call.runtime.close())
    printed = [line for name, line in call.lines if name == "crash"]
    assert "to standard error" in printed
    assert any('"jobId": "job-1"' in line for line in printed)


def test_an_event_over_six_megabytes_is_refused(call: Calls) -> None:
    call.add(make_function("echo"))
    with pytest.raises(FunctionError) as caught:
        call("echo", {"body": "x" * (6 * 1024 * 1024)})
    assert caught.value.error_type == "RequestTooLargeException"


def test_a_large_event_passes_whole(call: Calls) -> None:
    call.add(make_function("echo"))
    assert len(call("echo", {"body": "x" * 2_000_000})["event"]["body"]) == 2_000_000


def test_killed_processes_fail_what_they_do_and_nothing_else(call: Calls) -> None:
    call.add(make_function("echo"))
    first = call("echo")["pid"]

    async def kill() -> int:
        return call.runtime.pool("echo").kill()

    assert call.loop.run(kill()) == 1
    assert call("echo")["pid"] != first
