"""All resource types that the local cloud knows."""

from local.resources import (
    apigateway,
    custom,
    dynamodb,
    events,
    kms,
    lambda_,
    s3,
    secrets,
    sns,
    sqs,
    without_effect,
)
from local.resources.kind import Kind
from local.template import Stack, TemplateError

MODULES = (apigateway, dynamodb, events, kms, lambda_, s3, secrets, sns, sqs, without_effect)
KINDS: dict[str, Kind] = {name: kind for module in MODULES for name, kind in module.KINDS.items()}


def kind_of(type_name: str) -> Kind:
    """How a type is created; KeyError if the local cloud does not know it."""
    if type_name == custom.TYPE or type_name.startswith(custom.PREFIX):
        return custom.KIND
    return KINDS[type_name]


def check_types(stacks: list[Stack]) -> None:
    """Nothing, if every type in the templates is known; else TemplateError, which names the others."""
    unknown = []
    for stack in stacks:
        for logical_id, resource in stack.section("Resources").items():
            try:
                kind_of(resource["Type"])
            except KeyError:
                unknown.append(f"{stack.name}/{logical_id} is a {resource['Type']}")
    if unknown:
        raise TemplateError(
            "the local cloud does not know these resource types:\n  "
            + "\n  ".join(unknown)
            + "\nadd a module to local/resources, or the type to without_effect.py if it has no effect here"
        )
