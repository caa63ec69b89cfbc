"""Reading an answer that brings the media itself: a blob's name, a data URL, plain base64 or the body's own bytes.

The transport lifts what is long out of an answer (`HttpRequest.media_answer`); what is short stays where it was.
An adapter uses these two functions for both, and returns `blobs=response.blobs` on its update.
"""

import base64
import re

from lib.domain.http_exchange import HttpResponse
from lib.domain.provider import OutputKind, ProviderOutput

OCTET_STREAM = "application/octet-stream"
_WEB_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)
_DATA_URL_HEAD = re.compile(r"data:[^,]*,", re.IGNORECASE)


def media_output(value: str, response: HttpResponse, content_type: str) -> ProviderOutput:
    """One output that stood in the answer's JSON, wherever its bytes are now.

    The name of one of the answer's blobs becomes BLOB, an http(s) address URL, a data URL stays one, and
    anything else is taken for base64 and becomes a data URL of `content_type`.
    """
    if any(blob.name == value for blob in response.blobs):
        return ProviderOutput(OutputKind.BLOB, value)
    if _WEB_ADDRESS.fullmatch(value.strip()):
        return ProviderOutput(OutputKind.URL, value.strip())
    if _DATA_URL_HEAD.match(value):
        return ProviderOutput(OutputKind.DATA_URL, value)
    return ProviderOutput(OutputKind.DATA_URL, f"data:{content_type};base64,{_standard(value)}")


def body_output(response: HttpResponse) -> ProviderOutput:
    """The answer's body as one output: its blob, or a data URL of the bytes where the body was left in place."""
    if response.blobs and not response.body:
        return ProviderOutput(OutputKind.BLOB, response.blobs[0].name)
    content_type = response.headers.get("content-type", "").partition(";")[0].strip() or OCTET_STREAM
    body = base64.b64encode(response.body).decode("ascii")
    return ProviderOutput(OutputKind.DATA_URL, f"data:{content_type};base64,{body}")


def _standard(text: str) -> str:
    """Base64 in the standard alphabet, without the line breaks that some encoders put in."""
    return "".join(text.split()).replace("-", "+").replace("_", "/")
