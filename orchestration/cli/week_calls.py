"""The telephone and the scores of a week as a person reads them in the terminal, beside the table of questions.

Here: which columns are shown. Not here: any metric; every figure comes from the marts as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from conversations.messages import WeekCalls, minutes, number, points, share
from orchestration.cli import screen

if TYPE_CHECKING:
    from sqlalchemy import Connection

_QUERY = """
select manager_name as name, calls_in, calls_out, calls_talk_seconds, missed_calls_settled,
    missed_calls_in_target_share, calls_llm_evaluated, calls_llm_score_avg, calls_calibration_evaluated,
    calls_calibration_score_avg, chats_llm_evaluated, chats_llm_score_avg, chats_calibration_evaluated,
    chats_calibration_score_avg, calls_rules_evaluated, calls_rules_score_avg, chats_rules_evaluated,
    chats_rules_score_avg
from marts.manager_week
where week = :week
    and (calls_in + calls_out + missed_calls_settled > 0
        or calls_llm_evaluated + calls_calibration_evaluated > 0
        or chats_llm_evaluated + chats_calibration_evaluated > 0
        or calls_rules_evaluated + chats_rules_evaluated > 0)
order by manager_id is null, manager_name, manager_key
"""


def rows_of(connection: Connection, week: str) -> Sequence[Mapping[str, Any]]:
    """The managers who had to do with the telephone or whose talks were judged in the week, by a model or by rules."""
    from sqlalchemy import text

    return connection.execute(text(_QUERY), {"week": week}).mappings().all()


def drawn(rows: Sequence[Mapping[str, Any]]) -> Any:
    """The table; a score that is not held against people yet carries a mark, and so does one of the rules."""
    columns = [(WeekCalls.MANAGER, "left"), *((heading, "right") for heading in WeekCalls.FIGURES)]
    table = screen.table(WeekCalls.TITLE, columns, [])
    for row in rows:
        screen.add_row(
            table,
            [
                row["name"],
                number(row["calls_in"]),
                number(row["calls_out"]),
                minutes(row["calls_talk_seconds"]),
                number(row["missed_calls_settled"]),
                share(row["missed_calls_in_target_share"]),
                _score(row, "calls"),
                _score(row, "chats"),
            ],
        )
    return table


def is_trial(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a score of the table is a trial."""
    return "trial" in {_kind(row, what) for row in rows for what in ("calls", "chats")}


def is_by_rules(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a score of the table is of the rules."""
    return "rules" in {_kind(row, what) for row in rows for what in ("calls", "chats")}


def _kind(row: Mapping[str, Any], what: str) -> str | None:
    """Whose score is shown: a model's that counts, else its trial, else that of the rules; of two judges never both."""
    kinds = (("llm", "score"), ("calibration", "trial"), ("rules", "rules"))
    return next((kind for name, kind in kinds if row[f"{what}_{name}_evaluated"]), None)


def _score(row: Mapping[str, Any], what: str) -> str:
    shown = {
        "score": ("llm", WeekCalls.SCORE),
        "trial": ("calibration", WeekCalls.TRIAL),
        "rules": ("rules", WeekCalls.RULES),
    }
    kind = _kind(row, what)
    if kind is None:
        return WeekCalls.NONE
    name, words = shown[kind]
    return words.format(points(row[f"{what}_{name}_score_avg"]), row[f"{what}_{name}_evaluated"])
