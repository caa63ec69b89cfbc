"""How one field of a standard request becomes parameters of one model, as the catalogue says it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class StandardRule:
    """One rule of an entry's `standard`; exactly one of `to`, `append`, `set`, `pixels`, `only` and `ignore` is given.

    Parameters are named as we name them, before `map`.

    Attributes:
        to: the parameter that the value is written to, as it is or by `values`, `nearest`, `scale`.
        values: pairs of (standard value, parameter's value); others are refused.
        nearest: a number that cannot be had becomes the nearest that can, with a warning.
        scale: (a, b, c, d): a to b becomes c to d in a straight line, with a warning that names the value.
        append: the text parameter that `text` is added to, with `{value}` filled in, and a warning.
        set: pairs of (standard value, parameters to set); others are refused.
        pixels: the parameters for the width and the height of a resolution.
        only: the values that the model makes anyway; nothing is sent, others are refused.
        ignore: why the model does nothing with it; said in a warning.

    Of images alone, with `to`, whose parameter is an address or a list of them:

    Attributes:
        item: the list is of objects, and the address is this property of each.
        also: the parameters that are set with it, and their values.
        note: what the caller is told, in a warning.
        overrides: other fields that mean nothing beside it, and why; said in warnings.
    """

    to: str | None = None
    values: tuple[tuple[Any, Any], ...] = ()
    nearest: bool = False
    scale: tuple[float, float, float, float] | None = None
    append: str | None = None
    text: str = "{value}"
    set: tuple[tuple[Any, Mapping[str, Any]], ...] = field(default=())
    pixels: tuple[str, str] | None = None
    only: tuple[Any, ...] = ()
    ignore: str | None = None
    item: str | None = None
    also: Mapping[str, Any] = field(default_factory=dict)
    note: str | None = None
    overrides: Mapping[str, str] = field(default_factory=dict)

    @property
    def parameters(self) -> tuple[str, ...]:
        """Every parameter that the rule may write to."""
        sets = [name for _, one in self.set for name in one]
        named = [self.to, self.append, *(self.pixels or ()), *sets, *self.also]
        return tuple(dict.fromkeys(name for name in named if name is not None))


def read_rule(rule: Mapping[str, Any]) -> StandardRule:
    """The rule of an entry that is right by `config/models.schema.json`."""
    scale, pixels = rule.get("scale"), rule.get("pixels")
    return StandardRule(
        to=rule.get("to"),
        values=tuple((standard, ours) for standard, ours in rule.get("values", ())),
        nearest=rule.get("nearest", False),
        scale=(scale[0], scale[1], scale[2], scale[3]) if scale else None,
        append=rule.get("append"),
        text=rule.get("text", "{value}"),
        set=tuple((standard, dict(parameters)) for standard, parameters in rule.get("set", ())),
        pixels=(pixels[0], pixels[1]) if pixels else None,
        only=tuple(rule.get("only", ())),
        ignore=rule.get("ignore"),
        item=rule.get("item"),
        also=rule.get("also", {}),
        note=rule.get("note"),
        overrides=rule.get("overrides", {}),
    )
