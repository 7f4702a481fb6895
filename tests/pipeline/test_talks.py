"""Calls, scorecards and what they cost, from the tables through dbt and the swap to the spreadsheet's rows.

Every figure is written out by hand. The shop has one telephony account and one messenger; Anna has an account in each.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from assets.exports import frames
from assets.exports.snapshot import read
from assets.marts import dbt, python
from assets.marts.publish import publishing, swap, swap_days
from assets.marts.shared import variables
from conversations.messages import Explain, Headings, Talks, WeekCalls
from conversations.policy import Policy
from orchestration.cli import explain_talks, week, week_calls
from orchestration.cli.errors import CliError
from orchestration.cli.explain_lists import Drawing
from resources.warehouse import evidence as of
from resources.warehouse.engine import Warehouse
from tests.pipeline.standin import ANNA, Floor
from tests.pipeline.talks import MODEL, card, gate, marks_of

WEEK, DAY = "2026-W46", date(2026, 11, 10)
PHONE, INTERNAL, OFFICE = "tbank:phone", "tbank:internal", "Юг"
BOTH = {"greeting": (30, 1, 1), "offer": (70, 2, 1)}
"""Half of the offer: 30 + 35 of 100; the greeting alone 100, the offer alone 50."""


def happened(day: date) -> dict[str, Any]:
    year, week, _ = day.isocalendar()
    at = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
    return {"happened_on": day, "happened_at": at, "happened_week": f"{year}-W{week:02}"}


def call(floor: Floor, name: str, day: date = DAY, **values: Any) -> str:
    at = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
    row = {
        "call_id": f"tbank:{name}", "connection_id": "tbank", "conversation_id": f"tbank:chat-{name}",
        "message_id": f"tbank:m-{name}", "channel_id": PHONE, "operator_id": "tbank:7", "direction": "in",
        "started_at": at, "talk_seconds": 120, "is_answered": True, "is_internal": False, "business_on": day,
    } | values  # fmt: skip
    floor.put("core.calls", **row)
    floor.put("core.conversations", conversation_id=row["conversation_id"], connection_id="tbank", channel_id=PHONE)
    floor.put("core.messages", conversation_id=row["conversation_id"], message_id=row["message_id"],
              connection_id="tbank", content_kind="call", is_public=True, sent_at=at, delivery_status="unknown",
              sender_kind="customer" if row["direction"] == "in" else "manager", direction=row["direction"],
              call_answered=row["is_answered"], business_on=day, manager_id=row["operator_id"])  # fmt: skip
    return str(row["call_id"])


def judged(floor: Floor, subject: str, marks: Any, day: date = DAY, **values: Any) -> None:
    kind = values.setdefault("subject_kind", "call")
    where = {"connection_id": "tbank", "channel_id": PHONE, "manager_id": "tbank:7"} if kind == "call" else {}
    if kind == "call":
        where |= {"conversation_id": subject.replace("tbank:", "tbank:chat-"), "department_id": "sales"}
    card(floor.put, subject, marks_of(marks, values.pop("fails", ())), **happened(day), **where | values)


def ended(floor: Floor, chat: str, channel: str, session: str | None = None) -> None:
    at = datetime(2026, 11, 10, 9, tzinfo=UTC)
    floor.put("evaluated.sessions", session_id=session or f"{chat}:s", conversation_id=chat, channel_id=channel,
              started_at=at, last_message_at=at, ended_week=WEEK, ended_at=at, ended_on=DAY, last_message_id="m1",
              definition_version=1)  # fmt: skip


def paid(floor: Floor, number: int, **values: Any) -> None:
    row = {
        "llm_call_id": str(number), "evaluation_key": "k", "attempt": 1, "purpose": "first", "run_id": "r",
        "department_id": "sales", "model": MODEL, "state": "settled", "outcome": "ok", "reserved_microusd": 900,
        "cost_microusd": 250, "prompt_tokens": 100, "completion_tokens": 20,
        "reserved_at": datetime(2026, 11, 12, tzinfo=UTC),
        "settled_at": datetime(2026, 11, 12, 0, 1, tzinfo=UTC), "paid_on": date(2026, 11, 12),
    }  # fmt: skip
    floor.put("ops.llm_calls", **row | values)


def fill(floor: Floor) -> None:
    floor.owner.execute("truncate core.calls, reference.operators, reference.offices, reference.departments,"
                        " reference.rubrics, ops.llm_calls, ops.as_of, core.conversations, evaluated.evaluations"
                        " cascade")  # fmt: skip
    until = datetime(2026, 11, 23, tzinfo=UTC)
    for scope in ("tbank", "shop"):
        floor.put("ops.as_of", scope=scope, as_of=until)
    floor.put("core.channels", channel_id=PHONE, connection_id="tbank", kind="phone", name="Телефония", is_active=True)
    floor.put("core.channels", channel_id=INTERNAL, connection_id="tbank", kind="internal", name="Между собой")
    floor.owner.execute("update core.channels set is_active = true")
    floor.put("core.managers", manager_id="tbank:7", connection_id="tbank", name="Анна")
    floor.put("core.managers", manager_id="tbank:8", connection_id="tbank", name="Вера")
    for account in (ANNA, "tbank:7"):
        floor.put("reference.people", manager_id=account, person_id="anna", person_name="Анна Ким")
    floor.put(
        "reference.departments", department_id="sales", name="Продажи", rubric_id="sales_calls", prompt_id="sales_calls"
    )
    floor.put("reference.offices", office_id="south", name=OFFICE)
    for valid_from, office in ((date(1, 1, 1), "north"), (DAY, "south"), (date(2026, 11, 11), "north")):
        floor.put("reference.operators", connection_id="tbank", operator="7", valid_from=valid_from, name="Анна",
                  department_id="sales", office_id=office, source="file")  # fmt: skip
    gate(floor.put, "greeting", "counted")
    gate(floor.put, "offer", "published")
    gate(floor.put, "greeting", "counted", rubric="chats")

    judged(floor, call(floor, "1"), BOTH, evaluation_keys=["k1"])
    floor.put("evaluated.evaluations", evaluation_key="k1", model=MODEL, answered_by="demo-judge (эмулятор)")
    judged(floor, "tbank:1", {"greeting": (1, 1, 0)}, judge="rules")
    # another version of the rubric starts at zero: calibration
    judged(floor, call(floor, "2", direction="out", talk_seconds=90), BOTH, rubric_version=2)
    call(floor, "3", operator_id=None, is_answered=False, talk_seconds=0)
    call(floor, "4", operator_id="tbank:8", direction="out", talk_seconds=10)
    call(floor, "5", is_internal=True, channel_id=INTERNAL)
    sunday = date(2026, 11, 15)
    judged(floor, call(floor, "6", sunday, operator_id="tbank:8"), {"greeting": (1, 2, 1)}, sunday, judge="rules",
           manager_id="tbank:8")  # fmt: skip
    judged(floor, call(floor, "7", date(2026, 11, 16)), BOTH, date(2026, 11, 16))
    floor.put("evaluated.call_eligibility", call_id="tbank:7", connection_id="tbank", business_on=date(2026, 11, 16),
              department_id="sales", is_operator_known=True)  # fmt: skip
    call(floor, "9", direction="out", is_answered=False, talk_seconds=0)
    judged(floor, call(floor, "8"), {}, state="unscored", reason="not_json")
    for name in ("1", "2", "8", "9"):
        ended(floor, f"tbank:chat-{name}", PHONE)
    # an older version's scorecard does not count once the talk was judged anew
    judged(floor, "tbank:1", {"greeting": (1, 1, 0)}, rubric_version=9, is_current=False)
    marks = {"greeting": (10, 1, 0), "rest": (1, 1, "insufficient_evidence")}
    judged(floor, "shop:c1:s", marks, subject_kind="session", rubric_id="chats", manager_id=ANNA, connection_id="shop",
           channel_id="shop:wa", fails=["greeting"])  # fmt: skip
    floor.put("evaluated.scorecard_notes", scorecard_id="shop:c1:s|model|chats|1", kind="recommendation", n=1,
              text="Назовите срок", quote_state="missing")  # fmt: skip
    ended(floor, "chat of shop:c1:s", "shop:wa", "shop:c1:s")
    floor.put("evaluated.behaviour", session_id="shop:c1:s", conversation_id="chat of shop:c1:s", channel_id="shop:wa",
              connection_id="shop", manager_id=ANNA, human_replies=2, is_good=True, is_good_customer=True,
              good_score_at_least=80, ended_week=WEEK, ended_on=DAY, ended_at=datetime(2026, 11, 10, 9, tzinfo=UTC),
              definition_version=1)  # fmt: skip
    floor.put("core.conversations", conversation_id="chat of shop:c1:s", connection_id="shop", channel_id="shop:wa")
    floor.put("core.messages", conversation_id="chat of shop:c1:s", message_id="m1", connection_id="shop",
              sent_at=datetime(2026, 11, 10, 9, tzinfo=UTC), sender_kind="manager", is_public=True, direction="out",
              manager_id=ANNA, content_kind="text", delivery_status="sent", business_on=DAY)  # fmt: skip

    paid(floor, 1)
    paid(floor, 2, purpose="repair", cost_microusd=50, prompt_tokens=None)
    paid(floor, 3, state="lost", outcome=None, cost_microusd=None, prompt_tokens=None, completion_tokens=None,
         settled_at=None)  # fmt: skip
    paid(floor, 4, department_id=None, paid_on=date(2026, 11, 13))
    paid(floor, 5, state="reserved", outcome=None, cost_microusd=None, settled_at=None, department_id=None,
         paid_on=date(2026, 11, 13))  # fmt: skip


@pytest.fixture(scope="module")
def floor(database: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floor]:
    home: Path = tmp_path_factory.mktemp("home")
    policy = Policy.default()
    with ExitStack() as stack:
        floor = Floor(database, stack)
        fill(floor)
        with publishing(floor.publisher):
            weeks = [WEEK, "2026-W47"]
            told = variables(floor.publisher, policy, *weeks, period="week")
            built = dbt.build(floor.publisher, home, told)
            assert [test.name for test in built.failed] == []
            made = python.build.build(floor.publisher, weeks, policy, floor.at)
            assert [test.name for test in made.failed] == []
            swap(floor.publisher, weeks)
            days = [date(2026, 11, 9) + timedelta(days=number) for number in range(7)]
            told = variables(floor.publisher, policy, days[0].isoformat(), days[-1].isoformat(), period="day")
            assert [test.name for test in dbt.build(floor.publisher, home, told, period="day").failed] == []
            swap_days(floor.publisher, days)
        yield floor


def shown(row: dict[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(float(row[name]) if row[name] is not None and name.endswith(("avg", "share")) else row[name]
                 for name in names)  # fmt: skip


def test_calls_of_a_person_over_all_of_his_accounts(floor: Floor) -> None:
    figures = ("calls_in", "calls_out", "calls_answered", "calls_talk_seconds", "calls_short", "calls_internal",
               "calls_judged")  # fmt: skip
    assert shown(floor.row("manager_week", week=WEEK, manager_key="anna"), *figures) == (2, 2, 3, 330, 0, 1, 2)
    assert shown(floor.row("manager_week", week=WEEK, manager_key="tbank:8"), *figures) == (1, 1, 2, 130, 1, 0, 1)
    assert shown(floor.row("manager_week", week=WEEK, manager_key="none"), *figures) == (1, 0, 0, 0, 0, 0, 0)
    assert shown(floor.row("channel_week", week=WEEK, channel_id=PHONE), *figures) == (4, 3, 5, 460, 1, 0, 3)
    assert shown(floor.row("channel_week", week=WEEK, channel_id=INTERNAL), *figures) == (0, 0, 0, 0, 0, 1, 0)
    day = floor.row("manager_day", business_on=DAY, manager_key="anna")
    assert shown(day, *figures) == (2, 2, 3, 330, 0, 1, 2)


def test_a_talk_by_telephone_is_none_of_the_chats_that_he_answered(floor: Floor) -> None:
    names = ("sessions_touched", "chat_sessions_touched")
    # calls 1 and 8 were answered by her, call 2 by the customer, call 9 by nobody
    assert shown(floor.row("manager_week", week=WEEK, manager_key="anna"), *names) == (4, 1)
    assert shown(floor.row("manager_day", business_on=DAY, manager_key="anna"), *names) == (4, 1)


def test_only_admitted_criteria_count_and_calls_and_chats_stand_apart(floor: Floor) -> None:
    anna = floor.row("manager_week", week=WEEK, manager_key="anna")
    # call 1 by its greeting alone: 100; the chat fails automatically: 0
    assert shown(anna, "llm_evaluated", "llm_score_avg", "auto_fail", "auto_fail_share") == (2, 50.0, 1, 0.5)
    assert shown(anna, "calls_llm_evaluated", "calls_llm_score_avg") == (1, 100.0)
    assert shown(anna, "chats_llm_evaluated", "chats_llm_score_avg") == (1, 0.0)
    # call 2 by a version that nobody has measured: 30 + 35 of 100
    assert shown(anna, "calibration_evaluated", "calibration_score_avg", "chats_calibration_evaluated") == (1, 65.0, 0)
    assert shown(anna, "rules_evaluated", "rules_score_avg", "llm_state", "llm_unscored") == (1, 0.0, "counted", 1)
    assert shown(anna, "llm_criteria", "llm_insufficient") == (6, 1)
    vera = floor.row("manager_week", week=WEEK, manager_key="tbank:8")
    assert shown(vera, "llm_evaluated", "llm_score_avg", "llm_state", "rules_score_avg") == (0, None, None, 50.0)
    channel = floor.row("channel_week", week=WEEK, channel_id="shop:wa")
    assert shown(channel, "llm_evaluated", "llm_score_avg", "chats_llm_evaluated") == (1, 0.0, 1)


def test_a_talk_that_failed_by_the_model_is_no_good_one_in_any_mart(floor: Floor) -> None:
    at = {"week": WEEK}, {"business_on": DAY}
    for mart, where in zip(("manager_week", "manager_day"), at, strict=True):
        row = floor.row(mart, manager_key="anna", **where)
        assert shown(row, "sessions_judged", "good_judged", "good", "good_share") == (1, 1, 0, 0.0)
    for mart, where in zip(("channel_week", "channel_day"), at, strict=True):
        row = floor.row(mart, channel_id="shop:wa", **where)
        assert shown(row, "sessions_judged", "good_judged", "good", "good_share") == (1, 1, 0, 0.0)
    assert [row["not_good"] for row in floor.rows("published_sessions")] == [["auto_fail"]]


def test_a_week_is_that_of_the_call_and_not_of_its_scoring(floor: Floor) -> None:
    assert shown(floor.row("manager_week", week="2026-W47", manager_key="anna"), "calls_in", "llm_evaluated") == (1, 1)
    assert [row["counted_score"] for row in floor.rows("published_scores", week="2026-W47")] == [100]


def test_results_of_calls_name_department_office_and_what_the_score_is(floor: Floor) -> None:
    rows = {row["call_id"]: row for row in floor.rows("call_results", week=WEEK)}
    assert sorted(rows) == ["tbank:1", "tbank:2", "tbank:6", "tbank:8"]
    told = {name: (row["judge"], row["score_state"], None if row["score"] is None else float(row["score"]))
            for name, row in rows.items()}  # fmt: skip
    assert told == {
        "tbank:1": ("model", "counted", 100.0), "tbank:2": ("model", "calibration", 65.0),
        "tbank:6": ("rules", "rules", 50.0), "tbank:8": ("model", None, None),
    }  # fmt: skip
    one = rows["tbank:1"]
    assert (one["manager_name"], one["department_name"], one["office_name"]) == ("Анна Ким", "Продажи", OFFICE)
    assert [(mark["criterion"], mark["given"], mark["gate"]) for mark in one["criteria"]] == [
        ("greeting", 1, "counted"), ("offer", 1, "published"),
    ]  # fmt: skip
    assert (rows["tbank:8"]["state"], rows["tbank:8"]["reason"], rows["tbank:8"]["criteria"]) == (
        "unscored",
        "not_json",
        [],
    )


def test_spend_is_that_of_the_ledger_by_day_department_and_purpose(floor: Floor) -> None:
    told = [
        shown(row, "business_on", "department_key", "department_name", "purpose", "calls", "calls_lost",
              "calls_unsettled", "prompt_tokens", "cost_microusd", "lost_microusd", "unsettled_microusd")
        for row in floor.rows("llm_spend_day")
    ]  # fmt: skip
    twelfth, thirteenth = date(2026, 11, 12), date(2026, 11, 13)
    assert told == [
        (twelfth, "sales", "Продажи", "first", 2, 1, 0, 100, 250, 900, 0),
        (twelfth, "sales", "Продажи", "repair", 1, 0, 0, None, 50, 0, 0),
        (thirteenth, "none", None, "first", 2, 0, 1, 200, 250, 0, 900),
    ]


def test_a_model_advises_beside_the_rules(floor: Floor) -> None:
    row = floor.row("chat_advice", week=WEEK)
    told = [row[name] for name in ("source", "rule", "session_id", "message_id", "manager_key", "note")]
    assert told == ["model", "model_recommendation", "shop:c1:s", "m1", "anna", 1]


def test_the_spreadsheet_shows_what_the_marts_hold(floor: Floor) -> None:
    policy = Policy.default()
    snapshot = read(floor.publisher, policy.exports, policy.time_zone)
    assert snapshot.has_talks
    sheets = {sheet.title: sheet.frame for sheet in frames.sheets(snapshot, policy)}
    assert list(sheets) == list(frames.ORDER)
    summary = sheets[frames.MANAGERS]
    weeks = summary[Headings.WEEK].str.startswith(WEEK)
    anna = summary[weeks & (summary[Headings.MANAGER] == "Анна Ким")].iloc[0]
    assert (anna[Talks.SCORE], anna[Talks.SCORE_N], anna[Talks.CALLS_IN], anna[Talks.TRIAL]) == (50.0, 2, 2, 65.0)
    results = sheets[frames.RESULTS]
    assert list(results[Talks.CALL]) == ["tbank:7", "tbank:6", "tbank:1", "tbank:2", "tbank:8"]
    who = dict(zip(results[Talks.CALL], results[Talks.JUDGE], strict=True))
    assert (who["tbank:1"], who["tbank:2"]) == ("модель demo-judge (эмулятор)", f"модель {MODEL}")
    said = dict(zip(results[Talks.CALL], results[Talks.PROOF], strict=True))
    assert said["tbank:1"] == "greeting: причина greeting — «слова greeting»\noffer: причина offer — «слова offer»"
    beside = sheets[frames.BESIDE]
    assert list(beside[Headings.MANAGER]) == ["Анна Ким"], "the newest week alone"
    assert list(beside[Talks.UNIT]) == ["Продажи"], "she has no team: the department of her calls"
    channels = sheets[frames.CHANNELS][Headings.CHANNEL]
    assert {"Телефония"} < set(channels), "people look for channels of customers"
    assert not channels.str.contains("Между собой").any()
    assert set(snapshot.channels["channel_id"]) == set(snapshot.status["channel_id"])


@pytest.mark.parametrize("name", ["manager_week", "channel_week", "manager_day", "channel_day"])
def test_every_list_of_calls_and_scores_adds_up_to_its_number(floor: Floor, name: str) -> None:
    """As ``otklik explain`` asks; its conditions are written apart from the SQL of the marts."""
    mart, seen, wrong = of.MARTS[name], 0, []
    with floor.publisher.connect() as sql:
        for key in of.periods(sql, mart):
            revision = of.latest_revision(sql, key) if mart.period == "week" else None
            for subject in of.subjects(sql, mart, key):
                row = of.row_of(sql, mart, key, subject.key)
                for figure in of.figures_of(mart, row):
                    span = of.Span(key, mart.period, "Europe/Moscow", 60)
                    found = of.evidence(sql, mart.view, figure, span, subject.key, row[figure.name], revision)
                    seen += figure.source in ("calls", "scores", "judged_calls", "criteria") and found.n > 0
                    if not found.is_equal or Explain.figure(figure.name)[0] == figure.name:
                        wrong.append((key, subject.key, figure.name, found.shown, found.counted))
    assert wrong == []
    assert seen > 15


def explained(floor: Floor, *asked: str, texts: str = "masked", **how: bool) -> Any:
    """What ``otklik explain`` says; for people it prints, else it gives what ``--json`` would."""
    policy = Policy.parse(f"exports: {{texts: {texts}}}")
    with floor.publisher.connect() as sql:
        drawing = Drawing(floor.publisher, sql, policy, **(how or {"as_json": True}))
        explain_talks.show(drawing, *asked[:1], asked[1:])
    return drawing.told[0] if drawing.told else None


def test_a_call_is_explained_by_the_criteria_that_its_score_is_made_of(floor: Floor) -> None:
    assert explained(floor, "call_results")["periods"] == ["2026-W47", WEEK]
    calls = [row["call_id"] for row in explained(floor, "call_results", WEEK)["rows"]]
    assert sorted(calls) == ["tbank:1", "tbank:2", "tbank:6", "tbank:8"]
    counts = {"1": ["greeting"], "2": ["greeting", "offer"], "6": [], "8": []}
    scores = {"1": 100.0, "2": 65.0, "6": 50.0, "8": None}
    for name, score in scores.items():
        told = explained(floor, "call_results", WEEK, name)
        assert (told["counted_from_list"], told["list_adds_up"]) == (score, True), name
        if name != "6":
            assert [one["criterion"] for one in told["criteria"] if one["counts"]] == counts[name]
    quotes = [one["quote"] for one in explained(floor, "call_results", WEEK, "1")["criteria"]]
    assert quotes == ["слова greeting", "слова offer"]
    hidden = explained(floor, "call_results", WEEK, "1", texts="none")["criteria"]
    assert [(one["quote"], one["reason"]) for one in hidden] == [(None, None)] * 2
    with pytest.raises(CliError, match="tbank:2"):
        explained(floor, "call_results", WEEK, "no such call")


def test_a_call_whose_marks_are_others_by_now_says_so(floor: Floor, capsys: pytest.CaptureFixture[str]) -> None:
    explained(floor, "call_results", WEEK, "1", as_csv=False)
    said = capsys.readouterr().out
    assert "100,0 из 100" in said and Explain.EQUAL in said and "«слова greeting»" in said
    row = floor.row("call_results", week=WEEK, call_id="tbank:1")
    assert explain_talks.counted(row, [{**one, "counts": True} for one in row["criteria"]]) == 65.0
    failed = [{**one, "counts": True, "is_auto_fail": True} for one in row["criteria"]]
    assert explain_talks.counted(row, failed) == 0.0


def test_money_is_explained_by_the_calls_that_it_was_paid_for(floor: Floor, capsys: pytest.CaptureFixture[str]) -> None:
    assert explained(floor, "llm_spend_day")["periods"] == ["2026-11-13", "2026-11-12"]
    assert len(explained(floor, "llm_spend_day", "2026-11-12")["rows"]) == 2
    told = explained(floor, "llm_spend_day", "2026-11-12", "sales")
    assert ([one["microusd"] for one in told["calls"]], told["list_adds_up"]) == ([250, 50, 900], True)
    for chats in ("none", "Чаты", "без отдела"):
        paid_for = explained(floor, "llm_spend_day", "2026-11-13", chats)
        assert paid_for["list_adds_up"] and {one["department_id"] for one in paid_for["calls"]} == {None}, chats
    with pytest.raises(CliError, match="чаты"):
        explained(floor, "llm_spend_day", "2026-11-13", "sales")
    explained(floor, "llm_spend_day", "2026-11-13", "чаты", as_csv=False)
    said = " ".join(capsys.readouterr().out.split())
    assert "0,001150 долл. США (потрачено 0,000250, потеряно 0,000000, в пути 0,000900)" in said
    paid(floor, 6)
    assert not explained(floor, "llm_spend_day", "2026-11-12", "sales")["list_adds_up"], "a call came later"
    floor.owner.execute("delete from ops.llm_calls where llm_call_id = '6'")
    with pytest.raises(CliError, match="Продажи"):
        explained(floor, "llm_spend_day", "2026-11-12", "office")


def test_the_printed_week_shows_the_rules_scores_as_theirs_where_no_model_judged(
    floor: Floor, capsys: pytest.CaptureFixture[str]
) -> None:
    week.show(floor.publisher.engine, WEEK)
    said = capsys.readouterr()
    of_calls = said.out[said.out.index(WeekCalls.TITLE) :]
    vera = next(line for line in of_calls.splitlines() if "Вера" in line)
    assert "50,0° (n=1)" in vera
    anna = next(line for line in of_calls.splitlines() if "Анна" in line)
    assert "100,0 (n=1)" in anna and "0,0 (n=1)" in anna and "°" not in anna, "a model judged her"
    assert WeekCalls.RULES_NOTE[:30] in " ".join(said.err.split())
    assert not week_calls.is_trial([]) and not week_calls.is_by_rules([])
