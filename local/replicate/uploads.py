"""One uploaded file of the files API."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from local.replicate.prediction import iso

LIFETIME = timedelta(hours=1)
MAX_BYTES = 100 * 1000**2


@dataclass(frozen=True)
class Upload:
    """What ``POST /files`` made of a part; the bytes are at ``path``."""

    id: str
    account: str
    name: str
    content_type: str
    size: int
    sha256: str
    metadata: dict[str, Any]
    created_at: datetime
    path: Path
    api_base: str
    sequence: int

    @property
    def expires_at(self) -> datetime:
        """One hour after it was made."""
        return self.created_at + LIFETIME

    @property
    def url(self) -> str:
        """What clients pass as an input value."""
        return f"{self.api_base}/v1/files/{self.id}"

    def show(self) -> dict[str, Any]:
        """The file object."""
        return {
            "id": self.id,
            "name": self.name,
            "content_type": self.content_type,
            "size": self.size,
            "etag": self.sha256[:32],
            "checksums": {"sha256": self.sha256},
            "metadata": self.metadata,
            "created_at": iso(self.created_at),
            "expires_at": iso(self.expires_at),
            "urls": {"get": self.url},
        }
