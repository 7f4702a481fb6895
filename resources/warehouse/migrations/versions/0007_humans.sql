-- A human has chats in several connections: a change in one of them is told to the others.
alter table ops.dirty add column is_told boolean not null default false;

-- Equal numbers are equal keys; whoever was stored before gets his when links are looked for.
alter table core.customers add column number_key text;
create index customers_number_key_idx on core.customers (number_key);

-- What people wrote down, apart from what follows from it together with the numbers.
create table reference.customer_list (
    customer_id text not null,
    same_as text not null,
    constraint customer_list_pkey primary key (customer_id)
);
insert into reference.customer_list
select customer_id, same_as from reference.customer_links
union
select same_as, same_as from reference.customer_links;

alter table reference.customer_links add column linked_by text not null default 'list';
alter table reference.customer_links alter column linked_by drop default;

-- A message answers a missed call on whatever channel account it was written: the waits of missed calls are judged anew.
insert into ops.dirty (conversation_id, connection_id, since)
select conversation_id, connection_id, min(opened_at) from evaluated.waits
where wait_kind = 'missed_call'
group by conversation_id, connection_id
on conflict (conversation_id) do update set since = least(ops.dirty.since, excluded.since);
