"""The published exports that lie beside the repository, through the whole command: counts, authors, times.

They are not part of the repository; without them there is no test here. What is expected is read from the files by the
standard library and by regular expressions of this module, or stands in the answers that came with them.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from resources.settings import PROJECT_ROOT
from resources.warehouse.engine import Warehouse
from tests.cli.conftest import Otklik

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
MINER = DATA / "chat_exports" / "chat-miner" / "test"
PARSER = DATA / "chat_exports" / "tg-parser"
IRC = DATA / "irc_stripe" / "stripe.0.ascii.txt"
ABCD = DATA / "abcd_sample" / "abcd_sample.json"
MAPPINGS = PROJECT_ROOT / "docs" / "imports"
MOSCOW = ZoneInfo("Europe/Moscow")

pytestmark = pytest.mark.usefixtures("on_database")


def brought(otklik: Otklik, path: Path, connection: str, *more: str) -> dict[str, Any]:
    result = otklik("import", str(path), "--connection", connection, "--json", *more)
    assert result.exit_code == 0, result.stderr
    told: dict[str, Any] = json.loads(result.stdout)
    return told["files"][0] | {"summary": told["connections"][connection]}


def stored(database: Warehouse, connection: str) -> list[tuple[Any, ...]]:
    """Side, name, time, text of each message, in order; a system line has no name."""
    statement = """
        select m.sender_kind, coalesce(g.name, u.name), m.sent_at, m.text
        from core.messages as m
        left join core.managers as g on g.manager_id = m.manager_id
        left join core.customers as u on u.customer_id = m.customer_id
        where m.connection_id = %s
        order by m.sent_at, m.conversation_id, m.message_id
    """
    with database.connect() as sql:
        return sql.execute(statement, [connection]).fetchall()


def people(found: list[tuple[Any, ...]]) -> Iterator[tuple[str, datetime, str]]:
    return ((name, at, " ".join(text.split())) for side, name, at, text in found if side != "system")


if MINER.exists():
    WHATSAPP = sorted((MINER / "whatsapp").glob("test_*.txt"))

    @pytest.mark.parametrize("path", WHATSAPP, ids=lambda path: path.stem)
    def test_whatsapp(otklik: Otklik, on_database: Warehouse, path: Path) -> None:
        connection = f"wa-{WHATSAPP.index(path)}"
        file = brought(otklik, path, connection, "--manager", "John Doe")
        answers = json.loads((MINER / "whatsapp" / "target.json").read_text("utf-8"))
        expected = {
            (one["author"], datetime.fromisoformat(one["timestamp"]).replace(tzinfo=MOSCOW), one["message"])
            for one in answers
        }
        found = stored(on_database, connection)
        # the answers leave out the message that is a single dot, and the two notices of the messenger
        assert expected == {one for one in people(found) if one[2] != "."}
        assert [(side, text) for side, _, _, text in found if side == "system"] == [
            ("system", '+12 345 578 created group "Groupname"'), ("system", "You were added")
        ]  # fmt: skip
        assert (len(found), file["messages"], file["quarantined"], file["chats"]) == (9, 9, 0, 1)
        assert Counter(side for side, *_ in found) == {"customer": 4, "manager": 3, "system": 2}

    @pytest.mark.parametrize("name", ["test_batch_export", "test_single_export"])
    def test_telegram_of_chat_miner(otklik: Otklik, on_database: Warehouse, name: str) -> None:
        file = brought(otklik, MINER / "telegram" / f"{name}.json", name, "--manager", "Author 2")
        answers = json.loads((MINER / "telegram" / "target.json").read_text("utf-8"))
        found = stored(on_database, name)
        assert [(author, at.astimezone(UTC).second) for author, at, _ in people(found)] == [
            (one["author"], datetime.fromisoformat(one["timestamp"]).second) for one in answers
        ]
        assert [side for side, *_ in found] == ["customer", "manager"]
        assert (file["messages"], file["quarantined"]) == (2, 0)


if PARSER.exists():

    @pytest.mark.parametrize("name", ["personal_chat", "supergroup_with_topics"])
    def test_telegram_of_tg_parser(otklik: Otklik, on_database: Warehouse, name: str) -> None:
        path = PARSER / f"{name}.json"
        document = json.loads(path.read_text("utf-8"))
        file = brought(otklik, path, name, "--manager", "Bob")
        found = stored(on_database, name)
        assert [at.timestamp() for _, _, at, _ in found] == [int(one["date_unixtime"]) for one in document["messages"]]
        spoken = [one["from"] for one in document["messages"] if one["type"] == "message"]
        called = [one["actor"] for one in document["messages"] if one.get("action") == "phone_call"]
        assert Counter(name for _, name, _, _ in found if name) == Counter(spoken + called)
        assert (file["messages"], file["quarantined"]) == (len(document["messages"]), 0)


if IRC.exists():

    def test_a_log_by_its_mapping(otklik: Otklik, on_database: Warehouse) -> None:
        lines = re.findall(r"^\S+ (\S+) \[(\S+)\] <([^>]+)>", IRC.read_text("utf-8"), re.M)
        file = brought(otklik, IRC, "irc", "--mapping", str(MAPPINGS / "irc.yaml"))
        found = stored(on_database, "irc")
        assert (len(lines), len({nick for _, _, nick in lines})) == (1200, 104)
        assert (file["messages"], file["quarantined"], len(found)) == (1200, 0, 1200)
        assert Counter(name for _, name, _, _ in found) == Counter(nick for _, _, nick in lines)
        times = [datetime.fromisoformat(f"{day}T{clock}+00:00") for day, clock, _ in lines]
        assert [at for _, _, at, _ in found] == sorted(times)
        assert {name for side, name, _, _ in found if side == "manager"} == {"karllekko", "w1zeman1p", "koopajah"}
        with on_database.connect() as sql:
            waits = sql.execute("select count(*) from evaluated.waits where connection_id = 'irc'").fetchone()
        assert waits is not None and waits[0] > 0


if ABCD.exists():

    def test_talks_without_times_by_a_mapping(otklik: Otklik, on_database: Warehouse) -> None:
        talks = json.loads(ABCD.read_text("utf-8"))
        speakers = Counter(speaker for talk in talks for speaker, _ in talk["original"])
        file = brought(otklik, ABCD, "talks", "--mapping", str(MAPPINGS / "abcd.yaml"))
        found = stored(on_database, "talks")
        assert (file["chats"], file["messages"], file["quarantined"]) == (3, speakers.total(), 0)
        assert Counter(side for side, *_ in found) == {
            "customer": speakers["customer"], "manager": speakers["agent"], "system": speakers["action"]
        }  # fmt: skip
        assert file["summary"]["flagged_conversations"] == {"no_times": 3}
        assert (file["first_at"], file["summary"]["first_replies"]) == (None, 0)
