create schema if not exists keys;

create table keys.installation (
    purpose text not null,
    secret bytea not null,
    made_at timestamptz not null,
    constraint installation_pkey primary key (purpose)
);
-- three random ids hold 366 random bits; made here, the secret is in no statement and in no log
insert into keys.installation
values (
    'persons',
    sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())),
    now()
);

-- HMAC-SHA256 as conversations.keyed has it: k and the first 16 hexadecimal digits
create function pg_temp.pad(secret bytea, filler integer) returns bytea language plpgsql as $$
declare
    padded bytea := secret || decode(repeat('00', 64 - length(secret)), 'hex');
begin
    for place in 0..63 loop
        padded := set_byte(padded, place, get_byte(padded, place) # filler);
    end loop;
    return padded;
end $$;
create temp table pads on commit drop as
select pg_temp.pad(secret, 54) as inner_pad, pg_temp.pad(secret, 92) as outer_pad
from keys.installation where purpose = 'persons';
create function pg_temp.keyed(variadic said text[]) returns text language sql as $$
    select 'k' || left(
        encode(sha256(outer_pad || sha256(inner_pad || convert_to(array_to_string(said, E'\x1f'), 'UTF8'))), 'hex'), 16
    )
    from pads
$$;

update core.customers set number_key = pg_temp.keyed('number', number_key) where number_key <> '';

-- which connection is whose; of RetailCRM and the data set of numbered talks all ids are the vendor's
create temp table sources (connection_id text primary key, source text not null) on commit drop;
do $$
declare
    found record;
begin
    for found in select * from (values
        ('tbank', 'tbank__calls'), ('telegram', 'telegram_export__chats'), ('names', 'whatsapp_export__chats'),
        ('names', 'table_import__chats'), ('call_files', 'call_files__calls'), ('twitter', 'twitter_care__conversations')
    ) as of_raw (source, relation) loop
        execute format(
            'insert into sources select distinct connection_id, %L from raw.%I on conflict do nothing',
            found.source, found.relation
        );
    end loop;
end $$;

-- as the parsers say it by is_vendor_id
create function pg_temp.is_vendors(source text, kind text, local text) returns boolean language sql as $$
    select case source
        when 'tbank' then kind = 'call' or local !~ '^[0-9a-f]{16}$'
        when 'telegram' then local ~ '^(user|chat|channel|peer)-?[0-9]{1,20}$'
        when 'twitter' then kind <> 'customer'
        else false
    end
$$;

-- every id that stands anywhere, and what it is called from now on
create temp table met (kind text not null, id text not null, connection_id text not null, source text not null)
on commit drop;
create temp table columns_met on commit drop as
select
    n.nspname as of_schema, c.relname as of_table, a.attname as of_column, a.atttypid = 'text[]'::regtype as is_list
from pg_attribute as a
join pg_class as c on c.oid = a.attrelid and c.relkind = 'r'
join pg_namespace as n on n.oid = c.relnamespace
where n.nspname in ('core', 'reference', 'evaluated', 'ops', 'marts', 'marts_next') and a.attnum > 0
    and not a.attisdropped and a.atttypid in ('text'::regtype, 'text[]'::regtype, 'varchar'::regtype);
do $$
declare
    found record;
begin
    for found in
        select *, case of_column when 'same_as' then 'customer' else replace(of_column, '_id', '') end as kind
        from columns_met where of_column in ('customer_id', 'same_as', 'conversation_id', 'call_id')
    loop
        execute format(
            'insert into met select %L, d.id, s.connection_id, s.source from (select distinct %I as id from %I.%I) as d'
            ' join sources as s on s.connection_id = split_part(d.id, '':'', 1)',
            found.kind, found.of_column, found.of_schema, found.of_table
        );
    end loop;
end $$;
create temp table renamed on commit drop as
select kind, id, connection_id || ':' || keyed as new_id, local, keyed, source = 'call_files' as has_named_messages
from (
    select *, pg_temp.keyed('id', connection_id, local) as keyed
    from (
        select distinct kind, id, connection_id, source, substr(id, length(connection_id) + 2) as local from met
    ) as with_local
    where not pg_temp.is_vendors(source, kind, local)
) as with_key;
create unique index on renamed (kind, id);
analyze renamed;

-- an id that begins with that of its conversation or call: of a wait, a session, advice, a scorecard
create function pg_temp.begun_anew(said text, r renamed) returns text language plpgsql as $$
declare
    word text := case when said like 'session:%' then 'session:' when said like 'call:%' then 'call:' else '' end;
    rest text;
begin
    if not starts_with(said, word || r.id || ':') then
        word := '';
    end if;
    rest := substr(said, length(word) + 1);
    if not starts_with(rest, r.id || ':') then
        return said;
    end if;
    if r.kind = 'conversation' and r.has_named_messages and starts_with(rest || ':', r.id || ':' || r.local || ':') then
        return word || r.new_id || ':' || r.keyed || substr(rest, length(r.id) + length(r.local) + 2);
    end if;
    return word || r.new_id || substr(rest, length(r.id) + 1);
end $$;
grant select on renamed to public;

-- keys of other tables are held back while their own ones change
create temp table held on commit drop as
select conrelid::regclass::text as of_table, quote_ident(conname) as name, pg_get_constraintdef(oid) as says
from pg_constraint where contype = 'f' and connamespace in ('core'::regnamespace, 'evaluated'::regnamespace);
do $$
declare
    one record;
begin
    for one in select * from held loop
        execute format('alter table %s drop constraint %s', one.of_table, one.name);
    end loop;
end $$;

-- what names a talk and stands in tables without its conversation
create temp table talks on commit drop as
select 'session' as kind, s.session_id as id, pg_temp.begun_anew(s.session_id, r) as new_id
from evaluated.sessions as s join renamed as r on r.kind = 'conversation' and r.id = s.conversation_id
union
select c.subject_kind, c.subject_id, pg_temp.begun_anew(c.subject_id, r)
from evaluated.scorecards as c join renamed as r on r.kind = 'conversation' and r.id = c.conversation_id
where c.subject_kind = 'session'
union
select 'call', id, new_id from renamed where kind = 'call'
union
select 'card', c.scorecard_id, pg_temp.begun_anew(c.scorecard_id, r)
from evaluated.scorecards as c
join renamed as r on r.kind = case c.subject_kind when 'call' then 'call' else 'conversation' end
    and r.id = coalesce(c.call_id, c.conversation_id);
-- the conversation of a talk that is judged no more
insert into talks
select distinct 'session', l.subject_id, pg_temp.begun_anew(l.subject_id, r)
from (
    select subject_id from reference.labels where subject_kind = 'session'
    union
    select subject_id from evaluated.judge_repeats where subject_kind = 'session'
) as l
join renamed as r on r.kind = 'conversation'
    and r.id = split_part(l.subject_id, ':', 1) || ':' || split_part(l.subject_id, ':', 2)
where not exists (select from talks as t where t.kind = 'session' and t.id = l.subject_id);
create index on talks (kind, id);
analyze talks;

create function pg_temp.change(of_schema text, of_table text, changes text, on_rows text) returns void
language plpgsql as $$
declare
    statement text := format('update %I.%I as t set %s', of_schema, of_table, changes) || on_rows;
begin
    if not has_table_privilege(format('%I.%I', of_schema, of_table)::regclass, 'update') then
        -- the publisher's own
        execute format('set local role %I', (
            select pg_get_userbyid(relowner) from pg_class where oid = format('%I.%I', of_schema, of_table)::regclass
        ));
        execute statement;
        reset role;
    else
        execute statement;
    end if;
end $$;

do $$
declare
    one record;
    changes text;
begin
    for one in select distinct of_schema, of_table from columns_met order by 1, 2 loop
        -- cards hang on talks that others name, too; their own key stands in tables without a conversation
        if (one.of_schema, one.of_table) in (
            ('evaluated', 'scorecards'), ('evaluated', 'scorecard_criteria'), ('evaluated', 'scorecard_notes')
        ) then
            perform pg_temp.change(one.of_schema, one.of_table, 'scorecard_id = r.new_id',
                ' from talks as r where r.kind = ''card'' and r.id = t.scorecard_id');
        end if;
        if (one.of_schema, one.of_table) in (('reference', 'labels'), ('evaluated', 'judge_repeats')) then
            perform pg_temp.change(one.of_schema, one.of_table, 'subject_id = r.new_id',
                ' from talks as r where r.kind = t.subject_kind and r.id = t.subject_id');
        end if;
        if exists (
            select from columns_met as c
            where (c.of_schema, c.of_table, c.of_column) = (one.of_schema, one.of_table, 'conversation_id')
        ) then
            select string_agg(
                case
                    when c.of_column = 'conversation_id' then 'conversation_id = r.new_id'
                    when c.of_column in ('wait_id', 'session_id', 'advice_id')
                        or (c.of_column = 'scorecard_id' and one.of_schema like 'marts%')
                        then format('%1$I = pg_temp.begun_anew(t.%1$I, r)', c.of_column)
                    when c.of_column = 'subject_id' then
                        'subject_id = case t.subject_kind when ''call'' then coalesce((select k.new_id from renamed as k'
                        ' where k.kind = ''call'' and k.id = t.subject_id), t.subject_id)'
                        ' else pg_temp.begun_anew(t.subject_id, r) end'
                    when c.is_list then format(
                        '%1$I = case when r.has_named_messages then array_replace(t.%1$I, r.local, r.keyed)'
                        ' else t.%1$I end', c.of_column
                    )
                    else format(
                        '%1$I = case when r.has_named_messages and t.%1$I = r.local then r.keyed else t.%1$I end',
                        c.of_column
                    )
                end, ', '
            ) into changes
            from columns_met as c
            where (c.of_schema, c.of_table) = (one.of_schema, one.of_table) and (
                c.of_column in ('conversation_id', 'wait_id', 'session_id', 'advice_id', 'subject_id')
                or c.of_column ~ '(^|_)message_ids?$'
                or (c.of_column = 'scorecard_id' and one.of_schema like 'marts%')
            );
            perform pg_temp.change(one.of_schema, one.of_table, changes,
                ' from renamed as r where r.kind = ''conversation'' and r.id = t.conversation_id');
        end if;
        for changes in
            select c.of_column from columns_met as c
            where (c.of_schema, c.of_table) = (one.of_schema, one.of_table)
                and c.of_column in ('customer_id', 'same_as', 'call_id')
        loop
            perform pg_temp.change(one.of_schema, one.of_table, format('%I = r.new_id', changes), format(
                ' from renamed as r where r.kind = %L and r.id = t.%I',
                case changes when 'call_id' then 'call' else 'customer' end, changes
            ));
        end loop;
    end loop;
    for one in select * from held loop
        execute format('alter table %s add constraint %s %s', one.of_table, one.name, one.says);
    end loop;
end $$;

-- normal form: everybody points at the smallest id of his human
create temp table humans on commit drop as
select same_as, min(customer_id collate "C") as root from reference.customer_list group by same_as;
update reference.customer_list as t set same_as = h.root from humans as h
where h.same_as = t.same_as and h.root <> t.same_as;
create temp table linked on commit drop as
select customer_id, same_as, linked_by from reference.customer_links;
create temp table roots on commit drop as
select same_as, least(min(customer_id collate "C"), same_as collate "C") as root, min(linked_by) as linked_by
from linked group by same_as;
delete from reference.customer_links as t using roots as r where r.same_as = t.same_as and r.root <> r.same_as;
insert into reference.customer_links (customer_id, same_as, linked_by)
select everybody.customer_id, r.root, everybody.linked_by
from roots as r
cross join lateral (
    select l.customer_id, l.linked_by from linked as l where l.same_as = r.same_as
    union all
    select r.same_as, r.linked_by
) as everybody
where r.root <> r.same_as and everybody.customer_id <> r.root;
