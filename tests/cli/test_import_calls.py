"""Recognised calls through ``otklik import``: raw, core, a conversation of their own; again, and real ones."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from resources.warehouse.engine import Warehouse
from resources.warehouse.hashes import table_hashes
from tests.cli.conftest import Otklik
from tests.person_keys import KEYS

pytestmark = pytest.mark.usefixtures("on_database")
FIXTURES = Path(__file__).parents[1] / "fixtures"
ANALYTICS = FIXTURES / "call_analytics_call.json"
HARPER = FIXTURES / "harper_valley" / "transcript" / "call.json"
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
REAL_ANALYTICS = DATA / "call_analytics" / "testfile.json"
REAL_HARPER = DATA / "harper_valley_sample" / "transcript" / "0002f70f7386445b.json"


def asked(database: Warehouse, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with database.connect() as sql:
        return sql.execute(statement, values).fetchall()


def phrases(database: Warehouse, connection_id: str, name: str) -> list[tuple[Any, ...]]:
    call_id = KEYS.full_id(connection_id, name)
    ((stored,),) = asked(database, "select phrases from core.call_transcripts where call_id = %s", call_id)
    return [(one["speaker"], one["text"], one["start"], one["end"]) for one in stored]


def test_both_formats_stand_in_one_account_and_again_changes_nothing(otklik: Otklik, on_database: Warehouse) -> None:
    first = otklik("import", str(ANALYTICS), "--json")
    assert first.exit_code == 0, first.stderr
    assert json.loads(first.stdout)["connection"] == "call_files"
    summary = json.loads(otklik("import", str(HARPER), "--format", "harper-valley", "--json").stdout)
    assert (summary["conversations"], summary["messages"], summary["managers"]) == (2, 2, 2)
    assert summary["quarantined"] == {}
    assert asked(
        on_database,
        "select c.call_id, c.direction, c.talk_seconds, t.state, t.speakers, t.characters, t.raw_id,"
        " c.business_on::text from core.calls c join core.call_transcripts t using (call_id) order by t.raw_id",
    ) == [
        (KEYS.full_id("call_files", "00aa"), "in", 9, "ready", "as_labelled",
         sum(len(one["human_transcript"]) for one in json.loads(HARPER.read_text("utf-8"))), "00aa", "2026-01-02"),
        (KEYS.full_id("call_files", "invented_call_1.mp3"), "in", 12, "ready", "swapped",
         sum(len(one["OriginalText"]) for one in json.loads(ANALYTICS.read_text("utf-8"))["SpeechSegments"]),
         "invented_call_1.mp3", "2026-03-09"),
    ]  # fmt: skip
    ((document,),) = asked(
        on_database,
        "select payload -> 'document' from raw.call_files__calls where payload ->> 'format' = 'call-analytics'",
    )
    assert document == json.loads(ANALYTICS.read_text("utf-8")), "the original is kept"
    # an answered call is no wait
    assert asked(on_database, "select count(*) from evaluated.waits where connection_id = 'call_files'") == [(0,)]
    tables = table_hashes(on_database, ("raw", "core", "evaluated"))
    for path in (ANALYTICS, HARPER):
        assert otklik("import", str(path)).exit_code == 0
    assert table_hashes(on_database, ("raw", "core", "evaluated")) == tables


def test_deleting_a_call_takes_what_was_said_with_it(otklik: Otklik, on_database: Warehouse) -> None:
    otklik("import", str(ANALYTICS), "--connection", "other")
    with on_database.connect() as sql:
        assert sql.execute("delete from core.calls where connection_id = 'other'").rowcount == 1
    assert asked(on_database, "select * from core.call_transcripts where connection_id = 'other'") == []
    otklik("import", str(ANALYTICS), "--connection", "other")
    assert len(phrases(on_database, "other", "invented_call_1.mp3")) == 5


def test_a_file_that_is_none_is_one_line(otklik: Otklik, tmp_path: Path) -> None:
    path = tmp_path / "call.json"
    path.write_text('{"ConversationAnalytics": []}', "utf-8")
    result = otklik("import", str(path))
    assert result.exit_code == 1 and "Traceback" not in result.output
    shown = otklik("import", str(HARPER), "--dry-run")
    assert shown.exit_code == 0 and "1" in shown.stdout


if REAL_ANALYTICS.exists():

    def test_the_published_call_has_its_labels_put_right(otklik: Otklik, on_database: Warehouse) -> None:
        result = otklik("import", str(REAL_ANALYTICS), "--connection", "real")
        assert result.exit_code == 0, result.stderr
        document = json.loads(REAL_ANALYTICS.read_text("utf-8"))
        labels = {"spk_0": "customer", "spk_1": "manager"}
        assert [one["DisplayText"] for one in document["ConversationAnalytics"]["SpeakerLabels"]] == [
            "Agent",
            "Customer",
        ]
        stored = phrases(on_database, "real", "stereo_std_1.mp3")
        assert stored == [
            (labels[one["SegmentSpeaker"]], one["OriginalText"], one["SegmentStartTime"], one["SegmentEndTime"])
            for one in document["SpeechSegments"]
        ]
        assert len(stored) == 12
        assert stored[1] == ("manager", "Thank you for calling Networks abc technical Support.", 0.64, 3.7)
        assert asked(
            on_database,
            "select t.speakers, t.language, c.talk_seconds, c.started_at, c.flags from core.calls c"
            " join core.call_transcripts t using (call_id) where c.connection_id = 'real'",
        ) == [
            ("swapped", "en-US", 28, datetime(2021, 11, 25, 18, 35, 14, 215558, tzinfo=UTC), ["direction_assumed"])
        ]  # fmt: skip


if REAL_HARPER.exists():

    def test_the_transcribed_call_of_the_corpus_keeps_its_labels(otklik: Otklik, on_database: Warehouse) -> None:
        result = otklik("import", str(REAL_HARPER), "--connection", "harper")
        assert result.exit_code == 0, result.stderr
        segments = json.loads(REAL_HARPER.read_text("utf-8"))
        sides = {1: "customer", 2: "manager"}
        stored = phrases(on_database, "harper", "0002f70f7386445b")
        assert [one[:2] for one in stored] == [(sides[s["channel_index"]], s["human_transcript"]) for s in segments]
        assert len(stored) == 18
        assert stored[0] == ("manager", "hello this is harper valley national bank", 3.72, 6.39)
        assert asked(
            on_database,
            "select t.speakers, c.direction, c.talk_seconds, c.started_at, m.name, k.name from core.calls c"
            " join core.call_transcripts t using (call_id) join core.managers m on m.manager_id = c.operator_id"
            " join core.customers k on k.customer_id = c.customer_id where c.connection_id = 'harper'",
        ) == [
            ("as_labelled", "in", 51, datetime(2020, 6, 2, 0, 13, 3, 191000, tzinfo=UTC), "Elizabeth", "Patricia Brown")
        ]  # fmt: skip
