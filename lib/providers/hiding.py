"""Providers echo keys in their errors: their words go on without what they share with the key that was sent."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from lib.domain.credential import update_without_key, without_secrets
from lib.domain.errors import ProviderError
from lib.domain.provider import Credential, Failure, SubmitResult


def result_without_key(result: SubmitResult, credential: Credential) -> SubmitResult:
    """What a submit came to, with its words cleaned."""
    if result.failure is None and result.update is None:
        return result
    update = update_without_key(result.update, credential) if result.update is not None else None
    return replace(result, failure=_failure(result.failure, credential), update=update)


@contextmanager
def errors_without_key(sent: Callable[[], Credential]) -> Iterator[None]:
    """What is raised within goes on with its words cleaned, as the same error; `sent` is asked for when it is."""
    try:
        yield
    except ProviderError as error:
        error.message = without_secrets(error.message, sent())
        error.args = (error.message,)
        raise


def _failure(failure: Failure | None, credential: Credential) -> Failure | None:
    if failure is None:
        return None
    return replace(failure, message=without_secrets(failure.message, credential))
