"""What is asked of a composed job, checked as a whole before anything is recorded."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from lib.domain.element import Element, ElementType, FitMode
from lib.domain.errors import FieldError, GatewayError, InvalidError
from lib.domain.field_reader import FieldReader
from lib.domain.ids import parse_job_id, time_of_id
from lib.domain.kept_text import check_note

MAX_ELEMENTS = 500
MAX_ERRORS = 100
LARGEST_SIDE = 16_384
LONGEST_SECONDS = 1_000_000
_FORMAT = re.compile("[a-z0-9]{1,20}", re.ASCII)


@dataclass(frozen=True)
class CompositionRequest:
    """A valid request: sizes in pixels, elements with ids in the order in which they were given."""

    output_format: str | None
    width: int | None
    height: int | None
    elements: tuple[Element, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)


def read_composition(
    request: Any, job_id: str, now: datetime, new_id: Callable[[], str]
) -> CompositionRequest:
    """The request `{outputFormat, width, height, parameters, elements: [..]}`; snake_case names will do as well.

    An element is `{elementId, type, sourceUrl | content, track, elementOrder, start, duration, xPosition, yPosition,
    width, height, fitMode, volume}`; what has no `elementId` gets a `new_id`, what has no `elementOrder` comes next in
    its track. Raises InvalidError naming all that is wrong at once, with paths such as `elements[2].xPosition`.
    """
    errors: list[FieldError] = []
    if not isinstance(request, Mapping):
        raise _invalid([FieldError("request", "must be an object")])
    reader = FieldReader(request, "", errors)
    output_format = reader.text("outputFormat", longest=20)
    if output_format and not _FORMAT.fullmatch(output_format):
        reader.wrong("outputFormat", "must be letters and digits such as mp4")
    width, height = (reader.whole(side, 1, LARGEST_SIDE) for side in ("width", "height"))
    parameters = _parameters(reader.raw("parameters"), errors)
    elements = _elements(reader, job_id, now, new_id, errors)
    reader.refuse_unknown()
    if errors:
        raise _invalid(errors)
    return CompositionRequest(output_format, width, height, tuple(elements), parameters)


def read_element(
    value: Any, job_id: str, now: datetime, new_id: Callable[[], str], *, path: str = "element"
) -> Element:
    """One element, as in `read_composition`; its `elementOrder` is 0 where none is given. Raises InvalidError."""
    errors: list[FieldError] = []
    element = _ElementReader(job_id, now, new_id, errors).read(value, path)
    if element is None:
        raise _invalid(errors)
    return element


class _ElementReader:
    """Reads the elements of one job, one after the other."""

    def __init__(
        self, job_id: str, now: datetime, new_id: Callable[[], str], errors: list[FieldError]
    ) -> None:
        self._job_id = job_id
        self._now = now
        self._new_id = new_id
        self._errors = errors
        self._next: defaultdict[int, int] = defaultdict(int)

    def read(self, value: Any, path: str) -> Element | None:
        """The element, or None if something is wrong with it."""
        if not isinstance(value, Mapping):
            self._errors.append(FieldError(path, "must be an object"))
            return None
        before = len(self._errors)
        reader = FieldReader(value, path, self._errors)
        kind = reader.choice("type", ElementType, required=True)
        source_url, content = _source(reader, kind)
        track = reader.whole("track", 0, 1000) or 0
        element = Element(
            element_id=_element_id(reader) or self._new_id(),
            job_id=self._job_id,
            type=kind or ElementType.TEXT,  # a wrong type is among the errors
            source_url=source_url,
            content=content,
            track=track,
            element_order=self._order(reader, track),
            start_s=reader.number("start", 0, LONGEST_SECONDS) or 0.0,
            duration_s=reader.number("duration", 0, LONGEST_SECONDS, above=True),
            x_position=reader.length("xPosition") or "0",
            y_position=reader.length("yPosition") or "0",
            width=reader.length("width", positive=True),
            height=reader.length("height", positive=True),
            fit_mode=reader.choice("fitMode", FitMode) or FitMode.CONTAIN,
            volume=reader.number("volume", 0, 10),
            created_at=self._now,
            updated_at=self._now,
        )
        reader.refuse_unknown()
        return element if len(self._errors) == before else None

    def _order(self, reader: FieldReader, track: int) -> int:
        given = reader.whole("elementOrder", 0, 100_000)
        order = self._next[track] if given is None else given
        self._next[track] = max(self._next[track], order + 1)
        return order


def _elements(
    reader: FieldReader, job_id: str, now: datetime, new_id: Callable[[], str], errors: list[FieldError]
) -> list[Element]:
    given = reader.raw("elements")
    if not isinstance(given, list | tuple) or not 1 <= len(given) <= MAX_ELEMENTS:
        reader.wrong("elements", f"must be a list of 1 to {MAX_ELEMENTS} elements")
        return []
    elements = _ElementReader(job_id, now, new_id, errors)
    read = [elements.read(value, f"elements[{index}]") for index, value in enumerate(given)]
    errors.extend(_doubles(read))
    return [element for element in read if element is not None]


def _doubles(elements: list[Element | None]) -> Iterator[FieldError]:
    """Two elements never have one place in a track, nor one id."""
    places: dict[tuple[int, int], int] = {}
    ids: dict[str, int] = {}
    for index, element in enumerate(elements):
        if element is None:
            continue
        place = (element.track, element.element_order)
        if (first := places.setdefault(place, index)) != index:
            problem = f"is that of elements[{first}], in track {element.track} too"
            yield FieldError(f"elements[{index}].elementOrder", problem)
        if (first := ids.setdefault(element.element_id, index)) != index:
            yield FieldError(f"elements[{index}].elementId", f"is that of elements[{first}]")


def _source(reader: FieldReader, kind: ElementType | None) -> tuple[str | None, str | None]:
    """A text has content, all else an address."""
    of_text = kind is ElementType.TEXT
    content = reader.text("content", longest=100_000, required=of_text)
    url = reader.text("sourceUrl", longest=4096, required=kind is not None and not of_text)
    if of_text and url is not None:
        reader.wrong("sourceUrl", "a text has content, and no address")
    if kind is not None and not of_text and content is not None:
        reader.wrong("content", f"is for text; {kind} has a sourceUrl")
    if url is not None and not _is_https(url):
        reader.wrong("sourceUrl", "must be an https address without user or password")
    return url, content


def _is_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    printable = url.isprintable() and " " not in url and "\\" not in url
    return printable and parts.scheme == "https" and bool(host) and "@" not in parts.netloc


def _element_id(reader: FieldReader) -> str | None:
    text = reader.text("elementId", longest=36)
    canonical = parse_job_id(text) if text else None
    if text and (canonical is None or time_of_id(canonical) is None):
        reader.wrong("elementId", "must be a UUID of version 7")
    return canonical


def _parameters(value: Any, errors: list[FieldError]) -> Mapping[str, Any]:
    try:
        check_note("parameters", value)
    except GatewayError as error:
        errors.extend(error.errors)
        return {}
    return value or {}


def _invalid(errors: list[FieldError]) -> InvalidError:
    kept = errors[:MAX_ERRORS]
    listed = "; ".join(f"{error.path} {error.message}" for error in kept[:10])
    return InvalidError(f"The composition is wrong: {listed}", errors=kept)
