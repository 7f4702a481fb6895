"""The report on managers: places, and what each should train, with the counts and the chats behind it.

Here: its columns, how the figures of a week become standings. Not here: who has a place and what is a focus
(``conversations.ranking``), what is read (``snapshot``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from assets.exports.comparison import points
from assets.exports.made import Made, count, share, text
from conversations.intervals import Share, share_difference
from conversations.messages import Headings, Metrics, Weekly, WeeklyWords
from conversations.metrics import METRICS
from conversations.metrics import Kind as MetricKind
from conversations.ranking import HEADLINE, Focus, Place, Standing, Training, places, trainings
from resources.sheets import ColourRule, Column, Kind, Look

if TYPE_CHECKING:
    from pandas import DataFrame

H, W = Headings, Weekly
EXAMPLES = 3
"""Chats that are named for one focus."""
_SHARES = {one.name for one in METRICS if one.kind is MetricKind.SHARE}


def standings(managers: DataFrame, deltas: DataFrame, week: str) -> list[Standing]:
    """The managers of a week with their shares on effective sizes; counts are those of the delta mart."""
    rows = deltas[deltas["week"] == week].to_dict("records")
    shares: dict[str, dict[str, Share]] = {}
    complete: dict[str, bool] = {}
    for row in rows:
        complete[row["manager_key"]] = bool(row["is_complete"])
        if row["metric"] in _SHARES and row["n"]:
            found = Share(int(row["hits"]), int(row["n"]), float(row["deff"] or 1))
            shares.setdefault(row["manager_key"], {})[row["metric"]] = found
    people = managers[managers["week"] == week]
    pairs = zip(people["manager_key"], people["team_id"], strict=True)
    return [Standing(key, team, complete.get(key, False), shares.get(key, {})) for key, team in pairs]


def report(managers: DataFrame, deltas: DataFrame, misses: DataFrame, week: str) -> DataFrame:
    """One row per manager of the week, the best place first, then those without a place.

    ``misses`` names chats by ``manager_key`` and ``metric``, the one to look at first first.
    """
    import pandas as pd

    found = standings(managers, deltas, week)
    ranked, trained = places(found), trainings(found)
    rows = []
    for person in managers[managers["week"] == week].to_dict("records"):
        key = person["manager_key"]
        training = trained.get(key)
        focus = training.focus if training else None
        named = focus.metric if focus else ""
        chats = misses[(misses["manager_key"] == key) & (misses["metric"] == named)]["conversation_id"]
        rows.append(
            {
                "week": week,
                "manager_key": key,
                "manager_name": person["manager_name"],
                "team_id": person["team_id"],
                "in_target_share": person["in_target_share"],
                "waits_settled": person["waits_settled"],
                **_placed(ranked[key]),
                **_focus(training),
                "chats": "; ".join(list(chats)[:EXAMPLES]) or None,
            }
        )
    rows.sort(key=_order)
    return pd.DataFrame(rows, columns=_NAMES, dtype=object)


_NAMES = (
    "week", "manager_key", "manager_name", "team_id", "in_target_share", "waits_settled", "first", "last", "low",
    "high", "not_ranked", "focus", "metric", "own_share", "own_cases", "others_share", "others_n", "others_who", "gap",
    "chats",
)  # fmt: skip


def _placed(place: Place) -> dict[str, Any]:
    return {
        "first": place.first,
        "last": place.last,
        "low": place.low,
        "high": place.high,
        "not_ranked": place.not_ranked and place.not_ranked.value,
    }


def _focus(training: Training | None) -> dict[str, Any]:
    names = ("focus", "metric", "own_share", "own_cases", "others_share", "others_n", "others_who", "gap")
    nothing = dict.fromkeys(names)
    if training is None:
        return nothing
    one: Focus | None = training.focus
    if one is None:
        return nothing | {"focus": WeeklyWords.NO_FOCUS if training.compared else WeeklyWords.TOO_FEW}
    return {
        "focus": WeeklyWords.FOCUS.get(one.metric, one.metric),
        "metric": Metrics.name(one.metric),
        "own_share": one.own.value,
        "own_cases": WeeklyWords.of(one.own.hits, one.own.cases),
        "others_share": one.others.value,
        "others_n": one.others.cases,
        "others_who": WeeklyWords.TEAM if one.of_team else WeeklyWords.ALL,
        "gap": points(share_difference(one.own, one.others)),
    }


def _order(row: dict[str, Any]) -> tuple[Any, ...]:
    is_ranked = row["first"] is not None
    shown = -float(row["in_target_share"]) if is_ranked else 0.0
    return (not is_ranked, row["not_ranked"] == "nobody", shown, row["manager_name"], row["manager_key"])


def _place(rows: DataFrame) -> list[str]:
    triples = zip(rows["first"], rows["last"], rows["not_ranked"], strict=True)
    return [
        WeeklyWords.NOT_RANKED[why] if why is not None else WeeklyWords.place(int(first), int(last))
        for first, last, why in triples
    ]


REPORT: list[Made] = [
    text(H.MANAGER, "manager_name", 170),
    text(H.TEAM, "team_id", 90),
    Made(Column(W.PLACE, Kind.TEXT, 150), f"intervals of {HEADLINE}", _place),
    share(H.IN_TARGET, "in_target_share", width=110),
    count(H.WAITS, "waits_settled", width=100),
    text(W.FOCUS, "focus", 205),
    text(W.METRIC, "metric", 175),
    share(W.OWN, "own_share", "hits / n of the focus", width=105),
    text(W.OWN_CASES, "own_cases", 100),
    share(W.OTHERS, "others_share", "hits / n of the others", width=100),
    count(W.OTHERS_N, "others_n", width=100),
    Made(Column(W.GAP, Kind.DECIMAL, 90), "own - others, in points", lambda rows: rows["gap"]),
    text(W.CHATS, "chats", 370),
    text(W.OTHERS_WHO, "others_who", 120),
    share(W.SURE_LOW, "low", f"Wilson interval of {HEADLINE} on n / deff"),
    share(W.SURE_HIGH, "high", f"Wilson interval of {HEADLINE} on n / deff"),
]


def report_look(caption: Sequence[str]) -> Look:
    """Of the report: a focus stands out, who has no place is grey."""
    return Look(
        caption=caption,
        frozen_columns=1,
        rules=[
            *(ColourRule(W.FOCUS, "is", name, "warn") for name in WeeklyWords.FOCUS.values()),
            *(ColourRule(W.FOCUS, "is", name, "muted") for name in (WeeklyWords.NO_FOCUS, WeeklyWords.TOO_FEW)),
            *(ColourRule(W.PLACE, "is", name, "muted") for name in WeeklyWords.NOT_RANKED.values()),
            *(ColourRule(H.IN_TARGET, "is", name, "muted", by=W.PLACE) for name in WeeklyWords.NOT_RANKED.values()),
        ],
        protected=True,
    )
