"""Several commands in one network round trip, by libpq's pipeline mode: all are sent, then all answers read.

    client                                   server
      | act_as(..), statement, Sync  ------->  |   one implicit transaction, ended by the Sync
      | <-------  their answers, ready         |   settings made `local` are gone

psycopg's own `Connection.pipeline()` does the same with a write for each command and three waits.
"""

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import pq
from psycopg._queries import PostgresQuery  # what every cursor converts `%s` with
from psycopg.abc import PQGen
from psycopg.adapt import Transformer
from psycopg.generators import fetch_many, send
from psycopg.pq.abc import PGconn, PGresult

from lib.domain.actor import Actor
from lib.domain.errors import InvalidError
from lib.stores.postgres.limited_connection import LimitedConnection

Command = tuple[bytes, Sequence[bytes | None]]
"""SQL with `$1`, and its parameters as text; its rows are not wanted."""

BEGIN: Command = (b"begin", ())
BEGIN_READ_ONLY: Command = (b"begin read only", ())
COMMIT: Command = (b"commit", ())

_ACT_AS = b"select act_as($1, $2, $3)"


def act_as(actor: Actor) -> Command:
    """Names the actor for the rest of the transaction. Raises InvalidError if its ids are no text."""
    return _ACT_AS, [_text(actor.user_id), _text(actor.guest_token), _text(actor.key_hash)]


def fetch_rows(
    connection: LimitedConnection,
    sql: str | bytes,
    params: Any = (),
    *,
    before: Sequence[Command] = (),
    after: Sequence[Command] = (),
) -> list[tuple[Any, ...]]:
    """The rows of `sql`, run between the other commands; the first that fails stops those after it, and is raised."""
    cursor = _OneTripCursor(connection)
    cursor.before, cursor.after = before, after
    with cursor:
        cursor.execute(sql, params)
        return cursor.fetchall() if cursor.description else []


def dollar_form(connection: LimitedConnection, sql: str, params: Any) -> bytes:
    """The statement as the server gets it: `$1` for the first parameter, and no values."""
    query = PostgresQuery(Transformer(connection))
    query.convert(sql, params)
    return query.query


class _OneTripCursor(psycopg.Cursor[tuple[Any, ...]]):
    """A cursor that sends other commands with its statement. Only what is sent differs from psycopg's."""

    before: Sequence[Command] = ()
    after: Sequence[Command] = ()

    def _maybe_prepare_gen(
        self, pgq: Any, *, prepare: bool | None = None, binary: bool | None = None
    ) -> PQGen[None]:
        if not self.before and not self.after:
            yield from super()._maybe_prepare_gen(pgq, prepare=prepare, binary=binary)
            return
        pgconn = self._pgconn
        self._query = pgq
        pgconn.enter_pipeline_mode()
        for command in self.before:
            pgconn.send_query_params(*command)
        pgconn.send_query_params(
            pgq.query, pgq.params, param_formats=pgq.formats, param_types=pgq.types, result_format=self.format
        )
        for command in self.after:
            pgconn.send_query_params(*command)
        answers = yield from _answers(pgconn)
        for answer in answers:  # raises what the first that failed said
            self._check_results(answer)
        self._set_results(answers[len(self.before)])


def _answers(pgconn: PGconn) -> PQGen[list[list[PGresult]]]:
    """End the pipeline and read all that it answers, so that the connection can be used again also after an error."""
    pgconn.pipeline_sync()
    yield from send(pgconn)
    answers: list[list[PGresult]] = []
    while answer := (yield from fetch_many(pgconn)):
        if answer[0].status == pq.ExecStatus.PIPELINE_SYNC:
            pgconn.exit_pipeline_mode()
            return answers
        answers.append(answer)
    pgconn.finish()  # it ended without the Sync: nothing is known of what the server does with it
    return [*answers, []]


def _text(value: str | None) -> bytes | None:
    if value is None:
        return None
    try:
        text = value.encode()
    except UnicodeEncodeError:
        text = b"\0"
    if b"\0" in text:
        raise InvalidError("The id of a user holds a character that is no text.")
    return text
