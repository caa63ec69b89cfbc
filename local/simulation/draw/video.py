"""H.264 video: a camera that pans and zooms over a picture, with a moving mark, frame by frame."""

from pathlib import Path

import av
from PIL import Image, ImageDraw

from local.simulation.draw.image import draw_label, draw_picture
from local.simulation.draw.recipe import Recipe

CONTENT_TYPE = "video/mp4"


def write_video(
    path: Path,
    recipe: Recipe,
    *,
    size: tuple[int, int],
    frames: int,
    frames_per_second: int,
    motion: int,
    picture: Image.Image | None = None,
) -> None:
    """Writes exactly ``frames`` frames at this rate, the index in front. Width and height must be even."""
    base = picture.convert("RGB") if picture else draw_picture(recipe, (size[0], size[1]))
    options = {"preset": "ultrafast", "crf": "26"}
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        container.metadata["title"] = recipe.label
        stream = container.add_stream("libx264", rate=frames_per_second, options=options)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        for number in range(frames):
            image = _frame(base, recipe, size=size, number=number, frames=frames, motion=motion)
            shown = av.VideoFrame.from_image(image)  # type: ignore[no-untyped-call] # as PyAV types it
            container.mux(stream.encode(shown))
        container.mux(stream.encode(None))


def _frame(
    base: Image.Image, recipe: Recipe, *, size: tuple[int, int], number: int, frames: int, motion: int
) -> Image.Image:
    """Zooms in by up to a quarter, more with more motion, and moves a bright mark along the top."""
    progress = number / max(frames - 1, 1)
    shrink = 1 - 0.25 * progress * (0.3 + motion / 255)
    width, height = base.size[0] * shrink, base.size[1] * shrink
    left = (base.size[0] - width) * recipe.randomness("pan").random()
    top = (base.size[1] - height) / 2
    frame = base.resize(size, Image.Resampling.BILINEAR, box=(left, top, left + width, top + height))
    mark = size[1] // 20
    x = mark + progress * (size[0] - 3 * mark)
    ImageDraw.Draw(frame).ellipse((x, mark, x + mark, 2 * mark), fill="white")
    draw_label(frame, f"{recipe.label} · frame {number + 1}/{frames}")
    return frame
