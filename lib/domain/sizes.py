"""A size in pixels asked of a model that only knows shapes: mapped where it fits one, refused where not."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.domain.errors import FieldError
from lib.domain.model_config import SizeOption, Sizes


@dataclass(frozen=True)
class SizeChoice:
    """What became of width and height: parameters to set, with a warning that says so; or errors."""

    set: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    errors: tuple[FieldError, ...] = ()


def choose_size(sizes: Sizes, given: Mapping[str, Any]) -> SizeChoice:
    """The option of that very size, else the one of that shape with the nearest area.

    `given` is what the caller asked for. What it says of the parameters that an option sets must agree.
    """
    asked = [name for name in (sizes.width, sizes.height) if name in given]
    if not asked:
        return SizeChoice()
    if len(asked) == 1:
        other = sizes.height if asked[0] == sizes.width else sizes.width
        return _refused(other, f"is missing: {sizes.width} and {sizes.height} go together")
    width, height = given[sizes.width], given[sizes.height]
    fitting = [option for option in sizes.options if _fits(option, width, height)]
    if not fitting:
        return _refused(sizes.width, _no_such_shape(sizes, width, height))
    agreeing = [option for option in fitting if _agrees(option, given)]
    if not agreeing:
        said = ", ".join(f"{name} {given[name]}" for name in fitting[0].set if name in given)
        return _refused(sizes.width, f"{width}x{height} contradicts {said}: give one of them")
    option = min(
        agreeing, key=lambda option: (not _is(option, width, height), _area_gap(option, width, height))
    )
    return SizeChoice(option.set, (_warning(sizes, option, width, height),))


def _is(option: SizeOption, width: int, height: int) -> bool:
    return (option.width, option.height) == (width, height)


def _fits(option: SizeOption, width: int, height: int) -> bool:
    ratio_width, ratio_height = option.ratio
    return width * ratio_height == height * ratio_width or width * option.height == height * option.width


def _agrees(option: SizeOption, given: Mapping[str, Any]) -> bool:
    return all(given[name] == value for name, value in option.set.items() if name in given)


def _area_gap(option: SizeOption, width: int, height: int) -> int:
    return abs(option.width * option.height - width * height)


def _warning(sizes: Sizes, option: SizeOption, width: int, height: int) -> str:
    sent = " and ".join(f"{name} {value}" for name, value in option.set.items())
    made = f"{option.width}x{option.height} pixels"
    rather = "" if _is(option, width, height) else f", not {width}x{height}"
    return (
        f"{sizes.width} {width} and {sizes.height} {height} were sent as {sent}, which makes {made}{rather}."
    )


def _no_such_shape(sizes: Sizes, width: int, height: int) -> str:
    divisor = math.gcd(width, height)
    shapes = {f"{w}:{h}": None for w, h in (option.ratio for option in sizes.options)}
    nearest = min(
        sizes.options,
        key=lambda option: (
            round(abs(math.log(width * option.height / (height * option.width))), 9),
            _area_gap(option, width, height),
        ),
    )
    return (
        f"{width}x{height} has the shape {width // divisor}:{height // divisor}, which it cannot make. "
        f"It makes {', '.join(shapes)}; the nearest size is {nearest.width}x{nearest.height}"
    )


def _refused(name: str, message: str) -> SizeChoice:
    return SizeChoice(errors=(FieldError(f"parameters.{name}", message),))
