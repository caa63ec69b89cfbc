delete from security_events where kind in ('credential_stored', 'credential_deleted', 'credential_refused');
alter table security_events drop constraint security_events_kind_check;
alter table security_events add constraint security_events_kind_check check (
    kind in ('access_refused', 'rate_limited', 'wrong_key', 'forged_webhook'));
comment on table security_events is 'What somebody tried and was refused.';
comment on column security_events.kind is 'access_refused, rate_limited, wrong_key or forged_webhook.';
drop function wipe_retired_credentials;
drop function rewrap_credential;
drop function mark_credential;
drop function find_credential;
drop function list_credentials;
drop function delete_credential;
drop function put_credential;
drop function next_credential_version;
drop function choose_credential;
drop function credential_view;
drop function sealed_credential;
drop index attempts_by_own_credential;
drop table provider_credentials;
