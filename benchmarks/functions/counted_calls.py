"""Calls one handler, warm, through proxies that count round trips. A process of its own: see `counting`.

Standard input has `{"module", "warm": [event], "counted": [event], "upstreams": {name: [variable, url]}, "aws":
[name]}`; the servers in `aws` keep connections alive for the caller. The last line of standard output is
`[{name: [turns, opened]}]`, one entry for each counted call.
"""

import contextlib
import importlib
import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from benchmarks.functions.context import FunctionContext
from benchmarks.keep_alive import KeepAliveFront
from benchmarks.turns import TurnCounter


def main() -> None:
    """Put proxies before all servers, warm the handler up, then count call by call."""
    given = json.load(sys.stdin)
    with contextlib.ExitStack() as stack:
        counters: dict[str, TurnCounter] = {}
        for name, (variable, url) in given["upstreams"].items():
            if name in given["aws"]:
                url = stack.enter_context(KeepAliveFront(url)).url  # noqa: PLW2901 - the server behind changes
            counters[name] = stack.enter_context(TurnCounter(url))
            address = counters[name].url
            of_replicate = json.dumps({"replicate": {"base_url": address}})
            os.environ[variable] = of_replicate if variable == "PROVIDER_ADDRESSES" else address
        handler = importlib.import_module(given["module"]).handler
        for event in given["warm"]:
            _must_succeed(handler(event, FunctionContext()))
        print(json.dumps([_count(handler, event, counters) for event in given["counted"]]))


def _count(handler: Any, event: Any, counters: Mapping[str, TurnCounter]) -> dict[str, tuple[int, int]]:
    before = {name: (counter.turns, counter.opened) for name, counter in counters.items()}
    _must_succeed(handler(event, FunctionContext()))
    return {
        name: (counter.turns - before[name][0], counter.opened - before[name][1])
        for name, counter in counters.items()
    }


def _must_succeed(answer: Mapping[str, Any]) -> None:
    if answer["statusCode"] not in (200, 202):
        raise SystemExit(f"answered {answer['statusCode']}: {answer['body']}")


if __name__ == "__main__":
    main()
