"""The published log and the published talks without times, where they lie beside the repository, through the examples.

What is expected is counted by the standard library here; without the files there is no test.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from conversations.imports.survey import Choices, settle
from conversations.parsing.flags import NO_TIMES, SEVERAL_CUSTOMERS
from conversations.records import Conversation, Message, Quarantined
from conversations.source import RawRecord
from tests.unit.tabling import example, parser, read

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
LOG = DATA / "irc_stripe" / "stripe.0.ascii.txt"
TALKS = DATA / "abcd_sample" / "abcd_sample.json"
STAFF = {"karllekko", "w1zeman1p", "koopajah"}
NOW = datetime(2026, 3, 9, tzinfo=UTC)


if LOG.exists():

    def test_the_published_log_is_read_line_by_line() -> None:
        expected = []
        for line in LOG.read_text("utf-8").splitlines():
            head, _, text = line.partition("> ")
            day, clock, nick = re.split(r"[ \[\]<]+", head)[1:]
            expected.append((datetime.fromisoformat(f"{day}T{clock}+00:00"), nick, text))
        survey, rows = read(LOG, example("irc.yaml"))
        (chat,) = survey.chats.values()
        names = {author.key: author.name for author in chat.authors.values()}
        got = [(row.event_at, names[row.payload["author"]], row.payload["text"]) for row in rows]
        assert got == expected
        assert len(rows) == len({row.external_id for row in rows}) == 1200
        assert (chat.kind, chat.title, len(chat.authors)) == ("group", "stripe", 104)
        assert {author.name: author.messages for author in chat.authors.values()} == Counter(
            nick for _, nick, _ in expected
        )
        sides = Counter(row.payload["side"] for row in rows)
        assert sides == Counter("manager" if nick in STAFF else "customer" for _, nick, _ in expected)
        assert (sides["manager"], sides["customer"]) == (201, 999)
        assert [row.payload["original"] for row in rows] == LOG.read_text("utf-8").splitlines()
        (payload,) = [one.payload() for one in settle(survey, Choices()).values()]
        talk = list(parser().parse("chats", RawRecord("irc", chat.key, payload, NOW, None)))[-1]
        assert isinstance(talk, Conversation)
        assert talk.flags == (SEVERAL_CUSTOMERS,)


if TALKS.exists():

    def test_the_published_talks_without_times_are_flagged_and_keep_their_order() -> None:
        talks = json.loads(TALKS.read_text("utf-8"))
        survey, rows = read(TALKS, example("abcd.yaml"))
        turns = [turn for talk in talks for turn in talk["original"]]
        assert [row.payload["original"] for row in rows] == turns
        assert [chat.messages for chat in survey.chats.values()] == [29, 21, 22]
        assert [chat.title for chat in survey.chats.values()] == [
            talk["scenario"]["personal"]["customer_name"] for talk in talks
        ]
        assert {flag for chat in survey.chats.values() for flag in chat.flags} == {NO_TIMES}
        found = [
            record
            for row in rows
            for record in parser().parse("messages", RawRecord("c", row.external_id, row.payload, NOW, None))
        ]
        assert not [one for one in found if isinstance(one, Quarantined)]
        messages = [one for one in found if isinstance(one, Message)]
        assert Counter(one.sender_kind for one in messages) == {"manager": 32, "customer": 31, "system": 9}
        assert [one.source_seq for one in messages] == list(range(1, 73))
        assert {one.sent_at for one in messages} == {None}
        # what stands around a list is kept once, with its first message
        kept = [row.payload["around"] for row in rows if "around" in row.payload]
        assert kept == [{key: value for key, value in talk.items() if key != "original"} for talk in talks]
        (payload,) = [one.payload() for one in list(settle(survey, Choices()).values())[:1]]
        people = {one["side"]: one for one in payload["people"]}
        assert people["customer"]["phone"] == talks[0]["scenario"]["personal"]["phone"]
        assert "phone" not in people["manager"]
