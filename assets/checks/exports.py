"""What must be true of the tabs before they are shown, judged by Great Expectations.

Here: the rules, as counts of what contradicts. Not here: those of the tabs of the week (``exports_weekly``), how they
are judged (``judge``), the tabs (``assets.exports``). A rule that cannot be counted fails: what was not looked at is
not known to be good (F29).
"""

# Dagster looks at the annotations themselves: no `from __future__ import annotations` in this module.

from collections.abc import Mapping

import dagster as dg

from assets.checks.exports_weekly import WEEKLY_RULES
from assets.checks.judge import verdicts
from assets.checks.rules import Rule
from assets.checks.shown import Shown, TabRule, asset_of
from assets.exports.frames import CHANNELS, CHATS, MANAGERS, MESSAGES
from assets.exports.status_columns import STATUS
from conversations.messages import Headings, Words
from conversations.redact import mask

__all__ = ["RULES", "Shown", "TabRule", "asset_of", "judge_tabs", "not_judged", "specs"]


def _rows_of_a_manager_twice(shown: Shown) -> int:
    rows = shown.snapshot.managers
    return int(rows.duplicated(["week", "manager_key"]).sum()) + int((rows["manager_name"] == "").sum())


def _questions_counted_otherwise(shown: Shown) -> int:
    """Per week: the managers' questions and the channels' are the same ones, seen from two sides."""
    totals = [
        shown.snapshot.managers.groupby("week")["waits_settled"].sum(),
        shown.snapshot.channels.groupby("week")["waits_settled"].sum(),
    ]
    return int(sum(abs(totals[0].get(week, 0) - totals[1].get(week, 0)) for week in shown.snapshot.weeks))


def _shares_without_their_n(shown: Shown) -> int:
    wrong = 0
    for title in (MANAGERS, CHANNELS):
        frame = shown.sheets[title].frame
        for n, *shares in frame[[Headings.WAITS, Headings.IN_TARGET, Headings.SLOW, Headings.NO_REPLY]].to_numpy():
            known = [share for share in shares if share is not None]
            is_whole = len(known) == len(shares) and abs(sum(known) - 1) < 1e-4
            wrong += (not is_whole) if n else bool(known)
    return wrong


def _channels_not_shown(shown: Shown) -> int:
    pairs = [set(zip(rows["week"], rows["channel_id"], strict=True)) for rows in (
        shown.snapshot.status, shown.snapshot.channels
    )]  # fmt: skip
    return len(pairs[0] ^ pairs[1])


def _chats_twice(shown: Shown) -> int:
    frame = shown.sheets[CHATS].frame
    return int(frame[Headings.CHAT].duplicated().sum()) + int((frame[Headings.CHANNEL] == "").sum())


def _messages_without_their_chat(shown: Shown) -> int:
    chats = set(shown.sheets[CHATS].frame[Headings.CHAT])
    return sum(chat not in chats for chat in shown.sheets[MESSAGES].frame[Headings.CHAT])


def _texts_with_contacts(shown: Shown) -> int:
    if shown.texts == "full":
        return 0
    messages = shown.sheets[MESSAGES].frame
    cells = [
        *messages[Headings.TEXT],
        *messages[Headings.NAME][messages[Headings.SENDER] == Words.SENDERS["customer"]],
        *shown.sheets[CHATS].frame[Headings.CUSTOMER],
    ]
    return sum(cell is not None and (shown.texts == "none" or mask(cell) != cell) for cell in cells)


def _weeks_without_status(shown: Shown) -> int:
    said = {(title, week["week"]) for title, weeks in shown.known.items() for week in weeks}
    return len({(title, week) for title, sheet in shown.sheets.items() for week in set(sheet.weeks)} - said)


RULES = (
    TabRule(
        MANAGERS,
        Rule("manager_summary_has_a_row_per_manager_and_week", "No manager stands twice in a week or without a name."),
        _rows_of_a_manager_twice,
    ),
    TabRule(
        MANAGERS,
        Rule(
            "managers_and_channels_count_the_same_questions",
            "In each week the questions of all managers, the row of nobody's included, are those of all channels.",
        ),
        _questions_counted_otherwise,
    ),
    TabRule(
        CHANNELS,
        Rule("channel_summary_shows_every_channel", "Every channel that has a data status has a row, and no other."),
        _channels_not_shown,
    ),
    TabRule(
        CHANNELS,
        Rule("shares_add_up_to_their_whole", "Shares of n questions add up to one; without questions there is none."),
        _shares_without_their_n,
    ),
    TabRule(CHATS, Rule("chats_raw_has_a_row_per_chat", "No chat stands twice or without its channel."), _chats_twice),
    TabRule(
        MESSAGES,
        Rule("messages_belong_to_chats_shown", "Every message shown belongs to a chat of the list of chats."),
        _messages_without_their_chat,
    ),
    TabRule(
        MESSAGES,
        Rule(
            "texts_show_no_contact",
            "No phone, e-mail or card is left in a text or a name, unless the policy lets texts out as they are.",
        ),
        _texts_with_contacts,
    ),
    TabRule(
        STATUS,
        Rule(
            "data_status_speaks_of_every_week", "Of every week with a row in a tab data_status says what it is worth."
        ),
        _weeks_without_status,
    ),
    *WEEKLY_RULES,
)


def specs() -> list[dg.AssetCheckSpec]:
    """The checks of all tabs."""
    return [
        dg.AssetCheckSpec(
            one.rule.name,
            asset=one.key,
            description=one.rule.description,
            blocking=True,
            metadata={"by": "great_expectations", "at_most": str(one.rule.at_most)},
        )
        for one in RULES
    ]


def judge_tabs(shown: Shown) -> list[dg.AssetCheckResult]:
    """Judge every rule."""
    import pandas as pd

    counts: dict[TabRule, int] = {}
    broken: dict[TabRule, str] = {}
    for one in RULES:
        try:
            counts[one] = one.count(shown)
        except Exception as error:
            # its words may quote a cell
            broken[one] = type(error).__name__
    frame = pd.DataFrame({one.counted.column(one.rule): [count] for one, count in counts.items()})
    judged = verdicts(frame, [(one.counted, one.rule) for one in counts]) if counts else {}
    return [
        _result(one, False, {"reason": broken[one]}, "The check itself could not be run.")
        if one in broken
        else _result(one, judged[one.counted.column(one.rule)], {"rows_that_contradict": counts[one]}, None)
        for one in RULES
    ]


def not_judged() -> list[dg.AssetCheckResult]:
    """The results where nothing is shown to anybody."""
    said = "No spreadsheet is connected: nothing is shown, nothing was judged."
    return [_result(one, True, {}, said) for one in RULES]


def _result(
    one: TabRule, passed: bool, metadata: Mapping[str, str | int], description: str | None
) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=one.key,
        check_name=one.rule.name,
        passed=passed,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata=dict(metadata),
        description=description,
    )
