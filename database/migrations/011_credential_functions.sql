-- The keys that users bring: sealed where they are used (lib/domain/envelope.py), never readable here. A version never
-- changes what it opens: a job is pinned to the one that it was made with, and that one stays until no job needs it.

create table provider_credentials (
    credential_id uuid primary key check (uuid_is_time_ordered(credential_id)),
    user_id       text not null references users,
    provider      text not null check (length(provider) between 1 and 100),
    version       integer not null check (version > 0),
    ciphertext    bytea,
    nonce         bytea not null check (length(nonce) = 12),
    wrapped_key   bytea,
    key_id        text not null check (length(key_id) between 1 and 2100),
    masked        jsonb not null check (jsonb_typeof(masked) = 'object'),
    is_valid      boolean,
    checked_at    timestamptz,
    failure_code  text check (length(failure_code) between 1 and 100),
    account       text check (length(account) <= 200),
    created_at    timestamptz not null,
    replaced_at   timestamptz check (replaced_at >= created_at),
    deleted_at    timestamptz check (deleted_at >= created_at),
    wiped_at      timestamptz,
    constraint provider_credentials_version unique (user_id, provider, version),
    constraint provider_credentials_ends_once check (replaced_at is null or deleted_at is null),
    constraint provider_credentials_wiped_is_empty check (
        (wiped_at is null) = (ciphertext is not null) and (wiped_at is null) = (wrapped_key is not null)),
    constraint provider_credentials_current_is_whole check (
        wiped_at is null or replaced_at is not null or deleted_at is not null),
    constraint provider_credentials_failure_is_invalid check (failure_code is null or is_valid is false)
);
comment on table provider_credentials is
    'Keys of users at providers, one row for each version, encrypted with a data key of its own that a master key wraps.';
comment on column provider_credentials.credential_id is 'UUIDv7; attempts.credential_version calls it own:{id}.';
comment on column provider_credentials.user_id is 'Whose key it is; bound to the ciphertext.';
comment on column provider_credentials.provider is 'Where it is a key; bound to the ciphertext.';
comment on column provider_credentials.version is 'From 1 for each user and provider; bound to the ciphertext.';
comment on column provider_credentials.ciphertext is
    'The fields of the key as JSON, AES-256-GCM with its tag at the end; null once it is wiped.';
comment on column provider_credentials.nonce is 'Of the ciphertext: 96 random bits.';
comment on column provider_credentials.wrapped_key is 'The data key, encrypted by the master key; null once it is wiped.';
comment on column provider_credentials.key_id is 'Which master key wrapped it; a re-wrap changes this and wrapped_key.';
comment on column provider_credentials.masked is
    'What its owner may be shown of it: the last four characters at most, and nothing of a short one.';
comment on column provider_credentials.is_valid is
    'What the provider said of it last; null while it said nothing. A key that is not valid makes no new jobs.';
comment on column provider_credentials.checked_at is 'When the provider said so.';
comment on column provider_credentials.failure_code is 'Why it is not valid, for machines.';
comment on column provider_credentials.account is 'What the provider calls the account that it opens.';
comment on column provider_credentials.created_at is 'When it was brought.';
comment on column provider_credentials.replaced_at is 'When a newer version took its place.';
comment on column provider_credentials.deleted_at is 'When its owner took it away.';
comment on column provider_credentials.wiped_at is 'When ciphertext and data key were removed: no job needed them any more.';
create unique index provider_credentials_current on provider_credentials (user_id, provider)
    where replaced_at is null and deleted_at is null;
create index provider_credentials_retired on provider_credentials (credential_id)
    where wiped_at is null and (replaced_at is not null or deleted_at is not null);
create index attempts_by_own_credential on attempts (credential_version) where credential_version <> 'platform';
comment on index provider_credentials_current is 'The key that a user has at a provider now: one.';
comment on index provider_credentials_retired is 'What is to be wiped once no job needs it.';
comment on index attempts_by_own_credential is 'Which jobs a user''s key made.';

create function sealed_credential(c provider_credentials) returns jsonb
    language sql stable
    return case when c.wiped_at is null then jsonb_build_object(
        'credentialId', c.credential_id, 'userId', c.user_id, 'provider', c.provider, 'version', c.version,
        'ciphertext', translate(encode(c.ciphertext, 'base64'), E'\n', ''),
        'nonce', encode(c.nonce, 'base64'),
        'wrappedKey', translate(encode(c.wrapped_key, 'base64'), E'\n', ''), 'keyId', c.key_id) end;
comment on function sealed_credential is
    'All that opening it takes beside the master key (Sealed of lib/domain/envelope.py); null once it is wiped.';

create function credential_view(c provider_credentials) returns jsonb
    language sql stable
    return jsonb_build_object(
        'credentialId', c.credential_id, 'provider', c.provider, 'version', c.version, 'masked', c.masked,
        'isValid', c.is_valid, 'checkedAt', wire_time(c.checked_at), 'failureCode', c.failure_code,
        'account', c.account, 'createdAt', wire_time(c.created_at));
comment on function credential_view is 'What its owner may be shown of it.';

create function choose_credential(p_user_id text, p_provider text, p_policy text) returns jsonb
    language plpgsql stable set search_path = public, pg_temp as $$
declare
    c provider_credentials;
    v_policy constant text := coalesce(p_policy, 'own_then_platform');
begin
    if v_policy not in ('own', 'platform', 'own_then_platform') then
        raise exception 'no such policy for credentials: %', p_policy using errcode = 'invalid_parameter_value';
    end if;
    if v_policy <> 'platform' then
        select * into c from provider_credentials
        where user_id = p_user_id and provider = p_provider and replaced_at is null and deleted_at is null;
        if found then
            return case when c.is_valid is false then jsonb_build_object('outcome', 'invalid')
                else jsonb_build_object('outcome', 'own', 'version', 'own:' || c.credential_id,
                                        'sealed', sealed_credential(c)) end;
        elsif v_policy = 'own' then
            return jsonb_build_object('outcome', 'none');
        end if;
    end if;
    return jsonb_build_object('outcome', 'platform', 'version', 'platform');
end
$$;
comment on function choose_credential is
    'Which key makes a job: the user''s own, the platform''s, or none. An own key that the provider refused is not '
    'passed over in silence: the platform would pay for what its owner believes to pay.';

create function put_credential(p jsonb, p_now timestamptz) returns jsonb
    language plpgsql set search_path = public, pg_temp as $$
declare
    c provider_credentials;
    v_user text := p ->> 'userId';
    v_provider text := p ->> 'provider';
    v_next integer;
begin
    -- Two at once: the second waits here, and is then told that its version is taken.
    perform pg_advisory_xact_lock(hashtextextended(jsonb_build_array('provider_credentials', v_user, v_provider)::text, 0));
    insert into users (user_id, created_at) values (v_user, p_now) on conflict do nothing;
    if exists (select from users where user_id = v_user and kind = 'guest') then
        return jsonb_build_object('outcome', 'guest');
    end if;
    v_next := next_credential_version(v_user, v_provider);
    select * into c from provider_credentials where credential_id = (p ->> 'credentialId')::uuid;
    if found and c.replaced_at is null and c.deleted_at is null then
        return jsonb_build_object('outcome', 'stored', 'credential', credential_view(c));  -- sent again after a lost answer
    elsif (p ->> 'version')::integer <> v_next then
        return jsonb_build_object('outcome', 'other_version', 'version', v_next);
    end if;
    update provider_credentials set replaced_at = greatest(p_now, created_at)
    where user_id = v_user and provider = v_provider and replaced_at is null and deleted_at is null;
    insert into provider_credentials (credential_id, user_id, provider, version, ciphertext, nonce, wrapped_key, key_id,
                                      masked, created_at)
    values ((p ->> 'credentialId')::uuid, v_user, v_provider, v_next, decode(p ->> 'ciphertext', 'base64'),
            decode(p ->> 'nonce', 'base64'), decode(p ->> 'wrappedKey', 'base64'), p ->> 'keyId', p -> 'masked', p_now)
    returning * into c;
    return jsonb_build_object('outcome', 'stored', 'credential', credential_view(c));
end
$$;
comment on function put_credential is
    'Keeps a new version, which takes the place of the former one; the version that was sealed must be the next.';

create function next_credential_version(p_user_id text, p_provider text) returns integer
    language sql stable set search_path = public, pg_temp as $$
    select coalesce(max(version), 0) + 1 from provider_credentials where user_id = p_user_id and provider = p_provider;
$$;
comment on function next_credential_version is 'The version that a new key gets; it is sealed with it.';

create function delete_credential(p_user_id text, p_provider text, p_now timestamptz) returns jsonb
    language plpgsql set search_path = public, pg_temp as $$
declare
    c provider_credentials;
begin
    update provider_credentials set deleted_at = greatest(p_now, created_at)
    where user_id = p_user_id and provider = p_provider and replaced_at is null and deleted_at is null
    returning * into c;
    return case when found then credential_view(c) end;
end
$$;
comment on function delete_credential is
    'From now on it makes no job; those that it made are seen to their end, then it is wiped. Null: there was none.';

create function list_credentials(p_user_id text) returns jsonb
    language sql stable set search_path = public, pg_temp as $$
    select coalesce(jsonb_agg(credential_view(c) order by c.provider), '[]') from provider_credentials c
    where c.user_id = p_user_id and c.replaced_at is null and c.deleted_at is null;
$$;
comment on function list_credentials is 'A user''s keys, one for each provider at most, as their owner may see them.';

create function find_credential(p_credential_id uuid) returns jsonb
    language sql stable set search_path = public, pg_temp as $$
    select sealed_credential(c) from provider_credentials c where c.credential_id = p_credential_id;
$$;
comment on function find_credential is
    'A version as it was sealed, for the jobs that it made, whether or not a newer one took its place; null once it is '
    'wiped.';

create function mark_credential(
    p_credential_id uuid, p_is_valid boolean, p_code text, p_account text, p_now timestamptz
) returns boolean
    language plpgsql set search_path = public, pg_temp as $$
begin
    update provider_credentials set
        is_valid = p_is_valid, checked_at = p_now, failure_code = case when not p_is_valid then p_code end,
        account = coalesce(left(p_account, 200), account)
    where credential_id = p_credential_id and replaced_at is null and deleted_at is null
      and (checked_at is null or checked_at <= p_now);
    return found;
end
$$;
comment on function mark_credential is
    'What the provider said of this version; of one that was replaced or deleted, or older than what is known, it is '
    'not kept: a late failure of an old key says nothing of the new one.';

create function rewrap_credential(
    p_credential_id uuid, p_key_id text, p_wrapped_key bytea, p_new_key_id text, p_new_wrapped_key bytea
) returns boolean
    language plpgsql set search_path = public, pg_temp as $$
begin
    update provider_credentials set key_id = p_new_key_id, wrapped_key = p_new_wrapped_key
    where credential_id = p_credential_id and key_id = p_key_id and wrapped_key = p_wrapped_key;
    return found;
end
$$;
comment on function rewrap_credential is
    'The same data key under another master key; false where the row changed meanwhile. What is encrypted stays.';

create function wipe_retired_credentials(p_limit integer, p_now timestamptz) returns integer
    language plpgsql set search_path = public, pg_temp as $$
declare
    v_id uuid;
    v_count integer := 0;
begin
    -- One by one: each question is answered by an index, however many attempts and retired keys there are.
    for v_id in
        select credential_id from provider_credentials
        where wiped_at is null and (replaced_at is not null or deleted_at is not null)
          -- Who chose a key a moment ago may not have committed its job yet.
          and coalesce(replaced_at, deleted_at) <= p_now - interval '5 minutes'
        order by credential_id
    loop
        exit when v_count >= p_limit;
        update provider_credentials set
            ciphertext = null, wrapped_key = null, masked = '{}', account = null, wiped_at = p_now
        where credential_id = v_id and wiped_at is null and not exists (
            select from attempts a join jobs j on j.job_id = a.job_id
            where a.credential_version = 'own:' || v_id and a.credential_version <> 'platform'
              -- What ended a moment ago may still have to be canceled at its provider.
              and (j.completed_at is null or j.completed_at > p_now - interval '1 hour'));
        if found then
            v_count := v_count + 1;
        end if;
    end loop;
    return v_count;
end
$$;
comment on function wipe_retired_credentials is
    'Removes ciphertext and data key of versions that were replaced or deleted and that no job needs any more: none that '
    'is under way, and none that ended within the hour, which may still be canceled at its provider. How many it wiped.';

alter table provider_credentials enable row level security;
alter table provider_credentials force row level security;
create policy provider_credentials_owner on provider_credentials to vsl_owner using (true) with check (true);
create policy provider_credentials_worker on provider_credentials to vsl_worker using (true) with check (true);
-- An admin, too, sees the own ones alone; a guest has none.
create policy provider_credentials_api on provider_credentials to vsl_api
    using (user_id = (select actor_user_id()) and (select actor_guest_token()) is null)
    with check (user_id = (select actor_user_id()) and (select actor_guest_token()) is null);

grant select on provider_credentials to vsl_api, vsl_worker;
grant insert (credential_id, user_id, provider, version, ciphertext, nonce, wrapped_key, key_id, masked, created_at)
    on provider_credentials to vsl_api;
grant update (replaced_at, deleted_at, is_valid, checked_at, failure_code, account) on provider_credentials to vsl_api;
grant update (ciphertext, wrapped_key, masked, account, wiped_at, is_valid, checked_at, failure_code)
    on provider_credentials to vsl_worker;
grant execute on function sealed_credential, choose_credential, find_credential, mark_credential to vsl_api, vsl_worker;
grant execute on function credential_view, put_credential, next_credential_version, delete_credential, list_credentials
    to vsl_api;
grant execute on function wipe_retired_credentials to vsl_worker;

-- What users change of their keys is kept beside what somebody was refused.
alter table security_events drop constraint security_events_kind_check;
alter table security_events add constraint security_events_kind_check check (kind in (
    'access_refused', 'rate_limited', 'wrong_key', 'forged_webhook', 'credential_stored', 'credential_deleted',
    'credential_refused'));
comment on table security_events is 'What somebody tried and was refused, and what users changed of their keys.';
comment on column security_events.kind is
    'access_refused, rate_limited, wrong_key, forged_webhook, credential_stored, credential_deleted or credential_refused.';
