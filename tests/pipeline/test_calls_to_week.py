"""From the telephony to the manager's week: load, score, publish and show one week, every part of it the product's.

The vendors are emulators over real HTTP. What is expected follows from what the invented telephone did and from the
scorecards, counted here once more.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from conversations.messages import Talks, TalkWords
from orchestration import runner
from resources.scoring.subjects import Chosen
from resources.warehouse.engine import Warehouse
from tests.emulators.llm import LlmEmulator
from tests.emulators.sheets import SheetsEmulator
from tests.emulators.shop.calls import OPERATORS, CallBook
from tests.emulators.shop.model import Shop
from tests.emulators.tbank import TBankEmulator

MONDAY = date(2026, 11, 16)
FIRST, LAST, WEEK = MONDAY - timedelta(days=7), MONDAY - timedelta(days=1), "2026-W46"
NOW = datetime.fromisoformat("2026-11-16T08:10:00+03:00")
MODEL = "litellm_proxy/demo-judge"
POLICY = f"""
departments:
  sales: {{name: Торговые, agent_group: Торговые представители, rubric: sales_calls, prompt: sales_calls}}
  office: {{name: Офис, agent_group: Офис-менеджеры, rubric: office_calls, prompt: office_calls}}
scoring:
  concurrency: 32
  requests_per_minute: 100000
  tokens_per_minute: 100000000
  prices: {{{MODEL}: {{input_per_million_usd: 2, output_per_million_usd: 8}}}}
"""


@contextmanager
def week_of_calls(database: Warehouse, home: Path) -> Iterator[tuple[SheetsEmulator, dg.DagsterInstance]]:
    """An installation of telephony alone that has loaded, judged and published a week; its vendors go on answering."""
    (home / "policy.yaml").write_text(POLICY, "utf-8")
    shop = Shop.tiny(5, MONDAY, messages=120)
    with (
        TBankEmulator(shop, book=CallBook(shop, busy=14, usual=(6, 9)), rate=None) as phone,
        LlmEmulator() as gateway,
        SheetsEmulator(quota=None, large="allow") as sheets,
        pytest.MonkeyPatch.context() as patch,
        dg.DagsterInstance.ephemeral() as instance,
    ):
        variables = {
            "OTKLIK_HOME": str(home), "OTKLIK_POLICY": str(home / "policy.yaml"), "DATABASE_URL": database.url,
            "OTKLIK_NOW": NOW.isoformat(), "TBANK_BASE_URL": phone.base_url, "TBANK_LOGIN": phone.login,
            "TBANK_PASSWORD": phone.password, "TBANK_REQUESTS_PER_SECOND": "1000", "LLM_BASE_URL": gateway.base_url,
            "LLM_API_KEY": gateway.api_key, "LLM_MODEL": MODEL, "HTTP_ALLOWED_PRIVATE_HOSTS": "127.0.0.1",
            "GOOGLE_SHEETS_ID": sheets.spreadsheet_id, "SHEETS_BASE_URL": sheets.base_url,
            "GOOGLE_SERVICE_ACCOUNT_JSON": str(sheets.service_account_file), "SHEETS_REQUESTS_PER_MINUTE": "1000",
        }  # fmt: skip
        for name, value in variables.items():
            patch.setenv(name, value)
        with database.connect() as sql:
            for operator in OPERATORS:
                if operator.is_listed:
                    sql.execute(
                        "insert into reference.operators (connection_id, operator, valid_from, name, department_id,"
                        " office_id, source) values ('tbank', %s, '0001-01-01', %s, %s, 'main', 'file')",
                        (operator.login, operator.name, operator.team),
                    )
            sql.execute("insert into reference.offices values ('main', 'Главный')")
        for summary in (
            runner.run_days(FIRST, LAST, instance=instance),
            runner.score_days(Chosen(FIRST, LAST), instance=instance),
            runner.publish_weeks(WEEK, WEEK, instance=instance),
            runner.publish_days(FIRST, LAST, instance=instance),
        ):
            assert summary.checks_failed == []
        yield sheets, instance


@pytest.fixture(scope="module")
def published(database: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SheetsEmulator]:
    with week_of_calls(database, tmp_path_factory.mktemp("home")) as (sheets, _):
        yield sheets


@pytest.mark.proof
def test_a_week_of_calls_is_judged_published_and_shown(published: SheetsEmulator, database: Warehouse) -> None:
    with database.connect() as sql:
        calls = sql.execute(
            "select count(*) filter (where not is_internal), count(*) filter (where is_internal) from core.calls"
            " where business_on between %s and %s", [FIRST, LAST],
        ).fetchone()  # fmt: skip
        week = sql.execute(
            "select sum(calls_in + calls_out), sum(calls_internal), sum(calibration_evaluated), sum(llm_evaluated),"
            " sum(rules_evaluated) from marts.manager_week where week = %s", [WEEK],
        ).fetchone()  # fmt: skip
        scored = dict(
            sql.execute(
                "select judge, count(*) from evaluated.scorecards where is_current and state = 'scored' group by judge"
            ).fetchall()
        )
        assert week is not None and calls is not None
        assert calls[0] > 30 and (week[0], week[1]) == calls
        # nobody has labelled a call: no score of the model counts, and none is lost
        assert (week[2], week[3]) == (scored["model"], 0)
        assert week[4] == scored["rules"]
        results = sql.execute(
            "select count(*), count(office_name), count(distinct department_id) from marts.call_results"
        ).fetchone()
        cards = sql.execute("select count(distinct call_id) from evaluated.scorecards where is_current").fetchone()
        assert results is not None and cards is not None
        assert results[0] == cards[0] and results[1] > 0.8 * results[0] and results[2] == 2
        spent = sql.execute("select sum(cost_microusd), sum(calls) from marts.llm_spend_day").fetchone()
        assert spent == (None, None), "it was paid today, and today has no day yet"
    beside = published.values("calls_and_chats!A1:AZ60")
    heading = next(row for row in beside if Talks.CALLS_SCORE in row)
    cells = [dict(zip(heading, row, strict=False)) for row in beside[beside.index(heading) + 1 :]]
    assert {row[Talks.CALLS_SCORE] for row in cells if row.get(Talks.CALLS_TRIAL_N)} == {TalkWords.CALIBRATION}
    rows = published.values("call_results!A1:AZ500")
    heading = next(row for row in rows if Talks.PROOF in row)
    assert len(rows) - rows.index(heading) - 1 == results[0]
