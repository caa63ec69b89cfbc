"""What is said to a provider and what it answers, as plain values: requests, answers, and media that come inside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, BinaryIO, Protocol


class Blob(Protocol):
    """Bytes that came inside an answer, of any size, kept on disk until they are let go."""

    @property
    def name(self) -> str:
        """What stands for it where the answer's JSON had it, unique among the blobs of an answer."""
        ...

    @property
    def content_type(self) -> str:
        """What the answer called it, without parameters; empty where it said nothing."""
        ...

    @property
    def size(self) -> int:
        """How many bytes it has, decoded."""
        ...

    def open(self) -> BinaryIO:
        """Its bytes from the start, decoded; to be closed by whoever opened them."""
        ...


@dataclass(frozen=True)
class FormPart:
    """One part of a multipart/form-data body (RFC 7578); without a filename it is a plain field."""

    name: str
    value: str | bytes = field(repr=False)
    filename: str | None = None
    content_type: str | None = None


@dataclass(frozen=True)
class HttpRequest:
    """A request to a provider, ready to be sent; headers may hold the key, so its repr hides them.

    At most one of `json_body`, `parts` (multipart/form-data, even when there is no file) and `form`
    (application/x-www-form-urlencoded) is the body. With `media_answer` the answer may hold media of any size: it is
    kept on disk, see `HttpResponse.blobs`.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    json_body: Any = field(default=None, repr=False)
    parts: tuple[FormPart, ...] = ()
    form: Mapping[str, str] | None = field(default=None, repr=False)
    media_answer: bool = False


@dataclass(frozen=True)
class HttpResponse:
    """A provider's answer: lower-case header names, the raw body.

    To a request with `media_answer`: a body of media (image/*, audio/*, video/*, octet-stream) is the only blob, and
    `body` is empty; in a JSON body each long base64 or data-URL string is replaced by the `name` of its blob.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    blobs: Sequence[Blob] = field(default=(), repr=False, compare=False)

    @property
    def is_success(self) -> bool:
        """Whether it is a 2xx."""
        return 200 <= self.status < 300


class Delivery(StrEnum):
    """What became of a request that brought no answer."""

    NEVER_LEFT = "never_left"
    UNKNOWN = "unknown"
