"""The published conversations that the file formats were made for, where they lie beside the repository.

They are not part of the repository; without them there is no test here, and the invented fixtures of
``tests/cli/test_import.py`` stand alone. What is expected is worked out from the file by the standard library.
"""

from __future__ import annotations

import json
import statistics
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from resources.warehouse.engine import Warehouse
from tests.cli.conftest import Otklik

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
REAL = DATA / "twitter_care" / "dev.json"
UNTIMED = DATA / "abcd_sample" / "abcd_sample.json"


def first_reply_seconds(talk: dict) -> float | None:
    """From the first message to the agent's first one; the last reply has only a duration. ``None``: impossible."""
    moments = [datetime.fromisoformat(turn["datetime"]) for turn in talk["dialogContent"]]
    agents = [
        datetime.fromisoformat(turn["datetime"])
        for turn in talk["dialogContent"]
        if not {"client", "client1"} & set(turn)
    ]
    duration = talk["dialogHeader"]["duration"]
    if duration.startswith("-"):
        return None
    hours, minutes, seconds = duration.split(":")
    final = moments[0] + timedelta(hours=int(hours), minutes=int(minutes), seconds=float(seconds))
    return ((agents[0] if agents else final) - moments[0]).total_seconds()


if REAL.exists():

    @pytest.mark.usefixtures("on_database")
    def test_the_published_conversations_give_the_known_figures(otklik: Otklik) -> None:
        talks = json.loads(REAL.read_text("utf-8"))
        replies = [seconds for talk in talks if (seconds := first_reply_seconds(talk)) is not None]
        result = otklik("import", str(REAL), "--format", "twitter-care", "--json")
        summary = json.loads(result.stdout)

        assert summary["conversations"] == len(talks) == 525
        assert summary["messages"] == sum(len(talk["dialogContent"]) + 1 for talk in talks) == 686 + 525
        assert summary["first_replies"] == len(replies) == 503
        assert summary["first_reply_p50_seconds"] == statistics.median(replies) == 5468
        assert summary["flagged"]["negative_reply_time"] == len(talks) - len(replies) == 22
        assert summary["flagged"]["second_customer"] == 19
        assert summary["quarantined"] == {}


if UNTIMED.exists():

    @pytest.mark.usefixtures("on_database")
    def test_the_published_talks_without_times_land_and_stay_outside_waits(
        otklik: Otklik, on_database: Warehouse
    ) -> None:
        talks = json.loads(UNTIMED.read_text("utf-8"))
        speakers = Counter(speaker for talk in talks for speaker, _ in talk["original"])
        result = otklik("import", str(UNTIMED), "--format", "abcd", "--json")
        summary = json.loads(result.stdout)

        assert summary["conversations"] == len(talks) == 3
        assert summary["messages"] == speakers.total() == 72
        assert summary["flagged_conversations"] == {"no_times": 3}
        assert (summary["quarantined"], summary["first_replies"]) == ({}, 0)
        with on_database.connect() as sql:
            kinds = sql.execute(
                "select sender_kind, count(*) from core.messages where connection_id = 'abcd' group by 1"
            ).fetchall()
            judged = sql.execute("select count(*) from evaluated.waits where connection_id = 'abcd'").fetchone()
            raw = sql.execute("select count(*) from raw.abcd__conversations").fetchone()
        assert dict(kinds) == {
            "customer": speakers["customer"], "manager": speakers["agent"], "system": speakers["action"]
        }  # fmt: skip
        assert (judged, raw) == ((0,), (3,))
