"""Reads a synthesized cloud assembly and resolves its CloudFormation templates."""

from local.template.assembly import Stack, load_assembly
from local.template.errors import TemplateError
from local.template.order import creation_order
from local.template.parameters import check_overrides
from local.template.resolver import Exports, Resolver, ResourceState

__all__ = [
    "Exports",
    "Resolver",
    "ResourceState",
    "Stack",
    "TemplateError",
    "check_overrides",
    "creation_order",
    "load_assembly",
]
