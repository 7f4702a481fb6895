"""Published WhatsApp exports, where they lie beside the repository: exact counts, authors and times.

Without them there is no test here. What is expected comes from the target that was published with them, and from
reading the five files: they are one talk in five formats.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from conversations.imports.survey import Choices, settle
from conversations.imports.whatsapp import WhatsAppReader, meaning

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "chat_exports" / "chat-miner" / "test" / "whatsapp"
FILES = {
    "test_[mmddyy]_24hrs.txt": ("mdy", "range"),
    "test_ddmmyy_24hrs.txt": ("dmy", "range"),
    "test_mmddyy_24hrs.txt": ("mdy", "range"),
    "test_mmddyyyy_12hrs.txt": ("mdy", "range"),
    "test_yyyymmdd_24hrs.txt": ("ymd", "year"),
}

if FOLDER.exists():

    @pytest.mark.parametrize("name", FILES)
    def test_all_files_give_the_published_messages(name: str) -> None:
        lines = (FOLDER / name).read_text("utf-8").split("\n")
        choices = Choices(time_zone="UTC", staff=frozenset({"Jahn Doe"}))
        reader = WhatsAppReader()
        survey = reader.survey(lines, choices)
        rows = list(reader.rows(lines, settle(survey, choices), choices))
        (chat,) = survey.chats.values()
        target = json.loads((FOLDER / "target.json").read_text("utf-8"))

        assert (survey.facts["date_order"], survey.facts["date_order_proof"]) == FILES[name]
        assert Counter({author.name: author.messages for author in chat.authors.values()}) == Counter(
            {"John Doe": 3, "Jahn Doe": 1, "John-John Doe": 1, "John Doe 🤓": 1, "🤓": 1}
        )
        assert (chat.kind, chat.messages, len(rows)) == ("group", 7, 9)
        said = [row for row in rows if row.payload["author"]]
        shown = {
            (
                row.event_at,
                chat.authors[row.payload["author"]].name,
                " ".join((meaning(row.payload).text or "").split()),
            )
            for row in said
        }
        published = {
            (datetime.fromisoformat(one["timestamp"]).replace(tzinfo=ZoneInfo("UTC")), one["author"], one["message"])
            for one in target
        }
        # the target leaves out one message of which nobody knows whether it is empty or a full stop
        assert shown - published == {(datetime(2019, 1, 20, 11, 23, tzinfo=ZoneInfo("UTC")), "John Doe", ".")}
        assert published < shown
        assert [meaning(row.payload).text for row in rows if row.payload["side"] == "system"] == [
            '+12 345 578 created group "Groupname"',
            "You were added",
        ]
        assert "\n".join(row.payload["original"] for row in rows) == "\n".join(lines)
