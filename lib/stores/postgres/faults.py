"""What an error of Postgres means to callers: the record is away, or what they sent is wrong, or the code is.

    serialization failure, deadlock          lost a race: run it again
    away, restarting, read-only, full, slow  RecordUnavailableError, to be tried again later
    away with an answer that was due         CommitUnknownError: it was done, or nothing of it
    data that a column cannot hold           InvalidError (a check, too long, NUL, no JSON), TooLargeError
    against what is recorded                 ConflictError (unique, foreign key, exclusion)
    a row or a table that one may not touch  ForbiddenError
    anything else                            a fault of this code: the error of psycopg as it is

No message repeats SQL, a parameter, a row, an address or a user.
"""

from typing import NoReturn

import psycopg
from psycopg import errors as pg

from lib.domain.errors import (
    CommitUnknownError,
    ConflictError,
    ForbiddenError,
    GatewayError,
    InvalidError,
    RecordUnavailableError,
    TooLargeError,
)

RETRY_AFTER_SECONDS = 5.0

TRANSIENT = (pg.SerializationFailure, pg.DeadlockDetected)
LOST_RACES = (*TRANSIENT, pg.UniqueViolation)  # the next try sees who won
CONFLICT = (pg.UniqueViolation, pg.ForeignKeyViolation, pg.ExclusionViolation, pg.RestrictViolation)
TOO_LARGE = (pg.ProgramLimitExceeded, pg.StatementTooComplex, pg.TooManyColumns, pg.TooManyArguments)
WRONG_DATA = (psycopg.DataError, psycopg.IntegrityError, UnicodeEncodeError)
GIVEN_UP = (pg.QueryCanceled, pg.LockNotAvailable)  # the connection is as good as before
AWAY = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    pg.ReadOnlySqlTransaction,
    pg.IdleInTransactionSessionTimeout,
    TimeoutError,
)
CONNECTION_ENDED = (
    "08",
    "57P",
)  # classes of SQLSTATE; any other is an answer, and says that nothing was done
FAULTS = (psycopg.Error, TimeoutError, UnicodeEncodeError)
"""All that running a statement raises."""


class LostRaceError(RecordUnavailableError):
    """The transaction lost against another, and nothing of it was done: the same may succeed at once."""


def is_away(error: BaseException) -> bool:
    """Whether the record cannot serve us over this connection."""
    return isinstance(error, AWAY) and not isinstance(error, (*TRANSIENT, *TOO_LARGE, *GIVEN_UP))


def worth_another_connection(error: BaseException) -> bool:
    """Whether the connection was dead, and a new one may do better: not after a wait, nor where nothing is written."""
    return is_away(error) and not isinstance(error, TimeoutError | pg.ReadOnlySqlTransaction)


def raise_fault(error: Exception) -> NoReturn:
    """Raise what the error means to callers. Data that was refused is no cause of it: that would show rows and SQL."""
    meaning = _meaning(error)
    if meaning is None:
        raise error
    if isinstance(meaning, RecordUnavailableError | ForbiddenError):
        raise meaning from error
    raise meaning from None


def may_be_done(error: BaseException) -> bool:
    """Whether a statement that ended so may have been carried out all the same: its answer never came."""
    code = error.sqlstate if isinstance(error, psycopg.Error) else None
    return is_away(error) and (code is None or code.startswith(CONNECTION_ENDED))


def raise_fault_of_statement(error: Exception) -> NoReturn:
    """As `raise_fault`, of a statement that is its own transaction: CommitUnknownError where its answer was lost."""
    if may_be_done(error):
        raise CommitUnknownError(_away(error), retry_after_seconds=RETRY_AFTER_SECONDS) from error
    raise_fault(error)


def commit_unknown() -> CommitUnknownError:
    """For a commit that was not answered."""
    return CommitUnknownError(
        "The record of jobs went away while it was written; look whether the change is there before trying again.",
        retry_after_seconds=RETRY_AFTER_SECONDS,
    )


def _meaning(error: Exception) -> GatewayError | None:
    if isinstance(error, TRANSIENT):
        return LostRaceError(_away(error), retry_after_seconds=RETRY_AFTER_SECONDS)
    if isinstance(error, (*CONFLICT, *TOO_LARGE, *WRONG_DATA, pg.InsufficientPrivilege)):
        return _callers_fault(error)
    if isinstance(error, AWAY):
        return RecordUnavailableError(_away(error), retry_after_seconds=RETRY_AFTER_SECONDS)
    return None


def _callers_fault(error: Exception) -> GatewayError:
    if isinstance(error, CONFLICT):
        return ConflictError(f"This contradicts what is recorded{_place(error)}.")
    if isinstance(error, TOO_LARGE):
        return TooLargeError("The record cannot hold something as large or as deeply nested as this.")
    if isinstance(error, pg.InsufficientPrivilege):
        return ForbiddenError("The record does not allow this to whom it is done for.")
    return InvalidError(f"The record cannot hold a value of this request{_reason(error)}.")


def _away(error: Exception) -> str:
    return f"The record of jobs is not available right now ({type(error).__name__}); try again shortly."


def _reason(error: Exception) -> str:
    """Why, in words that hold no data: of a constraint its name, else the kind of the error."""
    if isinstance(error, UnicodeEncodeError):
        return ": half of a surrogate pair is no text"
    if isinstance(error, psycopg.Error) and error.sqlstate is None:
        return ": text holds no NUL character"  # psycopg finds this one before it sends anything
    return _place(error) or f" ({type(error).__name__})"


def _place(error: Exception) -> str:
    if not isinstance(error, psycopg.Error):
        return ""
    place = error.diag.constraint_name or error.diag.column_name
    return f" ({place})" if place else ""
