"""The reference tables: what people tell the platform and no source knows.

Here: names, keys and meanings. Not here: who writes them (``assets.reference``, ``otklik link-customers``), what the
policy says of people (``conversations.people``).
"""

from __future__ import annotations

from sqlalchemy import Index, Table

from resources.warehouse.schema.columns import day, metadata, text

people = Table(
    "people",
    metadata,
    text("manager_id", "An account of a manager at a source (core.managers)", "pseudonym", key=True),
    text("person_id", "The person: key in the policy, or the account's id where it names none", "pseudonym"),
    text("person_name", "The person's name", "name"),
    schema="reference",
    comment="One row per account of a manager: which person it is. Several accounts may be one person",
)

person_teams = Table(
    "person_teams",
    metadata,
    text("person_id", "The person", "pseudonym", key=True),
    day("valid_from", "First local day in the team; 0001-01-01: ever since", key=True),
    text("team_id", "The team; NULL: in none", null=True),
    schema="reference",
    comment="One row per person and stay in a team; a stay ends where the next one begins",
)

customer_links = Table(
    "customer_links",
    metadata,
    text("customer_id", "A customer (core.customers) who is the same human as another", "pseudonym", key=True),
    text("same_as", "The id under which that human is judged: the smallest of his", "pseudonym"),
    schema="reference",
    comment="One row per id of a customer who has several, all but the first: what people wrote down, never a guess",
)
Index("customer_links_same_as_idx", customer_links.c.same_as)
