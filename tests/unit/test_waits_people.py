"""Waits: order, bots, managers, calendars, calls and other chats (contract, sections 3, 4.4-4.6 and 11)."""

from __future__ import annotations

import pytest

from conversations.timeline import Wait
from tests.unit.talk import ROUND_THE_CLOCK, K, Talk, instant, rules

ALWAYS = rules()
BOTS = rules(channels={"telegram": {"bot_can_resolve": True}})


def minutes(wait: Wait) -> float | None:
    return None if wait.wait_business_seconds is None else wait.wait_business_seconds / 60


def manager_minutes(wait: Wait) -> float | None:
    return None if wait.manager_wait_business_seconds is None else wait.manager_wait_business_seconds / 60


def later(talk: Talk) -> Talk:
    """An exchange at 08:00, so that what follows is not the first wait of the session."""
    return talk.customer("08:00").manager("08:01")


# Order (ruling 1)


def test_the_order_of_the_channel_beats_the_clock() -> None:
    talk = Talk().customer("10:00", seq=1).manager("09:59", seq=2)
    wait = talk.wait(ALWAYS)
    assert (wait.wait_seconds, wait.wait_business_seconds, wait.clock_skew, wait.outcome) == (0, 0, True, "in_target")
    assert wait.settled_at == wait.answered_at == instant("09:59")


def test_without_an_order_of_its_own_the_clock_rules_and_ids_break_ties() -> None:
    talk = Talk().manager("10:00", id="a").customer("10:00", id="b")
    assert talk.wait(ALWAYS).outcome == "no_reply"
    talk = Talk().manager("10:00", id="b").customer("10:00", id="a")
    assert talk.wait(ALWAYS).wait_seconds == 0


def test_messages_without_a_sequence_stand_last() -> None:
    talk = Talk().customer("10:00", seq=None).manager("11:00", seq=5)
    assert talk.wait(ALWAYS).outcome == "no_reply"


def test_events_stand_before_the_first_later_message_and_after_messages_of_their_instant() -> None:
    assert Talk().customer("10:00").event("10:00", "handoff").wait(ALWAYS).handoff_at == instant("10:00")
    assert Talk().customer("10:00:00.1").event("10:00", "handoff").wait(ALWAYS).handoff_at is None
    wait = Talk().customer("10:00").event("10:05", "assigned", "A").manager("10:05", status="failed", by="B")
    assert wait.wait(ALWAYS).owner_manager_id == "A"


def test_a_deletion_that_the_clock_puts_before_its_message_still_counts() -> None:
    wait = (
        Talk().customer("10:30", seq=1).customer("10:00", seq=2, deleted="10:05").manager("10:40", seq=3).wait(ALWAYS)
    )
    assert (wait.last_asking_at, wait.outcome) == (instant("10:30"), "in_target")
    alone = Talk().manager("10:30", seq=1).customer("10:00", seq=2, deleted="10:05").wait(ALWAYS)
    assert (alone.outcome, alone.settled_at) == ("not_required", instant("10:05"))


@pytest.mark.parametrize("sender", ["autoreply", "bot", "campaign", "system", "note"])
def test_what_neither_opens_nor_answers_settles_nothing_either(sender: str) -> None:
    """Invariant 4 where the channel's order contradicts the clock: the message after it is older than the limit."""
    plain = Talk().customer("10:00", seq=1).customer("17:00", seq=3).manager("17:05", seq=4)
    other = Talk().customer("10:00", seq=1, id="m01").say(sender, "20:00", seq=2, id="x")
    other.customer("17:00", seq=3, id="m02").manager("17:05", seq=4, id="m03")
    assert other.wait(ALWAYS) == plain.wait(ALWAYS)


# Bots (section 4.4, ruling 6)


def test_a_request_for_a_person_is_a_hand_off_where_a_bot_led() -> None:
    talk = Talk().customer("10:00").bot("10:00:30").customer("10:03", "позовите оператора").manager("10:20")
    wait = talk.wait(ALWAYS)
    assert (wait.handoff_at, manager_minutes(wait)) == (instant("10:03"), 17)
    assert Talk().customer("10:00").customer("10:03", "позовите оператора").wait(ALWAYS).handoff_at is None


def test_an_explicit_hand_off_beats_a_request() -> None:
    talk = Talk().customer("10:00").bot("10:00:30").customer("10:03", "позовите оператора")
    wait = talk.event("10:12", "handoff").event("10:13", "handoff").manager("10:20").wait(ALWAYS)
    assert wait.handoff_at == instant("10:12")


def test_bot_handled_at_the_close_ends_the_session() -> None:
    judged = Talk().customer("10:00").bot("10:01").event("10:30", "closed").customer("10:40").judge(BOTS)
    wait = judged.waits[0]
    assert (wait.outcome, wait.settled_at, wait.owner_manager_id) == ("bot_handled", instant("10:30"), None)
    assert not wait.closed_unanswered
    assert wait.limit_at is None
    first, second = judged.sessions
    assert (first.ended_at, first.is_bot_only, second.is_bot_only) == (instant("10:30"), True, False)
    assert judged.waits[1].session_id == second.session_id


def test_bot_handled_after_silence() -> None:
    talk = Talk().customer("10:00").bot("10:01").bot("10:05")
    assert talk.wait(BOTS, as_of="Tue 10:04:59").outcome == "pending"
    judged = talk.judge(BOTS, as_of="Tue 10:05")
    assert (judged.waits[0].outcome, judged.waits[0].settled_at) == ("bot_handled", instant("Tue 10:05"))
    assert judged.sessions[0].ended_at == instant("Tue 10:05")
    # a message at that very instant begins another session
    assert len(talk.customer("Tue 10:05").judge(BOTS).sessions) == 2


@pytest.mark.parametrize("what", ["hand-off", "request", "autoreply only", "asked again", "not allowed"])
def test_not_bot_handled(what: str) -> None:
    talk = Talk().customer("10:00", "позовите оператора" if what == "request" else "Привет")
    if what == "autoreply only":
        talk.say("autoreply", "10:01")
    else:
        talk.bot("10:01")
    if what == "hand-off":
        talk.event("10:02", "handoff")
    if what == "asked again":
        talk.customer("10:02")
    outcome = talk.event("10:30", "closed").wait(ALWAYS if what == "not allowed" else BOTS)
    assert (outcome.outcome, outcome.closed_unanswered) == ("no_reply", True)


def test_the_limit_counts_from_the_first_question_after_the_bot_and_rests_while_the_bot_leads() -> None:
    talk = Talk().customer("10:00").bot("10:01").customer("15:00").customer("16:00")
    assert talk.wait(BOTS, as_of="12:00").limit_at is None
    assert talk.wait(BOTS).limit_at == instant("23:00")
    assert Talk().customer("10:00").wait(BOTS).limit_at == instant("18:00")
    assert Talk().customer("10:00").bot("10:01").event("10:30", "handoff").wait(BOTS).limit_at == instant("18:30")


def test_every_answer_above_the_target_is_slow_in_a_bot_channel() -> None:
    talk = Talk().customer("08:00").bot("08:01").customer("17:00").manager("17:05")
    wait = talk.wait(BOTS)
    assert (minutes(wait), wait.outcome) == (545, "slow_reply")


def test_the_bot_rules_hold_for_missed_calls_too() -> None:
    talk = Talk().call("10:00", "customer", False).bot("10:01").event("10:30", "closed")
    assert talk.wait(BOTS).outcome == "bot_handled"


# Managers (section 4.5, ruling 10)


def test_an_unanswered_wait_belongs_to_the_assigned_manager_else_to_the_last_who_wrote() -> None:
    talk = later(Talk()).customer("10:00")
    assert talk.judge(ALWAYS).waits[1].owner_manager_id == "A"
    talk.event("12:00", "assigned", "B")
    assert talk.judge(ALWAYS).waits[1].owner_manager_id == "B"
    talk.event("13:00", "assigned", None)
    assert talk.judge(ALWAYS).waits[1].owner_manager_id == "A"
    talk.event("19:00", "assigned", "C")
    assert talk.judge(ALWAYS).waits[1].owner_manager_id == "A"
    assert Talk().customer("10:00").wait(ALWAYS).owner_manager_id is None


def test_the_owner_of_a_pending_wait_is_as_of_now() -> None:
    talk = Talk().customer("10:00").event("11:00", "assigned", "A")
    assert talk.wait(ALWAYS, as_of="10:30").owner_manager_id is None
    assert talk.wait(ALWAYS, as_of="11:30").owner_manager_id == "A"


def test_the_first_assignment_of_a_wait_does_not_move_the_manager_view() -> None:
    wait = Talk().customer("10:00").event("10:15", "assigned", "A").manager("10:20", by="A").wait(ALWAYS)
    assert manager_minutes(wait) == 20


def test_losing_the_assignment_to_nobody_is_no_replacement() -> None:
    talk = Talk().event("09:00", "assigned", "A").customer("10:00").event("11:00", "assigned", None)
    judged = talk.event("11:10", "assigned", "B").manager("11:20", by="B").judge(ALWAYS)
    assert judged.left_waiting == []
    assert manager_minutes(judged.waits[0]) == 80


def test_left_waiting_leaves_out_the_time_before_the_hand_off_and_before_the_assignment() -> None:
    talk = Talk().event("09:00", "assigned", "A").customer("10:00").bot("10:01").event("10:30", "handoff")
    judged = talk.event("10:45", "assigned", "B").event("10:50", "assigned", "C").manager("11:30", by="C").judge(ALWAYS)
    (left,) = judged.left_waiting
    assert (left.manager_id, left.held_seconds) == ("A", 15 * 60)
    assert manager_minutes(judged.waits[0]) == 40


# Calendars (section 3)


def test_calendar_of_the_managers_team_else_channel_else_organisation() -> None:
    text = K + ROUND_THE_CLOCK.removeprefix("\ncalendars:").replace("calendar: always", "calendar: K")
    text += "teams: {care: always}\nchannels: {twitter: {calendar: none}}\n"
    compiled = rules(text, teams={"A": "care", "B": "unknown"})
    assert Talk().customer("22:00").manager("23:00").wait(compiled).calendar_id == "K"
    team = Talk().event("09:00", "assigned", "A").customer("22:00").manager("23:00").wait(compiled)
    assert (team.calendar_id, minutes(team), team.hours_basis) == ("always", 60, "business")
    # it never changes afterwards, and the manager view uses it too
    kept = (
        Talk()
        .event("09:00", "assigned", "A")
        .customer("22:00")
        .event("22:30", "assigned", "B")
        .manager("23:00", by="B")
    )
    assert (kept.wait(compiled).calendar_id, manager_minutes(kept.wait(compiled))) == ("always", 30)
    clock = Talk(kind="twitter").event("09:00", "assigned", "B").customer("22:00").manager("22:20").wait(compiled)
    assert (clock.calendar_id, minutes(clock), clock.hours_basis) == (None, None, "calendar")
    assert (clock.wait_seconds, clock.outcome, clock.manager_wait_business_seconds) == (1200, "slow_reply", None)


def test_without_a_calendar_limits_are_calendar_time() -> None:
    wait = Talk().customer("22:00").wait(rules("{}"))
    assert (wait.outcome, wait.settled_at) == ("no_reply", instant("Tue 06:00"))


def test_a_calendar_that_never_opens_again_leaves_the_wait_pending() -> None:
    closed = rules("calendars: {gone: {time_zone: UTC}}\norganisation: {calendar: gone}")
    wait = Talk().customer("10:00").wait(closed)
    assert (wait.outcome, wait.limit_at) == ("pending", None)


# Calls and other chats (section 4.6, ruling 9)


def test_a_missed_call_waits_by_itself_and_one_reply_closes_both_kinds() -> None:
    talk = Talk().call("10:00", "customer", False).call("10:02", "customer", False).customer("10:05").manager("10:10")
    call, message = talk.judge(ALWAYS).waits
    assert (call.wait_kind, minutes(call), call.target_seconds, call.limit_seconds) == ("missed_call", 10, 900, 28_800)
    assert call.asking_message_ids == ("m01", "m02")
    assert (message.wait_kind, minutes(message)) == ("message", 5)
    # the first message wait after a missed call is first of its session
    assert (call.is_first_of_session, message.is_first_of_session) == (False, True)


def test_an_answered_inbound_call_opens_nothing_and_answers() -> None:
    talk = Talk().call("10:00", "customer", False).call("10:20", "customer", True, by="A")
    wait = talk.wait(ALWAYS)
    assert (wait.reply_kind, minutes(wait), wait.reply_manager_id, wait.outcome) == ("call", 20, "A", "slow_reply")


def test_an_unanswered_outbound_call_answers_nothing() -> None:
    assert Talk().customer("10:00").call("10:20", "manager", False).wait(ALWAYS).outcome == "no_reply"


def test_short_calls_count_for_waits_and_calls_between_operators_do_not() -> None:
    assert Talk().customer("10:00").call("10:05", "manager", True, talk_seconds=3).wait(ALWAYS).reply_kind == "call"
    inside = Talk().customer("10:00").call("10:05", "manager", True, direction="none")
    assert inside.wait(ALWAYS).outcome == "no_reply"


def test_a_reply_in_another_chat_of_the_account_answers_and_opens_nothing_there() -> None:
    judged = Talk("a").customer("10:00").chat("b").manager("10:05", by="B").judge(ALWAYS)
    (wait,) = judged.waits
    assert (wait.conversation_id, minutes(wait), wait.owner_manager_id) == ("a", 5, "B")
    assert [session.conversation_id for session in judged.sessions] == ["a", "b"]


def test_a_reply_on_another_account_does_not_answer_but_an_answered_call_does() -> None:
    apart = Talk("a").customer("10:00").chat("b", account="other").manager("10:05")
    assert apart.wait(ALWAYS).outcome == "no_reply"
    call = Talk("a").customer("10:00").chat("b", account="other").call("10:05", "manager", True)
    assert (call.wait(ALWAYS).reply_kind, minutes(call.wait(ALWAYS))) == ("call", 5)


def test_a_late_reply_may_come_in_another_chat() -> None:
    talk = Talk("a").customer("10:00").chat("b").manager("19:00").chat("a").manager("20:00")
    assert talk.wait(ALWAYS).answered_after_limit_at == instant("19:00")


# Input


def test_untimed_chats_stay_outside() -> None:
    talk = Talk("a").customer("10:00").customer(None).chat("b", is_untimed=True).customer("10:00")
    judged = talk.judge(ALWAYS)
    assert judged == ([], [], [], [], [])


def test_only_what_is_dated_up_to_as_of_is_seen() -> None:
    talk = Talk().customer("10:00").manager("10:20").event("10:10", "handoff")
    wait = talk.wait(ALWAYS, as_of="10:05")
    assert (wait.outcome, wait.handoff_at, wait.pending_seconds) == ("pending", None, 300)


def test_rows_of_an_unknown_chat_are_refused() -> None:
    talk = Talk("a").customer("10:00", conversation_id="x")
    with pytest.raises(ValueError, match="message belongs to conversation 'x'"):
        talk.judge(ALWAYS)
    talk = Talk("a").event("10:00", "closed")
    talk.events[0] = talk.events[0]._replace(conversation_id="x")
    with pytest.raises(ValueError, match="event belongs to conversation 'x'"):
        talk.judge(ALWAYS)
