"""The newest week against the week before: the digests of managers and channels, and every comparison one by one.

Here: their columns and colours. Not here: how weeks are compared (``conversations.delta``, the marts), what is read
(``snapshot``). Nothing is compared here: a change stands in a tab because it stands in a row of the delta marts.

Values of several units share columns in the list of comparisons, so there they are written in the unit that stands
beside them: points and minutes, not shares from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from assets.exports.made import CHANNEL, DATA, Made, count, legend, minutes, named, share, text
from conversations.messages import Changes, Headings, Metrics, Weekly, WeeklyWords
from conversations.metrics import METRICS
from conversations.metrics import Kind as MetricKind
from resources.sheets import Chart, ColourRule, Column, Kind, Look

if TYPE_CHECKING:
    from pandas import DataFrame

H, W = Headings, Weekly
_HEADLINE, _NO_REPLY = "in_target_share", "no_reply_share"
_FIRST, _STEP = "first_reply_p50_business_seconds", "has_next_step_share"
SHOWN = (_HEADLINE, _NO_REPLY, _FIRST, _STEP)
"""The metrics of the digests; the first is the headline (contract, section 6)."""
_PARTS = ("value", "n", "previous_value", "previous_n", "delta", "delta_status", "average_4w")
_TWINS = {
    "no_next_step_share": "has_next_step_share",
    "first_reply_p50_seconds": "first_reply_p50_business_seconds",
    "reply_p50_seconds": "reply_p50_business_seconds",
}
"""The same thing said the other way round, or by another clock: said once among the main changes."""
_OF_CALLS = ("calls_in", "calls_out", "calls_internal")
_OF_CHATS = (
    "waits_settled", "not_required", "pending_now", "left_waiting", "bot_handled", "chat_sessions_touched",
    "sessions_with_intent",
)  # fmt: skip
_SHARES = {one.name for one in METRICS if one.kind is MetricKind.SHARE}
_SCORES = {one.name for one in METRICS if one.kind is MetricKind.SCORE}


def beside(subjects: DataFrame, key: str, deltas: DataFrame, week: str) -> DataFrame:
    """The rows of a summary in one week, with what their comparisons say: columns ``metric.part`` and ``main``.

    ``key`` is the column that names the subject in both. Where there is no comparison its parts are None. Who was on
    the telephone alone, in both weeks, is left out: nothing of what is compared here is of him, and his calls stand in
    the tab beside (``calls_and_chats``). A main change keeps him: of his missed calls, or of his scores.
    """
    rows = subjects[subjects["week"] == week].reset_index(drop=True)
    found = {(row[key], row["metric"]): row for row in deltas[deltas["week"] == week].to_dict("records")}
    for metric in SHOWN:
        for part in _PARTS:
            rows[f"{metric}.{part}"] = _objects([found.get((one, metric), {}).get(part) for one in rows[key]])
    rows["main"] = _objects([main_changes(found, one) for one in rows[key]])
    left_out = [is_of_the_telephone_alone(row) for row in rows.to_dict("records")]
    return rows[[not one for one in left_out]].reset_index(drop=True)


def is_of_the_telephone_alone(row: Mapping[str, Any]) -> bool:
    """Whether a row of ``beside`` is about calls and nothing that is compared: no question and no chat of the week, no
    figure of the week before, no main change. Without calls nobody is."""

    def has(*names: str) -> bool:
        # a figure that a table does not have is no number there
        return any(value == value and bool(value) for value in map(row.get, names))

    if not has(*_OF_CALLS) or row["main"]:
        return False
    return not has(*_OF_CHATS, *(f"{metric}.previous_n" for metric in SHOWN))


def with_cases(deltas: DataFrame) -> DataFrame:
    """The comparisons in which at least one of the weeks has something to count."""
    return deltas[[bool(n or before) for n, before in zip(deltas["n"], deltas["previous_n"], strict=True)]]


def main_changes(found: Mapping[tuple[str, str], Mapping[str, Any]], subject: str) -> str:
    """The subject's rows that may be called main changes, in words, in the order of the declared metrics."""
    rows = [found[subject, one.name] for one in METRICS if (subject, one.name) in found]
    main = {row["metric"]: row for row in rows if row["is_headline"]}
    return "; ".join(
        f"{Metrics.name(name)} {Changes.verdict(row['delta_status'], row['delta'])}"
        for name, row in main.items()
        if _TWINS.get(name) not in main
    )


def _objects(values: Sequence[Any]) -> Any:
    import pandas as pd

    return pd.Series(values, dtype=object)


def _points(heading: str, metric: str) -> Made:
    return Made(
        Column(heading, Kind.DECIMAL, 110),
        f"delta of {metric}, in points",
        lambda rows: [None if v is None else points(v) for v in rows[f"{metric}.delta"]],
    )


def points(value: Any) -> float:
    """A share in hundredths, with one decimal.

    >>> points(-0.11)
    -11.0
    """
    return round(100 * float(value), 1)


def _verdict(heading: str, metric: str) -> Made:
    def made(rows: DataFrame) -> list[str | None]:
        pairs = zip(rows[f"{metric}.delta_status"], rows[f"{metric}.delta"], strict=True)
        return [None if status is None else Changes.verdict(status, delta) for status, delta in pairs]

    return Made(Column(heading, Kind.TEXT, 175), f"delta_status of {metric}", made)


def _compared() -> list[Made]:
    return [
        share(H.IN_TARGET, "in_target_share"),
        count(H.WAITS, "waits_settled"),
        share(W.BEFORE, f"{_HEADLINE}.previous_value", f"previous_value of {_HEADLINE}"),
        count(W.BEFORE_N, f"{_HEADLINE}.previous_n"),
        _points(W.CHANGE, _HEADLINE),
        _verdict(W.VERDICT, _HEADLINE),
        share(W.AVERAGE, f"{_HEADLINE}.average_4w", f"average_4w of {_HEADLINE}"),
        text(W.MAIN, "main", 260),
        share(H.NO_REPLY, "no_reply_share"),
        _points(W.NO_REPLY_CHANGE, _NO_REPLY),
        _verdict(W.NO_REPLY_VERDICT, _NO_REPLY),
        minutes(H.FIRST_REPLY, _FIRST),
        count(W.FIRST_N, f"{_FIRST}.n"),
        _verdict(W.FIRST_VERDICT, _FIRST),
        share(W.STEP, "has_next_step_share"),
        count(W.STEP_N, "next_step_judged"),
        _verdict(W.STEP_VERDICT, _STEP),
        count(H.PENDING, "pending_now"),
        DATA,
    ]


DIGEST_MANAGERS: list[Made] = [text(H.MANAGER, "manager_name", 170), text(H.TEAM, "team_id", 90), *_compared()]
DIGEST_CHANNELS: list[Made] = [CHANNEL, *_compared()]

_VERDICTS = (W.VERDICT, W.NO_REPLY_VERDICT, W.FIRST_VERDICT, W.STEP_VERDICT)
LEGEND = legend(WeeklyWords.LEGEND_CHANGES)


def verdict_colours(heading: str) -> list[ColourRule]:
    """Green for better, red for worse, grey where nothing can be said."""
    return [
        *(ColourRule(heading, "is", said, "good") for said in Changes.BETTER),
        *(ColourRule(heading, "is", said, "bad") for said in Changes.WORSE),
        *(
            ColourRule(heading, "is", Changes.STATES[status], "muted")
            for status in Changes.STATES
            if status not in ("improved", "worsened", "no_change_detected")
        ),
    ]


def digest_look(subject: str, caption: Sequence[str], title: str, rows: int) -> Look:
    """Of both digests: coloured verdicts, grey figures where data are incomplete, the headline as a chart below."""
    incomplete = Changes.STATES["data_incomplete"]
    return Look(
        caption=caption,
        legend=LEGEND,
        frozen_columns=1,
        rules=[
            *(rule for heading in _VERDICTS for rule in verdict_colours(heading)),
            ColourRule(H.IN_TARGET, "is", incomplete, "muted", by=W.VERDICT),
            ColourRule(H.NO_REPLY, "is", incomplete, "muted", by=W.NO_REPLY_VERDICT),
        ],
        charts=[
            Chart(
                title, "bar", subject, [H.IN_TARGET, W.BEFORE], key="headline", subtitle=caption[0],
                tones=("total", "muted"), lowest=0, highest=1, place="below", width=900,
                # two bars for each row, with their figures beside them
                height=max(300, 120 + 42 * rows),
            )
        ],
        wrap=[W.MAIN],
        protected=True,
    )  # fmt: skip


# --- every comparison -------------------------------------------------------------------------------------------------


def _unit(metric: str) -> str:
    if metric in _SCORES:
        return Metrics.SCORE_UNIT
    if metric in _SHARES:
        return WeeklyWords.UNIT_SHARE
    return WeeklyWords.UNIT_BUSINESS if metric.endswith("business_seconds") else WeeklyWords.UNIT_CLOCK


def in_unit(metric: str, value: Any) -> float | None:
    """A value, a change or a bound in the unit that the tab names.

    >>> in_unit("no_reply_share", 0.125), in_unit("reply_p50_seconds", 455), in_unit("good_share", None)
    (12.5, 7.58, None)
    """
    if value is None:
        return None
    if metric in _SCORES:
        return round(float(value), 2)
    return points(value) if metric in _SHARES else round(float(value) / 60, 2)


def _valued(heading: str, name: str) -> Made:
    return Made(
        Column(heading, Kind.DECIMAL, 115),
        name,
        lambda rows: [in_unit(*pair) for pair in zip(rows["metric"], rows[name], strict=True)],
    )


COMPARISONS: list[Made] = [
    text(H.MANAGER, "manager_name", 170),
    text(H.TEAM, "team_id", 90),
    named(W.METRIC, "metric", Metrics.NAMES, 290),
    Made(Column(W.UNIT, Kind.TEXT, 80), "metric", lambda rows: [_unit(name) for name in rows["metric"]]),
    _valued(W.NOW, "value"),
    count(W.NOW_N, "n"),
    _valued(W.WAS, "previous_value"),
    count(W.BEFORE_N, "previous_n"),
    _valued(W.DELTA, "delta"),
    Made(
        Column(W.VERDICT, Kind.TEXT, 190),
        "delta_status, delta",
        lambda rows: [Changes.verdict(*pair) for pair in zip(rows["delta_status"], rows["delta"], strict=True)],
    ),
    Made(
        Column(W.IS_MAIN, Kind.TEXT, 100),
        "is_headline",
        lambda rows: [WeeklyWords.YES if is_main else None for is_main in rows["is_headline"]],
    ),
    _valued(W.LOW, "low"),
    _valued(W.HIGH, "high"),
    _valued(W.AVERAGE_4, "average_4w"),
    Made(Column(W.COUNTED, Kind.TEXT, 260), "metric", lambda rows: rows["metric"].map(Metrics.COUNTED)),
    count(W.REVISION, "revision"),
]


def comparisons_look(caption: Sequence[str]) -> Look:
    """Of the list of comparisons."""
    incomplete = Changes.STATES["data_incomplete"]
    return Look(
        caption=caption,
        legend=LEGEND,
        frozen_columns=2,
        rules=[
            *verdict_colours(W.VERDICT),
            *(ColourRule(heading, "is", incomplete, "muted", by=W.VERDICT) for heading in (W.NOW, W.WAS)),
        ],
        protected=True,
    )
