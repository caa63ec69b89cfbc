"""All functions of a deployment, called by name or ARN."""

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local.deployment import Deployment, Function
from local.runtime.invocation import FunctionError
from local.runtime.pool import Pool

MAX_WORKERS = 4
MAX_PAYLOAD_BYTES = 6 * 1024 * 1024  # of a synchronous call, both ways

OnLine = Callable[[str, str], None]
OnError = Callable[[str, FunctionError], None]


class Runtime:
    """Pools by function name, made when first called. `deployment` may still be filling meanwhile."""

    def __init__(
        self,
        deployment: Deployment,
        *,
        task_root: Path,
        aws_endpoint_url: str,
        on_line: OnLine = lambda _name, _line: None,
        on_error: OnError = lambda _name, _error: None,
        max_workers: int = MAX_WORKERS,
    ) -> None:
        self.deployment = deployment
        self._task_root = task_root
        self._aws_endpoint_url = aws_endpoint_url
        self._on_line = on_line
        self._on_error = on_error
        self._max_workers = max_workers
        self._starts = asyncio.Semaphore(max(2, os.cpu_count() or 2))
        self._pools: dict[str, Pool] = {}

    def pool(self, name: str) -> Pool:
        """The pool of a function; KeyError if the deployment has none of that name."""
        if name not in self._pools:
            self._pools[name] = self._make_pool(self.deployment.functions[name])
        return self._pools[name]

    async def invoke(self, name: str, event: Any) -> bytes:
        """The function's answer as JSON bytes.

        FunctionError as Lambda would report it, "RequestTooLargeException" and an answer over 6 MB included.
        """
        payload = event if isinstance(event, bytes) else json.dumps(event, separators=(",", ":")).encode()
        try:
            if len(payload) > MAX_PAYLOAD_BYTES:
                raise FunctionError("RequestTooLargeException", f"{len(payload)} bytes; 6 MB is the limit")
            answer = await self.pool(name).invoke(payload)
            if len(answer) > MAX_PAYLOAD_BYTES:
                raise FunctionError(
                    "Function.ResponseSizeTooLarge", f"{len(answer)} bytes; 6 MB is the limit"
                )
        except FunctionError as error:
            self._on_error(name, error)
            raise
        return answer

    def describe(self) -> list[dict[str, Any]]:
        """What runs: name, handler, invocations, errors and processes of each function."""
        return [
            {
                "name": name,
                "handler": function.handler,
                "timeoutSeconds": function.timeout_seconds,
                "invocations": self.pool(name).invocations,
                "errors": self.pool(name).errors,
                "workers": self.pool(name).size,
            }
            for name, function in self.deployment.functions.items()
        ]

    async def close(self) -> None:
        """End every process."""
        await asyncio.gather(*(pool.close() for pool in self._pools.values()))

    def _make_pool(self, function: Function) -> Pool:
        return Pool(
            function,
            max_workers=self._max_workers,
            task_root=self._task_root,
            aws_endpoint_url=self._aws_endpoint_url,
            on_line=lambda line: self._on_line(function.name, line),
            starts=self._starts,
        )
