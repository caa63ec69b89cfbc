"""The names of one resolution: pixels, lines, and k; and which shape it has."""

import re

_PIXELS = re.compile(r"(\d+)x(\d+)", re.IGNORECASE)
_LINES_OF_K = {"4k": 2160, "8k": 4320}  # 1k and 2k mean different pixels to different providers
_K_OF_LINES = {lines: name for name, lines in _LINES_OF_K.items()}
SAME_SHAPE = 0.05
"""How far apart two shapes may be that are taken for one: encoders want multiples of 8, 16 or 64 pixels."""


def pixels_of(resolution: str, ratio: float | None) -> tuple[int, int] | None:
    """Width and height; of a name, with that many lines on the shorter side. None where the shape is not known."""
    found = _PIXELS.fullmatch(resolution)
    if found:
        return int(found[1]), int(found[2])
    short = _lines(resolution)
    if short is None or ratio is None:
        return None
    long = _even(short * max(ratio, 1 / ratio))
    return (long, short) if ratio >= 1 else (short, long)


def names_of(resolution: str, ratio: float | None) -> tuple[str, ...]:
    """All ways to write it, as given first: 1920x1080 is also 1080p; 4k is also 2160p and, at 16:9, 3840x2160."""
    names = [resolution, resolution.lower(), resolution.upper()]
    pixels = pixels_of(resolution, ratio)
    lines = _lines(resolution) or (min(pixels) if pixels else None)
    if lines is not None:
        names.append(f"{lines}p")
        k = _K_OF_LINES.get(lines)
        names += [k, k.upper()] if k else []
    if pixels:
        names.append(f"{pixels[0]}x{pixels[1]}")
    return tuple(dict.fromkeys(names))


def shape_differs(resolution: str, ratio: float) -> bool:
    """Whether the pixels of a resolution have another shape than that; a name has none."""
    found = _PIXELS.fullmatch(resolution)
    return found is not None and abs(int(found[1]) / int(found[2]) / ratio - 1) > SAME_SHAPE


def _lines(resolution: str) -> int | None:
    name = resolution.lower()
    if name in _LINES_OF_K:
        return _LINES_OF_K[name]
    return int(name[:-1]) if name.endswith("p") and name[:-1].isdigit() else None


def _even(value: float) -> int:
    return round(value / 2) * 2
