"""The documentation is what the routes are: compared with the handlers, the committed files and the infrastructure."""

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from infra.openapi import JSON_PATH, TEXT_PATH, api_text
from infra.routes import ROUTES
from lib.api.function import HttpFunction
from lib.api.openapi import openapi_json
from lib.api.operations import OPERATIONS, Access, Operation
from lib.api.problem_list import problem_rows

DOCUMENT: dict[str, Any] = json.loads(openapi_json())


def described(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][operation.path][operation.method.lower()]
    return found


@pytest.mark.parametrize(("path", "text"), [(JSON_PATH, openapi_json), (TEXT_PATH, api_text)])
def test_the_committed_files_are_up_to_date(path: Path, text: Any) -> None:
    assert path.read_text() == text(), "run `make openapi`"


def test_the_document_is_valid() -> None:
    validate(DOCUMENT)


def test_the_document_has_exactly_the_operations() -> None:
    paths = {(path, method.upper()) for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert paths == {(operation.path, operation.method) for operation in OPERATIONS}


@pytest.mark.parametrize("name", sorted({operation.function for operation in OPERATIONS}))
def test_each_function_answers_exactly_its_operations(name: str) -> None:
    http = importlib.import_module(f"handlers.{name}").http
    assert isinstance(http, HttpFunction)
    routes = http.resolver._static_routes + http.resolver._dynamic_routes
    assert {(route.method, route.path) for route in routes} == {
        (operation.method, operation.rule) for operation in OPERATIONS if operation.function == name
    }


def test_the_infrastructure_has_the_same_routes() -> None:
    theirs = {(route.function, route.method, route.path, route.access.name) for route in ROUTES}
    ours = {(each.function, each.method, each.path, each.access.name) for each in OPERATIONS}
    assert ours <= theirs


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_an_operation_says_whether_it_needs_a_key(operation: Operation) -> None:
    needs = operation.access in (Access.API_KEY, Access.ADMIN)
    assert bool(described(operation).get("security")) is needs
    assert ("401" in described(operation)["responses"]) is (operation.access is not Access.PUBLIC)
    if operation.access is Access.ADMIN:
        assert "403" in described(operation)["responses"]


def test_every_problem_is_described_as_one_with_an_example() -> None:
    for methods in DOCUMENT["paths"].values():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                if int(status) >= 400 and operation["operationId"] not in ("getHealth", "getHealthDetails"):
                    content = response["content"]["application/problem+json"]
                    assert content["schema"]["$ref"].endswith("/Problem")
                    assert content["example"]["status"] == int(status)


def test_reading_media_leads_elsewhere() -> None:
    found = DOCUMENT["paths"]["/media/{outputId}"]["get"]["responses"]["302"]
    assert "Location" in found["headers"]
    assert "content" not in found


def test_waiting_is_told_in_a_header() -> None:
    responses = DOCUMENT["paths"]["/generate-media"]["post"]["responses"]
    assert "Retry-After" in responses["429"]["headers"]
    assert "Retry-After" in responses["503"]["headers"]
    assert "RateLimit-Remaining" in responses["202"]["headers"]


def test_nothing_is_described_that_is_not_sent() -> None:
    assert not [name for name in DOCUMENT["components"]["schemas"] if "ValidationError" in name]


def test_every_code_is_listed_once() -> None:
    codes = [code for code, _, _ in problem_rows()]
    assert len(codes) == len(set(codes))
    assert {"bad_request", "rate_limited", "moderation_refused", "internal_error"} <= set(codes)
