"""Which route of an HTTP API takes a request.

Priority as on AWS: an exact path before path variables before a greedy variable before $default; at equal paths, a
method before ANY. https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from local.deployment import Route

_VARIABLE = re.compile(r"\{([A-Za-z0-9._-]+)(\+?)\}")


@dataclass(frozen=True, slots=True)
class Match:
    """The route, and the decoded values of its path variables."""

    route: Route
    path_parameters: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Candidate:
    route: Route
    method: str
    pattern: re.Pattern[str]
    rank: tuple[int, int, int]


class RouteTable:
    """The routes of an API, best first."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._candidates = sorted((_candidate(route) for route in routes), key=lambda item: item.rank)

    def match(self, method: str, raw_path: str) -> Match | None:
        """The best route for the request, or None (the gateway's 404, for a wrong method too)."""
        for candidate in self._candidates:
            found = candidate.pattern.fullmatch(raw_path)
            if found and candidate.method in {method, "ANY"}:
                values = {name: unquote(value) for name, value in found.groupdict().items()}
                names = _VARIABLE.findall(candidate.route.key)
                return Match(candidate.route, {name: values[f"v{i}"] for i, (name, _) in enumerate(names)})
        return None


def _candidate(route: Route) -> _Candidate:
    if route.key == "$default":
        return _Candidate(route, "ANY", re.compile(r".*", re.DOTALL), (3, 0, 1))
    method, _, path = route.key.partition(" ")
    variables = _VARIABLE.findall(path)
    greedy = any(plus for _, plus in variables)
    rank = (2 if greedy else 1 if variables else 0, -path.count("/"), int(method == "ANY"))
    return _Candidate(route, method, _pattern(path), rank)


def _pattern(path: str) -> re.Pattern[str]:
    text, end = "", 0
    for i, found in enumerate(_VARIABLE.finditer(path)):
        text += re.escape(path[end : found.start()])
        text += f"(?P<v{i}>{'.+' if found.group(2) else '[^/]+'})"
        end = found.end()
    return re.compile(text + re.escape(path[end:]))
