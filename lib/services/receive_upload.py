"""A file that a provider's server wants to put into our bucket: sent on to an address that takes just this one."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from lib.domain.direct_upload import OWN_ID, presented_token, upload_key, upload_token_is_genuine
from lib.domain.errors import BadRequestError, NotFoundError, UnauthenticatedError
from lib.ports.metrics import GatewayMetrics

_PROVIDER = re.compile(r"[a-z][a-z0-9_-]{0,31}")


@dataclass(frozen=True)
class Upload:
    """What a server says of the file that it sends; `authorization` and `prediction_id` are headers of its request."""

    provider: str
    filename: str
    prediction_id: str
    authorization: str


@dataclass(frozen=True)
class ReceiveUpload:
    """The use case of `PUT /upload/{provider}/{filename}`. No call is made: an address is computed.

    The file itself must not pass through a function, which takes 6 MB at most: the server follows to the bucket.
    """

    token_key: Callable[[], str]
    address_for: Callable[[str, datetime], str]
    unique: Callable[[], str]
    metrics: GatewayMetrics
    clock: Callable[[], datetime]

    def address(self, upload: Upload) -> str:
        """Where the file is to be put instead.

        Raises:
            NotFoundError: no provider has such a name.
            UnauthenticatedError: the token is missing or wrong.
            BadRequestError: the prediction's id is none of ours, or the file has no name.
        """
        if not _PROVIDER.fullmatch(upload.provider):
            raise NotFoundError(f"there is no provider {upload.provider[:100]!r}")
        token = presented_token(upload.authorization)
        if not upload_token_is_genuine(self.token_key(), upload.provider, token):
            self.metrics.count("UploadRejected", provider=upload.provider)
            raise UnauthenticatedError("the upload's token is wrong", code="upload_token_wrong")
        if not OWN_ID.fullmatch(upload.prediction_id):
            raise BadRequestError(
                "X-Prediction-ID must be the id of a prediction that this gateway asked for"
            )
        if not upload.filename:
            raise BadRequestError("the address must end with the file's name")
        key = upload_key(upload.provider, upload.prediction_id, upload.filename, self.unique())
        return self.address_for(key, self.clock())
