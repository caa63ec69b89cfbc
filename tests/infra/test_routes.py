"""The HTTP API."""

import pytest

from infra.routes import DEFAULT_ROUTE, ROUTES, Route
from tests.infra.template import Template, flat

ALL_ROUTES = (*ROUTES, DEFAULT_ROUTE)


def test_every_route_of_the_table_is_a_route_of_the_api_and_no_other_is(app: Template) -> None:
    keys = [r["Properties"]["RouteKey"] for r in app.of_type("AWS::ApiGatewayV2::Route").values()]
    assert sorted(keys) == sorted(route.key for route in ALL_ROUTES)


@pytest.mark.parametrize("route", ALL_ROUTES, ids=lambda route: str(route.key))
def test_a_route_leads_to_its_function_in_payload_format_2(app: Template, route: Route) -> None:
    key, function = route.key, route.function
    target = app.properties("AWS::ApiGatewayV2::Route", RouteKey=key)["Target"]
    integration = app.resources[target["Fn::Join"][1][1]["Ref"]]["Properties"]
    called = app.resources[integration["IntegrationUri"]["Fn::GetAtt"][0]]
    assert called is app.functions()[function]
    assert integration["PayloadFormatVersion"] == "2.0"


def test_only_this_api_may_call_the_functions_that_answer_requests(app: Template) -> None:
    callers = [
        permission["Properties"]
        for permission in app.of_type("AWS::Lambda::Permission").values()
        if permission["Properties"]["Principal"] == "apigateway.amazonaws.com"
    ]
    called = {app.resources[p["FunctionName"]["Fn::GetAtt"][0]]["Properties"]["Handler"] for p in callers}
    assert called == {f"handlers.{route.function}.handler" for route in ROUTES}
    api = app.logical_id("AWS::ApiGatewayV2::Api", ProtocolType="HTTP")
    assert all(f":<{api}>/" in flat(p["SourceArn"]) for p in callers)


def test_functions_do_not_stand_between_the_api_and_its_address(app: Template) -> None:
    api = app.logical_id("AWS::ApiGatewayV2::Api", ProtocolType="HTTP")
    address = app.functions()["generate_media"]["Properties"]["Environment"]["Variables"]["WEBHOOK_BASE_URL"]
    assert flat(address) == f"https://<{api}>.execute-api.<Region>.<URLSuffix>"
    assert "DependsOn" not in app.resources[api]
    assert app.content["Outputs"]["ApiEndpoint"]["Value"] == address


def test_origins_are_a_setting_and_none_turns_cors_off(app: Template) -> None:
    cors = app.properties("AWS::ApiGatewayV2::Api")["CorsConfiguration"]
    condition, enabled, disabled = cors["Fn::If"]
    assert enabled["AllowOrigins"] == {"Ref": "CorsAllowOrigins"}
    assert disabled == {"Ref": "AWS::NoValue"}
    joined = {"Fn::Join": [",", {"Ref": "CorsAllowOrigins"}]}
    assert app.content["Conditions"][condition] == {"Fn::Not": [{"Fn::Equals": [joined, ""]}]}


def test_browsers_may_send_what_callers_send_and_read_what_they_need(app: Template) -> None:
    enabled = app.properties("AWS::ApiGatewayV2::Api")["CorsConfiguration"]["Fn::If"][1]
    assert {"authorization", "content-type", "idempotency-key", "x-api-key"} <= set(enabled["AllowHeaders"])
    assert {"retry-after", "x-request-id", "ratelimit-remaining"} <= set(enabled["ExposeHeaders"])


def test_the_access_log_tells_no_query_string_which_holds_webhook_tokens(app: Template) -> None:
    access_log = app.properties("AWS::ApiGatewayV2::Stage")["AccessLogSettings"]["Format"]
    assert "$context.path" in access_log
    assert "queryString" not in access_log
    assert "requestOverride" not in access_log


def test_the_api_is_throttled(app: Template) -> None:
    limits = app.properties("AWS::ApiGatewayV2::Stage")["DefaultRouteSettings"]
    assert 0 < limits["ThrottlingRateLimit"] <= limits["ThrottlingBurstLimit"]
