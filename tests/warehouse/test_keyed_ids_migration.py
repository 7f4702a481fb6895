"""Rows that were stored before ids were keyed (migration 0008): none is lost, each gets the id that it would get today.

Here: the migration over rows of every source, and the way there from the former revision. Not here: what is keyed
(``test_person_keys``).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command

from conversations.imports.survey import key_of
from conversations.keyed import KEYED
from resources.warehouse.customer_links import refresh_links, replace_list
from resources.warehouse.engine import Warehouse
from resources.warehouse.hashes import table_hashes
from resources.warehouse.person_keys import person_keys
from resources.warehouse.roles import Role
from tests.conftest import DatabaseServer
from tests.person_keys import found_in
from tests.warehouse.keyed_rows import NUMBER, OTHER, before_ids_were_keyed, bring_again, derive, fill, judge
from tests.warehouse.test_person_keys import PLAIN, personal, shown

VERSIONS = Path(__file__).parents[2] / "resources" / "warehouse" / "migrations" / "versions"
LAYERS = ("core", "evaluated", "reference", "ops")
PHONE, SECOND = f"tbank:{key_of('phone', f'7{NUMBER}')}", f"tbank:{key_of('phone', f'7{OTHER}')}"
CARD = (
    "insert into evaluated.scorecards (scorecard_id, subject_kind, subject_id, call_id, judge, state, is_current,"
    " is_auto_fail, flags, rubric_id, rubric_version, evaluation_keys, transcript_hash, conversation_id,"
    " connection_id, channel_id, customer_id, happened_at, happened_on, happened_week, scored_at) "
)


@pytest.fixture(scope="module")
def migrated(database: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Warehouse, Any]]:
    """An installation as it was, with what people wrote and what was published; then the migration. Returns what it
    held before, too."""
    folder = tmp_path_factory.mktemp("files")
    loader = database.as_role(Role.LOADER)
    with before_ids_were_keyed():
        fill(database, folder)
        judge(database, ("tbank", "shop", "wa", "tg", "files", "recorded", "care"))
        replace_list(loader, {PHONE: PHONE, "wa:unknown": PHONE, SECOND: SECOND}, by_number=True)
        refresh_links(loader, by_number=True)
    with database.connect() as sql:
        _judged_and_labelled(sql)
    with database.as_role(Role.PUBLISHER).connect() as sql:
        _published(sql)
    before = _rows(database)
    with database.connect() as sql:
        sql.execute("drop schema keys cascade")
        sql.execute((VERSIONS / "0008_keyed_ids.sql").read_text("utf-8"))
    database.migrate()
    yield database, before


def _judged_and_labelled(sql: Any) -> None:
    """A card of a chat's session and one of a call, with what hangs on them; marks that people gave."""
    for kind, subject, call, rows in (
        ("session", "session_id", "null", "evaluated.sessions where connection_id in ('wa', 'tg', 'tbank')"),
        ("call", "call_id", "call_id", "core.calls where connection_id in ('recorded', 'tbank')"),
    ):
        sql.execute(
            f"{CARD} select '{kind}:' || {subject} || ':model:sales_calls:1', '{kind}', {subject}, {call}, 'model',"
            " 'scored', true, false, '{}', 'sales_calls', 1, '{}', repeat('0', 64), conversation_id, connection_id,"
            f" channel_id, customer_id, now(), '2026-03-02', '2026-W10', now() from {rows}"
        )
    sql.execute(
        "insert into evaluated.scorecard_notes (scorecard_id, kind, n, text, quote_state)"
        " select scorecard_id, 'recommendation', 1, 'совет', 'missing' from evaluated.scorecards"
    )
    for table, columns, values in (
        ("reference.labels", "grader, given, labelled_at", "'anna', 1, now()"),
        ("evaluated.judge_repeats", "first, second, repeated_at", "'1', '1', now()"),
    ):
        sql.execute(
            f"insert into {table} (subject_id, subject_kind, rubric_id, rubric_version, prompt_hash, model, criterion,"
            f" {columns}) select subject_id, subject_kind, 'sales_calls', 1, 'p', 'm', 'greeting', {values}"
            " from evaluated.scorecards"
        )
    # a mark on a talk that is judged no more
    sql.execute(
        "insert into reference.labels (subject_id, subject_kind, rubric_id, rubric_version, prompt_hash, model,"
        f" criterion, grader, given, labelled_at) values ('{PHONE}:1', 'session', 'old', 1, 'p', 'm', 'greeting',"
        " 'anna', 1, now())"
    )


def _published(sql: Any) -> None:
    for name, columns, rows in (
        ("published_waits", "'2026-W10' as week, 1 as revision, wait_id, session_id, conversation_id, outcome",
         "evaluated.waits"),
        ("published_scores", "subject_kind, subject_id, conversation_id, final_score", "evaluated.scorecards"),
        ("chat_advice", "advice_id, session_id, wait_id, conversation_id, message_id", "evaluated.advice"),
        ("call_results", "call_id, conversation_id, message_id", "core.calls"),
        ("manager_week", "1 as waits", "(select 1) as one"),
    ):  # fmt: skip
        sql.execute(f"create table marts.{name} as select {columns} from {rows}")


def _rows(warehouse: Warehouse) -> dict[str, int]:
    with warehouse.connect() as sql:
        tables = sql.execute(
            "select schemaname || '.' || tablename from pg_tables"
            " where schemaname in ('raw', 'core', 'reference', 'evaluated', 'ops', 'marts')"
        ).fetchall()
        return {name: sql.execute(f"select count(*) from {name}").fetchall()[0][0] for (name,) in tables}  # type: ignore[arg-type]


def test_no_row_is_lost(migrated: tuple[Warehouse, dict[str, int]]) -> None:
    database, before = migrated
    assert _rows(database) == before
    for table in ("evaluated.waits", "evaluated.advice", "evaluated.scorecard_notes", "marts.published_scores",
                  "reference.customer_links", "reference.customer_list"):  # fmt: skip
        assert before[table] > 1, table


def test_doing_everything_again_finds_every_id_as_it_is(migrated: tuple[Warehouse, Any], tmp_path: Path) -> None:
    """What the migration did in SQL is what the platform does by itself with the same rows."""
    database, _ = migrated
    _forget_the_book(database)
    before = table_hashes(database, ("core", "evaluated", "reference"))
    assert derive(database) == 0
    bring_again(database, tmp_path)
    judge(database, ("tbank", "shop", "wa", "tg", "files", "recorded", "care"))
    counts = refresh_links(database.as_role(Role.LOADER), by_number=True)
    assert (counts.conversations, counts.people, counts.customers) == (0, 1, 3)
    assert table_hashes(database, ("core", "evaluated", "reference")) == before


def _forget_the_book(database: Warehouse) -> None:
    """All is due again: whoever judges reads every conversation."""
    with database.connect() as sql:
        sql.execute(
            "insert into ops.dirty (conversation_id, connection_id, since, is_told)"
            " select conversation_id, connection_id, '2000-01-01', true from core.conversations on conflict do nothing"
        )


def test_what_names_a_talk_still_names_it(migrated: tuple[Warehouse, Any]) -> None:
    database, _ = migrated
    with database.connect() as sql:
        for stranger in (
            "select wait_id from marts.published_waits where wait_id not in (select wait_id from evaluated.waits)",
            "select session_id from marts.published_waits where session_id not in"
            " (select session_id from evaluated.sessions)",
            "select advice_id from marts.chat_advice where advice_id not in (select advice_id from evaluated.advice)",
            "select call_id from marts.call_results where (call_id, conversation_id, message_id) not in"
            " (select call_id, conversation_id, message_id from core.calls)",
            "select subject_id from marts.published_scores where (subject_kind, subject_id, conversation_id) not in"
            " (select subject_kind, subject_id, conversation_id from evaluated.scorecards)",
            "select subject_id from evaluated.scorecards where subject_kind = 'session'"
            " and subject_id not in (select session_id from evaluated.sessions)",
            "select call_id from evaluated.scorecards where call_id not in (select call_id from core.calls)",
            "select scorecard_id from evaluated.scorecards"
            " where scorecard_id <> subject_kind || ':' || subject_id || ':model:sales_calls:1'",
            "select subject_id from reference.labels where rubric_id <> 'old' and (subject_kind, subject_id) not in"
            " (select subject_kind, subject_id from evaluated.scorecards)",
            "select subject_id from evaluated.judge_repeats where (subject_kind, subject_id) not in"
            " (select subject_kind, subject_id from evaluated.scorecards)",
            "select message_id from core.calls where (conversation_id, message_id) not in"
            " (select conversation_id, message_id from core.messages) and customer_id is not null",
        ):
            assert sql.execute(stranger).fetchall() == [], stranger
        keys = person_keys(sql)
        ((old,),) = sql.execute("select subject_id from reference.labels where rubric_id = 'old'").fetchall()
        constraints = sql.execute("select count(*) from pg_constraint where contype = 'f'").fetchone()
    assert old == f"{keys.full_id('tbank', PHONE)}:1"
    assert constraints is not None and constraints[0] >= 5


def test_what_people_wrote_is_carried_over(migrated: tuple[Warehouse, Any]) -> None:
    database, _ = migrated
    with database.connect() as sql:
        keys = person_keys(sql)
        listed = dict(sql.execute("select customer_id, same_as from reference.customer_list").fetchall())
        links = sql.execute("select customer_id, same_as, linked_by from reference.customer_links").fetchall()
    phone, second, unknown = (
        keys.full_id(*pair) for pair in (("tbank", PHONE), ("tbank", SECOND), ("wa", "wa:unknown"))
    )
    assert listed == {phone: min(phone, unknown), unknown: min(phone, unknown), second: second}
    humans = {one: root for one, root, _ in links}
    root = min(phone, unknown, "shop:5")
    assert {one: root for one in (phone, unknown, "shop:5") if one != root}.items() <= humans.items()
    assert {why for one, _, why in links if one in (phone, unknown)} == {"list"}


@pytest.mark.parametrize("role", [Role.ANALYST, Role.PUBLISHER])
def test_nobody_is_found_by_a_former_id(migrated: tuple[Warehouse, Any], role: Role) -> None:
    database, _ = migrated
    text = "\n".join(shown(database, role, frozenset() if role is Role.ANALYST else personal()))
    assert found_in(text, PLAIN) == set()


def test_from_the_former_revision_with_its_rows(database_server: DatabaseServer) -> None:
    """The whole way: tables, rights and a published week as revision 0007 left them."""
    made = database_server.create("otklik_former_revision")
    try:
        with database_server.warehouse(made) as warehouse:
            with warehouse.connect() as sql:
                # the second one for the rights, which name it
                sql.execute("create schema ops")
                sql.execute("create schema keys")
            with warehouse.engine.begin() as connection:
                command.upgrade(warehouse._alembic(connection), "0007")
            warehouse.give_rights()
            with warehouse.connect() as sql:
                assert sql.execute("select to_regclass('keys.installation')").fetchone() == (None,)
                sql.execute(
                    "insert into raw.tbank__calls (connection_id, external_id, payload, payload_hash, fetched_at,"
                    " first_fetched_at) values ('tbank', '1', '{}', '', now(), now())"
                )
                sql.execute("insert into core.customers values (%s, 'tbank', null, %s, null, %s)", (
                    PHONE, f"+7{NUMBER}", key_of("number", f"+7{NUMBER}")))  # fmt: skip
                sql.execute("insert into core.customers values ('shop:5', 'shop', null, null, null, null)")
                sql.execute("insert into reference.customer_list values (%s, 'shop:5'), ('shop:5', 'shop:5')", (PHONE,))
            with warehouse.as_role(Role.PUBLISHER).connect() as sql:
                sql.execute("create table marts.published_waits (week text, wait_id text, conversation_id text)")
                sql.execute(
                    "insert into marts.published_waits values ('2026-W10', %s, %s), ('2026-W10', 'a:1:2', 'a:1')",
                    (f"{PHONE}:7", PHONE),
                )
            assert warehouse.migrate()[0] == "0008"
            with warehouse.connect() as sql:
                keys = person_keys(sql)
                phone = keys.full_id("tbank", PHONE)
                customers = sql.execute("select customer_id, number_key from core.customers order by 1 desc").fetchall()
                waits = sql.execute("select wait_id, conversation_id from marts.published_waits order by 1").fetchall()
            assert KEYED.fullmatch(phone.partition(":")[2])
            assert customers == [(phone, keys.number_key(f"+7{NUMBER}")), ("shop:5", None)]
            assert waits == [("a:1:2", "a:1"), (f"{phone}:7", phone)]
            assert warehouse.migrate() == []
    finally:
        database_server.drop(made)
