"""A transcript that lags: awaited, asked for again, then there; or known to be silence. Never judged before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from assets.core.accounts import PHONE_TABLES
from conversations.parsing.tbank import TBankParser
from conversations.policy import Policy
from conversations.window import Window
from resources.tbank import TBankResource
from resources.warehouse.eligibility import EligibilityCounts, refresh_eligibility
from resources.warehouse.engine import Warehouse
from tests.emulators.shop.calls import CallBook
from tests.emulators.shop.model import MINUTE, Shop, micros
from tests.emulators.tbank import TRANSCRIPT, TBankEmulator
from tests.loader import land, replace_window

DAY = date(2026, 11, 11)
WINDOW = Window.of_days(DAY, DAY, "Europe/Moscow")
POLICY = Policy.parse(
    "departments: {all: {name: Все, rubric: r, prompt: p, agent_group: Торговые представители}, other: {name: Офис,"
    " rubric: r, prompt: p, agent_group: Офис-менеджеры}}"
)


@contextmanager
def at(moment: datetime, phone: TBankEmulator, patch: pytest.MonkeyPatch) -> Iterator[TBankResource]:
    """A run at that moment, by the vendor's clock as well as by ours."""
    patch.setenv("OTKLIK_NOW", moment.isoformat())
    phone.shop.clock = micros(moment)
    reader = TBankResource()
    yield reader
    reader.teardown_after_execution(dg.build_init_resource_context())


def read(warehouse: Warehouse, reader: TBankResource) -> EligibilityCounts:
    (account,) = reader.accounts(warehouse)
    source = reader.source(account, warehouse)
    for stream in source.streams:
        land(source, stream, WINDOW, warehouse, time_zone="Europe/Moscow")
    replace_window(
        warehouse, TBankParser("Europe/Moscow", POLICY.telephony), "tbank", "tbank", list(source.streams.values()),
        WINDOW, "Europe/Moscow", tables=PHONE_TABLES,
    )  # fmt: skip
    return refresh_eligibility(warehouse, POLICY, WINDOW)


def states(warehouse: Warehouse) -> dict[int, str]:
    with warehouse.connect() as sql:
        rows = sql.execute("select call_id, state from core.call_transcripts").fetchall()
    return {int(call_id.removeprefix("tbank:")): state for call_id, state in rows}


def test_a_transcript_is_awaited_for_an_hour_and_asked_for_until_it_is_there(
    fresh_database: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "policy.yaml").write_text(
        "departments:\n"
        "  all: {name: Все, rubric: r, prompt: p, agent_group: Торговые представители}\n"
        "  other: {name: Офис, rubric: r, prompt: p, agent_group: Офис-менеджеры}\n",
        "utf-8",
    )
    shop = Shop.tiny(6, DAY + timedelta(days=5), messages=40)
    book = CallBook(shop, busy_day=DAY, busy=240)
    noon = datetime.fromisoformat(f"{DAY}T12:00:00+03:00")
    later = noon + timedelta(minutes=61)
    answered = [one for one in book.day(DAY) if one.seconds]

    def expected(moment: datetime) -> dict[int, str]:
        """Listed by noon; with words once the vendor has recognised them, else awaited for an hour after its end."""
        now = micros(moment)
        return {
            one.segment_id: "ready" if one.talk.phrases and one.transcribed <= now
            else "pending" if now < one.end + 60 * MINUTE else "no_speech"
            for one in answered if one.listed <= now
        }  # fmt: skip

    with TBankEmulator(shop, book=book, rate=None) as phone, monkeypatch.context() as patch:
        variables = {
            "OTKLIK_HOME": str(tmp_path), "OTKLIK_POLICY": str(tmp_path / "policy.yaml"),
            "DATABASE_URL": fresh_database.url, "TBANK_BASE_URL": phone.base_url, "TBANK_LOGIN": phone.login,
            "TBANK_PASSWORD": phone.password, "TBANK_REQUESTS_PER_SECOND": "1000",
        }  # fmt: skip
        for name, value in variables.items():
            patch.setenv(name, value)
        with at(noon, phone, patch) as reader:
            first = read(fresh_database, reader)
        assert states(fresh_database) == expected(noon)
        assert Counter(expected(noon).values())["pending"] >= 3
        assert first.by_reason["transcript_pending"] >= 3

        phone.ledger.clear()
        with at(later, phone, patch) as reader:
            second = read(fresh_database, reader)
        assert states(fresh_database) == expected(later)
        awaited = [one for one, state in expected(noon).items() if state == "pending"]
        assert {expected(later)[one] for one in awaited} <= {"ready", "no_speech"}
        # asked for: all that had no words before, and what is new
        wordless = [one for one in expected(later) if expected(noon).get(one) != "ready"]
        asked = Counter(call.path for call in phone.ledger.calls if call.status == 200)
        assert asked[TRANSCRIPT] == len(wordless)
        assert second.by_reason["judged"] > first.by_reason["judged"]
