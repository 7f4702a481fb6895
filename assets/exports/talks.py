"""Calls and scores: the results of calls, the manager's week with calls beside chats, what summaries add.

Here: their columns. Not here: which of them are shown (``frames``: none where there was never a call nor a score), what
is read (``snapshot_talks``), when a score counts (contract, section 10). A model's average that no admitted criterion
stands behind is a word, never a number; trial scores stand in columns of their own that say so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from assets.exports.made import DATA, Made, count, minutes, moment, named, share, text
from conversations.messages import Headings, Talks, TalkWords, Weekly
from conversations.policy_exports import Texts
from conversations.redact import snippet
from resources.sheets import Chart, ColourRule, Column, Kind, Look

if TYPE_CHECKING:
    from pandas import DataFrame

H, T, W = Headings, Talks, Weekly
TWO_LINES = 38
"""Pixels of a row of the calls: what was said of a call takes up to half a screen, and people look for a row first."""


def average(heading: str, name: str, n: str) -> Made:
    """An average of scores from 0 to 100; a word where a model's does not count."""

    def made(rows: DataFrame) -> list[Any]:
        cells = zip(rows[name], rows[n], rows["llm_state"], strict=True)
        return [TalkWords.average(value, many or 0, state) for value, many, state in cells]

    return Made(Column(heading, Kind.DECIMAL, 130), name, made)


def points(heading: str, name: str) -> Made:
    """A score from 0 to 100 that is what its heading says."""
    return Made(
        Column(heading, Kind.DECIMAL, 130),
        name,
        lambda rows: [None if value is None else round(float(value), 2) for value in rows[name]],
    )


def _part(score: str, n: str, trial: str, trial_n: str, rules: str, rules_n: str, prefix: str) -> list[Made]:
    state = f"{prefix}llm_score_avg"
    return [
        _of_part(score, state, prefix) if prefix else average(score, state, "llm_evaluated"),
        count(n, f"{prefix}llm_evaluated"),
        points(trial, f"{prefix}calibration_score_avg"),
        count(trial_n, f"{prefix}calibration_evaluated"),
        points(rules, f"{prefix}rules_score_avg"),
        count(rules_n, f"{prefix}rules_evaluated"),
    ]


def _of_part(heading: str, name: str, prefix: str) -> Made:
    """The same of calls or of chats alone: calibration where only trial scores are there."""

    def made(rows: DataFrame) -> list[Any]:
        cells = zip(rows[name], rows[f"{prefix}llm_evaluated"], rows[f"{prefix}calibration_evaluated"], strict=True)
        return [TalkWords.average(value, n or 0, "calibration" if trial else None) for value, n, trial in cells]

    return Made(Column(heading, Kind.DECIMAL, 130), name, made)


_CALLS: list[Made] = [
    count(T.CALLS_IN, "calls_in"),
    count(T.CALLS_OUT, "calls_out"),
    count(T.CALLS_ANSWERED, "calls_answered"),
    minutes(T.CALLS_MINUTES, "calls_talk_seconds"),
]
_JUDGED = [
    count(T.CALLS_SHORT, "calls_short"),
    count(T.CALLS_INTERNAL, "calls_internal"),
    count(T.CALLS_JUDGED, "calls_judged"),
]
SUMMARY_COLUMNS: list[Made] = [
    *_CALLS,
    *_JUDGED,
    *_part(T.SCORE, T.SCORE_N, T.TRIAL, T.TRIAL_N, T.RULES, T.RULES_N, ""),
    share(T.FAILS, "auto_fail_share"),
    share(T.INSUFFICIENT, "llm_insufficient_share"),
    count(T.UNSCORED, "llm_unscored"),
]
"""What the summary of managers shows at its end, where there are calls or scores."""
CHANNEL_COLUMNS = [one for one in SUMMARY_COLUMNS if one.column.name != T.CALLS_INTERNAL]
"""The same of channels: those that customers write to and call have no calls among colleagues."""

BESIDE: list[Made] = [
    text(H.MANAGER, "manager_name", 170),
    Made(
        Column(T.UNIT, Kind.TEXT, 170),
        "team_id, evaluated.call_eligibility",
        lambda rows: [team or called for team, called in zip(rows["team_id"], rows["department_name"], strict=True)],
    ),
    *_CALLS,
    count(H.CALLS, "missed_calls_settled"),
    share(H.CALLS_IN_TARGET, "missed_calls_in_target_share"),
    count(T.CALLS_JUDGED, "calls_judged"),
    *_part(
        T.CALLS_SCORE, T.CALLS_SCORE_N, T.CALLS_TRIAL, T.CALLS_TRIAL_N, T.CALLS_RULES, T.CALLS_RULES_N, "calls_"
    ),
    count(T.CHATS_TOUCHED, "chat_sessions_touched"),
    count(H.WAITS, "waits_settled"),
    share(H.IN_TARGET, "in_target_share"),
    share(H.NO_REPLY, "no_reply_share"),
    count(W.STEP_N, "next_step_judged"),
    share(W.STEP, "has_next_step_share"),
    *_part(
        T.CHATS_SCORE, T.CHATS_SCORE_N, T.CHATS_TRIAL, T.CHATS_TRIAL_N, T.CHATS_RULES, T.CHATS_RULES_N, "chats_"
    ),
    DATA,
]  # fmt: skip


def beside_look(caption: Sequence[str], rows: int) -> Look:
    """Of the manager's week: both kinds of talk as bars beside each other."""
    return Look(
        caption=caption,
        frozen_columns=1,
        rules=[
            ColourRule(heading, "is", word, "muted")
            for heading in (T.CALLS_SCORE, T.CHATS_SCORE)
            for word in TalkWords.STATES.values()
        ],
        charts=[
            Chart(
                TalkWords.CHART, "bar", H.MANAGER, [H.CALLS_IN_TARGET, H.IN_TARGET], key="calls_and_chats",
                subtitle=f"{caption[0]}; {TalkWords.CHART_UNIT}", tones=("warn", "good"), lowest=0, highest=1,
                place="below", width=900, height=max(300, 120 + 42 * rows),
            )
        ],
        protected=True,
    )  # fmt: skip


def with_talk(managers: DataFrame, week: str) -> DataFrame:
    """The managers of a week who had to do with calls or chats: all of its rows."""
    return managers[managers["week"] == week].reset_index(drop=True)


# --- the results of calls ---------------------------------------------------------------------------------------------


def results(texts: Texts) -> list[Made]:
    """The columns of the judged calls; their week stands before them."""

    def said(heading: str, name: str, width: int) -> Made:
        return Made(
            Column(heading, Kind.TEXT, width), name,
            lambda rows: [None if one is None or texts == "none" else snippet(one) for one in rows[name]],
        )  # fmt: skip

    def notes(heading: str, kind: str) -> Made:
        return _each(heading, "notes", 320, lambda row: _notes(row, kind, texts))

    return [
        text(T.CALL, "call_id", 150),
        moment(T.STARTED, "began"),
        text(H.MANAGER, "manager_name", 170),
        text(T.DEPARTMENT, "department_name", 180),
        text(T.OFFICE, "office_name", 120),
        text(T.SUPERVISOR, "supervisor_name", 150),
        named(T.DIRECTION, "direction", TalkWords.DIRECTIONS, 90),
        minutes(T.LENGTH, "talk_seconds"),
        _each(T.JUDGE, "judge, evaluated.evaluations.answered_by", 240, _judge),
        _each(T.RESULT, "state, reason", 170, _result),
        points(T.POINTS, "score"),
        named(T.POINTS_ARE, "score_state", TalkWords.SCORE_STATES, 190),
        _each(T.FAILED, "is_auto_fail", 100, lambda row: TalkWords.FAIL if row["is_auto_fail"] else None),
        _each(T.MARKS, "criteria", 320, _marks),
        _each(T.PROOF, "evaluated.scorecard_criteria", 480, lambda row: _proofs(row, texts)),
        said(T.TOPIC, "topic", 200),
        said(T.SUMMARY, "summary", 360),
        notes(T.RECOMMENDATIONS, "recommendation"),
        notes(T.AGREEMENTS, "agreement"),
        notes(T.DECLINES, "decline_reason"),
    ]


def results_look(caption: Sequence[str], rows: DataFrame) -> Look:
    """Of the judged calls: an automatic fail is red, a trial score grey."""
    links = list(rows["call_link"])
    return Look(
        caption=caption,
        frozen_columns=2,
        rules=[
            ColourRule(T.FAILED, "is", TalkWords.FAIL, "bad"),
            ColourRule(T.POINTS, "is", TalkWords.CALIBRATION, "muted", by=T.POINTS_ARE),
            ColourRule(T.POINTS_ARE, "is", TalkWords.CALIBRATION, "muted"),
        ],
        wrap=[T.MARKS, T.PROOF, T.SUMMARY, T.RECOMMENDATIONS, T.AGREEMENTS, T.DECLINES],
        row_height=TWO_LINES,
        links={T.CALL: links} if any(links) else {},
        protected=True,
    )


def _each(heading: str, source: str, width: int, make: Callable[[Mapping[str, Any]], Any]) -> Made:
    return Made(Column(heading, Kind.TEXT, width), source, lambda rows: [make(row) for row in rows.to_dict("records")])


def _judge(row: Mapping[str, Any]) -> str:
    """Who judged: a model as its gateway names the one that answered, else as it was asked for."""
    if row["judge"] == "rules":
        return TalkWords.RULES_JUDGE
    return TalkWords.MODEL_JUDGE.format(snippet(row.get("answered_by") or row["model"]))


def _result(row: Mapping[str, Any]) -> str:
    said = TalkWords.CARD_STATES.get(row["state"], row["state"])
    reason = row["reason"]
    return said if row["state"] == "scored" or not reason else f"{said}: {TalkWords.REASONS.get(reason, reason)}"


def _title(row: Mapping[str, Any], code: str) -> str:
    return str((row["titles"] or {}).get(code) or code)


def _marks(row: Mapping[str, Any]) -> str | None:
    said = [
        TalkWords.mark(_title(row, one["criterion"]), one["given"], one["best"], one["not_given"], one["gate"])
        for one in row["criteria"]
    ]
    return "\n".join(said) or None


def _proofs(row: Mapping[str, Any], texts: Texts) -> str | None:
    """Reasons and quotes of what may be shown, each masked and cut like every snippet."""
    if texts == "none":
        return None
    hidden = {one["criterion"] for one in row["criteria"] if one["gate"] == "not_published"}
    said = [
        TalkWords.proof(_title(row, one["criterion"]), snippet(one["reason"] or ""), snippet(one["quote"] or ""))
        for one in row["proofs"] or ()
        if one["criterion"] not in hidden
    ]
    return "\n".join(said) or None


def _notes(row: Mapping[str, Any], kind: str, texts: Texts) -> str | None:
    if texts == "none":
        return None
    return "\n".join(snippet(one["text"]) for one in row["notes"] or () if one["kind"] == kind) or None
