"""Opens pictures by Pillow, which is imported only when a picture is opened. Refuses decompression bombs."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from lib.domain.errors import OutputError
from lib.domain.stored_output import OutputFault

if TYPE_CHECKING:
    from PIL.Image import Image

LARGEST_PIXELS = 100_000_000
"""A picture with more pixels (300 to 400 MB decoded) is not decoded; its size is still known from its header."""
BOMB_PIXELS = 1_000_000_000
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "AVIF", "TIFF", "BMP")
_ROTATED = frozenset({5, 6, 7, 8})
_ORIENTATION_TAG = 0x0112
_BROKEN = (
    OSError,
    EOFError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    struct.error,
    zlib.error,
)
"""What Pillow's readers are known to raise on broken files."""


def open_picture(file: BinaryIO) -> "Image":
    """The picture with its header read and nothing decoded; `OutputError` `output_unreadable` if there is none."""
    from PIL import Image  # noqa: PLC0415 -- only store_result has it

    Image.MAX_IMAGE_PIXELS = None  # our own limits below, without a warning in between
    with reading_picture():
        picture = Image.open(file, formats=FORMATS)
    if picture.width * picture.height > BOMB_PIXELS:
        raise unreadable(f"{picture.width} x {picture.height} pixels are too many")
    return picture


def load_picture(picture: "Image") -> None:
    """Decode all of it; `OutputError` `output_unreadable` if it is broken."""
    with reading_picture():
        picture.load()


def decodable(picture: "Image") -> bool:
    """Whether it is small enough to be decoded."""
    return picture.width * picture.height <= LARGEST_PIXELS


def shown_size(picture: "Image") -> tuple[int, int]:
    """Width and height as shown, with the EXIF orientation applied."""
    with reading_picture():
        turned = picture.getexif().get(_ORIENTATION_TAG) in _ROTATED
    return (picture.height, picture.width) if turned else (picture.width, picture.height)


@contextmanager
def reading_picture() -> Iterator[None]:
    """Whatever Pillow raises on a broken picture becomes `OutputError` `output_unreadable`."""
    try:
        yield
    except _BROKEN as error:
        raise unreadable(error) from error


def unreadable(reason: object) -> OutputError:
    """The error for a file of the right type that does not decode."""
    return OutputError(f"The output cannot be decoded: {reason}.", code=OutputFault.UNREADABLE)
