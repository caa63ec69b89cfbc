# ruff: noqa: S608 - the names in the statements are those of this file
"""Each policy, and a try to get past it: directly, through views, by writing, by a leaky function."""

from typing import LiteralString

import psycopg
import pytest
from psycopg import errors as pg
from psycopg import sql

from lib.domain.actor import Actor
from tests.integration.policies.conftest import KEYS, TOKENS, Scene

OF_A_JOB = ("attempts", "outputs", "elements", "job_transitions", "processing_timeline", "storage_operations")
OF_A_USER = ("jobs", "users", "idempotency_keys", "outbox")
FOR_ADMINS = ("url_access_logs", "system_metrics", "security_events")
SECRET = ("api_keys", "idempotency_keys", "outbox", "provider_credentials")
VIEWS = (
    "job_summary",
    "job_status_realtime",
    "active_jobs",
    "daily_job_stats",
    "storage_performance",
    "generations",
)
ALL = (*OF_A_JOB, *OF_A_USER, *FOR_ADMINS, "api_keys", "provider_credentials")


def expected_policies() -> set[str]:
    """Every policy that there should be; each is tried below."""
    names = {f"{table}_owner" for table in ALL} | {f"{table}_worker" for table in ALL}
    names |= {f"{table}_analyst" for table in ALL if table not in SECRET}
    names |= {f"{table}_api" for table in (*OF_A_JOB, *OF_A_USER, "api_keys", "provider_credentials")}
    names |= {f"{table}_api_admin" for table in (*FOR_ADMINS, "jobs")} | {"users_api_of_a_key"}
    names |= {
        f"{table}_api_add" for table in ("attempts", "elements", "job_transitions", "processing_timeline")
    }
    return names | {f"{table}_api_change" for table in ("attempts", "processing_timeline")}


def count(connection: psycopg.Connection, table: str) -> int:
    row = connection.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(table))).fetchone()
    assert row
    return int(row[0])


def test_the_policies_are_those_that_are_tried_here(scene: Scene) -> None:
    with psycopg.connect(scene.database.superuser_url) as connection:
        found = connection.execute(
            "select policyname from pg_policies where schemaname = 'public'"
        ).fetchall()
    assert {name for (name,) in found} == expected_policies()


@pytest.mark.parametrize("table", [*ALL, *VIEWS])
def test_without_an_actor_there_is_nothing(scene: Scene, table: str) -> None:
    with scene.api(None) as connection:
        columns = "key_id" if table == "api_keys" else "*"
        query = sql.SQL("select {} from {}").format(sql.SQL(columns), sql.Identifier(table))
        assert connection.execute(query).fetchall() == []


@pytest.mark.parametrize("table", [*OF_A_JOB, "jobs", "job_summary", "job_status_realtime"])
def test_a_user_sees_what_belongs_to_the_own_jobs_and_nothing_else(scene: Scene, table: str) -> None:
    query = sql.SQL("select distinct job_id::text from {}").format(sql.Identifier(table))
    for person in (scene.alice, scene.bob, scene.guest_1, scene.guest_2):
        with scene.api(person.actor) as connection:
            seen = {job_id for (job_id,) in connection.execute(query).fetchall()}
        assert seen
        assert seen <= person.jobs


@pytest.mark.parametrize("table", ["active_jobs", "generations"])
def test_a_view_over_jobs_shows_the_own_ones(scene: Scene, table: str) -> None:
    query = sql.SQL("select distinct user_id from {}").format(sql.Identifier(table))
    for person in (scene.alice, scene.guest_2):
        with scene.api(person.actor) as connection:
            assert connection.execute(query).fetchall() == [(person.name,)]


@pytest.mark.parametrize("table", OF_A_USER)
def test_a_user_sees_the_own_rows_of(scene: Scene, table: str) -> None:
    query = sql.SQL("select distinct user_id from {}").format(sql.Identifier(table))
    for person in (scene.alice, scene.guest_1):
        with scene.api(person.actor) as connection:
            assert connection.execute(query).fetchall() == [(person.name,)]


def test_a_key_at_a_provider_is_its_owners_alone_and_no_admins(scene: Scene) -> None:
    query: LiteralString = "select distinct user_id from provider_credentials"
    for name in ("alice", "bob", "root"):
        with scene.api(Actor.user(name)) as connection:
            assert connection.execute(query).fetchall() == [(name,)]
    for actor in (scene.guest_1.actor, Actor.guest("alice", TOKENS["guest-1"]), Actor.key(KEYS["alice"])):
        with scene.api(actor) as connection:
            assert connection.execute(query).fetchall() == []


def test_totals_are_those_of_the_own_jobs(scene: Scene) -> None:
    with scene.api(scene.alice.actor) as connection:
        assert connection.execute("select sum(jobs) from daily_job_stats").fetchone() == (3,)
        assert connection.execute("select sum(operations) from storage_performance").fetchone() == (1,)


@pytest.mark.parametrize("table", FOR_ADMINS)
def test_only_an_admin_sees(scene: Scene, table: str) -> None:
    for actor in (scene.alice.actor, scene.guest_1.actor, Actor.key(KEYS["root"])):
        with scene.api(actor) as connection:
            assert count(connection, table) == 0
    with scene.api(scene.root) as connection:
        assert count(connection, table) > 0


def test_an_admin_sees_every_job_with_all_that_belongs_to_it(scene: Scene) -> None:
    everybody = scene.alice.jobs | scene.bob.jobs | scene.guest_1.jobs | scene.guest_2.jobs
    with scene.api(scene.root) as connection:
        found = connection.execute("select job_id::text from job_summary").fetchall()
        assert {job_id for (job_id,) in found} == everybody
        for table in OF_A_JOB:
            assert count(connection, table) > 0


def test_an_admin_changes_nobodys_job(scene: Scene) -> None:
    before = scene.contents()
    with scene.api(scene.root) as connection:
        for statement in (
            "update jobs set due_at = due_at",
            "update attempts set submits = submits + 1",
            "update processing_timeline set details = '{}'",
        ):
            assert connection.execute(statement.encode()).rowcount == 0
        connection.commit()
    assert scene.contents() == before


def test_an_admin_who_is_a_guest_is_none(scene: Scene) -> None:
    with scene.api(Actor.guest("root", TOKENS["guest-1"])) as connection:
        assert count(connection, "jobs") == 0
        assert connection.execute("select actor_is_admin()").fetchone() == (False,)


def test_no_setting_makes_an_admin(scene: Scene) -> None:
    with scene.api(scene.alice.actor) as connection:
        for name in ("vsl.is_admin", "vsl.access_role", "vsl.role", "vsl.kind"):
            connection.execute("select set_config(%s, 'admin', true)", (name,))
        assert connection.execute("select actor_is_admin()").fetchone() == (False,)
        assert count(connection, "security_events") == 0


@pytest.mark.parametrize(
    "statement",
    [
        "update users set access_role = 'admin'",
        "update users set kind = 'system'",
        "insert into users (user_id, kind, access_role, created_at) values ('alice2', 'registered', 'admin', now())",
        "delete from users",
        "update api_keys set revoked_at = null",
        "insert into api_keys (key_id, user_id, key_hash, created_at) values (gen_random_uuid(), 'alice', 'x', now())",
        "delete from jobs",
        "delete from job_transitions",
        "delete from processing_timeline",
        "delete from storage_operations",
        "insert into outputs select * from outputs",
        "insert into storage_operations select * from storage_operations",
        "update outputs set object_key = 'x'",
        "insert into url_access_logs select * from url_access_logs",
        "insert into security_events select * from security_events",
        "delete from security_events",
        "insert into system_metrics select * from system_metrics",
        "update database_options set notify = false",
        "delete from provider_credentials",
        "update provider_credentials set user_id = 'bob'",
        "update provider_credentials set ciphertext = null, wrapped_key = null, wiped_at = now()",
        "update provider_credentials set key_id = 'local:mine'",
        "select wipe_retired_credentials(100, now())",
        "select rewrap_credential(gen_random_uuid(), 'a', 'b', 'c', 'd')",
        "delete from schema_migrations",
        "select label from api_keys",
        "truncate jobs",
        "alter table jobs disable row level security",
        "alter table jobs no force row level security",
        "create policy open on jobs using (true)",
        "drop policy jobs_api on jobs",
        "create table public.mine (x integer)",
        "set role vsl_worker",
        "set role vsl_owner",
        "set session authorization vsl_owner",
    ],
)
def test_the_apis_login_may_not(scene: Scene, statement: LiteralString) -> None:
    with scene.api(scene.alice.actor) as connection, pytest.raises(pg.InsufficientPrivilege):
        connection.execute(statement)


def test_switching_row_security_off_shows_an_error_and_no_row(scene: Scene) -> None:
    with scene.api(scene.alice.actor) as connection:
        connection.execute("set local row_security = off")
        with pytest.raises(pg.InsufficientPrivilege, match="row-level security"):
            connection.execute("select * from jobs")


def test_a_row_cannot_be_made_for_another_user(scene: Scene) -> None:
    copies: tuple[LiteralString, ...] = (
        "insert into users (user_id, created_at) values ('mallory', now())",
        (
            "insert into jobs select (jsonb_populate_record(j, jsonb_build_object("
            "'user_id', 'bob', 'job_id', uuid_at(j.created_at), 'short_id', 'aaaaaaaaaaa'))).* from jobs j limit 1"
        ),
        (
            "insert into idempotency_keys (user_id, key, request_hash, job_id, created_at, expires_at)"
            " values ('bob', 'mine', 'h', gen_random_uuid(), now(), now() + interval '1 day')"
        ),
    )
    for statement in copies:
        with scene.api(scene.alice.actor) as connection, pytest.raises(pg.InsufficientPrivilege):
            connection.execute(statement)


@pytest.mark.parametrize(
    "table", ["attempts", "elements", "job_transitions", "processing_timeline", "outbox"]
)
def test_nothing_is_added_to_another_users_job(scene: Scene, table: str) -> None:
    statements: dict[str, LiteralString] = {
        "attempts": "insert into attempts"
        " (job_id, attempt, state, provider, model_id, model_ref, credential_version, created_at)"
        " values (%s, 9, 'queued', 'x', 'm', 'y', 'z', now())",
        "job_transitions": "insert into job_transitions values (%s, 99, 1, 'pending', 'queued', 'x', now())",
        "processing_timeline": "insert into processing_timeline (job_id, timeline_id, step, step_order, started_at)"
        " values (%s, uuid_at(now()), 'x', 0, now())",
        "elements": "insert into elements (element_id, job_id, type, content, element_order, created_at, updated_at)"
        " values (uuid_at(now()), %s, 'text', 'x', 9, now(), now())",
        "outbox": "insert into outbox (topic, job_id, user_id, payload, available_at, leased_until, created_at)"
        " values ('store', %s, 'bob', '{}', now(), now(), now())",
    }
    with scene.api(scene.alice.actor) as connection, pytest.raises(pg.InsufficientPrivilege):
        connection.execute(statements[table], (scene.bob.running,))


@pytest.mark.parametrize("about", ["job_id", "payload"])
def test_no_message_of_ones_own_is_about_another_users_job(scene: Scene, about: str) -> None:
    """What is in the outbox is sent to workers, who may do everything to the job that it names."""
    job_id, payload = (scene.bob if about == each else scene.alice for each in ("job_id", "payload"))
    with scene.api(scene.alice.actor) as connection, pytest.raises(pg.InsufficientPrivilege):
        connection.execute(
            "insert into outbox (topic, job_id, user_id, payload, available_at, leased_until, created_at)"
            " values ('store', %s, 'alice', jsonb_build_object('jobId', %s::text), now(), now(), now())",
            (job_id.running, payload.running),
        )


def test_workers_make_nobody_an_admin(scene: Scene) -> None:
    tries: tuple[LiteralString, ...] = (
        "insert into users (user_id, access_role, created_at) values ('mallory', 'admin', now())",
        "update users set access_role = 'admin' where user_id = 'alice'",
    )
    for statement in tries:
        with (
            psycopg.connect(scene.database.worker_url) as connection,
            pytest.raises(pg.InsufficientPrivilege),
        ):
            connection.execute(statement)


def test_what_is_not_seen_is_neither_changed_nor_deleted(scene: Scene) -> None:
    before = scene.contents()
    with scene.api(scene.alice.actor) as connection:
        for statement in (
            "update jobs set due_at = now() where user_id = 'bob'",
            "update attempts set submits = 9 where job_id = any(%(bob)s::uuid[])",
            "update processing_timeline set details = '{}' where job_id = any(%(bob)s::uuid[])",
            "update idempotency_keys set request_hash = 'x' where user_id = 'bob'",
            "delete from idempotency_keys where user_id = 'bob'",
            "update provider_credentials set deleted_at = now() where user_id = 'bob'",
            "update provider_credentials set is_valid = true where user_id = 'bob'",
            "delete from outbox where user_id = 'bob'",
        ):
            assert connection.execute(statement.encode(), {"bob": list(scene.bob.jobs)}).rowcount == 0
        connection.commit()
    assert scene.contents() == before


def test_a_job_is_not_given_away(scene: Scene) -> None:
    with (
        scene.api(scene.alice.actor) as connection,
        pytest.raises((pg.InsufficientPrivilege, pg.IntegrityError)),
    ):
        connection.execute("update jobs set user_id = 'bob' where user_id = 'alice'")


def test_a_leaky_function_is_not_shown_other_rows(scene: Scene) -> None:
    """A condition of the caller's own runs after the policy, so it cannot tell what the policy hides."""
    seen: list[str] = []
    with scene.api(scene.alice.actor) as connection:
        connection.add_notice_handler(lambda notice: seen.append(str(notice.message_primary)))
        connection.execute(
            "create function pg_temp.leak(text) returns boolean language plpgsql cost 0.0000001"
            " as $$ begin raise notice '%', $1; return true; end $$"
        )
        connection.execute("select * from jobs where pg_temp.leak(parameters::text)")
        connection.execute("select * from generations where pg_temp.leak(prompt)")
        connection.execute("select * from attempts where pg_temp.leak(input::text)")
    assert seen
    assert all("alice" in line for line in seen)


def test_guests_at_one_address_do_not_see_each_other(scene: Scene) -> None:
    with scene.api(scene.guest_1.actor) as connection:
        found = connection.execute("select job_id::text, client_ip::text from jobs").fetchall()
        assert {job_id for job_id, _ in found} == scene.guest_1.jobs
        same = connection.execute("select count(*) from jobs where client_ip = '203.0.113.7'").fetchone()
        assert same == (3,)


def test_a_guest_is_who_has_the_token(scene: Scene) -> None:
    for impostor in (
        Actor.guest("guest-1", TOKENS["guest-2"]),
        Actor.user("guest-1"),
        Actor.guest("guest-2", TOKENS["guest-1"]),
        Actor.guest("alice", TOKENS["guest-1"]),
        Actor(guest_token=TOKENS["guest-1"]),
    ):
        with scene.api(impostor) as connection:
            assert count(connection, "jobs") == 0
            assert count(connection, "outputs") == 0
            assert count(connection, "job_summary") == 0


def test_who_shows_a_key_sees_that_key_and_its_user(scene: Scene) -> None:
    with scene.api(Actor.key(KEYS["alice"])) as connection:
        assert connection.execute("select user_id from api_keys").fetchall() == [("alice",)]
        assert connection.execute("select user_id, access_role from users").fetchall() == [("alice", "user")]
        assert count(connection, "jobs") == 0
    for stranger in (Actor.key("f" * 64), scene.alice.actor, scene.root):
        with scene.api(stranger) as connection:
            assert connection.execute("select key_id from api_keys").fetchall() == []


def test_workers_see_all_but_keys(scene: Scene) -> None:
    with psycopg.connect(scene.database.worker_url) as connection:
        for table in ALL:
            if table != "api_keys":
                assert count(connection, table) > 0, table
    for statement in (
        "select * from api_keys",
        "update users set access_role = 'admin'",
        "update job_transitions set event = 'x'",
        "update outputs set object_key = 'x'",
        "update security_events set kind = 'wrong_key'",
        "delete from users",
        "delete from provider_credentials",
        "update provider_credentials set user_id = 'alice'",
        "update provider_credentials set key_id = 'local:mine'",
        "create table mine (x integer)",
        "set role vsl_owner",
        "alter table jobs disable row level security",
    ):
        with (
            psycopg.connect(scene.database.worker_url) as connection,
            pytest.raises(pg.InsufficientPrivilege),
        ):
            connection.execute(statement.encode())


def test_an_analyst_reads_all_but_secrets_and_writes_nothing(scene: Scene) -> None:
    with psycopg.connect(scene.database.superuser_url) as connection:
        connection.execute("set role vsl_analyst")
        for table in ALL:
            if table not in SECRET:
                assert count(connection, table) > 0, table
        for view in VIEWS:
            assert count(connection, view) > 0, view
        connection.commit()
        refused = [f"select * from {table}" for table in SECRET]
        refused += [f"delete from {table}" for table in ALL]
        refused += [
            "update jobs set due_at = null",
            "select remove_expired('jobs', now(), 1)",
            "select check_write()",
        ]
        for statement in refused:
            with pytest.raises(pg.InsufficientPrivilege), connection.transaction():
                connection.execute(statement.encode())


def test_the_owner_sees_all_by_a_policy_not_by_a_power(scene: Scene) -> None:
    with psycopg.connect(scene.database.owner_url) as connection:
        for table in ALL:
            assert count(connection, table) > 0, table
