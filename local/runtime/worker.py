"""One process of a function, with the Lambda Runtime API that it talks to.

API: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from local.backing import children
from local.deployment import Function
from local.runtime.environment import function_environment
from local.runtime.http_server import LoopbackServer, Request, Response
from local.runtime.invocation import FunctionError, Invocation

INIT_SECONDS = 60.0
_PREFIX = "/2018-06-01/runtime/"
_ERROR_TYPE = "lambda-runtime-function-error-type"
_ACCEPTED = Response(202, b'{"status":"OK"}')
_LINE_LIMIT = 1024 * 1024


class Worker:
    """Starts at `start`, takes one invocation at a time, and is done with after an error that ends the process."""

    def __init__(
        self,
        function: Function,
        *,
        task_root: Path,
        aws_endpoint_url: str,
        on_line: Callable[[str], None],
        on_exit: Callable[["Worker"], None],
    ) -> None:
        self.function = function
        self._task_root = task_root
        self._aws_endpoint_url = aws_endpoint_url
        self._on_line = on_line
        self._on_exit = on_exit
        self._server = LoopbackServer(self._serve)
        self._process: asyncio.subprocess.Process | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._ready: asyncio.Future[None] | None = None
        self._next: asyncio.Queue[Invocation] = asyncio.Queue()
        self._current: Invocation | None = None
        self._exited = False

    @property
    def alive(self) -> bool:
        """True while the process can take invocations."""
        return self._process is not None and not self._exited

    async def start(self) -> None:
        """Return when the handler is imported and waits for events; FunctionError if that fails."""
        await self._server.start()
        self._ready = asyncio.get_running_loop().create_future()
        environment = function_environment(
            self.function,
            task_root=self._task_root,
            runtime_api=f"127.0.0.1:{self._server.port}",
            aws_endpoint_url=self._aws_endpoint_url,
        )
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "awslambdaric",
            self.function.handler,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=self._task_root,
            env=environment,
            start_new_session=True,
        )
        children.guard(self._process.pid)
        self._watcher = asyncio.create_task(self._watch(self._process))
        try:
            await asyncio.wait_for(asyncio.shield(self._ready), INIT_SECONDS)
        except TimeoutError:
            await self.kill()
            raise FunctionError("Sandbox.Timedout", f"init took longer than {INIT_SECONDS:g} s") from None

    async def invoke(self, event: bytes) -> bytes:
        """The function's answer to `event`; FunctionError if it fails, exits, or takes longer than its limit."""
        limit = self.function.timeout_seconds
        invocation = Invocation(event, deadline_ms=int((time.time() + limit) * 1000))
        self._current = invocation
        self._next.put_nowait(invocation)
        if self._exited:
            self._fail_current()
        try:
            return await asyncio.wait_for(invocation.answer, limit)
        except TimeoutError:
            await self.kill()
            message = f"RequestId: {invocation.request_id} Error: Task timed out after {limit:.2f} seconds"
            raise FunctionError("Sandbox.Timedout", message) from None
        finally:
            self._current = None

    async def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self.send_kill()
        if self._watcher is not None:
            await asyncio.wait([self._watcher])

    def send_kill(self) -> None:
        """SIGKILL to the process and what it started."""
        if self._process is not None and not self._exited:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        if process.stdout is not None:
            await self._read_lines(process.stdout)
        code = await process.wait()
        self._exited = True
        children.release(process.pid)
        exit_text = f"signal: {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
        error = FunctionError("Runtime.ExitError", f"Runtime exited: {exit_text}")
        if self._ready is not None and not self._ready.done():
            self._ready.set_exception(error)
            self._ready.exception()  # whoever waited got it; if nobody did, that is no warning
        self._fail_current(exit_text)
        await self._server.close()
        self._on_exit(self)

    def _fail_current(self, exit_text: str = "exited before the event") -> None:
        if self._current is not None:
            message = f"RequestId: {self._current.request_id} Error: Runtime exited with error: {exit_text}"
            self._current.fail(FunctionError("Runtime.ExitError", message))

    async def _read_lines(self, stream: asyncio.StreamReader) -> None:
        rest = b""
        while chunk := await stream.read(65536):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > _LINE_LIMIT:
                lines, rest = [*lines, rest], b""
            for line in lines:
                self._on_line(line.decode(errors="replace"))
        if rest:
            self._on_line(rest.decode(errors="replace"))

    async def _serve(self, request: Request) -> Response:
        path = request.path.removeprefix(_PREFIX)
        if path == "invocation/next":
            return await self._hand_out()
        if path == "init/error":
            self._report_init_error(request)
            return _ACCEPTED
        request_id, _, kind = path.removeprefix("invocation/").partition("/")
        invocation = self._current
        if invocation is None or invocation.request_id != request_id:
            return Response(400, b'{"errorType":"InvalidRequestID"}')
        if kind == "response":
            invocation.succeed(request.body)
        else:
            fallback = request.headers.get(_ERROR_TYPE, "Unhandled")
            invocation.fail(FunctionError.from_report(request.body, fallback))
        return _ACCEPTED

    def _report_init_error(self, request: Request) -> None:
        error = FunctionError.from_report(request.body, request.headers.get(_ERROR_TYPE, "Runtime.InitError"))
        if self._ready is not None and not self._ready.done():
            self._ready.set_exception(error)
            self._ready.exception()

    async def _hand_out(self) -> Response:
        if self._ready is not None and not self._ready.done():
            self._ready.set_result(None)
        invocation = await self._next.get()
        headers = {
            "content-type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": self.function.arn,
            "Lambda-Runtime-Trace-Id": f"Root=1-{int(time.time()):08x}-{invocation.request_id[-12:]:0>24};Sampled=0",
        }
        return Response(200, invocation.event, headers)
