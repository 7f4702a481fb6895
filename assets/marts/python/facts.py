"""``published_waits``, ``published_sessions`` and ``published_scores``: the cases behind a published week,
kept for ever.

Here: copying a week's judgements, and whether they differ from a published revision. Not here: which revision a week
gets (``revisions``), what the cases say (``deltas``).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from psycopg import Connection, sql

from assets.marts.python.tables import NEXT, PUBLISHED, exists, mart
from resources.warehouse.customer_links import BEGINNING


class _Facts(NamedTuple):
    source: str
    case: str
    """The column that tells one case from another."""
    week: str
    """The column of the source that says the week."""
    manager: str
    """The column of the source that names the account."""
    deciding: tuple[str, ...]
    """Columns that a figure or its proof is made of. Another value in one of them is another fact; a column that a
    later version of the platform adds is not."""
    chat: str | None = None
    """The column that names the conversation; ``None``: whose it is changes nothing of it."""
    which: str = "true"
    """Which rows of the source are cases, as a condition over ``f``."""


FACTS = {
    "published_waits": _Facts(
        "waits",
        "wait_id",
        "settled_week",
        "owner_manager_id",
        (
            "wait_id", "session_id", "channel_id", "manager_key", "wait_kind", "outcome", "outcome_manager",
            "wait_seconds", "wait_business_seconds", "manager_wait_seconds", "manager_wait_business_seconds",
            "is_first_reply", "opening_message_id", "answering_message_id", "asking_message_ids",
        ),
        "conversation_id",
    ),
    "published_sessions": _Facts(
        "judged_sessions",
        "session_id",
        "ended_week",
        "manager_id",
        (
            "session_id", "channel_id", "manager_key", "has_intent", "asked_clarifying", "made_offer", "has_next_step",
            "is_good", "is_good_customer", "next_step_not_judged", "not_good", "not_good_customer",
            "intent_message_ids", "clarifying_message_ids", "offer_message_ids", "next_step_message_ids",
            "refusal_message_ids", "paid_message_ids",
        ),
        "conversation_id",
    ),
    "published_scores": _Facts(
        "talk_scores",
        "scorecard_id",
        "happened_week",
        "manager_id",
        (
            "scorecard_id", "subject_kind", "subject_id", "channel_id", "manager_key", "rubric_id", "rubric_version",
            "prompt_hash", "model", "counted_criteria", "counted_score", "has_counted_fail",
        ),
        # only what counts in a manager's score (contract, section 10)
        which="f.judge = 'model' and f.counted_score is not null",
    ),
}  # fmt: skip


def keep(connection: Connection[Any], name: str, week: str, revision: int) -> int:
    """Copy the judgements of a week into ``marts_next``; returns how many."""
    columns = [column.name for column in mart(name).columns]
    statement = sql.SQL("insert into {} ({}) {}").format(
        sql.Identifier(NEXT, name), sql.SQL(", ").join(map(sql.Identifier, columns)), _judged(name, columns)
    )
    return connection.execute(statement, {"week": week, "revision": revision}).rowcount


def differ(connection: Connection[Any], name: str, week: str, revision: int) -> bool:
    """Whether the judgements of a week are others than those that were published as ``revision``."""
    columns = FACTS[name].deciding
    if not exists(connection, PUBLISHED, name):
        there = sql.SQL("select exists ({})").format(_judged(name, columns))
        return connection.execute(there, {"week": week, "revision": revision}).fetchone() == (True,)
    published = sql.SQL("select {} from {} where week = %(week)s and revision = %(revision)s").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(PUBLISHED, name)
    )
    statement = sql.SQL("select exists ({now} except {was}) or exists ({was} except {now})").format(
        now=_judged(name, columns), was=published
    )
    return connection.execute(statement, {"week": week, "revision": revision}).fetchone() == (True,)


class Changed(NamedTuple):
    """How many cases of a week differ from those of a revision."""

    cases: int
    by_links: int
    """Of them, those of customers whose links changed since."""


def changed(connection: Connection[Any], week: str, revision: int) -> Changed:
    """Count the waits, sessions and scores that differ from ``revision``, in either.

    A case is by links where the links of its customer changed after those that the revision was judged by: with whom
    he is one human says which replies are his. Scores are of what was said, whoever it was.
    """
    seen = connection.execute(
        "select to_jsonb(r) ->> 'links_change' from marts.week_revisions as r where week = %s and revision = %s",
        [week, revision],
    ).fetchone()
    given = {"week": week, "revision": revision, "seen": int(seen[0]) if seen is not None and seen[0] else 0}
    counts = [connection.execute(_changed(name), given).fetchone() for name in FACTS
              if exists(connection, PUBLISHED, name)]  # fmt: skip
    return Changed(*(sum(column) for column in zip(*(row for row in counts if row is not None), strict=True)))


def links_change(connection: Connection[Any]) -> int | None:
    """The last change of links that everything is judged by as of now; ``None``: none ever changed.

    Who is marked as due by a change was not judged by it yet.
    """
    row = connection.execute(
        """
        select coalesce(
            (
                select min(l.change) - 1
                from ops.link_changes as l
                inner join core.conversations as c on l.customer_id = c.customer_id
                inner join ops.dirty as d on c.conversation_id = d.conversation_id
                where d.since <= %s
            ),
            (select max(change) from ops.link_changes)
        )
        """,
        [BEGINNING],
    ).fetchone()
    return row[0] if row is not None else None


def people_moved(connection: Connection[Any], week: str, revision: int) -> bool:
    """Whether an account counts for another person than in ``revision``: the same cases, by other people."""
    return any(_moved(connection, name, week, revision) for name in FACTS)


def _moved(connection: Connection[Any], name: str, week: str, revision: int) -> bool:
    if not exists(connection, PUBLISHED, name):
        return False
    facts = FACTS[name]
    statement = sql.SQL(
        """
        select exists (
            select from {published} as was
            inner join {source} as f on was.{case} = f.{case} and was.{manager} = f.{manager}
            left join reference.people as p on f.{manager} = p.manager_id
            where
                was.week = %s and was.revision = %s and {which}
                and was.manager_key <> coalesce(p.person_id, f.{manager}, 'none')
        )
        """
    ).format(
        published=sql.Identifier(PUBLISHED, name),
        source=sql.Identifier("evaluated", facts.source),
        case=sql.Identifier(facts.case),
        manager=sql.Identifier(facts.manager),
        which=sql.SQL(facts.which),
    )
    return connection.execute(statement, [week, revision]).fetchone() == (True,)


def _changed(name: str) -> sql.Composed:
    facts = FACTS[name]
    columns = [*facts.deciding, *([facts.chat] if facts.chat else [])]
    published = sql.SQL("select {} from {} where week = %(week)s and revision = %(revision)s").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(PUBLISHED, name)
    )
    whose = sql.SQL(
        """
        select c.conversation_id
        from ops.link_changes as l inner join core.conversations as c on l.customer_id = c.customer_id
        where l.change > %(seen)s
        """
    )
    return sql.SQL(
        """
        with now as ({now}), was as ({was}), changed as (
            (table now except table was) union all (table was except table now)
        )
        select count(distinct {case}), count(distinct {case}) filter (where {chat} in ({whose})) from changed
        """
    ).format(
        now=_judged(name, columns),
        was=published,
        case=sql.Identifier(facts.case),
        chat=sql.Identifier(facts.chat) if facts.chat else sql.SQL("null"),
        whose=whose,
    )


def _judged(name: str, columns: list[str] | tuple[str, ...]) -> sql.Composed:
    facts = FACTS[name]
    made = {
        "week": sql.SQL("f.{}").format(sql.Identifier(facts.week)),
        "revision": sql.SQL("%(revision)s::integer"),
        "manager_key": sql.SQL("coalesce(p.person_id, f.{}, 'none')").format(sql.Identifier(facts.manager)),
    }
    chosen = [made.get(column, sql.SQL("f.{}").format(sql.Identifier(column))) for column in columns]
    return sql.SQL(
        "select {} from {} as f left join reference.people as p on f.{} = p.manager_id where f.{} = %(week)s and {}"
    ).format(
        sql.SQL(", ").join(chosen),
        sql.Identifier("evaluated", facts.source),
        sql.Identifier(facts.manager),
        sql.Identifier(facts.week),
        sql.SQL(facts.which),
    )
