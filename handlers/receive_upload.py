"""`PUT /upload/{provider}/{filename}`: a file that a provider's server made is sent on to the bucket."""

from typing import Any
from urllib.parse import unquote

from aws_lambda_powertools.event_handler import Response

from lib import bootstrap
from lib.api import incoming, operations
from lib.api.function import Answered, HttpFunction
from lib.services.receive_upload import Upload

http = HttpFunction(bootstrap.identify, bootstrap.report)


@http.route(operations.RECEIVE_UPLOAD)
def receive(provider: str, filename: str) -> Answered:
    """Say where the file goes; 307 keeps method and body (RFC 9110, 15.4.8)."""
    prediction_id = incoming.header(http.event, "x-prediction-id") or ""
    authorization = incoming.header(http.event, "authorization") or ""
    address = bootstrap.receive_upload().address(
        Upload(provider, unquote(filename), prediction_id, authorization)
    )
    return Response(status_code=307, body="", headers={"Location": address, "Cache-Control": "no-store"})


def handler(event: incoming.Event, context: Any) -> dict[str, Any]:
    """The Lambda function."""
    return http(event, context)
