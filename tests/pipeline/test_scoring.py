"""Talks through the whole chain to scorecards: the job, the command, the real door, an emulated gateway that errs."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from typer.testing import CliRunner

from conversations.lexicon import Lexicon
from conversations.policy import Policy
from orchestration import runner
from orchestration.cli.app import app
from orchestration.cli.errors import EXIT_BUSY, explain
from orchestration.runner import RunFailed
from orchestration.scoring_nights import request_of
from resources.clients.errors import NeedsAuth
from resources.llm_resource import chosen_of, tags_of
from resources.scoring.making import scorer_of
from resources.scoring.run import Counts, score
from resources.scoring.subjects import Chosen
from resources.settings import Settings
from resources.warehouse.engine import Warehouse
from resources.warehouse.locks import scoring_lock
from resources.warehouse.roles import Role
from tests.emulators.llm import LlmEmulator
from tests.scoring import DAY, GROUPS, put_call, put_rubrics, put_transcript, talk

MODEL = "litellm_proxy/demo-judge"
POLICY = f"""
departments:
  sales: {{name: Торговые, agent_group: {GROUPS["sales"]}, rubric: sales_calls, prompt: sales_calls}}
  office: {{name: Офис, agent_group: {GROUPS["office"]}, rubric: office_calls, prompt: office_calls}}
scoring:
  attempts: 1
  deadline_seconds: 20
  prices: {{{MODEL}: {{input_per_million_usd: 2, output_per_million_usd: 8}}}}
"""
CANARIES = ("кодовоеслово", "9161234567", "916 123-45-67", "Добрый день, меня зовут")


@pytest.fixture(scope="module")
def gateway() -> Iterator[LlmEmulator]:
    with LlmEmulator() as emulator:
        yield emulator


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture(scope="module")
def installed(
    gateway: LlmEmulator, database: Warehouse, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Warehouse]:
    """The environment of an installation with a key."""
    home = tmp_path_factory.mktemp("home")
    (home / "policy.yaml").write_text(POLICY, "utf-8")
    variables = {
        "OTKLIK_HOME": str(home),
        "OTKLIK_POLICY": str(home / "policy.yaml"),
        "OTKLIK_NOW": "2026-11-18T04:00:00+03:00",
        "DATABASE_URL": database.url,
        "LLM_BASE_URL": gateway.base_url,
        "LLM_API_KEY": gateway.api_key,
        "LLM_MODEL": MODEL,
        "HTTP_ALLOWED_PRIVATE_HOSTS": "127.0.0.1",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        yield database


@pytest.fixture(autouse=True)
def _empty(installed: Warehouse, gateway: LlmEmulator) -> Iterator[None]:
    with installed.connect() as session:
        for table in ("core.calls", "evaluated.scorecards", "evaluated.evaluations", "ops.llm_calls"):
            session.execute(f"delete from {table}")  # type: ignore[arg-type]
        put_rubrics(session)
    gateway.clear()
    gateway.modes.clear()
    yield


def rows(database: Warehouse, statement: str) -> list[tuple[Any, ...]]:
    with database.connect() as session:
        return session.execute(statement).fetchall()  # type: ignore[call-overload]


def calls(database: Warehouse, count: int, **values: Any) -> None:
    with database.connect() as session:
        for number in range(count):
            put_call(session, number, **values)


def judged(database: Warehouse, last: date = DAY, first: date = DAY) -> Counts:
    """A run without Dagster, which takes longer than the run."""
    settings = Settings()
    policy = Policy.load(settings.policy_path)
    run_id = f"run{len(rows(database, 'select llm_call_id from ops.llm_calls'))}"
    return score(
        database.as_role(Role.LOADER), scorer_of(settings, policy, Lexicon.default()), Chosen(first, last), run_id
    )


def told_of(instance: dg.DagsterInstance, table: str = "scorecards") -> dict[str, Any]:
    event = instance.get_latest_materialization_event(dg.AssetKey(["evaluated", table]))
    assert event is not None and event.asset_materialization is not None
    return {name: value.value for name, value in event.asset_materialization.metadata.items()}


def test_the_job_judges_a_day_and_shows_what_it_cost(
    installed: Warehouse, gateway: LlmEmulator, instance: dg.DagsterInstance, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    calls(installed, 8)
    with installed.connect() as session:
        said = [*talk(77), ("customer", "Моё кодовоеслово, телефон 8 916 123-45-67, перезвоните.")]
        put_transcript(session, "tbank:00003", said)
        put_call(session, 20, on=DAY + timedelta(days=1), department="office")
    summary = runner.score_days(Chosen(DAY, DAY + timedelta(days=1)), instance=instance)
    assert not summary.checks_failed and summary.checks_passed >= 10
    told, paid = told_of(instance), gateway.summary()
    assert (told["talks"], told["calls"], told["scored"], told["left"]) == (9, 9, 9, 0)
    assert told["cost_microusd"] == paid["cost_microusd"] > 0 and told["seconds"] > 0
    assert told["prompt_tokens"] == paid["prompt_tokens"] and told["completion_tokens"] == paid["completion_tokens"]
    assert rows(installed, "select distinct price_from, is_masked from ops.llm_calls order by 2") == [
        ("gateway", False), ("gateway", True)
    ]  # fmt: skip
    assert rows(installed, "select distinct answered_by from evaluated.evaluations") == [("demo-judge (эмулятор)",)]
    # a second run asks nobody
    before = rows(installed, "select scorecard_id, xmin::text from evaluated.scorecards order by 1")
    counts = judged(installed, DAY + timedelta(days=1))
    assert (counts.calls, counts.cached) == (0, 9)
    assert rows(installed, "select scorecard_id, xmin::text from evaluated.scorecards order by 1") == before
    assert len(gateway.calls) == 9
    # no word of a talk, no number, no key is in a log, an event or the run
    events = [str(one) for run in instance.get_runs() for one in instance.all_logs(run.run_id)]
    written = "\n".join([caplog.text, *events, *(str(run) for run in instance.get_runs())])
    assert not [one for one in (*CANARIES, gateway.api_key) if one in written]


@pytest.mark.parametrize(
    ("mode", "options", "state", "reason", "made"),
    [
        ("malformed", {}, "unscored", "not_json", 3),
        ("malformed", {"on": "first"}, "scored", None, 2),
        ("prose", {}, "unscored", "not_json", 3),
        ("fenced", {}, "scored", None, 1),
        ("wrong_schema", {}, "unscored", "wrong_schema", 3),
        ("out_of_range", {}, "unscored", "out_of_scale", 3),
        ("missing_criterion", {}, "unscored", "missing_criterion", 3),
        ("invented_criterion", {}, "unscored", "invented_criterion", 3),
        ("refusal", {}, "unscored", "refused", 1),
        ("content_null", {}, "unscored", "refused", 1),
        ("empty", {}, "unscored", "empty", 3),
        ("length", {}, "unscored", "truncated", 2),
        ("invented_quote", {}, "unscored", "not_proved", 1),
        ("wrong_speaker", {}, "unscored", "not_proved", 1),
        ("no_usage", {}, "scored", None, 1),
        ("status", {"status": 500}, "unscored", "unavailable", 1),
        ("status", {"status": 429}, "unscored", "rate_limited", 1),
        ("reset", {}, "unscored", "unavailable", 1),
        ("lost", {}, "unscored", "unavailable", 1),
    ],
)
def test_a_model_that_errs(
    mode: str,
    options: dict[str, Any],
    state: str,
    reason: str | None,
    made: int,
    installed: Warehouse,
    gateway: LlmEmulator,
) -> None:
    """F16: the talk is scored or says why not; what may be paid is booked; a final end is never asked for again."""
    calls(installed, 1)
    gateway.modes.add(mode, **options)
    judged(installed)
    assert rows(installed, "select state, reason from evaluated.scorecards where judge = 'model'") == [(state, reason)]
    assert len(gateway.calls) == made
    ((booked, unsettled),) = rows(
        installed,
        "select sum(cost_microusd)::bigint, count(*) filter (where state = 'reserved')::int from ops.llm_calls",
    )
    assert unsettled == 0 and booked >= gateway.summary()["cost_microusd"]
    is_final = reason not in ("unavailable", "rate_limited")
    gateway.modes.clear()
    judged(installed)
    assert len(gateway.calls) == made + (not is_final)
    if not is_final:
        assert rows(installed, "select state from evaluated.scorecards where judge = 'model'") == [("scored",)]


def test_a_repair_that_the_budget_refuses_is_bought_alone_by_the_next_run(
    installed: Warehouse, gateway: LlmEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls(installed, 1)
    gateway.modes.add("malformed", on="first")
    judged(installed)
    assert len(gateway.calls) == 2
    ((worst,),) = rows(installed, "select reserved_microusd from ops.llm_calls where purpose = 'first'")
    with installed.connect() as session:
        session.execute("delete from evaluated.evaluations")
        session.execute("delete from ops.llm_calls")
        session.execute("delete from evaluated.scorecards")
    gateway.clear()
    # the first call fits at its worst price, the longer repair does not fit beside what it cost
    tight = Path(os.environ["OTKLIK_HOME"]) / "tight.yaml"
    tight.write_text(f"{POLICY}  budget: {{run_usd: {worst / 1e6:.6f}, day_usd: 1}}\n", "utf-8")
    with monkeypatch.context() as patch:
        patch.setenv("OTKLIK_POLICY", str(tight))
        counts = judged(installed)
        assert (counts.calls, counts.left, counts.stopped) == (1, 1, ("run",))
        assert rows(installed, "select state, reason from evaluated.evaluations") == [("unrepaired", "not_json")]
        assert rows(installed, "select count(*) from evaluated.scorecards where judge = 'model'") == [(0,)]
    counts = judged(installed)
    assert (counts.calls, counts.scored, counts.left) == (1, 1, 0)
    assert [call.is_repair for call in gateway.calls] == [False, True]
    assert rows(installed, "select state, calls, cost_microusd from evaluated.evaluations") == [
        ("accepted", 2, gateway.summary()["cost_microusd"])
    ]


def test_the_command_says_what_it_would_cost_and_what_it_cost(installed: Warehouse, gateway: LlmEmulator) -> None:
    calls(installed, 5)
    with installed.connect() as session:
        put_call(session, 9, department="office", on=DAY + timedelta(days=8))
    days = ["--from", str(DAY), "--to", str(DAY + timedelta(days=8))]
    planned = CliRunner().invoke(app, ["score", *days, "--dry-run"])
    assert planned.exit_code == 0, planned.output
    assert "Торговые" in planned.output and "Офис" in planned.output and "Всего" in planned.output
    assert not gateway.calls and rows(installed, "select count(*) from ops.llm_calls") == [(0,)]
    judged(installed)
    assert len(gateway.calls) == 5
    done = CliRunner().invoke(app, ["score", *days])
    assert done.exit_code == 0, done.output
    assert "Оценено моделью: 6" in done.output and "из оплаченного раньше: 5" in done.output
    assert "Вызовов модели: 1," in done.output and "вызовов модели в минуту" in done.output
    spent = gateway.summary()["cost_microusd"]
    assert len(gateway.calls) == 6 and spent > 0
    # nine days are two runs of at most seven
    assert "16.11–22.11.2026" in done.output and "23.11–24.11.2026" in done.output


def test_a_run_ends_as_busy_while_another_process_scores(
    installed: Warehouse, gateway: LlmEmulator, instance: dg.DagsterInstance
) -> None:
    calls(installed, 1)
    with installed.connect(autocommit=True) as session, scoring_lock(session), pytest.raises(RunFailed) as failed:
        runner.score_days(Chosen(DAY, DAY), instance=instance)
    told = explain(failed.value)
    assert told is not None and told.exit_code == EXIT_BUSY and not gateway.calls


def test_a_refused_key_ends_the_run_and_rules_have_judged(installed: Warehouse, gateway: LlmEmulator) -> None:
    calls(installed, 30)
    gateway.modes.add("status", status=401)
    with pytest.raises(NeedsAuth):
        judged(installed)
    # those at work when the first answer came
    assert len(gateway.calls) <= 16
    assert rows(installed, "select judge, count(*) from evaluated.scorecards group by 1") == [("rules", 30)]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--calls", "--chats"],
        ["--chats"],
        ["--department", "nobody"],
        ["--department", "sales", "--chats"],
    ],
)
def test_wishes_that_contradict_each_other_are_refused(
    arguments: list[str], installed: Warehouse, gateway: LlmEmulator
) -> None:
    done = CliRunner().invoke(app, ["score", "--from", str(DAY), "--to", str(DAY), *arguments])
    assert done.exit_code == 2 and not gateway.calls


def test_a_run_is_asked_for_a_part_by_its_tags() -> None:
    chosen = Chosen(DAY, DAY, ("call",), "sales", frozenset({"a", "b"}))
    assert chosen_of(DAY, DAY, tags_of(chosen)) == chosen
    assert chosen_of(DAY, DAY, {}) == Chosen(DAY, DAY)


def test_the_night_judges_the_days_that_the_policy_says(
    installed: Warehouse, gateway: LlmEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until yesterday, one run over three days; a transcript that came two days late is judged, nobody twice."""
    with installed.connect() as session:
        for number in range(4):
            put_call(session, number, on=DAY + timedelta(days=number))

    def night(moment: str) -> tuple[str, str]:
        request = request_of(date.fromisoformat(f"2026-11-{moment}"))
        assert isinstance(request, dg.RunRequest) and request.partition_key is None
        first, last = (request.tags[f"dagster/asset_partition_range_{end}"] for end in ("start", "end"))
        judged(installed, date.fromisoformat(last), date.fromisoformat(first))
        return first, last

    with installed.connect() as session:
        session.execute("update core.call_transcripts set state = 'pending' where call_id = 'tbank:00000'")
    assert night("18") == ("2026-11-15", "2026-11-17")
    judged_first = "select subject_id from evaluated.scorecards where judge = 'model' order by 1"
    assert rows(installed, judged_first) == [("tbank:00001",)]
    with installed.connect() as session:
        session.execute("update core.call_transcripts set state = 'ready'")
    assert night("19") == ("2026-11-16", "2026-11-18")
    assert rows(installed, judged_first) == [("tbank:00000",), ("tbank:00001",), ("tbank:00002",)]
    assert gateway.summary()["calls"] == 3
    (tmp_policy := Path(os.environ["OTKLIK_HOME"]) / "later.yaml").write_text(f"{POLICY}  day_ago: 4\n", "utf-8")
    monkeypatch.setenv("OTKLIK_POLICY", str(tmp_policy))
    assert night("20") == ("2026-11-14", "2026-11-16")
