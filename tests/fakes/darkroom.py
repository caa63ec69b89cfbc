"""Probe and painter of media in one, for bytes that are no media."""

from collections.abc import Callable
from typing import BinaryIO

from lib.domain.stored_output import ContentType, MediaFacts, Preview

THUMBNAIL = b"a small picture"


class FakeDarkroom:
    """Looks at files and draws small pictures without decoding anything."""

    def probe(self, file: BinaryIO, content: ContentType) -> MediaFacts:
        """See `MediaProbe`."""
        return MediaFacts(64, 64)

    def paint(
        self, file: BinaryIO, content: ContentType, facts: MediaFacts, stop: Callable[[], bool]
    ) -> Preview:
        """See `PreviewPainter`."""
        return Preview(ContentType("image/webp", "webp"), THUMBNAIL, 16, 16)
