"""Opens pictures by Pillow, which is imported only when a picture is opened. Refuses decompression bombs."""

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


def open_picture(file: BinaryIO) -> "Image":
    """The picture with its header read and nothing decoded; `OutputError` `output_unreadable` if there is none."""
    from PIL import Image  # noqa: PLC0415 -- only store_result has it

    Image.MAX_IMAGE_PIXELS = None  # our own limits below, without a warning in between
    try:
        picture = Image.open(file, formats=FORMATS)
    except (OSError, ValueError, SyntaxError) as error:
        raise unreadable(error) from error
    if picture.width * picture.height > BOMB_PIXELS:
        raise unreadable(f"{picture.width} x {picture.height} pixels are too many")
    return picture


def load_picture(picture: "Image") -> None:
    """Decode all of it; `OutputError` `output_unreadable` if it is broken."""
    try:
        picture.load()
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise unreadable(error) from error


def decodable(picture: "Image") -> bool:
    """Whether it is small enough to be decoded."""
    return picture.width * picture.height <= LARGEST_PIXELS


def shown_size(picture: "Image") -> tuple[int, int]:
    """Width and height as shown, with the EXIF orientation applied."""
    width, height = picture.size
    return (height, width) if picture.getexif().get(_ORIENTATION_TAG) in _ROTATED else (width, height)


def unreadable(reason: object) -> OutputError:
    """The error for a file of the right type that does not decode."""
    return OutputError(f"The output cannot be decoded: {reason}.", code=OutputFault.UNREADABLE)
