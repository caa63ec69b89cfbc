"""What several of Google's APIs answer alike: errors, and what is given for an assertion.

Sources: cloud.google.com/apis/design/errors, github.com/googleapis/googleapis google/rpc/status.proto and
error_details.proto; RFC 6749, 5.1 and 5.2.
"""

from typing import Annotated

from pydantic import Field, StrictFloat, StrictInt

from lib.providers.answer_model import Answer, Items, Maybe, Text, Word


class Detail(Answer):
    """One of an error's details: the `reason` of an ErrorInfo, or the wait of a RetryInfo, such as `30s`."""

    reason: Word = ""
    retry_delay: Text = Field(None, alias="retryDelay")


class Error(Answer):
    """google.rpc.Status, the error of an HTTP answer, or one of the Interactions API; each may lack anything.

    `code` is a number of google.rpc.Code, HTTP's status, or a word; `status` is the word beside a number.
    """

    code: Maybe[StrictInt | str] = None
    status: Word = ""
    message: Text = None
    details: Items[Detail] = ()


class Envelope(Answer):
    """An answer of 4xx or 5xx."""

    error: Maybe[Error] = None


class AccessToken(Answer):
    """What the token endpoint gives, or why it gives nothing: there `error` is a word, such as invalid_grant."""

    access_token: Maybe[Annotated[str, Field(pattern=r"^[\x20-\x7e]+$")]] = Field(None, repr=False)
    expires_in: Maybe[StrictFloat] = None
    error: Text = None
    error_description: Text = None


class Named(Answer):
    """A model, as far as a key's test looks at it."""

    name: Text = None
