"""The errors of the gateway: one tree. HTTP statuses are not here but in `lib/api/problem.py`.

GatewayError                        code, retryable, retry_after_seconds, errors
|-- BadRequestError                 it cannot be read: malformed JSON, a wrong header
|-- UnauthenticatedError            no key, a wrong key, a revoked key, a forged webhook
|-- ForbiddenError                  known, but not allowed
|-- NotFoundError                   not there, or not yours
|-- ConflictError                   it contradicts what is recorded
|   `-- StillRunningError           the first request with this Idempotency-Key has not answered yet
|-- TooLargeError                   over a limit of size
|-- InvalidError                    read, but wrong
|   |-- UnknownModelError
|   |-- InvalidParametersError
|   |-- UnknownPriceError           the price is not known; it is never taken as zero
|   |-- UnreadableCredentialError   a stored key cannot be opened: another master key, a moved row, wiped
|   |-- NoCredentialError           there is no key for this provider, of the user's own or the operator's
|   |-- InvalidCredentialError      the user's own key is known to be wrong
|   `-- IdempotencyMismatchError    the same Idempotency-Key with another body
|-- RateLimitedError                too many; try again later
|-- UnavailableError                a part that we need is away; nothing was changed
|   `-- RecordUnavailableError      Postgres is away
|-- ProviderError                   the provider said no, see `lib/domain/provider.py`
|-- OutputError                     an output cannot be stored: empty, too large, expired, of a refused type
`-- ConfigurationError              the operator's settings are wrong
    `-- EncryptionNotConfiguredError  users' keys cannot be sealed or opened here
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class FieldError:
    """One thing wrong with one field: `path` such as `parameters.width`, and what would be right."""

    path: str
    message: str


class GatewayError(Exception):
    """The base of all errors that a caller may see.

    `code` is stable and machine-readable; `retryable` says whether the same request may succeed later.
    """

    code = "internal_error"
    retryable = False

    def __init__(
        self,
        message: str,
        *,
        errors: Sequence[FieldError] = (),
        retry_after_seconds: float | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.errors = tuple(errors)
        self.retry_after_seconds = retry_after_seconds
        self.job_id: str | None = None  # the job that was recorded all the same, if any
        if code is not None:
            self.code = code


class BadRequestError(GatewayError):
    """The request cannot be read."""

    code = "bad_request"


class UnauthenticatedError(GatewayError):
    """The caller is not known."""

    code = "unauthenticated"


class ForbiddenError(GatewayError):
    """The caller is known, and may not do this."""

    code = "forbidden"


class NotFoundError(GatewayError):
    """There is no such thing, or it is not the caller's."""

    code = "not_found"


class ConflictError(GatewayError):
    """The request contradicts what is recorded."""

    code = "conflict"


class StillRunningError(ConflictError):
    """The first request with this Idempotency-Key has not been answered yet."""

    code = "idempotency_in_progress"
    retryable = True


class TooLargeError(GatewayError):
    """Something is over its limit of size."""

    code = "too_large"


class InvalidError(GatewayError):
    """The request was read and is wrong."""

    code = "invalid_request"


class UnknownModelError(InvalidError):
    """There is no such model, or it makes another media type."""

    code = "unknown_model"


class InvalidParametersError(InvalidError):
    """Parameters are wrong; `errors` names them all at once."""

    code = "invalid_parameters"


class UnknownPriceError(InvalidError):
    """The model's price is not known, so the job is not started."""

    code = "unknown_price"


class NoCredentialError(InvalidError):
    """There is no key with which this provider could be asked."""

    code = "no_credential"


class InvalidCredentialError(InvalidError):
    """The user's own key was refused by its provider, and no other has been put in its place."""

    code = "invalid_credential"


class UnreadableCredentialError(InvalidError):
    """A stored key cannot be opened any more; its owner must put it again."""

    code = "credential_unreadable"


class IdempotencyMismatchError(InvalidError):
    """The Idempotency-Key was used with another body."""

    code = "idempotency_mismatch"


class RateLimitedError(GatewayError):
    """The caller asked too often."""

    code = "rate_limited"
    retryable = True


class UnavailableError(GatewayError):
    """A part that the request needs is away; nothing was changed."""

    code = "unavailable"
    retryable = True


class RecordUnavailableError(UnavailableError):
    """Postgres, the record, cannot be reached or does not answer in time."""

    code = "record_unavailable"


class CommitUnknownError(RecordUnavailableError):
    """The record went away before it answered: what it was asked to write was written whole, or not at all."""


class ProviderError(GatewayError):
    """The provider refused or failed; `code` is one of `lib.domain.provider.FailureKind`."""

    code = "provider_error"


class OutputError(GatewayError):
    """An output of the provider cannot be stored; `retryable` where another try may help."""

    code = "output_error"

    def __init__(self, message: str, *, code: str, retryable: bool = False) -> None:
        super().__init__(message, code=code)
        self.retryable = retryable


class ConfigurationError(GatewayError):
    """The operator's settings are wrong; `errors` names every wrong value at once."""

    code = "configuration_error"


class EncryptionNotConfiguredError(ConfigurationError):
    """There is no usable master key, so users' own keys are neither taken nor opened; nothing was stored."""

    code = "encryption_not_configured"
