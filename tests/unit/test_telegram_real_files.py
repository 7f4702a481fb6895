"""The published Telegram exports that lie beside the repository: exact chats, authors, times and kinds.

They are not part of the repository; without them there is no test here. Expectations stand here as numbers, and the
published targets of the files (``target.json``) are read by the standard library.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from conversations.imports.survey import Choices, Undecided, settle
from conversations.imports.telegram import TelegramReader, meaning
from conversations.source import RawRow
from resources.imports.telegram_json import TelegramJson

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "chat_exports"
MINER = FOLDER / "chat-miner" / "test" / "telegram"
PARSER = FOLDER / "tg-parser"


def rows_of(path: Path, *staff: str) -> list[RawRow]:
    units, choices, reader = (
        TelegramJson(lambda: path.open("rb")).units,
        Choices(staff=frozenset(staff)),
        TelegramReader(),
    )
    chats = settle(reader.survey(units(), choices), choices)
    return list(reader.rows(units(), chats, choices))


if FOLDER.exists():

    @pytest.mark.parametrize(
        ("name", "title"), [("test_single_export.json", None), ("test_batch_export.json", "Chatname")]
    )
    def test_files_of_chat_miner(name: str, title: str | None) -> None:
        target = json.loads((MINER / "target.json").read_text("utf-8"))
        survey = TelegramReader().survey(TelegramJson(lambda: (MINER / name).open("rb")).units(), Choices())
        (chat,) = survey.chats.values()
        assert (chat.title, chat.messages) == (title, len(target)) == (title, 2)
        names = {key: author.name for key, author in chat.authors.items()}
        rows = rows_of(MINER / name, "Author 2")
        assert [names[row.payload["author"]] for row in rows] == [one["author"] for one in target]
        assert [row.event_at.replace(tzinfo=None).isoformat() for row in rows] == [one["timestamp"] for one in target]
        # chat-miner puts blanks between the parts of a text; Telegram's own writer means them joined as they stand
        assert [meaning(row.payload).text for row in rows] == ["Minimal Message", "Link:https://telegram.org/"]
        assert [row.payload["side"] for row in rows] == ["customer", "manager"]

    def test_the_personal_chat_of_tg_parser() -> None:
        path = PARSER / "personal_chat.json"
        with pytest.raises(Undecided, match="staff"):
            rows_of(path)
        rows = rows_of(path, "Bob")
        assert Counter(row.payload["side"] for row in rows) == {"customer": 3, "manager": 2}
        assert [row.external_id for row in rows] == [f"user123456789:00000000000{n}" for n in range(1, 6)]
        assert [row.event_at for row in rows] == [
            datetime(2024, 1, 15, 10, 50, tzinfo=UTC),
            datetime(2024, 1, 15, 10, 51, tzinfo=UTC),
            datetime(2024, 1, 15, 10, 52, tzinfo=UTC),
            datetime(2024, 1, 16, 9, 0, tzinfo=UTC),
            datetime(2024, 1, 16, 10, 0, tzinfo=UTC),
        ]
        assert [meaning(row.payload).text for row in rows] == [
            "Hello!", "Hi there!", "Check this important message", "Got it!", None,
        ]  # fmt: skip
        assert [meaning(row.payload).content_kind for row in rows] == ["text"] * 4 + ["call"]
        assert not any("problem" in row.payload for row in rows)

    def test_the_group_with_topics_of_tg_parser() -> None:
        rows = rows_of(PARSER / "supergroup_with_topics.json", "User1")
        assert [row.payload["side"] for row in rows] == [
            "system", "system", "manager", "system", "customer", "manager", "customer",
        ]  # fmt: skip
        assert [row.payload["author"] for row in rows] == [
            None, None, "user200", None, "user300", "user200", "user400",
        ]  # fmt: skip
        assert (rows[0].event_at, rows[-1].event_at) == (
            datetime(2024, 1, 10, 12, 0, tzinfo=UTC),
            datetime(2024, 1, 11, 9, 0, tzinfo=UTC),
        )
        assert not any("problem" in row.payload for row in rows)

    @pytest.mark.parametrize("path", sorted(PARSER.glob("*.json")), ids=lambda path: path.stem)
    def test_every_item_of_a_file_is_in_one_row(path: Path) -> None:
        content = json.loads(path.read_text("utf-8"))
        assert [row.payload["original"] for row in rows_of(path, "Bob", "User1")] == content["messages"]
