"""Crashes and interleavings at the seams: before and after each call of a port, anything may happen."""

from collections.abc import Callable
from typing import Any


class Killed(BaseException):
    """The process died here. No `except Exception` may survive it."""


class Seam:
    """Asks `decide` at each seam; it may do nothing, raise Killed, or let another actor run in between."""

    def __init__(self) -> None:
        self.decide: Callable[[str], None] = lambda _where: None

    def wrap(self, port: Any, name: str) -> Any:
        """The port with a seam before and after each of its methods."""
        return _Seamed(port, name, self)


class _Seamed:
    def __init__(self, port: Any, name: str, seam: Seam) -> None:
        self._port = port
        self._name = name
        self._seam = seam

    def __getattr__(self, method: str) -> Any:
        real = getattr(self._port, method)
        if not callable(real):
            return real

        def call(*args: Any, **kwargs: Any) -> Any:
            self._seam.decide(f"before {self._name}.{method}")
            answer = real(*args, **kwargs)
            self._seam.decide(f"after {self._name}.{method}")
            return answer

        return call
