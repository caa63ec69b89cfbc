"""What a file is drawn from: everything that may change what is in it, and nothing else."""

import hashlib
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.simulation.faults import without_markers

NOT_IN_THE_PICTURE = frozenset(
    {"num_outputs", "output_format", "output_quality", "disable_safety_checker", "go_fast"}
)


@dataclass(frozen=True)
class Recipe:
    """``key`` decides the drawing; ``title`` is what is written on it."""

    key: str
    title: str
    model: str
    seed: int

    def randomness(self, *parts: object) -> random.Random:
        """A generator that is the same for the same recipe and parts."""
        text = ":".join([self.key, *map(str, parts)])
        return random.Random(hashlib.sha256(text.encode()).digest())  # noqa: S311 - repeatable, not secret

    @property
    def label(self) -> str:
        """What every simulated file says about itself."""
        return f"simulated · {self.model} · seed {self.seed}"


def recipe_of(model: str, values: Mapping[str, Any], seed: int) -> Recipe:
    """The recipe of an input whose seed is settled; format, quality and count do not change the drawing."""
    drawn = {name: value for name, value in values.items() if name not in NOT_IN_THE_PICTURE | {"seed"}}
    text = json.dumps([model, seed, drawn], sort_keys=True)
    title = without_markers(str(values.get("prompt") or "untitled"))
    return Recipe(hashlib.sha256(text.encode()).hexdigest(), title, model, seed)
