"""Pictures: a gradient, shapes and the prompt on a label, all chosen by the recipe."""

import colorsys
import random
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from local.simulation.draw.recipe import Recipe

FORMATS = {"webp": "image/webp", "jpg": "image/jpeg", "png": "image/png"}
SHAPES = 18

Color = tuple[int, int, int]


def draw_picture(recipe: Recipe, size: tuple[int, int], index: int = 0) -> Image.Image:
    """An RGB picture of this size; another prompt or seed gives other colours, shapes and places."""
    chance = recipe.randomness("picture", index)
    palette = _palette(chance)
    picture = _background(chance, palette, size)
    _scatter(ImageDraw.Draw(picture, "RGBA"), chance, palette, size)
    draw_label(picture, recipe.title, recipe.label)
    return picture


def save_picture(picture: Image.Image, path: Path, *, file_format: str, quality: int, label: str) -> None:
    """Writes webp, jpg or png, with the label in the file's own description where the format has one."""
    match file_format:
        case "png":
            picture.save(path, "PNG", compress_level=1)
        case "jpg":
            picture.save(path, "JPEG", quality=max(quality, 1), comment=label.encode())
        case _:
            picture.save(path, "WEBP", quality=quality, method=0)


def draw_label(picture: Image.Image, *lines: str) -> None:
    """Writes the lines on a dark band at the bottom."""
    width, height = picture.size
    line_height = max(10, height // 28)
    band = line_height * (len(lines) + 1)
    draw = ImageDraw.Draw(picture, "RGBA")
    draw.rectangle((0, height - band, width, height), fill=(0, 0, 0, 150))
    font = _font(line_height - 2)
    room = max(8, int(width / (line_height * 0.5)))
    for number, line in enumerate(lines):
        top = height - band + line_height * (0.4 + number)
        shown = line if len(line) <= room else line[: room - 1] + "…"
        draw.text((line_height, top), shown, font=font, fill=(255, 255, 255, 235))


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _palette(chance: random.Random) -> list[Color]:
    hue = chance.random()
    hues = [hue, hue + 0.08, hue + 0.5, hue + chance.uniform(0.2, 0.8), hue + 0.92]
    return [_rgb(h, chance.uniform(0.45, 0.9), chance.uniform(0.35, 0.95)) for h in hues]


def _rgb(hue: float, saturation: float, value: float) -> Color:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, saturation, value)
    return int(red * 255), int(green * 255), int(blue * 255)


def _background(chance: random.Random, palette: list[Color], size: tuple[int, int]) -> Image.Image:
    base = Image.linear_gradient("L") if chance.random() < 0.6 else Image.radial_gradient("L")
    grey = base.rotate(chance.choice((0, 90, 180, 270))).resize(size, Image.Resampling.BILINEAR)
    return ImageOps.colorize(grey, palette[0], palette[2])


def _scatter(
    draw: ImageDraw.ImageDraw, chance: random.Random, palette: list[Color], size: tuple[int, int]
) -> None:
    width, height = size
    for _ in range(SHAPES):
        x, y = chance.uniform(0, width), chance.uniform(0, height)
        radius = chance.uniform(0.03, 0.22) * min(size)
        fill = (*chance.choice(palette), chance.randrange(90, 190))
        match chance.randrange(3):
            case 0:
                draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)
            case 1:
                sides, turn = chance.randrange(3, 8), chance.randrange(360)
                draw.regular_polygon((x, y, max(radius, 1)), sides, rotation=turn, fill=fill)
            case _:
                end = (x + chance.uniform(-1, 1) * width / 2, y + chance.uniform(-1, 1) * height / 2)
                draw.line((x, y, *end), fill=fill, width=max(1, int(radius / 3)))
