"""Makes the output of one prediction: files on disk or tokens. Runs in a thread; touches no event loop."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError

from local.replicate.catalogue import Kind, Model
from local.simulation.draw import audio, image, text, video
from local.simulation.draw.recipe import Recipe, recipe_of
from local.simulation.draw.sizes import CannotDrawError, image_size, video_size

MAX_AUDIO_SECONDS = 600
FRAMES = {"14_frames_with_svd": 14, "25_frames_with_svd_xt": 25}


@dataclass(frozen=True)
class RenderedFile:
    """A file that was made: its public name, its type and where it lies."""

    name: str
    content_type: str
    path: Path


def render_files(
    model: Model, values: Mapping[str, Any], seed: int, folder: Path, source: bytes | None = None
) -> list[RenderedFile]:
    """Draws all files of an image, video or audio prediction into ``folder``; raises CannotDrawError.

    ``values`` is the input with the model's defaults filled in. ``source`` is the input image of a video where the
    simulator has it (a ``data:`` URL or an uploaded file); it never fetches one.
    """
    recipe = recipe_of(model.slug, values, seed)
    match model.kind:
        case Kind.IMAGE:
            return _images(recipe, values, folder)
        case Kind.VIDEO:
            return [_video(recipe, values, folder, source)]
        case Kind.AUDIO:
            return [_audio(recipe, values, folder)]
        case Kind.TEXT:
            raise ValueError(f"{model.slug} makes tokens, not files")


def render_tokens(model: Model, values: Mapping[str, Any], seed: int) -> list[str]:
    """The tokens of a text prediction."""
    limit = values.get("max_new_tokens") or values["max_tokens"]
    return text.write_tokens(recipe_of(model.slug, values, seed), max_tokens=int(limit))


def _images(recipe: Recipe, values: Mapping[str, Any], folder: Path) -> list[RenderedFile]:
    size, extension = image_size(values), str(values.get("output_format", "png"))
    made = []
    for index in range(int(values["num_outputs"])):
        name = f"out-{index}.{extension}"
        picture = image.draw_picture(recipe, size, index)
        quality = int(values.get("output_quality", 80))
        image.save_picture(picture, folder / name, file_format=extension, quality=quality, label=recipe.label)
        made.append(RenderedFile(name, image.FORMATS[extension], folder / name))
    return made


def _video(recipe: Recipe, values: Mapping[str, Any], folder: Path, source: bytes | None) -> RenderedFile:
    picture = _open_picture(source)
    path = folder / "out.mp4"
    video.write_video(
        path,
        recipe,
        size=video_size(values["sizing_strategy"], picture.size if picture else None),
        frames=FRAMES[values["video_length"]],
        frames_per_second=int(values["frames_per_second"]),
        motion=int(values["motion_bucket_id"]),
        picture=picture,
    )
    return RenderedFile(path.name, video.CONTENT_TYPE, path)


def _audio(recipe: Recipe, values: Mapping[str, Any], folder: Path) -> RenderedFile:
    seconds, extension = int(values["duration"]), str(values["output_format"])
    if not 0 < seconds <= MAX_AUDIO_SECONDS:
        raise CannotDrawError(f"duration must lie between 1 and {MAX_AUDIO_SECONDS} seconds, not {seconds}")
    path = folder / f"out.{extension}"
    audio.write_audio(path, recipe, seconds=seconds, file_format=extension)
    return RenderedFile(path.name, audio.CONTENT_TYPES[extension], path)


def _open_picture(source: bytes | None) -> Image.Image | None:
    if source is None:
        return None
    try:
        picture = Image.open(io.BytesIO(source))
        picture.load()
    except (UnidentifiedImageError, OSError) as error:
        raise CannotDrawError(f"cannot identify image file: {error}") from error
    return picture
