"""What must be true of the tabs of the week before they are shown: rows and figures are those of the marts.

Here: the rules, as counts of what contradicts. Not here: how they are judged (``judge``), what stands in the tabs
(``assets.exports``).
"""

# Dagster looks at the annotations themselves: no `from __future__ import annotations` in this module.

from collections.abc import Callable, Iterable
from typing import Any

from assets.checks.rules import Rule
from assets.checks.shown import Shown, TabRule
from assets.exports.comparison import beside
from assets.exports.frames import (
    ADVICE,
    BESIDE,
    DELTAS,
    DIGEST_CHANNELS,
    DIGEST_MANAGERS,
    EXAMPLES,
    README,
    REPORT,
    RESULTS,
    SNAPSHOTS,
    TREND,
)
from assets.exports.status_columns import COLUMNS
from conversations.messages import Changes, Headings, ReadMe, Talks, Weekly, WeeklyWords
from conversations.metrics import metric
from conversations.ranking import HEADLINE
from conversations.redact import mask

H, W = Headings, Weekly
_CLOSE = 1e-6
_ROUNDED = 0.0051
"""Scores are shown with two decimals."""
_MOST_EXAMPLES = 5


def _unexplained_columns(shown: Shown) -> int:
    explained = set(shown.sheets[README].frame[ReadMe.WHAT])
    headings = {column.name for title, sheet in shown.sheets.items() if title != README for column in sheet.columns}
    headings |= {column.name for column, _ in COLUMNS}
    return len(headings - explained)


def _digest_rows_that_differ(title: str, subjects: str, deltas: str, key: str) -> Callable[[Shown], int]:
    """Per row of the digest: the summary's figures, and a change only from and to the figures of the delta mart."""

    def counted(shown: Shown) -> int:
        snapshot, frame = shown.snapshot, shown.sheets[title].frame
        newest = next(iter(snapshot.weeks))
        rows = [row for row in getattr(snapshot, subjects).to_dict("records") if row["week"] == newest]
        compared = {
            row[key]: row
            for row in getattr(snapshot, deltas).to_dict("records")
            if row["week"] == newest and row["metric"] == HEADLINE
        }
        kept = set(beside(getattr(snapshot, subjects), key, getattr(snapshot, deltas), newest)[key])
        # who is left out was on the telephone alone: of his questions none is missing
        wrong = sum(row["waits_settled"] for row in rows) != sum(frame[H.WAITS])
        rows = [row for row in rows if row[key] in kept]
        wrong += abs(len(rows) - len(frame))
        for row, cells in zip(rows, frame.to_dict("records"), strict=False):
            other = compared.get(row[key], {})
            pairs = [
                (cells[H.WAITS], row["waits_settled"]), (cells[H.IN_TARGET], row["in_target_share"]),
                (cells[H.NO_REPLY], row["no_reply_share"]), (cells[W.STEP], row["has_next_step_share"]),
                (other.get("n"), row["waits_settled"]), (other.get("value"), row["in_target_share"]),
                (cells[W.BEFORE], other.get("previous_value")), (cells[W.BEFORE_N], other.get("previous_n")),
            ]  # fmt: skip
            wrong += not all(_equal(*pair) for pair in pairs)
        return wrong

    return counted


def _equal(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return one is None and other is None
    return abs(float(one) - float(other)) <= _CLOSE


def _places_that_may_not_be(shown: Shown) -> int:
    """Rows with a place on too few questions or incomplete data, and managers who are missing or stand twice."""
    frame, snapshot = shown.sheets[REPORT].frame, shown.snapshot
    newest = next(iter(snapshot.weeks))
    people = [row for row in snapshot.managers.to_dict("records") if row["week"] == newest]
    complete = {
        row["manager_key"]
        for row in snapshot.manager_deltas.to_dict("records")
        if row["week"] == newest and row["is_complete"]
    }
    may = {row["manager_name"] for row in people if row["manager_key"] in complete and row["manager_id"] is not None}
    names = {row["manager_name"] for row in people}
    wrong = abs(len(people) - len(frame)) + len(names ^ set(frame[H.MANAGER]))
    for name, place, n in zip(frame[H.MANAGER], frame[W.PLACE], frame[H.WAITS], strict=True):
        has_place = place not in WeeklyWords.NOT_RANKED.values()
        wrong += has_place and (n < metric(HEADLINE).minimum or name not in may)
    return wrong


def _weeks_of_the_company_that_differ(shown: Shown) -> int:
    """Weeks missing, and weeks whose shares do not belong to the questions of all managers."""
    frame = shown.sheets[TREND].frame
    wrong = abs(len(frame) - len(shown.snapshot.weeks))
    settled = shown.snapshot.managers.groupby("week")["waits_settled"].sum()
    for week, cells in zip(shown.sheets[TREND].weeks, frame.to_dict("records"), strict=True):
        shares = [cells[heading] for heading in (H.IN_TARGET, H.SLOW, H.NO_REPLY)]
        known = [share for share in shares if share is not None]
        wrong += cells[H.WAITS] != settled.get(week, 0)
        wrong += (abs(sum(known) - 1) > 1e-4) if cells[H.WAITS] else bool(known)
    return wrong


def _arrows_that_may_not_be(shown: Shown) -> int:
    """Comparisons missing, values other than the mart's, and arrows where the interval does not exclude no change."""
    frame = shown.sheets[DELTAS].frame
    marts = [row for row in shown.snapshot.manager_deltas.to_dict("records") if row["n"] or row["previous_n"]]
    wrong = abs(len(marts) - len(frame))
    for row, cells in zip(marts, frame.to_dict("records"), strict=False):
        has_arrow = cells[W.VERDICT].startswith((Changes.UP, Changes.DOWN))
        low, high = row["low"], row["high"]
        is_sure = low is not None and high is not None and not low <= 0 <= high
        scale = 100 if row["kind"] == "share" else 1 / 60
        value = None if row["value"] is None else float(row["value"]) * scale
        is_same = value is None if cells[W.NOW] is None else value is not None and abs(value - cells[W.NOW]) <= 0.051
        wrong += (has_arrow and not is_sure) or not is_same or cells[W.NOW_N] != row["n"]
    return wrong


def _snapshots_that_differ(shown: Shown) -> int:
    """Managers twice in a week, and figures other than those that the comparison of the same week starts from."""
    sheet = shown.sheets[SNAPSHOTS]
    rows = list(zip(sheet.weeks, sheet.frame[H.MANAGER], sheet.frame[H.TEAM], strict=True))
    published = {
        (row["week"], row["subject_key"], row["metric"]): row["value"]
        for row in shown.snapshot.snapshots.to_dict("records")
    }
    wrong = len({(row["week"], row["subject_key"]) for row in shown.snapshot.snapshots.to_dict("records")}) < len(rows)
    compared = shown.snapshot.manager_deltas.to_dict("records")
    keys = [(row["week"], row["manager_key"], row["metric"]) for row in compared]
    return int(wrong) + sum(
        not _equal(published[key], row["value"]) for key, row in zip(keys, compared, strict=True) if key in published
    )


def _examples_that_may_not_be(shown: Shown) -> int:
    """More than five for a manager and week, kinds without a word, chats or snippets missing, contacts in a snippet."""
    found = shown.snapshot.examples
    crowded = found.groupby(["week", "manager_key"]).size() if len(found) else ()
    unknown = sum(kind not in WeeklyWords.KINDS for kind in found["kind"])
    frame = shown.sheets[EXAMPLES].frame
    lost = abs(len(frame) - len(found)) + int(frame[H.CHAT].isna().sum())
    return int(sum(size > _MOST_EXAMPLES for size in crowded)) + unknown + lost + _contacts(shown, frame[W.SNIPPET])


def _advice_that_may_not_be(shown: Shown) -> int:
    """Rules without words, one message advised twice by one rule, contacts in a snippet."""
    found, frame = shown.snapshot.advice, shown.sheets[ADVICE].frame
    # a model may advise several things about one message
    of_rules = found[found["source"] == "rules"]
    unknown = sum(rule not in WeeklyWords.ADVICE for rule in of_rules["rule"])
    twice = int(of_rules.duplicated(["week", "rule", "conversation_id", "message_id", "manager_key"]).sum())
    of_a_model = [said for source, said in zip(found["source"], frame[W.ADVICE], strict=False) if source == "model"]
    lost = abs(len(frame) - len(found))
    return unknown + twice + lost + _contacts(shown, [*frame[W.SNIPPET], *of_a_model])


def _contacts(shown: Shown, cells: Iterable[Any]) -> int:
    """Snippets are masked whatever the policy says of whole texts."""
    return sum(cell is not None and (shown.texts == "none" or mask(cell) != cell) for cell in cells)


def _week_of_talks_that_differs(shown: Shown) -> int:
    """Per manager of the newest week: scores and calls as manager_week has them; a word only where none counts."""
    if BESIDE not in shown.sheets:
        return 0
    frame, snapshot = shown.sheets[BESIDE].frame, shown.snapshot
    newest = next(iter(snapshot.weeks))
    rows = [row for row in snapshot.managers.to_dict("records") if row["week"] == newest]
    wrong = abs(len(rows) - len(frame))
    for row, cells in zip(rows, frame.to_dict("records"), strict=False):
        for heading, part in ((Talks.CALLS_SCORE, "calls"), (Talks.CHATS_SCORE, "chats")):
            cell, counts = cells[heading], bool(row[f"{part}_llm_evaluated"])
            is_number = cell is not None and not isinstance(cell, str)
            wrong += is_number != counts
            wrong += is_number and counts and abs(float(cell) - float(row[f"{part}_llm_score_avg"])) > _ROUNDED
        wrong += (cells[Talks.CALLS_IN] or 0) != (row["calls_in"] or 0)
    return wrong


def _results_that_may_not_be(shown: Shown) -> int:
    """A call that is missing or stands twice, a score without its name, contacts in what was said."""
    if RESULTS not in shown.sheets or shown.snapshot.results is None:
        return 0
    frame, found = shown.sheets[RESULTS].frame, shown.snapshot.results
    wrong = abs(len(frame) - len(found)) + int(frame[Talks.CALL].duplicated().sum())
    wrong += int((frame[Talks.POINTS].notna() & frame[Talks.POINTS_ARE].isna()).sum())
    said = (Talks.PROOF, Talks.TOPIC, Talks.SUMMARY, Talks.RECOMMENDATIONS, Talks.AGREEMENTS, Talks.DECLINES)
    return wrong + sum(_contacts(shown, frame[heading]) for heading in said)


WEEKLY_RULES = (
    TabRule(
        BESIDE,
        Rule(
            "calls_and_chats_show_the_marts",
            "A row per manager of the newest week with his calls and scores of manager_week; a score that does not"
            " count is a word.",
        ),
        _week_of_talks_that_differs,
    ),
    TabRule(
        RESULTS,
        Rule(
            "call_results_show_the_marts",
            "Every judged call of the list stands once, a score says what it is, and no phone, e-mail or card is left.",
        ),
        _results_that_may_not_be,
    ),
    TabRule(
        README,
        Rule("read_me_explains_every_column", "Every column of every tab has its definition in the first tab."),
        _unexplained_columns,
    ),
    TabRule(
        DIGEST_MANAGERS,
        Rule(
            "digest_of_managers_shows_the_marts",
            "A row per manager of the newest week, but who was on the telephone alone, with the figures of manager_week"
            " and of manager_week_delta.",
        ),
        _digest_rows_that_differ(DIGEST_MANAGERS, "managers", "manager_deltas", "manager_key"),
    ),
    TabRule(
        DIGEST_CHANNELS,
        Rule(
            "digest_of_channels_shows_the_marts",
            "A row per channel of the newest week, but the telephone's where nobody wrote, with the figures of"
            " channel_week and of channel_week_delta.",
        ),
        _digest_rows_that_differ(DIGEST_CHANNELS, "channels", "channel_deltas", "channel_id"),
    ),
    TabRule(
        REPORT,
        Rule(
            "report_ranks_only_what_can_be_ranked",
            "Every manager of the newest week has one row, and a place only with 20 questions and complete data.",
        ),
        _places_that_may_not_be,
    ),
    TabRule(
        TREND,
        Rule(
            "weeks_of_the_company_add_up",
            "Every week has a row; its questions are those of all managers, its shares add up to one.",
        ),
        _weeks_of_the_company_that_differ,
    ),
    TabRule(
        EXAMPLES,
        Rule(
            "examples_are_few_and_say_no_contact",
            "At most five for a manager and week, each with its chat; no contact is left in a snippet.",
        ),
        _examples_that_may_not_be,
    ),
    TabRule(
        ADVICE,
        Rule(
            "advice_has_words_and_says_no_contact",
            "Every advice of the mart is shown in words, once; no contact is left in a snippet.",
        ),
        _advice_that_may_not_be,
    ),
    TabRule(
        DELTAS,
        Rule(
            "comparisons_are_the_marts_and_arrows_are_sure",
            "Values and n are those of manager_week_delta; an arrow stands only where the interval excludes 0.",
        ),
        _arrows_that_may_not_be,
    ),
    TabRule(
        SNAPSHOTS,
        Rule(
            "snapshots_are_what_is_compared",
            "A row per manager and week; published figures are those that the comparison of the week starts from.",
        ),
        _snapshots_that_differ,
    ),
)
