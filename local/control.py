"""The control endpoints under `/_local/`, for tests and the curious; nothing of the kind exists on AWS.

GET  /_local/functions                        functions with their invocations, errors and processes
POST /_local/functions/{name}/kill            SIGKILL to a function's processes
POST /_local/schedules/{name}/run             run a schedule now, wait, and answer with what its targets answered
POST /_local/backing/{service}/{action}       service: postgres, redis, aws; action: kill, freeze, thaw, start
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from local.backing import BackingError
from local.payload import HttpRequest, HttpResponse
from local.runtime import FunctionError, Runtime
from local.schedules import Schedules

BackingAction = Callable[[str, str], None]


class Control:
    """Answers the control endpoints. `backing(service, action)` blocks; KeyError if it knows no such thing."""

    def __init__(self, runtime: Runtime, schedules: Schedules, backing: BackingAction) -> None:
        self._runtime = runtime
        self._schedules = schedules
        self._backing = backing

    async def __call__(self, request: HttpRequest) -> HttpResponse:
        """The answer; 404 for anything unknown."""
        parts = request.raw_path.strip("/").split("/")[1:]
        try:
            return await self._dispatch(request.method, parts)
        except KeyError as error:
            return _json(404, {"message": f"there is no {error}"})
        except FunctionError as error:
            return _json(502, error.as_json())
        except BackingError as error:
            return _json(500, {"message": str(error)})

    async def _dispatch(self, method: str, parts: list[str]) -> HttpResponse:
        match (method, parts):
            case ("GET", ["functions"]):
                return _json(200, {"functions": self._runtime.describe()})
            case ("POST", ["functions", name, "kill"]):
                return _json(200, {"killed": self._runtime.pool(name).kill()})
            case ("POST", ["schedules", name, "run"]):
                return _json(200, {"answers": await self._schedules.run_now(name)})
            case ("POST", ["backing", service, action]):
                await asyncio.to_thread(self._backing, service, action)
                return _json(200, {"service": service, "action": action})
            case _:
                raise KeyError(f"{method} /_local/{'/'.join(parts)}")


def _json(status: int, body: Any) -> HttpResponse:
    return HttpResponse(status, json.dumps(body).encode(), [("content-type", "application/json")])
