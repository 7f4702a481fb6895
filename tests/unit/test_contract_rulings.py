"""Cases that a rule or ruling of the metric contract names, for the product and for the oracle.

Here: deletions, windows, marks, closes, sessions, campaigns, bots, calls, owners. Not here: the worked examples
(``test_contract_examples``), random customers (``test_invariants``).
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from conversations.timeline import SECOND, Chat, Evaluation
from tests.unit.judging import Judge, at
from tests.unit.telling import (
    CHAT,
    ON_K,
    ROUND_THE_CLOCK,
    call,
    customer,
    event,
    in_order,
    manager,
    moment,
    only_wait,
    row,
    tell,
    with_channel,
)


@pytest.mark.parametrize(("seconds", "outcome"), [(59, "no_reply"), (60, "in_target")])
def test_a_message_deleted_early_was_never_sent(judge: Judge, seconds: int, outcome: str) -> None:
    reply = manager("10:05", deleted_at=moment("10:05") + seconds * SECOND)
    assert only_wait(tell(judge, customer("10:00"), reply)).outcome == outcome


def test_early_deletion_counts_only_before_the_limit(judge: Judge) -> None:
    reply = manager("17:59:50", deleted_at=moment("18:00:00"))
    assert only_wait(tell(judge, customer("10:00"), reply)).outcome == "slow_reply"
    earlier = manager("17:59:50", deleted_at=moment("17:59:59"))
    assert only_wait(tell(judge, customer("10:00"), earlier)).outcome == "no_reply"


def test_a_deleted_question_needs_no_reply(judge: Judge) -> None:
    wait = only_wait(tell(judge, customer("10:00", deleted_at=moment("10:20")), manager("10:30")))
    assert (wait.outcome, wait.settled_at) == ("not_required", moment("10:20"))


def test_a_deleted_first_question_moves_the_start_and_with_it_where_the_wait_equals_n(judge: Judge) -> None:
    first = customer("10:00", deleted_at=moment("10:25"))
    answered = only_wait(tell(judge, first, customer("10:20"), manager("10:28")))
    assert (answered.opened_at, answered.wait_seconds, answered.outcome) == (moment("10:20"), 8 * 60, "in_target")
    assert answered.opening_message_id == first.message_id
    left = only_wait(tell(judge, first, customer("10:20")))
    assert (left.outcome, left.settled_at) == ("no_reply", moment("18:20"))


def test_what_is_left_after_a_deletion_may_need_no_reply(judge: Judge) -> None:
    first = customer("10:00", deleted_at=moment("10:25"))
    wait = only_wait(tell(judge, first, customer("10:20", "спасибо")))
    assert (wait.outcome, wait.settled_at) == ("not_required", moment("10:25"))


def test_an_edit_keeps_the_first_time_and_the_last_text(judge: Judge) -> None:
    first = customer("10:06", "спасибо")
    edited = first._replace(text="а цена?", ingested_at=first.ingested_at + SECOND, sent_at=first.sent_at + SECOND)
    second = in_order(tell(judge, customer("10:00"), manager("10:05"), edited, first))[1]
    assert second.opened_at == moment("10:06")


def test_a_hard_window_counts_from_the_last_question(judge: Judge) -> None:
    policy = with_channel(ON_K, window=24 * 3600, limit=30 * 86400)
    rows = (customer("2026-05-04 17:00"), customer("2026-05-04 17:30"))
    left = only_wait(tell(judge, *rows, manager("2026-05-05 17:30:01"), policy=policy))
    assert (left.outcome, left.settled_at) == ("window_expired", at("2026-05-05 17:30"))
    assert (left.answered_after_limit_at, left.window_seconds) == (at("2026-05-05 17:30:01"), 24 * 3600)
    assert only_wait(tell(judge, *rows, manager("2026-05-05 17:30"), policy=policy)).outcome == "slow_reply"


def test_limit_and_window_together_are_no_reply(judge: Judge) -> None:
    policy = with_channel(window=8 * 3600)
    assert only_wait(tell(judge, customer("10:00"), policy=policy)).outcome == "no_reply"


def test_a_persons_mark_settles_the_open_wait_and_changes_nothing_later(judge: Judge) -> None:
    marked = only_wait(tell(judge, customer("10:00"), event("10:20", "no_reply_needed", "anna")))
    assert (marked.outcome, marked.settled_at) == ("not_required", moment("10:20"))
    late = only_wait(tell(judge, customer("10:00"), event("18:20", "no_reply_needed", "anna")))
    assert late.outcome == "no_reply"


def test_a_close_while_a_wait_is_open_neither_ends_nor_settles(judge: Judge) -> None:
    judged = tell(judge, customer("10:00"), event("10:20", "closed"), customer("10:40"), manager("10:50"))
    wait = only_wait(judged)
    assert (wait.wait_seconds, wait.closed_unanswered, len(judged.sessions)) == (50 * 60, True, 1)


def test_a_message_after_a_close_starts_a_session(judge: Judge) -> None:
    rows = (customer("10:00"), manager("10:05"), event("10:06", "closed"), customer("10:30"), manager("10:40"))
    judged = tell(judge, *rows)
    first, second = sorted(judged.sessions, key=lambda session: session.started_at)
    assert (first.ended_at, first.is_new_contact) == (moment("10:06"), True)
    assert (second.started_at, second.is_new_contact) == (moment("10:30"), False)
    assert [wait.is_first_of_session for wait in in_order(judged)] == [True, True]


def test_a_session_ends_24_hours_after_its_last_message(judge: Judge) -> None:
    rows = (customer("2026-05-04 10:00"), manager("2026-05-04 10:05"))
    same = tell(judge, *rows, customer("2026-05-05 10:04:59"))
    assert len(same.sessions) == 1
    other = tell(judge, *rows, customer("2026-05-05 10:05:00"))
    assert sorted(session.started_at for session in other.sessions)[1] == at("2026-05-05 10:05")
    assert min(session.ended_at or 0 for session in other.sessions) == at("2026-05-05 10:05")


def test_a_session_lasts_as_long_as_its_wait(judge: Judge) -> None:
    judged = tell(judge, customer("2026-05-08 17:50"), customer("2026-05-11 11:00"), policy=ON_K)
    assert (len(judged.waits), len(judged.sessions)) == (1, 1)
    assert judged.sessions[0].ended_at == at("2026-05-12 11:00")


def test_a_late_first_reply_belongs_to_the_session_of_its_wait_for_7_days(judge: Judge) -> None:
    asked, settled = customer("2026-05-04 10:00"), at("2026-05-04 18:00")
    late = manager("2026-05-11 18:00")
    judged = tell(judge, asked, event("2026-05-06 10:00", "closed"), late)
    assert len(judged.sessions) == 1
    assert judged.sessions[0].ended_at == late.sent_at + 86400 * SECOND
    assert (late.sent_at - settled) // SECOND == 7 * 86400
    assert len(tell(judge, asked, manager("2026-05-11 18:00:01")).sessions) == 2


def test_a_campaign_initiates_only_the_session_that_follows_within_a_day(judge: Judge) -> None:
    follows = tell(judge, row("2026-05-04 10:00", "campaign"), customer("2026-05-05 09:59:59"))
    later = tell(judge, row("2026-05-04 10:00", "campaign"), customer("2026-05-05 10:00:00"))
    assert (follows.sessions[0].initiated_by, only_wait(follows).is_first_reply) == ("campaign", False)
    assert (later.sessions[0].initiated_by, only_wait(later).is_first_reply) == ("customer", True)


def test_a_bot_that_may_resolve_handles_a_wait_when_the_session_ends(judge: Judge) -> None:
    policy = with_channel(bot_can_resolve=True)
    rows = (customer("10:00"), row("10:00:05", "bot"))
    silent = tell(judge, *rows, policy=policy)
    wait = only_wait(silent)
    assert (wait.outcome, wait.settled_at, wait.owner_manager_id) == (
        "bot_handled",
        at("2026-05-05 10:00:05"),
        None,
    )
    assert (silent.sessions[0].is_bot_only, silent.sessions[0].ended_at) == (True, wait.settled_at)
    closed = only_wait(tell(judge, *rows, event("10:30", "closed"), policy=policy))
    assert (closed.outcome, closed.settled_at, closed.closed_unanswered) == ("bot_handled", moment("10:30"), False)
    handed = only_wait(tell(judge, *rows, event("10:05", "handoff"), policy=policy))
    assert (handed.outcome, handed.settled_at) == ("no_reply", moment("18:05"))
    autoreply = only_wait(tell(judge, rows[0], row("10:00:05", "autoreply"), policy=policy))
    assert autoreply.outcome == "no_reply"


def test_a_request_for_a_person_is_a_hand_off_and_an_event_beats_it(judge: Judge) -> None:
    policy = with_channel(bot_can_resolve=True)
    rows = (customer("10:00"), row("10:01", "bot"), customer("10:05", "позовите оператора"), row("10:06", "bot"))
    asked = only_wait(tell(judge, *rows, policy=policy))
    assert (asked.outcome, asked.settled_at, asked.handoff_at) == ("no_reply", moment("18:05"), moment("10:05"))
    handed = only_wait(tell(judge, *rows, event("10:10", "handoff"), manager("10:15"), policy=policy))
    assert (handed.handoff_at, handed.manager_wait_seconds) == (moment("10:10"), 5 * 60)


def test_a_missed_call_waits_for_itself_and_one_reply_closes_both_kinds(judge: Judge) -> None:
    rows = (call("10:00", None, answered=False, sender="customer"), customer("10:05"), manager("10:14"))
    missed, asked = in_order(tell(judge, *rows))
    assert (missed.wait_kind, missed.target_seconds, missed.outcome) == ("missed_call", 15 * 60, "in_target")
    assert (missed.is_first_of_session, missed.wait_seconds) == (False, 14 * 60)
    assert (asked.wait_kind, asked.is_first_of_session, asked.wait_seconds) == ("message", True, 9 * 60)


def test_a_reply_in_another_chat_of_the_account_and_a_call_on_any_channel_answer(judge: Judge) -> None:
    chats = (CHAT, Chat("same", "account", "whatsapp", False), Chat("other", "else", "instagram", False))
    same = tell(judge, customer("10:00"), manager("10:09", chat="same"), chats=chats)
    assert only_wait(same).answered_at == moment("10:09")
    elsewhere = tell(judge, customer("10:00"), manager("10:09", chat="other"), chats=chats)
    assert only_wait(elsewhere).outcome == "no_reply"
    by_phone = tell(judge, customer("10:00"), call("10:09", "anna", answered=True, chat="other"), chats=chats)
    assert only_wait(by_phone).reply_kind == "call"


def test_clock_skew_is_shown_as_nothing_and_flagged(judge: Judge) -> None:
    wait = only_wait(tell(judge, customer("10:00", source_seq=1), manager("09:59", source_seq=2)))
    assert (wait.wait_seconds, wait.wait_business_seconds, wait.wait_from_last_seconds) == (0, 0, 0)
    assert (wait.clock_skew, wait.outcome) == (True, "in_target")
    assert only_wait(tell(judge, customer("10:00"), manager("09:59"))).outcome == "no_reply"


def test_an_untimed_chat_has_neither_waits_nor_sessions(judge: Judge) -> None:
    flagged = tell(judge, customer("10:00"), chats=(CHAT._replace(is_untimed=True),))
    partly = tell(judge, customer("10:00"), customer("10:05")._replace(sent_at=None))
    assert flagged == partly == Evaluation([], [], [], [], [])


def test_owner_is_the_assignee_at_settlement_else_the_last_to_write_else_nobody(judge: Judge) -> None:
    wrote = (customer("09:00"), manager("09:05", "vera"), customer("10:00"))
    assert in_order(tell(judge, *wrote))[1].owner_manager_id == "vera"
    assert in_order(tell(judge, *wrote, event("12:00", "assigned", "anna")))[1].owner_manager_id == "anna"
    assert only_wait(tell(judge, customer("10:00"))).owner_manager_id is None


def test_calendar_is_that_of_the_team_assigned_at_opening(judge: Judge) -> None:
    policy = replace(
        ON_K,
        calendars={**ON_K.calendars, "24/7": (ROUND_THE_CLOCK,)},
        team_calendars={"night": ((None, "24/7"),)},
        manager_teams={"anna": "night"},
    )
    assigned = (event("08:59", "assigned", "anna"), customer("22:00"))
    assert only_wait(tell(judge, *assigned, policy=policy)).calendar_id == "24/7"
    assert only_wait(tell(judge, assigned[1], event("22:01", "assigned", "anna"), policy=policy)).calendar_id == "K"


def test_a_transfer_between_two_accounts_of_one_person_replaces_nobody(judge: Judge) -> None:
    story = (
        event("10:50", "assigned", "anna"),
        customer("11:00"),
        event("11:35", "assigned", "anna-on-phone"),
        manager("11:41", "anna-on-phone"),
    )
    minutes = {}
    for name, persons in (("two", {}), ("one", {"anna-petrova": ("anna", "anna-on-phone")})):
        judged = tell(judge, *story, policy=replace(ON_K, persons=persons))
        minutes[name] = (only_wait(judged).manager_wait_seconds // 60, len(judged.left_waiting))
    assert minutes == {"two": (6, 1), "one": (41, 0)}


def test_who_gets_a_chat_back_on_his_other_account_starts_anew_after_a_replacement(judge: Judge) -> None:
    policy = replace(ON_K, persons={"anna-petrova": ("anna", "anna-on-phone")})
    story = (
        event("10:50", "assigned", "anna"),
        customer("11:00"),
        event("11:20", "assigned", "boris"),
        event("11:35", "assigned", "anna-on-phone"),
        manager("11:41", "anna"),
    )
    judged = tell(judge, *story, policy=policy)
    assert only_wait(judged).manager_wait_seconds == 6 * 60
    assert [(left.manager_id, left.held_seconds // 60) for left in judged.left_waiting] == [("anna", 20), ("boris", 15)]
