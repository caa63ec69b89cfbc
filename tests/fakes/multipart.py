"""A multipart/form-data body taken apart, so that two can be compared whatever their boundaries are."""

from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import HTTP


@dataclass(frozen=True)
class Part:
    """One part: its name, its file's name and type where it has them, and its bytes."""

    name: str
    filename: str | None
    content_type: str | None
    content: bytes


def parts_of(content_type: str, body: bytes) -> list[Part]:
    """The parts in their order; the media type must be multipart/form-data."""
    message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    assert message.get_content_type() == "multipart/form-data"
    return [
        Part(
            str(part.get_param("name", header="content-disposition")),
            part.get_filename(),
            part.get_content_type() if part["content-type"] else None,
            bytes(part.get_payload(decode=True)),
        )
        for part in message.iter_parts()
    ]
