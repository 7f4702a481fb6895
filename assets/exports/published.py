"""Published weeks: the snapshot of each manager, and the whole company week by week.

Here: their columns. Not here: when a week gets a new revision (the marts), what is read (``snapshot``). A snapshot does
not change once it is published: late messages make a new one, and the tab shows the latest and why it was made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from assets.exports.made import Made, count, minutes, named, share, text
from conversations.messages import Headings, Weekly, WeeklyWords
from resources.sheets import Chart, ColourRule, Column, Kind, Look

if TYPE_CHECKING:
    from pandas import DataFrame

H, W = Headings, Weekly

_METRICS = (
    "in_target_share", "slow_reply_share", "no_reply_share", "first_reply_p50_business_seconds",
    "reply_p50_business_seconds", "asked_clarifying_share", "made_offer_share", "has_next_step_share", "good_share",
)  # fmt: skip
_SUMMED = ("waits_settled", "in_target", "slow_reply", "unanswered", "next_step_judged", "has_next_step")


def one_row_each(snapshots: DataFrame) -> DataFrame:
    """``behavior_snapshot`` with a row per week and subject that had any case: ``metric.value`` and ``metric.n``."""
    import pandas as pd

    rows: dict[tuple[str, str], dict[str, object]] = {}
    for one in snapshots.to_dict("records"):
        row = rows.setdefault((one["week"], one["subject_key"]), {**_NOTHING, **one})
        row[f"{one['metric']}.value"], row[f"{one['metric']}.n"] = one["value"], one["n"]
    columns = [*snapshots.columns, *_NOTHING]
    found = [row for row in rows.values() if any(row[f"{metric}.n"] for metric in _METRICS)]
    return pd.DataFrame([{name: row[name] for name in columns} for row in found], columns=columns, dtype=object)


_NOTHING = {f"{metric}.{part}": None for metric in _METRICS for part in ("value", "n")}


def _share(heading: str, metric: str) -> Made:
    return share(heading, f"{metric}.value", f"value of {metric}")


SNAPSHOTS: list[Made] = [
    text(H.MANAGER, "manager_name", 170),
    text(H.TEAM, "team_id", 90),
    count(H.WAITS, "in_target_share.n"),
    _share(H.IN_TARGET, "in_target_share"),
    _share(H.SLOW, "slow_reply_share"),
    _share(H.NO_REPLY, "no_reply_share"),
    count(W.FIRST_N, "first_reply_p50_business_seconds.n"),
    minutes(H.FIRST_REPLY, "first_reply_p50_business_seconds.value"),
    count(H.ANSWERED, "reply_p50_business_seconds.n"),
    minutes(H.REPLY, "reply_p50_business_seconds.value"),
    count(W.INTENT, "asked_clarifying_share.n"),
    _share(W.CLARIFYING, "asked_clarifying_share"),
    _share(W.OFFER, "made_offer_share"),
    count(W.STEP_N, "has_next_step_share.n"),
    _share(W.STEP, "has_next_step_share"),
    count(W.GOOD_N, "good_share.n"),
    _share(W.GOOD, "good_share"),
    Made(
        Column(H.DATA, Kind.TEXT, 110),
        "is_complete",
        lambda rows: [WeeklyWords.COMPLETE[bool(is_complete)] for is_complete in rows["is_complete"]],
    ),
    count(W.REVISION, "revision"),
    named(W.REASON, "reason", WeeklyWords.REASONS, 210),
    count(W.CHANGED, "changed_rows"),
]


def snapshots_look(caption: Sequence[str]) -> Look:
    """Of the snapshots: what is incomplete is grey."""
    return Look(
        caption=caption,
        frozen_columns=2,
        rules=[ColourRule(H.DATA, "is", WeeklyWords.COMPLETE[False], "warn")],
        protected=True,
    )


def company(channels: DataFrame) -> DataFrame:
    """One row per week of all channels together, oldest first: a line runs from left to right."""
    import pandas as pd

    rows = []
    for week, found in channels.groupby("week", sort=True):
        # weeks of an older version of the platform have no behaviour: unknown, so in no share
        sums = {name: int(sum(value or 0 for value in found[name])) for name in _SUMMED}
        settled, judged = sums["waits_settled"], sums["next_step_judged"]
        shares = {
            "in_target_share": sums["in_target"] / settled if settled else None,
            "slow_reply_share": sums["slow_reply"] / settled if settled else None,
            "no_reply_share": sums["unanswered"] / settled if settled else None,
            "has_next_step_share": sums["has_next_step"] / judged if judged else None,
        }
        rows.append({"week": week, **sums, **shares})
    names = ["week", *_SUMMED, "in_target_share", "slow_reply_share", "no_reply_share", "has_next_step_share"]
    return pd.DataFrame(rows, columns=names, dtype=object)


TREND: list[Made] = [
    count(H.WAITS, "waits_settled"),
    share(H.IN_TARGET, "in_target_share", "sum of in_target / sum of waits_settled"),
    share(H.SLOW, "slow_reply_share", "sum of slow_reply / sum of waits_settled"),
    share(H.NO_REPLY, "no_reply_share", "sum of unanswered / sum of waits_settled"),
    count(W.STEP_N, "next_step_judged"),
    share(W.STEP, "has_next_step_share", "sum of has_next_step / sum of next_step_judged"),
]


def trend_look(caption: Sequence[str]) -> Look:
    """Of the weeks of the company: the headline and what went unanswered as lines."""
    return Look(
        caption=caption,
        frozen_columns=1,
        charts=[
            Chart(
                WeeklyWords.CHART_COMPANY, "line", H.WEEK, [H.IN_TARGET, H.NO_REPLY], key="trend",
                subtitle=WeeklyWords.CHART_COMPANY_UNIT, lowest=0, highest=1,
                tones=("good", "bad"), place="below", width=900,
            )
        ],
        protected=True,
    )  # fmt: skip
