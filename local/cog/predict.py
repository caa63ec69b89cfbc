"""The example predictor: draws a picture that depends on prompt and seed. It stands where a model of yours would.

Cog's server loads this file by its path: `COG_PREDICT_TYPE_STUB=.../predict.py:Sketch`. What it takes is described to
the server in `openapi_schema.json`. Each run leaves a line in `runs.jsonl`, in the server's directory.
"""

import json
import time
from pathlib import Path as FilePath
from tempfile import mkdtemp

from cog import BaseRunner, Path  # type: ignore[import-untyped]  # the package has no types

from local.simulation.draw.image import draw_picture, save_picture
from local.simulation.draw.recipe import recipe_of

NAME = "cog-sketch"
RUNS = "runs.jsonl"
_STEP_SECONDS = 0.05


class Sketch(BaseRunner):  # type: ignore[misc]  # as above
    """Draws."""

    def run(  # noqa: PLR0917 - Cog gives the inputs as arguments
        self,
        prompt: str,
        seed: int = 0,
        width: int = 512,
        height: int = 512,
        format: str = "png",  # noqa: A002 - as above, by their names
        work_seconds: float = 0.2,
    ) -> Path:
        """Work for so many seconds, then draw. Raises ValueError for a prompt that asks for it by `[fail]`."""
        recipe = recipe_of(NAME, {"prompt": prompt, "width": width, "height": height}, seed)
        with FilePath(RUNS).open("a", encoding="utf-8") as runs:
            runs.write(json.dumps({"prompt": prompt, "seed": seed}) + "\n")
        _work(work_seconds)
        if "[fail]" in prompt:
            raise ValueError("The prompt asked for a failure.")
        path = FilePath(mkdtemp(dir=".")) / f"sketch.{format}"
        save_picture(
            draw_picture(recipe, (width, height)), path, file_format=format, quality=80, label=recipe.label
        )
        return Path(path)


def _work(seconds: float) -> None:
    """In small steps, so that a cancel ends it soon; tells its progress as tqdm does."""
    begun = time.monotonic()
    while (elapsed := time.monotonic() - begun) < seconds:
        done = int(20 * elapsed / seconds)
        print(f"{5 * done:3d}%|{'#' * done:20}| {done}/20", flush=True)
        time.sleep(_STEP_SECONDS)
