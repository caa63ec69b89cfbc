"""The fields of the standard requests, one table for each media type; all else about them derives from these.

Those of video, their ranges and their words are video-generation-gateway.md's ("Comprehensive Validation Rules");
the others are made like them.
"""

from collections.abc import Mapping

from lib.domain.media_type import MediaType
from lib.domain.standard_field import FieldKind, StandardField

_LONGEST_STYLE = 200

_PROMPT = StandardField("prompt", "Prompt", FieldKind.TEXT, "What is made.", required=True)
_NEGATIVE_PROMPT = StandardField(
    "negative_prompt", "Negative prompt", FieldKind.TEXT, "What it shall not show."
)
_ASPECT_RATIO = StandardField(
    "aspect_ratio", "Aspect ratio", FieldKind.RATIO, "Width to height, such as 16:9.", required=True
)
_RESOLUTION = StandardField(
    "resolution", "Resolution", FieldKind.RESOLUTION, "Pixels, 1280x720, or by a name: 720p, 4k."
)
_STYLE = StandardField(
    "style", "Style", FieldKind.TEXT, "A style, such as cinematic.", hint=True, longest=_LONGEST_STYLE
)
_QUALITY = StandardField(
    "quality", "Quality", FieldKind.CHOICE, "How much care.", hint=True, choices=("low", "medium", "high")
)
_ADDRESS = "An https:// address, or a base64 data: URL."
_SEED = StandardField(
    "seed",
    "Seed",
    FieldKind.INTEGER,
    "The same seed and request give the same result, where the model can.",
    minimum=0,
    maximum=999_999_999,
)

VIDEO = (
    _PROMPT,
    _NEGATIVE_PROMPT,
    _ASPECT_RATIO,
    StandardField(
        "motion_intensity",
        "Motion intensity",
        FieldKind.NUMBER,
        "How much moves.",
        required=True,
        hint=True,
        minimum=1,
        maximum=10,
    ),
    StandardField(
        "duration",
        "Duration",
        FieldKind.NUMBER,
        "Seconds.",
        minimum=1,
        maximum=120,
        unit=" s",
        units=" seconds",
    ),
    _RESOLUTION,
    _STYLE,
    _QUALITY,
    StandardField("fps", "FPS", FieldKind.NUMBER, "Frames a second.", hint=True, minimum=6, maximum=60),
    _SEED,
    StandardField("image", "Image", FieldKind.IMAGE, f"The first frame. {_ADDRESS}"),
    StandardField("last_image", "Last image", FieldKind.IMAGE, f"The last frame, with image. {_ADDRESS}"),
)

IMAGE = (
    _PROMPT,
    _NEGATIVE_PROMPT,
    _ASPECT_RATIO,
    _RESOLUTION,
    _STYLE,
    _QUALITY,
    StandardField("count", "Count", FieldKind.INTEGER, "How many images.", minimum=1, maximum=10),
    _SEED,
    StandardField("format", "Format", FieldKind.CHOICE, "The file's.", choices=("png", "jpeg", "webp")),
    StandardField(
        "images", "Image", FieldKind.IMAGES, f"Pictures to change, or to take from. {_ADDRESS}", maximum=16
    ),
)

AUDIO = (
    _PROMPT,
    StandardField(
        "kind",
        "Kind",
        FieldKind.CHOICE,
        "Speech of the prompt's words, an effect or music that it describes.",
        required=True,
        choices=("speech", "effect", "music"),
    ),
    StandardField(
        "voice", "Voice", FieldKind.TEXT, "Who speaks: the model's own name of a voice.", longest=200
    ),
    StandardField("language", "Language", FieldKind.TEXT, "Such as en or pt-BR.", longest=35),
    StandardField(
        "duration",
        "Duration",
        FieldKind.NUMBER,
        "Seconds.",
        minimum=0.5,
        maximum=600,
        unit=" s",
        units=" seconds",
    ),
    StandardField("speed", "Speed", FieldKind.NUMBER, "Of speech; 1 is usual.", minimum=0.25, maximum=4),
    _SEED,
    StandardField(
        "format", "Format", FieldKind.CHOICE, "The file's.", choices=("mp3", "wav", "opus", "flac", "pcm")
    ),
)

TEXT = (
    _PROMPT,
    StandardField("system_prompt", "System prompt", FieldKind.TEXT, "How to answer."),
    StandardField(
        "max_tokens", "Max tokens", FieldKind.INTEGER, "The most to write.", minimum=1, maximum=100_000
    ),
    StandardField(
        "temperature", "Temperature", FieldKind.NUMBER, "More is more varied.", minimum=0, maximum=2
    ),
    StandardField(
        "top_p", "Top p", FieldKind.NUMBER, "Sample from so much likelihood.", minimum=0, maximum=1
    ),
    _SEED,
)

FIELDS: Mapping[MediaType, tuple[StandardField, ...]] = {
    MediaType.VIDEO: VIDEO,
    MediaType.IMAGE: IMAGE,
    MediaType.AUDIO: AUDIO,
    MediaType.TEXT: TEXT,
}
