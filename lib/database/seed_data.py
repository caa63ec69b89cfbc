"""What the seeded database holds: whose jobs, of which models, and what becomes of each."""

from dataclasses import dataclass
from enum import StrEnum


class Fate(StrEnum):
    """How far a seeded job has come."""

    QUEUED = "queued"
    UNKNOWN = "unknown"
    DEFERRED = "deferred"
    SUBMITTED = "submitted"
    GENERATING = "generating"
    STORING = "storing"
    COMPLETED = "completed"
    FAILED = "failed"
    REFUSED = "refused"
    CANCELED = "canceled"
    CANCELED_EARLY = "canceled_early"


@dataclass(frozen=True)
class Model:
    """One of the catalogue's, with what it makes: `size` in bytes, sides in pixels, `seconds` of media or None."""

    media_type: str
    model_id: str
    estimated_seconds: int
    cost: str
    content_type: str
    extension: str
    size: int
    width: int | None = None
    height: int | None = None
    seconds: float | None = None


USERS = (
    ("seed-admin", "registered", "admin"),
    ("seed-anna", "registered", "user"),
    ("seed-tester", "registered", "test"),
    ("seed-guest", "guest", "user"),
)
GUEST_TOKEN_OF = "seed-guest"  # noqa: S105 - a user's name
CLIENTS = (
    ("203.0.113.7", "Mozilla/5.0 (X11; Linux x86_64) seed"),
    ("198.51.100.23", "vsl-client/1.2"),
    ("2001:db8::42", "curl/8.5.0"),
)
MODELS = (
    Model("image", "flux-schnell", 5, "0.003", "image/webp", "webp", 184_320, 1024, 1024),
    Model("video", "stability-video", 60, "0.05", "video/mp4", "mp4", 6_291_456, 1280, 720, 6.0),
    Model("audio", "musicgen", 30, "0.075", "audio/mpeg", "mp3", 812_032, seconds=20.0),
    Model("text", "llama-3-8b", 5, "0.001", "text/plain", "txt", 1_420),
)
PROMPTS = (
    "A lighthouse at dusk, oil on canvas",
    "Waves rolling onto a black beach, slow motion",
    "Calm piano with rain in the background",
    "A product description of a walnut desk",
    "A fox in the snow, seen from above",
    "A paper boat on a river in spring",
)
FATES = (
    *(Fate.COMPLETED,) * 14,
    Fate.FAILED,
    Fate.COMPLETED,
    Fate.CANCELED,
    Fate.REFUSED,
    Fate.COMPLETED,
    Fate.FAILED,
    Fate.CANCELED_EARLY,
    Fate.COMPLETED,
    Fate.STORING,
    Fate.GENERATING,
    Fate.SUBMITTED,
    Fate.UNKNOWN,
    Fate.DEFERRED,
    Fate.QUEUED,
)
"""Of generations, the oldest first: what has not ended is recent."""
COMPOSED = (Fate.COMPLETED, Fate.FAILED, Fate.GENERATING)
"""Of composed jobs, the oldest first."""
