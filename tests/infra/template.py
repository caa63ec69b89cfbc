"""A synthesized template, and questions that the tests ask of it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Resource = dict[str, Any]


@dataclass(frozen=True)
class Template:
    """One stack's template as it would be deployed."""

    content: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> "Template":
        return cls(json.loads(path.read_text(encoding="utf-8")))

    @property
    def resources(self) -> dict[str, Resource]:
        found: dict[str, Resource] = self.content["Resources"]
        return found

    def of_type(self, kind: str) -> dict[str, Resource]:
        """The resources of a type, by logical id."""
        return {name: resource for name, resource in self.resources.items() if resource["Type"] == kind}

    def properties(self, kind: str, **wanted: Any) -> Resource:
        """The properties of the one resource of this type that has these values."""
        found: list[Resource] = [
            resource["Properties"]
            for resource in self.of_type(kind).values()
            if all(resource["Properties"].get(name) == value for name, value in wanted.items())
        ]
        assert len(found) == 1, f"{len(found)} resources of type {kind} have {wanted}"
        return found[0]

    def logical_id(self, kind: str, **wanted: Any) -> str:
        properties = self.properties(kind, **wanted)
        return next(name for name, r in self.of_type(kind).items() if r["Properties"] is properties)

    def functions(self) -> dict[str, Resource]:
        """The functions' resources by the name of their handler module."""
        return {
            resource["Properties"]["Handler"].split(".")[1]: resource
            for resource in self.of_type("AWS::Lambda::Function").values()
        }

    def statements(self, function: str) -> list[Resource]:
        """What the role of a function may do."""
        role = self.functions()[function]["Properties"]["Role"]["Fn::GetAtt"][0]
        return [
            statement
            for policy in self.of_type("AWS::IAM::Policy").values()
            if {"Ref": role} in policy["Properties"]["Roles"]
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        ]

    def permissions(self, function: str) -> set[tuple[str, str]]:
        """Pairs of an action and the end of a resource that a function's role allows."""
        return {
            (action, flat(resource))
            for statement in self.statements(function)
            for action in as_list(statement["Action"])
            for resource in as_list(statement["Resource"])
        }


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def flat(value: Any) -> str:
    """A value with its intrinsics written out: `<Logical.Attribute>`, `<Region>` for what only AWS knows."""
    if isinstance(value, str):
        return value
    if "Ref" in value:
        return f"<{value['Ref'].removeprefix('AWS::')}>"
    if "Fn::GetAtt" in value:
        return f"<{'.'.join(value['Fn::GetAtt'])}>"
    separator, parts = value["Fn::Join"]
    return str(separator).join(flat(part) for part in parts)
