"""Which of Stability's operations there are: where each is, whether its answer is the result, what is a file.

Source: platform.stability.ai/docs/api-reference (v2beta); read November 2026.
"""

import re
from dataclasses import dataclass

from lib.domain.errors import ConfigurationError

_MODEL = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")


@dataclass(frozen=True)
class Route:
    """An operation below `/v2beta/`. `results` is where its results are asked for; None: the answer brings them."""

    path: str
    accept: str
    results: str | None = None


@dataclass(frozen=True)
class Target:
    """What a `model_ref` such as `stable-image/generate/sd3:sd3.5-large` names: a route, and the field `model`."""

    route: Route
    model: str | None = None


_IMAGE, _AUDIO = "image/*", "audio/*"
_SYNCHRONOUS_IMAGES = (
    *(f"generate/{name}" for name in ("core", "ultra", "sd3")),
    *(f"upscale/{name}" for name in ("fast", "conservative")),
    *(f"control/{name}" for name in ("sketch", "structure", "style", "style-transfer")),
    *(f"edit/{name}" for name in ("erase", "inpaint", "outpaint", "remove-background")),
    *(f"edit/{name}" for name in ("search-and-replace", "search-and-recolor")),
)
_ASYNCHRONOUS_IMAGES = ("upscale/creative", "edit/replace-background-and-relight")
_AUDIO_OPERATIONS = ("text-to-audio", "audio-to-audio", "inpaint")

ROUTES = {
    route.path: route
    for route in (
        *(Route(f"stable-image/{name}", _IMAGE) for name in _SYNCHRONOUS_IMAGES),
        *(Route(f"stable-image/{name}", _IMAGE, "results") for name in _ASYNCHRONOUS_IMAGES),
        *(Route(f"audio/stable-audio-2/{name}", _AUDIO) for name in _AUDIO_OPERATIONS),
        *(Route(f"audio/stable-audio/{name}", _AUDIO, "audio/results") for name in _AUDIO_OPERATIONS),
    )
}

FILES = frozenset(
    {
        *("image", "mask", "init_image", "style_image", "subject_image"),
        *("background_reference", "light_reference", "audio"),
    }
)
"""The fields that are files, in whichever operation."""


def target_of(model_ref: str) -> Target:
    """Return what a model's reference names. Raises `ConfigurationError` for one that is none."""
    path, colon, model = model_ref.partition(":")
    route = ROUTES.get(path)
    if route is None or (colon and not _MODEL.fullmatch(model)):
        raise ConfigurationError(
            f"{model_ref[:100]!r} is no model of Stability: it must be one of {', '.join(ROUTES)}, "
            "with :model after it where the operation has several"
        )
    return Target(route, model or None)
