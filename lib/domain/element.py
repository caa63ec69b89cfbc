"""What composed jobs are put together from."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ElementType(StrEnum):
    """What an element is."""

    VIDEO = "video"
    IMAGE = "image"
    AUDIO = "audio"
    TEXT = "text"


class FitMode(StrEnum):
    """How an element fills its box."""

    CONTAIN = "contain"
    COVER = "cover"
    FILL = "fill"
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class Element:
    """A row of table `elements`; each field is the column of its name.

    Positions and sizes are pixels (`120`) or percent (`10%`) as text; `start_s` and `duration_s` are seconds.
    """

    element_id: str
    job_id: str
    type: ElementType
    source_url: str | None = None
    content: str | None = None
    track: int = 0
    element_order: int
    start_s: float = 0.0
    duration_s: float | None = None
    x_position: str = "0"
    y_position: str = "0"
    width: str | None = None
    height: str | None = None
    fit_mode: FitMode = FitMode.CONTAIN
    volume: float | None = None
    downloaded: bool = False
    processed: bool = False
    local_path: str | None = None
    source_size: int | None = None
    error_message: str | None = None
    created_at: datetime
    updated_at: datetime
