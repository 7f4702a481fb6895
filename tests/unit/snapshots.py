"""A snapshot written by hand: a week with two managers and a channel, its comparisons, examples, a chat, a message."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from assets.exports import frames
from assets.exports.made import Sheet
from assets.exports.snapshot import Snapshot
from conversations.metrics import METRICS
from conversations.policy import Policy
from conversations.policy_exports import Exports

WEEKS = {"2026-W46": date(2026, 11, 9), "2026-W45": date(2026, 11, 2)}
FIGURES = {
    "waits_settled": 4, "in_target_share": Decimal("0.500000"), "slow_reply_share": Decimal("0.250000"),
    "no_reply_share": Decimal("0.250000"), "first_reply_p50_business_seconds": 90.0, "first_replies": 1,
    "reply_p50_business_seconds": 455.0, "reply_p90_business_seconds": 3600.0, "answered": 3, "pending_now": 0,
    "not_required": 2, "missed_calls_settled": 0, "missed_calls_in_target_share": None, "data_status": "incomplete",
    "sessions_with_intent": 5, "asked_clarifying_share": Decimal("0.600000"), "made_offer_share": Decimal("0.400000"),
    "next_step_judged": 2, "has_next_step": 1, "has_next_step_share": Decimal("0.500000"), "good_judged": 3,
    "good_share": Decimal("0.333333"), "in_target": 2, "slow_reply": 1, "unanswered": 1,
}  # fmt: skip
NOTHING = {
    **FIGURES, "waits_settled": 0, "in_target_share": None, "slow_reply_share": None, "no_reply_share": None,
    "first_reply_p50_business_seconds": None, "first_replies": 0, "reply_p50_business_seconds": None,
    "reply_p90_business_seconds": None, "answered": 0, "sessions_with_intent": 0, "asked_clarifying_share": None,
    "made_offer_share": None, "next_step_judged": 0, "has_next_step": 0, "has_next_step_share": None, "good_judged": 0,
    "good_share": None, "in_target": 0, "slow_reply": 0, "unanswered": 0,
}  # fmt: skip
MESSAGE = {
    "week": "2026-W46", "conversation_id": "crm:1", "sent_at": datetime(2026, 11, 10, 9, 30, 5, 123456),
    "sender_kind": "customer", "is_public": True, "content_kind": "text", "text": "Мой номер 8 926 123-45-67",
    "delivery_status": "read", "is_edited": True, "is_deleted": False, "call_answered": None, "flags": [],
    "channel_kind": "whatsapp", "channel_name": "WhatsApp Москва", "manager_name": None,
    "customer_name": "Галина Ветрова",
}  # fmt: skip
CHAT = {
    "week": "2026-W46", "conversation_id": "crm:1", "created_at": None, "first_at": datetime(2026, 11, 10, 9),
    "last_at": datetime(2026, 11, 10, 10), "flags": ["second_customer"], "channel_kind": "vk", "channel_name": "Север",
    "customer_name": "+7 701 123-45-67", "manager_name": None, "team_id": None, "last_sender": "bot",
    "from_customer": 1, "from_managers": 0, "from_bots": 1, "waits": 1, "in_target": 0, "slow_reply": 0,
    "unanswered": 1, "waiting_since": datetime(2026, 11, 10, 9, 30), "closed_unanswered": True,
    "first_reply_seconds": None,
}  # fmt: skip
STATUS = {
    "week": "2026-W46", "channel_id": "crm:61", "channel_kind": "whatsapp", "channel_name": "WhatsApp Москва",
    "status": "ok", "reasons": "", "is_stale": False, "as_of": datetime(2026, 11, 15, 21, tzinfo=UTC),
    "days_complete": 7, "messages_reported": 100, "messages_stored": 100,
}  # fmt: skip


ANNA = {"manager_key": "crm:1", "manager_id": "crm:1", "manager_name": "Анна Ким", "team_id": "sales"}
NOBODY = {"manager_key": "none", "manager_id": None, "manager_name": "Без менеджера", "team_id": None}
MISS = {"manager_key": "crm:1", "metric": "no_reply_share", "conversation_id": "crm:1"}
_TALK = {
    "week": "2026-W46", **ANNA, "conversation_id": "crm:1", "message_id": "crm:1:2", "channel_kind": "vk",
    "channel_name": "Север", "sent_at": datetime(2026, 11, 10, 9, 30), "snippet": "Мой номер 8 926 123-45-67",
    "chat_link": None,
}  # fmt: skip
EXAMPLE = {**_TALK, "kind": "slow_reply", "rank": 1, "seconds": 5400}
ADVICE = {**_TALK, "rule": "no_next_step", "source": "rules", "recommendation": None}


def delta(metric: str, **given: Any) -> dict[str, Any]:
    """A row of a delta mart: by default 2 of 4 after 1 of 4, too few to say anything."""
    kind = next(one.kind.value for one in METRICS if one.name == metric)
    return {
        "week": "2026-W46", "metric": metric, "kind": kind, "hits": 2, "n": 4, "value": 0.5, "previous_hits": 1,
        "previous_n": 4, "previous_value": 0.25, "delta_status": "low_sample", "delta": None, "low": None, "high": None,
        "deff": 1.0, "is_headline": False, "average_4w": None, "revision": 1, "is_complete": True, **given,
    }  # fmt: skip


def kept(metric: str, **given: Any) -> dict[str, Any]:
    """A row of the snapshot of a week."""
    return {
        "week": "2026-W46", "subject_key": "crm:1", "manager_name": "Анна Ким", "team_id": "sales", "metric": metric,
        "value": 0.5, "n": 4, "is_complete": True, "revision": 2, "reason": "late_data", "changed_rows": 3, **given,
    }  # fmt: skip


def policy(texts: Any = "masked") -> Policy:
    return Policy(exports=Exports(texts=texts))


def made(title: str, texts: Any = "masked", **given: Any) -> Sheet:
    """One tab of the snapshot."""
    return frames.sheet_of(title, snapshot(**given), policy(texts))


def tab(title: str, texts: Any = "masked", **given: Any) -> list[dict[str, Any]]:
    """Its rows by heading."""
    shown = made(title, texts, **given).tab()
    return [dict(zip([column.name for column in shown.columns], row, strict=True)) for row in shown.rows]


def frame(rows: list[dict[str, Any]]) -> Any:
    import pandas as pd

    return pd.DataFrame(rows, dtype=object) if rows else pd.DataFrame(columns=list(MISS), dtype=object)


def snapshot(*, has_talks: bool = False, **given: Any) -> Snapshot:
    manager = {"week": "2026-W46", **ANNA, "sessions_touched": 3, "left_waiting": 1}
    rows = {
        "managers": [
            {**manager, **FIGURES},
            {**manager, **NOTHING, **NOBODY},
        ],
        "channels": [
            {"week": "2026-W46", "channel_id": "crm:61", "channel_kind": "vk", "channel_name": "Север", "chats": 2,
             "unique_customers": 2, "messages_in": 3, "messages_out": 1, "one_direction_share": None,
             "asking_sessions": 1, "bot_first_share": None, "bot_only_sessions": 0, "bot_handled": 0, **FIGURES},
        ],
        "status": [STATUS, {**STATUS, "week": "2026-W45"}],
        "chats": [CHAT],
        "messages": [MESSAGE],
        "manager_deltas": [delta("no_reply_share", **ANNA), delta("in_target_share", **ANNA)],
        "channel_deltas": [delta("in_target_share", channel_id="crm:61")],
        "snapshots": [kept("in_target_share"), kept("good_share", value=None, n=0)],
        "examples": [EXAMPLE],
        "advice": [ADVICE],
        "misses": [],
        **given,
    }  # fmt: skip
    return Snapshot(
        weeks=WEEKS, raw_weeks=["2026-W46"], judged_until=datetime(2026, 11, 15, 22, tzinfo=UTC),
        left_out={("messages", "2026-W46"): 7}, has_talks=has_talks,
        **{name: frame(found) for name, found in rows.items()},
    )  # fmt: skip
