"""What a file is, by its first bytes: neither its name nor its Content-Type header is believed."""

from collections.abc import Callable

from lib.domain.media_type import MediaType
from lib.domain.stored_output import ContentType

SNIFF_BYTES = 4096
"""So many first bytes are enough to decide; a shorter file is given whole."""

TEXT = ContentType("text/plain; charset=utf-8", "txt")

_JPEG = ContentType("image/jpeg", "jpg")
_PNG = ContentType("image/png", "png")
_GIF = ContentType("image/gif", "gif")
_WEBP = ContentType("image/webp", "webp")
_AVIF = ContentType("image/avif", "avif")
_TIFF = ContentType("image/tiff", "tiff")
_BMP = ContentType("image/bmp", "bmp")
_MP4 = ContentType("video/mp4", "mp4")
_MOV = ContentType("video/quicktime", "mov")
_WEBM = ContentType("video/webm", "webm")
_MKV = ContentType("video/x-matroska", "mkv")
_AVI = ContentType("video/x-msvideo", "avi")
_OGV = ContentType("video/ogg", "ogv")
_M4A = ContentType("audio/mp4", "m4a")
_WEBA = ContentType("audio/webm", "weba")
_OGG = ContentType("audio/ogg", "ogg")
_WAV = ContentType("audio/wav", "wav")
_FLAC = ContentType("audio/flac", "flac")
_MP3 = ContentType("audio/mpeg", "mp3")
_AAC = ContentType("audio/aac", "aac")
_AIFF = ContentType("audio/aiff", "aiff")

_PICTURE_BRANDS = frozenset(
    {b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1", b"crx "}
)
_TEXT_CONTROLS = frozenset(b"\t\n\r\f\b\x1b")


def sniff(head: bytes, media_type: MediaType, *, whole: bool = False) -> ContentType | None:
    """The content type of a file that begins with `head`, if a model of `media_type` may make it; else None.

    Containers for both sound and pictures (MP4, WebM, Ogg) count as what is expected; the probe checks
    tracks. `whole` says that `head` is all of the file, which matters for text cut inside a character.
    """
    if media_type is MediaType.TEXT:
        return TEXT if _is_text(head, whole=whole) else None
    return _CHECKS[media_type](head)


def known_types(media_type: MediaType) -> tuple[ContentType, ...]:
    """Every type that `sniff` can answer for this media type."""
    return _KNOWN[media_type]


def content_of(mime: str, media_type: MediaType) -> ContentType | None:
    """The known type with this MIME name, as an object in the bucket carries it."""
    return next((content for content in known_types(media_type) if content.mime == mime), None)


def _image(head: bytes) -> ContentType | None:
    for magic, content in (
        (b"\x89PNG\r\n\x1a\n", _PNG),
        (b"\xff\xd8\xff", _JPEG),
        (b"GIF87a", _GIF),
        (b"GIF89a", _GIF),
        (b"II*\x00", _TIFF),
        (b"MM\x00*", _TIFF),
    ):
        if head.startswith(magic):
            return content
    if _riff(head) == b"WEBP":
        return _WEBP
    if head[:2] == b"BM" and head[6:10] == bytes(4):
        return _BMP
    return _AVIF if _brand(head) in (b"avif", b"avis") else None


def _video(head: bytes) -> ContentType | None:
    if brand := _brand(head):
        if brand in _PICTURE_BRANDS:
            return None
        return _MOV if brand == b"qt  " else _MP4
    if _riff(head) == b"AVI ":
        return _AVI
    return _matroska(head, _WEBM, _MKV) or (_OGV if head.startswith(b"OggS") else None)


def _audio(head: bytes) -> ContentType | None:
    if _riff(head) == b"WAVE":
        return _WAV
    if head.startswith(b"FORM") and head[8:12] in (b"AIFF", b"AIFC"):
        return _AIFF
    for magic, content in ((b"fLaC", _FLAC), (b"OggS", _OGG), (b"ID3", _MP3)):
        if head.startswith(magic):
            return content
    if brand := _brand(head):
        return None if brand in _PICTURE_BRANDS else _M4A
    return _matroska(head, _WEBA, None) or _mpeg_frame(head)


def _mpeg_frame(head: bytes) -> ContentType | None:
    """An MPEG audio or ADTS header: 11 or 12 set bits, then fields that have forbidden values."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    layer = (head[1] >> 1) & 3
    if layer == 0:
        return _AAC if head[1] & 0xF0 == 0xF0 and (head[2] >> 2) & 15 < 13 else None
    allowed = (head[1] >> 3) & 3 != 1 and head[2] >> 4 not in (0, 15) and (head[2] >> 2) & 3 != 3
    return _MP3 if allowed else None


def _riff(head: bytes) -> bytes:
    return head[8:12] if head.startswith((b"RIFF", b"RF64")) else b""


def _brand(head: bytes) -> bytes:
    """The major brand of an ISO base media file (its `ftyp` box); `avif` where it is among the others."""
    if head[4:8] != b"ftyp":
        return b""
    box = head[8 : min(int.from_bytes(head[:4], "big"), 256)]
    return b"avif" if box[:4] in (b"mif1", b"msf1") and b"avif" in box else box[:4]


def _matroska(head: bytes, webm: ContentType, other: ContentType | None) -> ContentType | None:
    if not head.startswith(b"\x1a\x45\xdf\xa3"):
        return None
    return webm if b"webm" in head[:64] else other


def _is_text(head: bytes, *, whole: bool) -> bool:
    sample = head if whole else head[:SNIFF_BYTES]
    if any(byte < 32 and byte not in _TEXT_CONTROLS for byte in sample):
        return False
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError as error:
        return not whole and error.end == len(sample) and error.reason == "unexpected end of data"
    return True


_CHECKS: dict[MediaType, Callable[[bytes], ContentType | None]] = {
    MediaType.IMAGE: _image,
    MediaType.VIDEO: _video,
    MediaType.AUDIO: _audio,
}

_KNOWN: dict[MediaType, tuple[ContentType, ...]] = {
    MediaType.IMAGE: (_PNG, _JPEG, _WEBP, _GIF, _AVIF, _TIFF, _BMP),
    MediaType.VIDEO: (_MP4, _MOV, _WEBM, _MKV, _AVI, _OGV),
    MediaType.AUDIO: (_MP3, _WAV, _FLAC, _OGG, _M4A, _WEBA, _AAC, _AIFF),
    MediaType.TEXT: (TEXT,),
}
