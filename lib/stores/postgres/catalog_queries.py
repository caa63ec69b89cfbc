"""The questions to Postgres's own tables. Each answers with names and JSON, sorted by name as bytes."""
# ruff: noqa: S608 - what is put together are constants of this file

_NOT_OF_AN_EXTENSION = "not exists (select from pg_depend d where d.objid = {}.oid and d.deptype = 'e')"
_PUBLIC = "= 'public'::regnamespace"
# MAINTAIN exists from Postgres 17 only; a star stands for the right to grant it on
_PRIVILEGES = (
    "json_agg(lower(a.privilege_type) || case when a.is_grantable then '*' else '' end"
    " order by a.privilege_type) filter (where a.privilege_type <> 'MAINTAIN')"
)
_GRANTEE = "case a.grantee when 0 then 'public' else pg_get_userbyid(a.grantee) end"

RELATIONS = f"""
select c.relname, json_build_object(
    'owner', pg_get_userbyid(c.relowner), 'comment', obj_description(c.oid, 'pg_class'),
    'row_security', case when c.relkind <> 'v' then case
        when c.relrowsecurity and c.relforcerowsecurity then 'forced'
        when c.relrowsecurity then 'on' when c.relforcerowsecurity then 'off, but forced' else 'off' end end,
    'unlogged', case when c.relpersistence = 'u' then true end,
    'options', array_to_json(c.reloptions))
from pg_class c
where c.relnamespace {_PUBLIC} and c.relkind = any(string_to_array(%s, ',')::"char"[])
  and {_NOT_OF_AN_EXTENSION.format("c")}
order by c.relname collate "C"
"""

_COLUMNS = f"""
select c.relname, a.attname, json_build_object(
    'type', format_type(a.atttypid, a.atttypmod), 'null', not a.attnotnull,
    'default', case when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid) end,
    'generated', case when a.attgenerated <> '' then pg_get_expr(d.adbin, d.adrelid) end,
    'identity', case a.attidentity when 'a' then 'always' when 'd' then 'by default' end,
    'collation', (select collname from pg_collation co where co.oid = a.attcollation
                  and a.attcollation <> (select typcollation from pg_type t where t.oid = a.atttypid)),
    'comment', col_description(c.oid, a.attnum),
    'grants', (select json_object_agg(grantee, privileges order by grantee) from (
        select {_GRANTEE} as grantee, {_PRIVILEGES} as privileges
        from aclexplode(a.attacl) a group by 1) g))
from pg_class c join pg_attribute a on a.attrelid = c.oid
left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
where c.relnamespace {_PUBLIC} and c.relkind in ('r', 'p', 'v') and a.attnum > 0 and not a.attisdropped
order by c.relname collate "C", a.attnum
"""

# contype n: a column's `null` says it, and only Postgres 18 and later name it
_CONSTRAINTS = f"""
select conrelid::regclass::text, conname, json_build_object(
    'definition', pg_get_constraintdef(oid), 'comment', obj_description(oid, 'pg_constraint'))
from pg_constraint where connamespace {_PUBLIC} and conrelid <> 0 and contype <> 'n'
order by 1, conname collate "C"
"""

_INDEXES = f"""
select i.indrelid::regclass::text, c.relname, json_build_object(
    'definition', pg_get_indexdef(c.oid), 'invalid', case when not i.indisvalid then true end,
    'comment', obj_description(c.oid, 'pg_class'))
from pg_index i join pg_class c on c.oid = i.indexrelid
where c.relnamespace {_PUBLIC}
  and not exists (select from pg_constraint where conindid = c.oid and contype in ('p', 'u', 'x'))
order by 1, c.relname collate "C"
"""

_TRIGGERS = f"""
select tgrelid::regclass::text, tgname, json_build_object(
    'definition', pg_get_triggerdef(t.oid), 'enabled', case when tgenabled <> 'O' then tgenabled end,
    'comment', obj_description(t.oid, 'pg_trigger'))
from pg_trigger t join pg_class c on c.oid = t.tgrelid
where c.relnamespace {_PUBLIC} and not tgisinternal
order by 1, tgname collate "C"
"""

_POLICIES = f"""
select polrelid::regclass::text, polname, json_build_object(
    'for', case polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete'
           else 'all' end,
    'to', (select json_agg(n order by n)
           from (select case r when 0 then 'public' else pg_get_userbyid(r) end as n from unnest(polroles) r) roles),
    'using', pg_get_expr(polqual, polrelid), 'check', pg_get_expr(polwithcheck, polrelid),
    'restrictive', case when not polpermissive then true end, 'comment', obj_description(p.oid, 'pg_policy'))
from pg_policy p join pg_class c on c.oid = p.polrelid
where c.relnamespace {_PUBLIC}
order by 1, polname collate "C"
"""

_GRANTS = f"""
select c.relname, {_GRANTEE}, {_PRIVILEGES}
from pg_class c, aclexplode(c.relacl) a
where c.relnamespace {_PUBLIC} and c.relkind in ('r', 'p', 'v') and a.grantee <> c.relowner
group by 1, 2 order by 1, 2
"""

SECTIONS = {
    "columns": _COLUMNS,
    "constraints": _CONSTRAINTS,
    "indexes": _INDEXES,
    "triggers": _TRIGGERS,
    "policies": _POLICIES,
    "grants": _GRANTS,
}

VIEW_DEFINITIONS = f"""
select relname, pg_get_viewdef(oid) from pg_class c
where relnamespace {_PUBLIC} and relkind = 'v' and {_NOT_OF_AN_EXTENSION.format("c")}
"""

FUNCTIONS = f"""
select p.oid::regprocedure::text, json_build_object(
    'owner', pg_get_userbyid(p.proowner), 'comment', obj_description(p.oid, 'pg_proc'),
    'arguments', nullif(pg_get_function_arguments(p.oid), ''), 'returns', pg_get_function_result(p.oid),
    'security', case when p.prosecdef then 'definer' else 'invoker' end,
    'settings', array_to_json(p.proconfig))
from pg_proc p where p.pronamespace {_PUBLIC} and p.prokind <> 'a' and {_NOT_OF_AN_EXTENSION.format("p")}
order by 1
"""

FUNCTION_DEFINITIONS = f"""
select p.oid::regprocedure::text, p.prosqlbody is not null, pg_get_functiondef(p.oid)
from pg_proc p where p.pronamespace {_PUBLIC} and p.prokind <> 'a' and {_NOT_OF_AN_EXTENSION.format("p")}
"""

FUNCTION_GRANTS = f"""
select p.oid::regprocedure::text, {_GRANTEE}, {_PRIVILEGES}
from pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
where p.pronamespace {_PUBLIC} and p.prokind <> 'a' and a.grantee <> p.proowner
  and {_NOT_OF_AN_EXTENSION.format("p")}
group by 1, 2 order by 1, 2
"""

TYPES = f"""
select t.typname, json_build_object(
    'owner', pg_get_userbyid(t.typowner), 'comment', obj_description(t.oid, 'pg_type'),
    'base', case when t.typtype = 'd' then format_type(t.typbasetype, t.typtypmod) end,
    'checks', (select json_agg(pg_get_constraintdef(k.oid) order by k.conname)
               from pg_constraint k where k.contypid = t.oid),
    'values', (select json_agg(e.enumlabel order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid))
from pg_type t
where t.typnamespace {_PUBLIC} and t.typtype in ('d', 'e') and {_NOT_OF_AN_EXTENSION.format("t")}
order by t.typname collate "C"
"""

# an identity's sequence is part of its column
SEQUENCES = f"""
select c.relname, json_build_object(
    'owner', pg_get_userbyid(c.relowner), 'comment', obj_description(c.oid, 'pg_class'))
from pg_class c
where c.relnamespace {_PUBLIC} and c.relkind = 'S' and {_NOT_OF_AN_EXTENSION.format("c")}
  and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'i')
order by c.relname collate "C"
"""

DEFAULT_PRIVILEGES = """
select pg_get_userbyid(defaclrole) || ': ' || defaclobjtype::text, array_to_json(defaclacl)
from pg_default_acl where pg_get_userbyid(defaclrole) like 'vsl_%' order by 1
"""
