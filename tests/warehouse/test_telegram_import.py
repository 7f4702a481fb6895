"""A Telegram export all the way: chats, messages, calls and waits in the database, from JSON and from pages alike.

What is expected is written beside the messages that the test itself makes.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from conversations.imports.survey import Choices
from conversations.lexicon import Lexicon
from conversations.policy import Policy
from resources.imports.bring import Brought, bring
from resources.imports.formats import open_import
from resources.warehouse.engine import Warehouse
from resources.warehouse.roles import Role
from tests.telegram_pages import Said, day, said, whole
from tests.unit.telegram_files import chat, message, notice

START = datetime(2024, 1, 10, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _empty(database: Warehouse) -> Iterator[None]:
    yield
    with database.connect() as sql:
        tables = sql.execute(
            "select format('%I.%I', schemaname, tablename) from pg_tables"
            " where schemaname in ('raw', 'core', 'evaluated', 'ops') and tablename <> 'alembic_version'"
        ).fetchall()
        sql.execute(f"truncate {', '.join(table for (table,) in tables)}")  # type: ignore[arg-type]


def brought(database: Warehouse, path: Path, connection: str, *staff: str) -> Brought:
    file = open_import(path, connection, Choices(staff=frozenset(staff)))
    return bring(file, database.as_role(Role.LOADER), Policy.default(), Lexicon.default())


def waits(database: Warehouse, connection: str) -> list[tuple[datetime, datetime]]:
    with database.connect() as sql:
        return sql.execute(
            "select opened_at, answered_at from evaluated.waits where connection_id = %s order by 1", [connection]
        ).fetchall()


def test_a_whole_account_goes_all_the_way(database: Warehouse, tmp_path: Path) -> None:
    asked = message(1, "user7", "Сколько стоит доставка?")
    answered = message(
        8, "user900", ["Доставка ", {"type": "bold", "text": "2 000"}, " ₸"], edited_unixtime="1704890000"
    )
    left = message(9, "user7", "", photo="photos/1.jpg")
    call = notice(20, "phone_call", "user900", duration_seconds=75, discard_reason="hangup")
    account = {
        "personal_information": {"user_id": 900},
        "chats": {"list": [
            chat([asked, answered, left, call, {"id": 30, "type": "unsupported"}]),
            chat([message(1, "user900", "заметка")], "saved_messages", 900, None),
            chat([message(1, "channel5", "новость")], "public_channel", 5, "Новости"),
        ]},
    }  # fmt: skip
    path = tmp_path / "result.json"
    path.write_text(json.dumps(account, ensure_ascii=False), "utf-8")

    first = brought(database, path, "tg")
    again = brought(database, path, "tg")

    assert (first.chats, first.messages, first.quarantined) == (1, 7, 3)
    assert dict(first.reasons) == {"not_a_conversation": 2, "unsupported": 1}
    assert again.is_unchanged
    with database.connect() as sql:
        rows = sql.execute(
            "select message_id, sender_kind, content_kind, text, talk_seconds, edited_at from core.messages order by 1"
        ).fetchall()
        people = sql.execute("select customer_id, name from core.customers").fetchall()
    assert rows == [
        ("000000000001", "customer", "text", "Сколько стоит доставка?", None, None),
        ("000000000008", "manager", "text", "Доставка 2 000 ₸", None, datetime(2024, 1, 10, 12, 33, 20, tzinfo=UTC)),
        ("000000000009", "customer", "media", None, None, None),
        ("000000000020", "manager", "call", None, 75, None),
    ]
    assert people == [("tg:user7", "Имя er7")]
    assert waits(database, "tg")[0] == (START + timedelta(minutes=1), START + timedelta(minutes=8))


def test_pages_give_the_waits_of_the_json_and_a_later_export_adds(database: Warehouse, tmp_path: Path) -> None:
    who = {"user7": "Анна", "user900": "Менеджер"}
    talk = [message(n, ("user7", "user900")[n % 2], f"Текст {n}, сколько стоит?") for n in range(2, 12)]
    (tmp_path / "result.json").write_text(json.dumps(chat(talk), ensure_ascii=False), "utf-8")
    blocks = [
        said(Said(item["id"], START.replace(tzinfo=None) + timedelta(minutes=item["id"], hours=3), who[item["from_id"]],
                  item["text"]))
        for item in talk
    ]  # fmt: skip
    heading = day(-1, "10 January 2024")
    with zipfile.ZipFile(tmp_path / "earlier.zip", "w") as archive:
        archive.writestr("ChatExport/messages.html", whole("Анна", [heading, *blocks[:6]]))
    with zipfile.ZipFile(tmp_path / "later.zip", "w") as archive:
        archive.writestr("ChatExport/messages2.html", whole("Анна", blocks[6:]))
        archive.writestr("ChatExport/messages.html", whole("Анна", [heading, *blocks[:6]], has_next=True))

    brought(database, tmp_path / "result.json", "json")
    assert brought(database, tmp_path / "earlier.zip", "pages").messages == 6
    later = brought(database, tmp_path / "later.zip", "pages")

    assert (later.messages, later.inserted, later.quarantined) == (10, 4, 0)
    assert waits(database, "pages") == waits(database, "json")
    assert len(waits(database, "json")) == 5
    with database.connect() as sql:
        texts = sql.execute(
            "select connection_id, array_agg(text order by message_id) from core.messages group by 1 order by 1"
        ).fetchall()
    assert texts[0][1] == texts[1][1] == [item["text"] for item in talk]
