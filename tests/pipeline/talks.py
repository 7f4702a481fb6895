"""Scorecards for the tests: put into the tables, and counted once more in plain Python.

The score is that of ``conversations.scores``, the averages are sums over lists: not the SQL of the marts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from conversations.scores import Mark, score_of

PROMPT, MODEL, RUBRIC = "p" * 64, "demo-judge", "sales_calls"
NOT_GIVEN = ("not_applicable", "insufficient_evidence")


def gate(put: Any, criterion: str, state: str, rubric: str = RUBRIC, version: int = 1) -> None:
    """What a criterion was measured to be."""
    put(
        "reference.criterion_gates", rubric_id=rubric, rubric_version=version, criterion=criterion, prompt_hash=PROMPT,
        model=MODEL, state=state, labelled=250,
    )  # fmt: skip


def marks_of(marks: Mapping[str, tuple[int, int, int | str]], fails: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Rows of ``evaluated.scorecard_criteria`` out of ``{code: (weight, best, mark or why there is none)}``."""
    rows = []
    for position, (code, (weight, best, given)) in enumerate(marks.items(), 1):
        rows.append(
            {
                "criterion": code, "position": position, "weight": weight, "best": best,
                "given": None if given in NOT_GIVEN else given, "not_given": given if given in NOT_GIVEN else None,
                "claimed": str(given), "is_auto_fail": code in fails, "reason": f"причина {code}",
                "quote": f"слова {code}", "quote_state": "verified", "ref": "1", "speaker": "manager",
            }
        )  # fmt: skip
    return rows


def score(rows: Iterable[Mapping[str, Any]], admitted: Sequence[str] | None = None) -> Fraction | None:
    """The score over the admitted criteria; all of them without a list."""
    return score_of(
        Mark(row["criterion"], row["weight"], row["best"],
             row["not_given"] if row["given"] is None else row["given"], row["is_auto_fail"])
        for row in rows if admitted is None or row["criterion"] in admitted
    ).final  # fmt: skip


def card(put: Any, subject_id: str, rows: Sequence[Mapping[str, Any]], **values: Any) -> str:
    """A current scorecard of a call or session with its criteria; returns its id."""
    judge, kind = values.get("judge", "model"), values.get("subject_kind", "session")
    values = {
        "scorecard_id": f"{subject_id}|{judge}|{values.get('rubric_id', RUBRIC)}|{values.get('rubric_version', 1)}",
        "subject_kind": kind, "subject_id": subject_id, "call_id": subject_id if kind == "call" else None,
        "judge": judge, "state": "scored", "is_current": True, "rubric_id": RUBRIC, "rubric_version": 1,
        "prompt_hash": PROMPT if judge == "model" else None, "model": MODEL if judge == "model" else None,
        "prompt_id": "sales_calls" if judge == "model" else None, "connection_id": "shop",
        "conversation_id": f"chat of {subject_id}", "is_auto_fail": any(row["is_auto_fail"] for row in rows),
    } | values  # fmt: skip
    if values["state"] == "scored":
        final = score(rows)
        values["final_score"] = None if final is None else float(final)
    put("evaluated.scorecards", **values)
    for row in rows:
        put("evaluated.scorecard_criteria", scorecard_id=values["scorecard_id"], **row)
    return str(values["scorecard_id"])


def say_good(sessions: Iterable[dict[str, Any]], cards: Sequence[Any], states: Mapping[str, str]) -> None:
    """Take from the sessions what a model's score that counts does not let be good."""
    admitted = [code for code, state in states.items() if state == "counted"]
    for session in sessions:
        for one, rows in cards:
            if (one["subject_id"], one["judge"], one["state"]) != (session["session_id"], "model", "scored"):
                continue
            counted = score(rows, admitted)
            if counted is not None and counted < session["good_score_at_least"]:
                for view in ("is_good", "is_good_customer"):
                    session[view] = session[view] and False


def figures(cards: Sequence[tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]], states: Mapping[str, str]) -> Any:
    """The columns of scores of a mart's row, out of its scorecards with their criteria and the gates by criterion."""
    admitted = [code for code, state in states.items() if state == "counted"]
    hidden = [code for code, state in states.items() if state == "not_published"]
    row: dict[str, Any] = {}
    for part, kinds in (("", ("call", "session")), ("calls_", ("call",)), ("chats_", ("session",))):
        mine = [(one, rows) for one, rows in cards if one["subject_kind"] in kinds and one["state"] == "scored"]
        model = [(one, rows) for one, rows in mine if one["judge"] == "model"]
        counted = [score(rows, admitted) for _, rows in model]
        trial = [
            score(rows, [one["criterion"] for one in rows if one["criterion"] not in hidden])
            for (_, rows), known in zip(model, counted, strict=True) if known is None
        ]  # fmt: skip
        rules = [score(rows) for one, rows in mine if one["judge"] == "rules"]
        for name, values in (("llm", counted), ("calibration", trial), ("rules", rules)):
            known = [value for value in values if value is not None]
            row[f"{part}{name}_evaluated"] = len(known)
            row[f"{part}{name}_score_avg"] = round(float(sum(known) / len(known)), 6) if known else None
        if not part:
            fails = [
                any(one["is_auto_fail"] and one["criterion"] in admitted for one in rows)
                for (_, rows), known in zip(model, counted, strict=True) if known is not None
            ]  # fmt: skip
            row["auto_fail"] = sum(fails)
            row["auto_fail_share"] = round(sum(fails) / len(fails), 6) if fails else None
            asked = [one for _, rows in model for one in rows]
            row["llm_criteria"] = len(asked)
            row["llm_insufficient"] = sum(one["not_given"] == "insufficient_evidence" for one in asked)
            row["llm_insufficient_share"] = round(row["llm_insufficient"] / len(asked), 6) if asked else None
            words = {"counted": row["llm_evaluated"], "calibration": row["calibration_evaluated"]}
            row["llm_state"] = next((word for word, n in words.items() if n), "not_published" if model else None)
    row["llm_unscored"] = sum(one["judge"] == "model" and one["state"] == "unscored" for one, _ in cards)
    calls = {one["subject_id"] for one, _ in cards if one["subject_kind"] == "call" and one["state"] == "scored"}
    row["calls_judged"] = len(calls)
    return row
