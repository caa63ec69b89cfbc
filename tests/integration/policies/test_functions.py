"""Each function that the API's login may call, called for somebody else's job: it tells nothing and does nothing."""

import json
from typing import LiteralString

import psycopg
import pytest
from psycopg.types.json import Jsonb

from lib.domain.actor import Actor
from lib.domain.errors import InvalidError
from lib.domain.ids import short_id, uuid7
from lib.domain.provider import Failure, FailureKind, ProviderUpdate, RemoteStatus
from lib.ports.actor import acting_as
from lib.stores.postgres.connection import RecordConnection
from lib.stores.postgres.record import PostgresRecord
from tests.integration.policies.conftest import KEYS, NOW, Person, Scene, _job, credential_of

HARMLESS = {
    *(
        "act_as",
        "actor_guest_token",
        "actor_is_admin",
        "actor_key_hash",
        "actor_user_id",
        "can_move",
        "check_write",
    ),
    *(
        "day_of",
        "status_is_final",
        "step_rank",
        "uuid_at",
        "uuid_from",
        "uuid_is_time_ordered",
    ),
    *("uuid_time", "wire_time", "jobs_guard", "history_guard", "timeline_guard", "ring"),
}
"""Functions that read and write nobody's rows."""
BY_ROW = {
    *("job_snapshot", "transition_result", "save_transition", "emit", "emit_check"),
    *("end_attempt", "end_generating", "apply_progress"),
    *("created_before", "emit_cancel", "emit_work", "next_attempt"),
    *("sealed_credential", "credential_view"),
}
"""Functions that take a whole row of jobs: what the caller may not see, the caller has to make up."""
CALLS: dict[str, LiteralString] = {
    "add_job_element": "select add_job_element(jsonb_build_object('jobId', %(composed)s::text, 'type', 'text',"
    " 'content', 'x', 'elementOrder', 7), %(now)s)",
    "apply_update": "select apply_update(jsonb_build_object('jobId', %(running)s::text, 'attempt', 1, 'providerJobId',"
    " 'mine', 'status', 'running'), %(now)s)",
    "choose_credential": "select choose_credential(%(user)s, 'replicate', 'own_then_platform')",
    "complete_processing_step": "select complete_processing_step(%(composed)s, %(step)s, true, %(now)s)",
    "create_job": "select create_job(%(new_job)s, %(now)s)",
    "defer_submit": "select defer_submit(%(running)s, 1, %(now)s, 'x', %(now)s)",
    "delete_credential": "select delete_credential(%(user)s, 'replicate', %(now)s)",
    "end_all_steps": "select end_all_steps(%(composed)s, true, %(now)s)",
    "end_step": "select end_step(%(composed)s, 1, 'mixing', true, %(now)s)",
    "ended_attempt": "select ended_attempt(%(running)s)",
    "fail_job": "select fail_job(%(running)s, 'x', 'y', false, %(now)s)",
    "find_credential": "select find_credential(%(credential)s)",
    "find_job": "select find_job(%(finished)s)",
    "find_output": "select find_output(%(output)s)",
    "forget_sent": "select forget_sent(array(select generate_series(1, 1000)))",
    "job_outputs": "select job_outputs(%(finished)s)",
    "list_credentials": "select list_credentials(%(user)s)",
    "mark_credential": "select mark_credential(%(credential)s, false, 'x', 'y', %(now)s)",
    "mark_submit_unknown": "select mark_submit_unknown(%(running)s, 1, %(now)s, %(now)s)",
    "next_credential_version": "select next_credential_version(%(user)s, 'replicate')",
    "put_credential": "select put_credential(%(new_credential)s, %(now)s)",
    "record_answer": 'select record_answer(%(running)s, \'{"statusCode": 200, "body": {}}\')',
    "record_submitted": "select record_submitted(%(running)s, 1, 'mine', %(now)s, %(now)s)",
    "request_cancel": "select request_cancel(%(running)s, %(user)s, %(now)s)",
    "start_processing_step": "select start_processing_step(%(composed)s, 'x', 0, %(now)s)",
}


def arguments(person: Person) -> dict[str, object]:
    job = _job(Actor.user("alice"), str(uuid7(NOW)))
    new_job: dict[str, object] = {
        "jobId": person.running,
        "shortId": short_id(),
        "userId": "alice",
        "mediaType": "image",
    }
    new_job |= {"modelId": job.model_id, "provider": job.provider, "parameters": {}, "estimatedTime": 1}
    new_job |= {"estimatedCost": 0, "deadlineAt": NOW.isoformat()}
    attempt = {"modelRef": "m", "credentialVersion": "platform", "leaseUntil": NOW.isoformat()}
    return {
        "finished": person.finished,
        "running": person.running,
        "composed": person.composed,
        "output": person.output,
        "step": person.step,
        "credential": person.credential,
        "new_credential": Jsonb(credential_of(person.name, uuid7(NOW), version=2)),
        "user": person.name,
        "now": NOW,
        "new_job": Jsonb({**new_job, "attempt": attempt}),
    }


def test_every_function_that_the_api_may_call_is_tried_here(scene: Scene) -> None:
    with psycopg.connect(scene.database.superuser_url) as connection:
        found = connection.execute(
            "select proname from pg_proc where pronamespace = 'public'::regnamespace"
            " and has_function_privilege('vsl_api', oid, 'execute')"
        ).fetchall()
    assert {name for (name,) in found} == HARMLESS | BY_ROW | CALLS.keys()


@pytest.mark.parametrize("name", sorted(CALLS))
@pytest.mark.parametrize("who", ["bob", "guest_1"])
def test_a_function_tells_and_does_nothing_about_somebody_elses_job(
    scene: Scene, name: str, who: str
) -> None:
    other: Person = getattr(scene, who)
    before = scene.contents()
    told = ""
    with psycopg.connect(scene.database.api_url) as connection:
        connection.execute("select act_as('alice')")
        try:
            told = json.dumps(connection.execute(CALLS[name], arguments(other)).fetchall(), default=str)
        except psycopg.Error as error:
            told = str(error)
        else:
            connection.commit()
    after = scene.contents()
    if name == "forget_sent":  # the messages that it found were Alice's own
        del before["outbox"], after["outbox"]
    assert after == before
    secrets = {
        other.name,
        f"p-{other.running}",
        f"p-{other.finished}",
        f"media/{other.name}/0.webp",
        "secret of",
        other.credential,
    }
    assert [secret for secret in secrets if secret in told and secret != "bob"] == []
    assert '"bob"' not in told


def test_sent_messages_of_others_are_not_forgotten(scene: Scene) -> None:
    with psycopg.connect(scene.database.api_url) as connection:
        connection.execute("select act_as('alice')")
        connection.execute(CALLS["forget_sent"])
    with psycopg.connect(scene.database.superuser_url) as connection:
        left = connection.execute("select distinct user_id from outbox").fetchall()
    assert {user_id for (user_id,) in left} == {"bob", "guest-1", "guest-2"}


def test_a_made_up_row_changes_no_real_one(scene: Scene) -> None:
    before = scene.contents()
    row = Jsonb({"job_id": scene.bob.running, "user_id": "bob", "version": 2, "attempt": 1})
    calls: list[LiteralString] = [
        "select save_transition(jsonb_populate_record(null::jobs, %s), 'x', now())",
        "select emit_check(jsonb_populate_record(null::jobs, %s), now())",
        "select apply_progress(jsonb_populate_record(null::jobs, %s), null::attempts, 'running', 'generating', now())",
    ]
    with psycopg.connect(scene.database.api_url) as connection:
        connection.execute("select act_as('alice')")
        for call in calls:
            with pytest.raises(psycopg.Error), connection.transaction():
                connection.execute(call, (row,))
        ended = "select end_attempt(jsonb_populate_record(null::jobs, %s), 'canceled', null, null, now())"
        connection.execute(ended, (row,))
    assert scene.contents() == before


def test_a_connection_that_is_used_again_remembers_nobody(scene: Scene) -> None:
    connection = RecordConnection(lambda: scene.database.api_url)
    record = PostgresRecord(connection)
    try:
        with acting_as(scene.alice.actor):
            assert record.find_job(scene.alice.finished) is not None
            assert record.find_job(scene.bob.finished) is None
        assert record.find_job(scene.alice.finished) is None
        with acting_as(scene.bob.actor):
            assert record.find_job(scene.bob.finished) is not None
            assert record.find_job(scene.alice.finished) is None
        with acting_as(scene.alice.actor), pytest.raises(InvalidError):
            connection.fetch("select 1 / 0")
        assert record.find_job(scene.alice.finished) is None
        with acting_as(scene.guest_1.actor):
            assert record.find_job(scene.guest_1.running) is not None
        with acting_as(Actor.user("guest-1")):
            assert record.find_job(scene.guest_1.running) is None
        assert connection.fetch("select actor_user_id(), actor_guest_token(), actor_key_hash()") == [
            (None, None, None)
        ]
    finally:
        connection.close()


@pytest.mark.parametrize("status", [RemoteStatus.RUNNING, RemoteStatus.SUCCEEDED, RemoteStatus.FAILED])
def test_what_a_provider_answers_at_once_is_applied_to_ones_own_job(
    scene: Scene, status: RemoteStatus
) -> None:
    job_id = scene.alice.running
    failure = Failure(FailureKind.MODEL_ERROR, "it broke", retryable=False)
    said = ProviderUpdate(status, f"p-{job_id}", failure=failure if status is RemoteStatus.FAILED else None)
    connection = RecordConnection(lambda: scene.database.api_url)
    try:
        with acting_as(scene.alice.actor):
            moved = PostgresRecord(connection).apply_update(
                *(job_id, 1, said),
                source="answer",
                now=NOW,
                due_at=NOW,
                storing_deadline_at=NOW,
                storing_due_at=NOW,
            )
    finally:
        connection.close()
    assert moved.changed


def test_tables_of_ones_own_do_not_stand_in_for_real_ones(scene: Scene) -> None:
    with psycopg.connect(scene.database.api_url) as connection:
        connection.execute("select act_as('alice')")
        connection.execute("create temporary table users (user_id text, access_role text)")
        connection.execute("insert into pg_temp.users values ('alice', 'admin')")
        connection.execute("create temporary table jobs as select * from public.jobs limit 0")
        assert connection.execute("select actor_is_admin()").fetchone() == (False,)
        assert connection.execute("select find_job(%s)", (scene.bob.running,)).fetchone() == (None,)
        answer = connection.execute(
            "select request_cancel(%s, 'bob', now())", (scene.bob.running,)
        ).fetchone()
        assert answer is not None
        assert answer[0]["outcome"] == "not_found"


def test_an_answer_is_not_kept_with_a_key_that_another_user_made_for_the_job(scene: Scene) -> None:
    """A key is made before its job, so no policy can ask whose job it is; a worker, who sees all keys, must."""
    with psycopg.connect(scene.database.api_url) as connection:
        connection.execute("select act_as('alice')")
        connection.execute(
            "insert into idempotency_keys (user_id, key, request_hash, job_id, created_at, expires_at)"
            " values ('alice', 'spy', 'h', %s, now(), now() + interval '1 day')",
            (scene.bob.running,),
        )
    with psycopg.connect(scene.database.worker_url) as connection:
        told = Jsonb({"statusCode": 202, "body": {"jobId": scene.bob.running}})
        connection.execute("select record_answer(%s, %s)", (scene.bob.running, told))
    with scene.api(scene.alice.actor) as connection:
        found = connection.execute("select response from idempotency_keys where key = 'spy'").fetchall()
    assert found == [(None,)]


def test_a_prediction_of_another_user_is_taken_and_not_shown(scene: Scene) -> None:
    with psycopg.connect(scene.database.api_url) as connection:
        connection.execute("select act_as('alice')")
        arguments_of_new = arguments(scene.alice)["new_job"]
        assert isinstance(arguments_of_new, Jsonb)
        attempt = {**arguments_of_new.obj["attempt"], "credentials": "platform"}  # the account of both
        new = {"jobId": str(uuid7(NOW)), "userId": "alice", "attempt": attempt}
        connection.execute("select create_job(%s, %s)", (Jsonb({**arguments_of_new.obj, **new}), NOW))
        row = connection.execute(
            "select record_submitted(%s, 1, %s, %s, %s)", (new["jobId"], f"p-{scene.bob.running}", NOW, NOW)
        ).fetchone()
        assert row is not None
        assert row[0]["outcome"] == "taken"
        assert "bob" not in json.dumps(row[0])


def test_the_keys_of_others_are_not_found_by_functions(scene: Scene) -> None:
    with scene.api(Actor.key(KEYS["alice"])) as connection:
        rows = connection.execute(
            "select user_id from api_keys where key_hash = %s", (KEYS["bob"],)
        ).fetchall()
        assert rows == []
