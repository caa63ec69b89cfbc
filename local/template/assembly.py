"""A cloud assembly: the directory that `cdk synth` writes, with `manifest.json` and one template per stack.

Shape: https://docs.aws.amazon.com/cdk/api/v2/docs/cloud-assembly-schema-readme.html
"""

import json
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from local.template.errors import TemplateError

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stack:
    """One stack: its name, and its template as parsed JSON."""

    name: str
    template: Json

    def section(self, name: str) -> Json:
        """A section of the template ("Resources", "Outputs", ...); empty if it has none."""
        section: Json = self.template.get(name) or {}
        return section


def load_assembly(directory: Path) -> list[Stack]:
    """All stacks, each after those it depends on. TemplateError if the assembly is not one."""
    manifest = _read(directory / "manifest.json")
    artifacts: dict[str, Json] = {
        key: value
        for key, value in manifest.get("artifacts", {}).items()
        if value.get("type") == "aws:cloudformation:stack"
    }
    if not artifacts:
        raise TemplateError(f"{directory / 'manifest.json'} names no stack")
    graph = {
        key: [other for other in value.get("dependencies", []) if other in artifacts]
        for key, value in sorted(artifacts.items())
    }
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise TemplateError(f"the stacks depend on each other in a circle: {error.args[1]}") from error
    return [_stack(directory, key, artifacts[key]) for key in order]


def _stack(directory: Path, key: str, artifact: Json) -> Stack:
    properties = artifact.get("properties", {})
    return Stack(
        name=properties.get("stackName", key),
        template=_read(directory / properties.get("templateFile", f"{key}.template.json")),
    )


def _read(path: Path) -> Json:
    try:
        parsed: Json = json.loads(path.read_text())
    except (OSError, json.JSONDecodeError) as error:
        raise TemplateError(f"{path} cannot be read: {error}") from error
    return parsed
