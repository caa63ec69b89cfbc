"""One call of a function: its event going in, its answer or error coming out."""

import asyncio
import json
import uuid
from dataclasses import dataclass, field
from typing import Any


class FunctionError(Exception):
    """A function failed as Lambda reports it: raised, exited, ran out of time, or could not be imported.

    `error_type` is "Runtime.ExitError", "Sandbox.Timedout", "Runtime.ImportModuleError" and the like, or the class
    of the exception that the handler raised.
    """

    def __init__(self, error_type: str, message: str, trace: list[str] | None = None) -> None:
        self.error_type = error_type
        self.message = message
        self.trace = trace or []
        super().__init__(f"{error_type}: {message}")

    @classmethod
    def from_report(cls, body: bytes, fallback: str) -> "FunctionError":
        """The error that the runtime client posted; `fallback` is its type if the report names none."""
        try:
            report = json.loads(body)
            trace = [str(line) for line in report.get("stackTrace") or []]
            return cls(report.get("errorType") or fallback, str(report.get("errorMessage", "")), trace)
        except (json.JSONDecodeError, AttributeError):
            return cls(fallback, body.decode(errors="replace"))

    def as_json(self) -> dict[str, Any]:
        """The payload that Lambda gives to whoever called."""
        return {"errorMessage": self.message, "errorType": self.error_type, "stackTrace": self.trace}


@dataclass(slots=True)
class Invocation:
    """An event on its way through a worker. `answer` gets the raw bytes of the result, or a FunctionError."""

    event: bytes
    deadline_ms: int
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    answer: "asyncio.Future[bytes]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def succeed(self, body: bytes) -> None:
        """The function answered; a second answer is ignored."""
        if not self.answer.done():
            self.answer.set_result(body)

    def fail(self, error: FunctionError) -> None:
        """The function failed; ignored if it answered before."""
        if not self.answer.done():
            self.answer.set_exception(error)
