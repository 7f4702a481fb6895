"""``otklik explain`` for a judged call and for a day's spending: the criteria behind a score, the calls behind money.

Here: the marts ``call_results`` and ``llm_spend_day``, whose rows are neither of a person's week nor of a channel's.
Not here: averages of scores (``explain``). What stands in the mart is counted once more from the list below it, by the
contract's formula and not by the mart's SQL; quotes and reasons are masked and cut like every snippet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from conversations.messages import NONE, Explain, ExplainTalks, TalkWords, day, number, points
from orchestration.cli import screen
from orchestration.cli.errors import EXIT_USAGE, CliError
from orchestration.cli.explain_asked import folded, found_in, listed, period_of, period_title, tell

if TYPE_CHECKING:
    from orchestration.cli.explain_lists import Drawing

MOST_CALLS = 100
"""Calls to models that people are shown; a machine gets all."""
_CRITERIA = ("criterion", "counts", "weight", "best", "given", "not_given", "gate", "is_auto_fail", "quote_state")
_SAID = """
select criterion, reason, case when quote_state = 'verified' then quote end
from evaluated.scorecard_criteria where scorecard_id = %s
"""
_PAID = """
select reserved_at, model, purpose, state, outcome, prompt_tokens, completion_tokens,
    case when state = 'settled' then cost_microusd else reserved_microusd end as microusd, department_id, attempt,
    run_id
from ops.llm_calls
where paid_on = %(day)s and coalesce(department_id, 'none') = %(department)s
order by reserved_at, llm_call_id
"""


def show(drawing: Drawing, name: str, keys: Sequence[str]) -> None:
    """Answer for one of the two marts.

    Raises:
        CliError: what was asked for is not there.
    """
    if len(keys) > 2:
        raise CliError(Explain.TOO_MANY_KEYS.format(" ".join(keys[2:])), EXIT_USAGE)
    from resources.warehouse import evidence as of

    mart = of.Mart(name, "manager", "week" if name == "call_results" else "day")
    if not of.there(drawing.connection, name) or not (periods := of.periods(drawing.connection, mart)):
        raise CliError(f"{name}: {Explain.NONE_PUBLISHED}")
    if not keys:
        tell(drawing, Explain.PERIODS.format(name, listed(periods)), {"mart": name, "periods": periods})
        return
    period = period_of(mart, keys[0], periods)
    rows = of.rows_of(drawing.connection, name, **{mart.at: period})
    if name == "call_results":
        _calls(drawing, period, sorted(rows, key=lambda row: (row["started_at"], row["call_id"])), keys[1:])
    else:
        _spent(drawing, period, rows, keys[1:])


# --- a call -----------------------------------------------------------------------------------------------------------


def _calls(drawing: Drawing, week: str, rows: list[dict[str, Any]], keys: Sequence[str]) -> None:
    if keys:
        found = [row for row in rows if keys[0] in (row["call_id"], str(row["call_id"]).partition(":")[2])]
        if not found:
            known = listed([str(row["call_id"]) for row in rows])
            raise CliError(ExplainTalks.NO_CALL.format(week, keys[0], known), EXIT_USAGE)
        _call(drawing, week, found[0])
        return
    if not drawing.is_for_people:
        columns = ("call_id", "started_at", "manager_key", "manager_name", "judge", "model", "state", "reason", "score",
                   "score_state")  # fmt: skip
        _machine(drawing, "call_results", week, columns, rows)
        return
    lines = [
        (
            str(row["call_id"]), drawing.moment(row["started_at"]), row["manager_name"], _judge(row), _result(row),
            points(row["score"]), TalkWords.SCORE_STATES.get(row["score_state"], NONE),
        )
        for row in rows
    ]  # fmt: skip
    screen.show(screen.table(ExplainTalks.CALLS.format(period_title(week)), ExplainTalks.CALL_COLUMNS, lines))
    screen.note(ExplainTalks.ASK_CALL.format(week))


def _call(drawing: Drawing, week: str, row: Mapping[str, Any]) -> None:
    from conversations.redact import snippet

    said = {code: told for code, *told in drawing.connection.execute(_SAID, [row["scorecard_id"]]).fetchall()}
    may_show = drawing.policy.exports.texts != "none"
    criteria = []
    for one in row["criteria"]:
        shown = may_show and one["gate"] != "not_published"
        reason, quote = said.get(one["criterion"], (None, None)) if shown else (None, None)
        texts = {"reason": snippet(reason) if reason else None, "quote": snippet(quote) if quote else None}
        criteria.append({**{name: one.get(name) for name in _CRITERIA}, "counts": _counts(row, one), **texts})
    found = counted(row, criteria)
    is_equal = (row["score"] is None) == (found is None) and abs(float(row["score"] or 0) - (found or 0)) < 1e-5
    if any(one["quote"] or one["reason"] for one in criteria):
        # reasons and quotes are shown whole, on the screen as well
        _record(drawing, f"call_results {week} {row['call_id']}")
    if drawing.as_json:
        facts = {"mart": "call_results", "week": week, "row": {**row, "criteria": None}, "criteria": criteria}
        drawing.told.append({**facts, "counted_from_list": found, "list_adds_up": is_equal})
        return
    if drawing.as_csv:
        columns = (*_CRITERIA, "reason", "quote")
        drawing.csv(columns, ([one[column] for column in columns] for one in criteria))
        return
    screen.say(
        ExplainTalks.CALL.format(row["call_id"], drawing.moment(row["started_at"]), row["manager_name"]), style="bold"
    )
    screen.say(ExplainTalks.RESULT.format(_result(row)))
    screen.say(ExplainTalks.JUDGED_BY.format(_judge(row), row["rubric_id"], row["rubric_version"]))
    if row["score"] is None:
        screen.say(ExplainTalks.NO_SCORE)
    else:
        state = TalkWords.SCORE_STATES.get(row["score_state"], row["score_state"])
        screen.say(ExplainTalks.SCORE.format(points(row["score"]), state))
        screen.say(ExplainTalks.FORMULA)
    if criteria:
        drawn = screen.table(None, ExplainTalks.CRITERIA_COLUMNS, [_line(one) for one in criteria])
        for column in drawn.columns:
            column.vertical = "top"
        screen.show(drawn)
    if not may_show:
        screen.note(Explain.NO_TEXTS)
    elif criteria and not said:
        screen.say(ExplainTalks.GONE, style="yellow")
    if is_equal:
        screen.say(Explain.EQUAL)
    else:
        screen.say(ExplainTalks.CHANGED.format(points(found), week), style="yellow")


def counted(row: Mapping[str, Any], criteria: Sequence[Mapping[str, Any]]) -> float | None:
    """The score that follows from the criteria that count (contract, section 6)."""
    from conversations.scores import Mark, score_of

    if row["score_state"] in (None, "not_published"):
        return None
    found = score_of(
        Mark(one["criterion"], one["weight"], one["best"],
             one["given"] if one["given"] is not None else one["not_given"], bool(one["is_auto_fail"]))
        for one in criteria if one["counts"]
    )  # fmt: skip
    return None if found.final is None else float(found.final)


def _counts(row: Mapping[str, Any], one: Mapping[str, Any]) -> bool:
    """Whether a criterion is part of the row's score: of a counted one those that are admitted, of a trial one those
    that may be shown, by rules all."""
    by_state = {"counted": one["gate"] == "counted", "calibration": one["gate"] != "not_published"}
    return by_state.get(row["score_state"], row["score_state"] == "rules")


def _line(one: Mapping[str, Any]) -> tuple[str, ...]:
    is_hidden = one["gate"] == "not_published"
    mark = TalkWords.NOT_GIVEN.get(str(one["not_given"]), one["not_given"])
    if one["given"] is not None:
        mark = f"{one['given']} / {one['best']}"
    return (
        one["criterion"], number(one["weight"]), TalkWords.NOT_PUBLISHED if is_hidden else str(mark),
        ExplainTalks.YES if one["counts"] else "",
        ExplainTalks.YES if one["is_auto_fail"] and not is_hidden else "", one["reason"] or "",
        f"«{one['quote']}»" if one["quote"] else "",
    )  # fmt: skip


def _judge(row: Mapping[str, Any]) -> str:
    return TalkWords.RULES_JUDGE if row["judge"] == "rules" else TalkWords.MODEL_JUDGE.format(row["model"])


def _result(row: Mapping[str, Any]) -> str:
    said = TalkWords.CARD_STATES.get(row["state"], row["state"])
    reason = TalkWords.REASONS.get(row["reason"], row["reason"])
    return said if row["state"] == "scored" or not reason else f"{said}: {reason}"


def _record(drawing: Drawing, what: str) -> None:
    """Write down that words of customers are taken out (S15), in a session of its own."""
    from resources.warehouse.audit import record

    with drawing.warehouse.connect("otklik explain audit") as connection:
        record(connection, "explain_texts", what)


# --- money ------------------------------------------------------------------------------------------------------------


def _spent(drawing: Drawing, period: str, rows: list[dict[str, Any]], keys: Sequence[str]) -> None:
    on = date.fromisoformat(period)
    rows.sort(key=lambda row: (row["department_key"], row["model"], row["purpose"]))
    if keys:
        key = _department_key(rows, keys[0], f"llm_spend_day {period}")
        _paid(drawing, on, [row for row in rows if row["department_key"] == key])
        return
    if not drawing.is_for_people:
        _machine(drawing, "llm_spend_day", period, list(rows[0]), rows)
        return
    lines = [
        (
            _department(row), row["model"], ExplainTalks.PURPOSES.get(row["purpose"], row["purpose"]),
            number(row["calls"]), number(row["prompt_tokens"]), number(row["completion_tokens"]),
            *(ExplainTalks.usd(row[name]) for name in ("cost_microusd", "lost_microusd", "unsettled_microusd")),
        )
        for row in rows
    ]  # fmt: skip
    screen.show(screen.table(ExplainTalks.SPENT.format(day(on)), ExplainTalks.SPENT_COLUMNS, lines))
    screen.note(ExplainTalks.LOST_MEANS)
    screen.note(ExplainTalks.ASK_SPENT.format(period))


def _paid(drawing: Drawing, on: date, rows: Sequence[Mapping[str, Any]]) -> None:
    from psycopg.rows import dict_row

    cursor = drawing.connection.cursor(row_factory=dict_row)
    found = cursor.execute(_PAID, {"day": on, "department": rows[0]["department_key"]}).fetchall()
    money = {
        name: sum(row[column] for row in rows)
        for name, column in (
            ("settled", "cost_microusd"),
            ("lost", "lost_microusd"),
            ("reserved", "unsettled_microusd"),
        )
    }
    listed_money = {state: sum(one["microusd"] for one in found if one["state"] == state) for state in money}
    is_equal = listed_money == money and len(found) == sum(row["calls"] for row in rows)
    if drawing.as_json:
        facts = {"mart": "llm_spend_day", "period": on, "rows": list(rows), "calls": found}
        drawing.told.append({**facts, "list_adds_up": is_equal})
        return
    if drawing.as_csv:
        columns = ("reserved_at", "model", "purpose", "state", "outcome", "prompt_tokens", "completion_tokens",
                   "microusd", "department_id", "attempt", "run_id")  # fmt: skip
        drawing.csv(columns, ([one[column] for column in columns] for one in found))
        return
    total = (
        ", ".join([_department(rows[0]), day(on)]),
        number(sum(row["calls"] for row in rows)),
        ExplainTalks.usd(sum(money.values())),
    )
    screen.say(ExplainTalks.TOTAL.format(*total, *map(ExplainTalks.usd, money.values())), style="bold")
    lines = [
        (
            drawing.moment(one["reserved_at"]), one["model"], ExplainTalks.PURPOSES.get(one["purpose"], one["purpose"]),
            _outcome(one), _tokens(one), ExplainTalks.usd(one["microusd"]),
        )
        for one in found[:MOST_CALLS]
    ]  # fmt: skip
    screen.show(screen.table(None, ExplainTalks.PAID_COLUMNS, lines))
    if len(found) > MOST_CALLS:
        screen.note(ExplainTalks.MORE.format(number(len(found) - MOST_CALLS)))
    screen.note(ExplainTalks.LOST_MEANS)
    if is_equal:
        screen.say(ExplainTalks.EQUAL)
    else:
        screen.say(ExplainTalks.SPENT_CHANGED.format(rows[0]["week"]), style="yellow")


def _department_key(rows: Sequence[Mapping[str, Any]], said: str, where: str) -> str:
    """The department that was meant, as a person or a channel is found; chats have none, and several words.

    Raises:
        CliError: none fits, or several do.
    """
    from resources.warehouse.evidence import Subject

    names = {str(row["department_key"]): _department(row) for row in rows}
    chats = next((str(row["department_key"]) for row in rows if row["department_id"] is None), None)
    if chats is not None and folded(said) in ExplainTalks.CHATS_TOO:
        return chats
    return found_in([Subject(key, name) for key, name in sorted(names.items())], said, where).key


def _department(row: Mapping[str, Any]) -> str:
    return ExplainTalks.CHATS if row["department_id"] is None else str(row["department_name"])


def _outcome(one: Mapping[str, Any]) -> str:
    said = one["outcome"] if one["state"] == "settled" else one["state"]
    return ExplainTalks.OUTCOMES.get(said, str(said))


def _tokens(one: Mapping[str, Any]) -> str:
    known = [one[name] for name in ("prompt_tokens", "completion_tokens") if one[name] is not None]
    return number(sum(known)) if known else NONE


def _machine(
    drawing: Drawing, mart: str, period: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> None:
    if drawing.as_json:
        drawing.told.append(
            {"mart": mart, "period": period, "rows": [{name: row[name] for name in columns} for row in rows]}
        )
    else:
        drawing.csv(columns, ([row[name] for name in columns] for row in rows))
