"""A file that somebody brings is joined with whoever is known by the same number, as in a night, before it is judged.

Here: a telephony that is stored, and files of its customer. Not here: whom a number joins
(``tests.unit.test_identities``), what follows for judgements (``test_humans``), a kill between the links and the
judgement (``test_imports``).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conversations.imports.survey import Choices
from conversations.lexicon import Lexicon
from conversations.policy import Policy
from orchestration.cli.importing import load
from resources.imports.bring import Brought, bring
from resources.imports.formats import open_import
from resources.settings import PROJECT_ROOT
from resources.warehouse import customer_links
from resources.warehouse.customer_links import refresh_links
from resources.warehouse.engine import Warehouse
from resources.warehouse.locks import links_lock
from resources.warehouse.roles import Role
from tests.warehouse.test_humans import PHONE, happen, judged

MAPPING = PROJECT_ROOT / "docs" / "imports" / "csv.yaml"
RULES = "defaults: {no_reply_limit_minutes: 60, reply_target_minutes: 30, first_reply_target_minutes: 30}"
POLICY, APART = Policy.parse(RULES), Policy.parse(f"{RULES}\ncustomers: {{link_by_number: false}}")
TABLE = """\
Диалог;Клиент;Телефон;Дата;Время;Кто;Сотрудник;Сообщение
17;Анна;8 (701) 000-00-01;04.05.2026;15:00;клиент;;Есть в наличии?
17;Анна;8 (701) 000-00-01;04.05.2026;23:00;сотрудник;Ольга;Да, есть
"""


@pytest.fixture
def telephony(fresh_database: Warehouse) -> Iterator[Warehouse]:
    """It rang a customer a quarter of an hour after his question (at noon in UTC), and was answered."""
    with fresh_database.connect() as sql:
        sql.execute("insert into core.channels values ('tbank:phone', 'tbank', 'phone', 'Телефон', true)")
        sql.execute("insert into core.customers values ('tbank:a', 'tbank', null, '+77010000001', null)")
        sql.execute(
            "insert into core.conversations (conversation_id, connection_id, channel_id, customer_id, is_untimed,"
            " flags) values (%s, 'tbank', 'tbank:phone', 'tbank:a', false, '{}')",
            (PHONE,),
        )
        happen(sql, PHONE, 900, "out")
    judged(fresh_database, "tbank")
    yield fresh_database


def brought(database: Warehouse, folder: Path, policy: Policy = POLICY) -> Brought:
    path = folder / "talks.csv"
    path.write_text(TABLE, "cp1251")
    file = open_import(path, "sheet", Choices(), mapping=MAPPING)
    return bring(file, database.as_role(Role.LOADER), policy, Lexicon.default())


def rows(database: Warehouse, statement: str) -> list[tuple[Any, ...]]:
    with database.connect() as sql:
        return sql.execute(statement).fetchall()  # type: ignore[call-overload, no-any-return]


LINKS = "select split_part(customer_id, ':', 1), split_part(same_as, ':', 1), linked_by from reference.customer_links"
WAITS = "select outcome, wait_seconds, reply_kind from evaluated.waits where connection_id = 'sheet'"
DUE = "select conversation_id from ops.dirty where connection_id = 'tbank'"


def test_the_telephonys_call_answers_the_file_and_the_telephony_is_due(telephony: Warehouse, tmp_path: Path) -> None:
    brought(telephony, tmp_path)
    assert rows(telephony, LINKS) == [("tbank", "sheet", "number")]
    assert rows(telephony, WAITS) == [("in_target", 900, "call")]
    assert rows(telephony, DUE) == [(PHONE,)]
    assert judged(telephony, "tbank") == 1
    # the same file once more: nothing to find out, nothing to judge
    assert brought(telephony, tmp_path).is_unchanged
    assert rows(telephony, DUE) == []


def test_where_the_policy_says_no_a_file_is_joined_with_nobody(telephony: Warehouse, tmp_path: Path) -> None:
    brought(telephony, tmp_path, APART)
    assert (rows(telephony, LINKS), rows(telephony, DUE)) == ([], [])
    assert rows(telephony, WAITS) == [("no_reply", None, None)]


def test_where_somebody_else_writes_links_the_file_is_not_lost_and_the_night_joins_it(
    telephony: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(customer_links, "links_lock", lambda session: links_lock(session, wait=0.05))
    with telephony.connect(autocommit=True) as other, links_lock(other):
        assert brought(telephony, tmp_path).messages == 2
    assert (rows(telephony, LINKS), rows(telephony, WAITS)) == ([], [("no_reply", None, None)])
    refresh_links(telephony.as_role(Role.LOADER), by_number=True)
    judged(telephony, "sheet")
    assert rows(telephony, WAITS) == [("in_target", 900, "call")]


def test_a_document_is_joined_like_a_table(telephony: Warehouse, tmp_path: Path) -> None:
    fixture = PROJECT_ROOT / "tests" / "fixtures" / "abcd_conversations.json"
    path = tmp_path / "talks.json"
    path.write_text(fixture.read_text("utf-8").replace("(000) 000-0011", "+7 701 000-00-01"), "utf-8")
    load(path, "abcd", "abcd", telephony.as_role(Role.LOADER), POLICY)
    assert rows(telephony, LINKS) == [("tbank", "abcd", "number")]
