"""Makes the files or the tokens of a task, labelled ``simulated`` and different for another prompt or seed.

Videos have the asked size and length at a low frame rate: they are to be real files, not good ones.
"""

from pathlib import Path

from local.providers.tasks import Wish
from local.replicate.catalogue import Kind
from local.replicate.renderer import RenderedFile
from local.simulation.draw import audio, image, text, video
from local.simulation.draw.recipe import Recipe, recipe_of

FRAMES_PER_SECOND = 4
MOTION = 127
QUALITY = 80
DEFAULT_FORMATS = {Kind.IMAGE: "png", Kind.VIDEO: "mp4", Kind.AUDIO: "mp3"}


def draw_files(provider: str, wish: Wish, folder: Path) -> list[RenderedFile]:
    """Draws all files of an image, video or audio wish into ``folder``. Runs in a thread; touches no event loop."""
    recipe = _recipe(provider, wish)
    extension = wish.format or DEFAULT_FORMATS[wish.kind]
    match wish.kind:
        case Kind.IMAGE:
            return [_image(recipe, wish, extension, folder, index) for index in range(wish.count)]
        case Kind.VIDEO:
            return [_video(recipe, wish, folder, index) for index in range(wish.count)]
        case _:
            return [_audio(recipe, wish, extension, folder)]


def write_tokens(provider: str, wish: Wish) -> list[str]:
    """The tokens of a text wish."""
    return text.write_tokens(_recipe(provider, wish), max_tokens=wish.limit)


def _recipe(provider: str, wish: Wish) -> Recipe:
    values = {"prompt": wish.prompt, "width": wish.width, "height": wish.height, "seconds": wish.seconds}
    return recipe_of(provider, values, wish.seed)


def _image(recipe: Recipe, wish: Wish, extension: str, folder: Path, index: int) -> RenderedFile:
    extension = "jpg" if extension == "jpeg" else extension
    path = folder / f"out-{index}.{extension}"
    picture = image.draw_picture(recipe, (wish.width, wish.height), index)
    image.save_picture(picture, path, file_format=extension, quality=QUALITY, label=recipe.label)
    return RenderedFile(path.name, image.FORMATS[extension], path)


def _video(recipe: Recipe, wish: Wish, folder: Path, index: int) -> RenderedFile:
    path = folder / f"out-{index}.mp4"
    video.write_video(
        path,
        recipe,
        size=(wish.width - wish.width % 2, wish.height - wish.height % 2),
        frames=max(1, round(wish.seconds * FRAMES_PER_SECOND)),
        frames_per_second=FRAMES_PER_SECOND,
        motion=MOTION,
    )
    return RenderedFile(path.name, video.CONTENT_TYPE, path)


def _audio(recipe: Recipe, wish: Wish, extension: str, folder: Path) -> RenderedFile:
    path = folder / f"out.{extension}"
    audio.write_audio(path, recipe, seconds=wish.seconds, file_format=extension, rate=wish.rate)
    return RenderedFile(path.name, audio.CONTENT_TYPES[extension], path)
