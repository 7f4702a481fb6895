-- When the links of a customer changed last, so that a revision of a published week can say that this is why.
create table ops.link_changes (
    customer_id text not null,
    change bigint not null,
    constraint link_changes_pkey primary key (customer_id)
);
