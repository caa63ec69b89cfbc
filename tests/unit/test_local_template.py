"""The template interpreter: every intrinsic, the order of creation, and a clear word for what it does not know."""

from pathlib import Path
from typing import Any

import pytest

from local.aws import PSEUDO_PARAMETERS
from local.template import (
    Exports,
    Resolver,
    ResourceState,
    Stack,
    TemplateError,
    check_overrides,
    creation_order,
    load_assembly,
)
from tests.fixtures.local_cloud.templates import write_assembly

TEMPLATE: dict[str, Any] = {
    "Parameters": {
        "Level": {"Type": "String", "Default": "INFO", "AllowedValues": ["INFO", "DEBUG"]},
        "Digits": {"Type": "String", "Default": "1", "AllowedPattern": "^[0-9]+$"},
        "Origins": {"Type": "CommaDelimitedList", "Default": "a,b"},
        "BootstrapVersion": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/cdk/version"},
    },
    "Mappings": {"Regions": {"us-east-1": {"name": "Virginia"}}},
    "Conditions": {
        "Debug": {"Fn::Equals": [{"Ref": "Level"}, "DEBUG"]},
        "NotDebug": {"Fn::Not": [{"Condition": "Debug"}]},
        "Both": {"Fn::And": [{"Condition": "NotDebug"}, {"Fn::Equals": ["x", "x"]}]},
        "Either": {"Fn::Or": [{"Condition": "Debug"}, {"Condition": "Both"}]},
    },
    "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
}


def make_resolver(template: dict[str, Any] | None = None, **parameters: str) -> Resolver:
    resolver = Resolver(
        Stack("app", template or TEMPLATE),
        pseudo=PSEUDO_PARAMETERS,
        parameters=parameters,
        exports={"data:Table": "vsl-jobs"},
    )
    resolver.states["Queue"] = ResourceState(
        ref="http://queue", attributes={"Arn": "arn:queue", "Nested.Name": "inner", "Count": 3}
    )
    resolver.states["Role"] = ResourceState(ref="role", placeholder=True)
    return resolver


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ({"Ref": "Level"}, "INFO"),
        ({"Ref": "Origins"}, ["a", "b"]),
        ({"Ref": "AWS::AccountId"}, "123456789012"),
        ({"Ref": "AWS::StackName"}, "app"),
        ({"Ref": "Queue"}, "http://queue"),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, "arn:queue"),
        ({"Fn::GetAtt": "Queue.Nested.Name"}, "inner"),
        ({"Fn::GetAtt": ["Queue", "Count"]}, 3),
        ({"Fn::GetAtt": ["Role", "Arn"]}, "arn:aws:local:::Role/Arn"),
        (
            {"Fn::Sub": "${AWS::Region}/${Queue.Arn}/${Level}/${!Literal}"},
            "us-east-1/arn:queue/INFO/${Literal}",
        ),
        ({"Fn::Sub": ["${Own}-${Level}", {"Own": {"Ref": "Queue"}}]}, "http://queue-INFO"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Level"}]]}, "a-INFO"),
        ({"Fn::Join": [",", {"Ref": "Origins"}]}, "a,b"),
        ({"Fn::Select": ["1", {"Fn::Split": ["/", "x/y/z"]}]}, "y"),
        ({"Fn::ImportValue": {"Fn::Sub": "data:Table"}}, "vsl-jobs"),
        ({"Fn::FindInMap": ["Regions", {"Ref": "AWS::Region"}, "name"]}, "Virginia"),
        ({"Fn::If": ["Debug", "yes", "no"]}, "no"),
        ({"Fn::If": ["Either", "yes", "no"]}, "yes"),
        ({"kept": 1, "gone": {"Ref": "AWS::NoValue"}}, {"kept": 1}),
        ([1, {"Ref": "AWS::NoValue"}, {"Fn::If": ["Debug", 1, {"Ref": "AWS::NoValue"}]}], [1]),
        (
            {"Condition": {"Bool": {"aws:SecureTransport": "false"}}},
            {"Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        ),
    ],
)
def test_an_intrinsic_is_resolved(expression: Any, value: Any) -> None:
    assert make_resolver().resolve(expression) == value


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ({"Fn::Cidr": ["10.0.0.0/16", 1, 8]}, r"Fn::Cidr is not understood"),
        ({"Ref": "Nowhere"}, r"Ref to Nowhere"),
        ({"Fn::GetAtt": ["Queue", "Color"]}, r"Queue\.Color: the local cloud knows Arn, Count, Nested\.Name"),
        ({"Fn::GetAtt": ["Nowhere", "Arn"]}, r"Nowhere\.Arn"),
        ({"Fn::ImportValue": "data:Nothing"}, r"data:Nothing"),
        ({"Fn::FindInMap": ["Regions", "mars", "name"]}, r"mars"),
        ({"Fn::If": ["Nowhere", 1, 2]}, r"no condition Nowhere"),
    ],
)
def test_what_cannot_be_resolved_is_named_with_its_stack(expression: Any, message: str) -> None:
    with pytest.raises(TemplateError, match=f"app: .*{message}"):
        make_resolver().resolve(expression)


def test_an_override_wins_over_the_default_and_changes_conditions() -> None:
    assert make_resolver(Level="DEBUG").resolve({"Fn::If": ["Debug", "yes", "no"]}) == "yes"


@pytest.mark.parametrize(("name", "value"), [("Level", "LOUD"), ("Digits", "12x"), ("Digits", "")])
def test_a_parameter_value_that_the_template_excludes_is_refused(name: str, value: str) -> None:
    with pytest.raises(TemplateError, match=f"parameter {name} is '{value}'"):
        make_resolver(None, **{name: value})


def test_a_parameter_without_a_value_is_refused() -> None:
    with pytest.raises(TemplateError, match="Needed has no default"):
        make_resolver({"Parameters": {"Needed": {"Type": "String"}}})


def test_an_override_that_no_stack_has_a_parameter_for_is_refused() -> None:
    check_overrides([Stack("app", TEMPLATE)], {"Level": "DEBUG"})
    with pytest.raises(TemplateError, match="Levle"):
        check_overrides([Stack("app", TEMPLATE)], {"Levle": "DEBUG"})


def test_every_resolved_string_passes_the_last_word_once_it_is_whole() -> None:
    resolver = Resolver(
        Stack("app", TEMPLATE),
        pseudo=PSEUDO_PARAMETERS,
        parameters={},
        exports={},
        finish=lambda text: "local" if text == "https://api/" else text,
    )
    assert resolver.resolve({"Fn::Join": ["", ["https://", "api/"]]}) == "local"
    assert resolver.resolve({"a": ["https://api/"]}) == {"a": ["local"]}


def test_outputs_are_exported_to_later_stacks_if_their_condition_holds() -> None:
    outputs = {
        "Url": {"Value": {"Ref": "Queue"}, "Export": {"Name": {"Fn::Sub": "${AWS::StackName}:Url"}}},
        "Hidden": {"Value": "x", "Condition": "Debug"},
    }
    exports: Exports = {}
    resolver = Resolver(
        Stack("app", {**TEMPLATE, "Outputs": outputs}),
        pseudo=PSEUDO_PARAMETERS,
        parameters={},
        exports=exports,
    )
    resolver.states["Queue"] = ResourceState(ref="http://queue")
    assert resolver.outputs() == {"Url": "http://queue"}
    assert exports == {"app:Url": "http://queue"}


def test_resources_are_created_after_what_they_refer_to_or_depend_on() -> None:
    resources = {
        "Last": {"Properties": {"x": {"Fn::Sub": "${Third.Arn}-${!No}-${AWS::Region}"}}},
        "Third": {"Properties": {"x": [{"Fn::GetAtt": ["Second", "Arn"]}]}},
        "Second": {"DependsOn": "First"},
        "First": {"DependsOn": ["Zero"], "Properties": {"x": {"Ref": "AWS::Region"}}},
        "Zero": {},
        "Skipped": {"Properties": {"x": {"Ref": "Last"}}},
    }
    order = creation_order(Stack("app", {"Resources": resources}), skip=frozenset({"Skipped"}))
    assert order == ["Zero", "First", "Second", "Third", "Last"]


def test_a_circle_and_a_dependency_on_nothing_are_named() -> None:
    circle = {"A": {"Properties": {"x": {"Ref": "B"}}}, "B": {"DependsOn": "A"}}
    with pytest.raises(TemplateError, match=r"circle: (A -> B -> A|B -> A -> B)"):
        creation_order(Stack("app", {"Resources": circle}))
    with pytest.raises(TemplateError, match=r"app/A: DependsOn names no resource: .*Nowhere"):
        creation_order(Stack("app", {"Resources": {"A": {"DependsOn": "Nowhere"}}}))


def test_stacks_are_loaded_after_those_they_depend_on(tmp_path: Path) -> None:
    empty: dict[str, Any] = {"Resources": {}}
    assembly = write_assembly(tmp_path, zeta=empty, middle=empty, alpha=empty)
    assert [stack.name for stack in load_assembly(assembly)] == ["zeta", "middle", "alpha"]


def test_a_directory_that_is_no_assembly_is_named(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match=r"manifest\.json cannot be read"):
        load_assembly(tmp_path)
