"""``otklik labels`` with a gateway and with chats: a second asking over HTTP, a table of talks in a messenger."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conversations.lexicon import Lexicon
from conversations.policy import Policy
from resources.labels import files
from resources.scoring.making import scorer_of
from resources.scoring.run import score
from resources.scoring.subjects import Chosen
from resources.settings import Settings
from resources.warehouse.engine import Warehouse
from resources.warehouse.roles import Role
from tests.cli.conftest import Otklik
from tests.emulators.llm import LlmEmulator
from tests.scoring import DAY, GROUPS, put_call, put_rubrics, put_session

MODEL = "litellm_proxy/demo-judge"
POLICY = f"""
organisation: {{name: Пример, time_zone: Europe/Moscow}}
departments:
  sales: {{name: Торговые, agent_group: {GROUPS["sales"]}, rubric: sales_calls, prompt: sales_calls}}
scoring:
  chats: {{enabled: true}}
  attempts: 1
  deadline_seconds: 20
  prices: {{{MODEL}: {{input_per_million_usd: 2, output_per_million_usd: 8}}}}
"""
CALLS, CHATS = 3, 2


@pytest.fixture(scope="module")
def gateway() -> Iterator[LlmEmulator]:
    with LlmEmulator() as emulator:
        yield emulator


@pytest.fixture
def judged(
    database: Warehouse, gateway: LlmEmulator, otklik: Otklik, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Warehouse:
    """Three calls and two chats, judged by the gateway's model."""
    (tmp_path / "policy.yaml").write_text(POLICY, "utf-8")
    for name, value in {
        "OTKLIK_POLICY": str(tmp_path / "policy.yaml"), "OTKLIK_NOW": "2026-11-18T04:00:00+03:00",
        "DATABASE_URL": database.url, "LLM_BASE_URL": gateway.base_url, "LLM_API_KEY": gateway.api_key,
        "LLM_MODEL": MODEL, "HTTP_ALLOWED_PRIVATE_HOSTS": "127.0.0.1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    with database.connect() as session:
        for table in ("core.calls", "core.messages", "evaluated.scorecards", "evaluated.evaluations", "ops.llm_calls",
                      "evaluated.behaviour", "evaluated.sessions", "evaluated.judge_repeats", "ops.audit"):  # fmt: skip
            session.execute(f"delete from {table}")  # type: ignore[arg-type]
        put_rubrics(session)
        for number in range(CALLS):
            put_call(session, number)
        for number in range(CHATS):
            put_session(session, number)
        session.execute("update core.messages set text = text || ' Мой номер 8 916 123-45-67' where message_id = 'a'")
    gateway.clear()
    gateway.modes.clear()
    settings = Settings()
    scorer = scorer_of(settings, Policy.load(settings.policy_path), Lexicon.default())
    counts = score(database.as_role(Role.LOADER), scorer, Chosen(DAY, DAY), "first")
    assert (counts.scored, counts.calls) == (CALLS + CHATS, CALLS + CHATS)
    return database


def rows(warehouse: Warehouse, query: str) -> list[tuple[Any, ...]]:
    with warehouse.connect() as sql:
        return sql.execute(query).fetchall()


BOUGHT = "select count(*), count(*) filter (where state = 'settled') from ops.llm_calls"
CARDS = "select md5(string_agg(s::text, '|' order by scorecard_id)) from evaluated.scorecards as s"


def test_a_second_asking_over_http(otklik: Otklik, judged: Warehouse, gateway: LlmEmulator) -> None:
    cards, asked = rows(judged, CARDS), len(gateway.calls)
    planned = otklik("labels", "repeat", "--rubric", "sales_calls", "--dry-run")
    assert planned.exit_code == 0, planned.stderr
    assert len(gateway.calls) == asked, "a dry run asks nobody"
    first = otklik("labels", "repeat", "--rubric", "sales_calls", "--sample", "2")
    assert first.exit_code == 0, first.stderr
    assert len(gateway.calls) == asked + 2
    assert rows(judged, "select count(distinct subject_id), bool_and(first = second) from evaluated.judge_repeats") == [
        (2, True)
    ]  # the emulator changes its mind by itself never
    # the third call is asked about with an answer that cannot be proved; the two others are paid for already
    gateway.modes.add("invented_quote")
    second = otklik("labels", "repeat", "--rubric", "sales_calls")
    assert second.exit_code == 0, second.stderr
    assert len(gateway.calls) == asked + 3
    assert rows(
        judged,
        "select count(distinct subject_id), count(distinct subject_id) filter (where first <> second)"
        " from evaluated.judge_repeats",
    ) == [(3, 1)]
    assert rows(judged, CARDS) == cards, "no card is another one for it"
    assert rows(judged, BOUGHT) == [(CALLS + CHATS + 3,) * 2]
    told = json.loads(otklik("labels", "measure", "--rubric", "sales_calls", "--json").stdout or "[]")
    assert isinstance(told, list)
    assert "916" not in first.output + second.output + planned.output


def test_a_gateway_that_does_not_answer_costs_nothing_and_is_said(
    otklik: Otklik, judged: Warehouse, gateway: LlmEmulator
) -> None:
    gateway.modes.add("status", status=500)
    shown = otklik("labels", "repeat", "--rubric", "sales_calls")
    assert rows(judged, "select count(*) from evaluated.judge_repeats") == [(0,)]
    assert rows(judged, "select sum(cost_microusd) from ops.llm_calls where outcome <> 'ok'") in ([(0,)], [(None,)])
    assert shown.exit_code == 0 and "0" in shown.stdout
    gateway.modes.clear()
    assert otklik("labels", "repeat", "--rubric", "sales_calls").exit_code == 0
    assert rows(judged, "select count(distinct subject_id) from evaluated.judge_repeats") == [(CALLS,)]


def test_chats_are_labelled_as_calls_are(
    otklik: Otklik, judged: Warehouse, gateway: LlmEmulator, tmp_path: Path
) -> None:
    path = tmp_path / "chats.csv"
    shown = otklik("labels", "export", "--rubric", "chats", "--file", str(path))
    assert shown.exit_code == 0 and f"разговоров {CHATS} из {CHATS}" in " ".join(shown.stdout.split()), shown.stderr
    table = files.read(path)[1:]
    kinds = {tuple(json.loads(row[-1])[:2]) for row in table}
    assert {name for _, name in kinds} == {"shop:0:a", "shop:1:a"}
    said = {row[1] for row in table}
    assert said == {
        f"1. Клиент: Здравствуйте, почём товар {number}? Мой номер [телефон]\n"
        f"2. Менеджер: Могу предложить товар {number} за 100 рублей"
        for number in range(CHATS)
    }
    assert "торопится" not in str(table) and "другой разговор" not in str(table), "notes and other talks are none of it"
    marked = files.read(path)
    for row in marked[1:]:
        row[2:5] = ["1", "2", "anna"]
    path.unlink()
    put = [["" if cell is None else str(cell) for cell in row] for row in marked]
    files.write(path, put, ())
    brought = otklik("labels", "import", str(path))
    assert brought.exit_code == 0, brought.stderr
    assert rows(judged, "select subject_kind, count(*) from reference.labels group by 1") == [("session", 2 * CHATS)]
    measured = json.loads(otklik("labels", "measure", "--rubric", "chats", "--json").stdout)
    assert {one["labelled"] for one in measured} == {CHATS}
    # and asked about once more
    asked = len(gateway.calls)
    assert otklik("labels", "repeat", "--rubric", "chats").exit_code == 0
    assert len(gateway.calls) == asked + CHATS
