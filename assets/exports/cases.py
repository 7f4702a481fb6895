"""Single talks: the examples of the week and the advice per chat.

Here: their columns, words for codes, links to chats. Not here: which talks are chosen (``marts.weekly_examples``,
``marts.chat_advice``), what is read (``snapshot``). Snippets are cut and masked here, also where the policy lets whole
texts out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from assets.exports.made import CHANNEL, Made, count, legend, minutes, moment, named, text
from conversations.messages import Headings, TalkWords, Weekly, WeeklyWords
from conversations.policy_exports import Texts
from conversations.redact import snippet
from resources.sheets import ColourRule, Column, Kind, Look

if TYPE_CHECKING:
    from pandas import DataFrame

H, W = Headings, Weekly


def _snippet(texts: Texts) -> Made:
    return Made(
        Column(W.SNIPPET, Kind.TEXT, 480),
        "snippet",
        lambda rows: [None if one is None or texts == "none" else snippet(one) for one in rows["snippet"]],
    )


def _said(text: str | None, texts: Texts) -> str | None:
    """What a model wrote may repeat a customer's words: it is let out as those are."""
    return None if text is None or texts == "none" else snippet(text)


def examples(texts: Texts) -> list[Made]:
    """The columns of the examples; their week stands before them."""
    return [
        text(H.MANAGER, "manager_name", 170),
        text(H.TEAM, "team_id", 90),
        count(W.NUMBER, "rank"),
        named(W.KIND, "kind", WeeklyWords.KINDS, 170),
        text(H.CHAT, "conversation_id", 130),
        CHANNEL,
        minutes(W.WAITED, "seconds"),
        moment(W.WHEN, "sent_at"),
        _snippet(texts),
    ]


def advice(texts: Texts) -> list[Made]:
    """The columns of the advice; its week stands before them."""
    return [
        text(H.MANAGER, "manager_name", 170),
        text(H.TEAM, "team_id", 90),
        text(H.CHAT, "conversation_id", 130),
        CHANNEL,
        Made(
            Column(W.ABOUT, Kind.TEXT, 190),
            "rule",
            lambda rows: [
                TalkWords.MODEL_ADVICE if source == "model" else WeeklyWords.ADVICE.get(rule, (rule, ""))[0]
                for source, rule in zip(rows["source"], rows["rule"], strict=True)
            ],
        ),
        Made(
            Column(W.ADVICE, Kind.TEXT, 420),
            "rule",
            lambda rows: [
                _said(said, texts) if source == "model" else WeeklyWords.ADVICE.get(rule, ("", None))[1]
                for source, rule, said in zip(rows["source"], rows["rule"], rows["recommendation"], strict=True)
            ],
        ),
        moment(W.WHEN, "sent_at"),
        _snippet(texts),
    ]


def examples_look(caption: Sequence[str], rows: DataFrame) -> Look:
    """Of the examples: what went well is green, what did not red or amber."""
    tones = {"no_reply": "bad", "slow_reply": "warn", "no_next_step": "warn", "good": "good"}
    return Look(
        caption=caption,
        legend=legend(WeeklyWords.LEGEND_EXAMPLES),
        frozen_columns=2,
        rules=[ColourRule(W.KIND, "is", WeeklyWords.KINDS[kind], tone) for kind, tone in tones.items()],  # type: ignore[arg-type]
        wrap=[W.SNIPPET],
        links=_links(rows),
        protected=True,
    )


def advice_look(caption: Sequence[str], rows: DataFrame) -> Look:
    """Of the advice."""
    return Look(
        caption=caption,
        frozen_columns=2,
        rules=[ColourRule(W.ABOUT, "is", WeeklyWords.ADVICE["no_answer"][0], "bad")],
        wrap=[W.ADVICE, W.SNIPPET],
        links=_links(rows),
        protected=True,
    )


def _links(rows: DataFrame) -> dict[str, list[str | None]]:
    """Chats open in the source's own window, where the policy says how."""
    links = list(rows["chat_link"])
    return {H.CHAT: links} if any(links) else {}
