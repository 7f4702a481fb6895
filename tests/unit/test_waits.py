"""Waits: the worked examples of the contract (section 4) and its rulings (section 11), one test each."""

from __future__ import annotations

import pytest

from conversations.timeline import SECOND, Wait
from tests.unit.talk import ROUND_THE_CLOCK, K, Talk, instant, on_k, rules

ALWAYS = rules()
BOTS = rules(channels={"telegram": {"bot_can_resolve": True}})
WINDOW = rules(channels={"telegram": {"hard_window_hours": 24}})


def minutes(wait: Wait) -> float | None:
    return None if wait.wait_business_seconds is None else wait.wait_business_seconds / 60


def manager_minutes(wait: Wait) -> float | None:
    return None if wait.manager_wait_business_seconds is None else wait.manager_wait_business_seconds / 60


def later(talk: Talk) -> Talk:
    """An exchange at 08:00, so that what follows is not the first wait of the session."""
    return talk.customer("08:00").manager("08:01")


# Worked examples of section 4


def test_r1_later_messages_do_not_move_the_start() -> None:
    talk = later(Talk()).customer("10:00").customer("10:02").customer("10:30").manager("10:40")
    wait = talk.judge(ALWAYS).waits[1]
    assert (minutes(wait), wait.wait_from_last_seconds, wait.outcome, wait.target_seconds) == (
        40,
        600,
        "slow_reply",
        1800,
    )
    assert wait.asking_message_ids == ("m03", "m04", "m05")
    assert not wait.is_first_of_session


def test_r2_an_autoreply_answers_nothing_and_the_first_target_is_10() -> None:
    wait = Talk().customer("10:00:00").say("autoreply", "10:00:05").manager("10:25:00").wait(ALWAYS)
    assert (minutes(wait), wait.outcome, wait.target_seconds) == (25, "slow_reply", 600)
    assert wait.first_bot_reply_seconds == 5
    assert wait.is_first_reply


def test_r3_the_manager_view_starts_at_the_hand_off() -> None:
    wait = Talk().customer("10:00").bot("10:01").event("10:12", "handoff").manager("10:20").wait(ALWAYS)
    assert (minutes(wait), manager_minutes(wait)) == (20, 8)
    assert (wait.outcome, wait.outcome_manager) == ("slow_reply", "in_target")
    assert wait.handoff_at == instant("10:12")


def test_r4_a_transfer_belongs_to_who_replied_and_is_noted_for_who_held() -> None:
    talk = later(Talk().event("07:00", "assigned", "A"))
    talk.customer("11:00").event("11:35", "assigned", "B").manager("11:41", by="B")
    judged = talk.judge(ALWAYS)
    wait = judged.waits[1]
    assert (minutes(wait), wait.outcome) == (41, "slow_reply")
    assert (wait.owner_manager_id, manager_minutes(wait), wait.outcome_manager) == ("B", 6, "in_target")
    (left,) = judged.left_waiting
    assert (left.wait_id, left.manager_id, left.held_seconds) == (wait.wait_id, "A", 35 * 60)
    assert left.replaced_at == instant("11:35")


def test_r5_the_manager_wrote_first() -> None:
    talk = Talk().manager("09:00").customer("09:30").manager("09:33").manager("09:34")
    wait = talk.wait(ALWAYS)
    assert (minutes(wait), wait.is_first_of_session, wait.is_first_reply) == (3, True, False)
    # ruling 2: whoever began, the first wait of a session has the first target
    assert wait.target_seconds == 600


def test_r6_a_closing_remark_opens_nothing() -> None:
    talk = Talk().customer("10:00", "цена?").manager("10:05").customer("10:06", "спасибо")
    assert minutes(talk.wait(ALWAYS)) == 5


def test_r7_a_failed_reply_does_not_answer() -> None:
    wait = Talk().customer("10:00").manager("10:03", status="failed").manager("10:20").wait(ALWAYS)
    assert (minutes(wait), wait.had_failed_reply) == (20, True)


def test_r8_a_reaction_does_not_answer() -> None:
    wait = Talk().customer("10:00").manager("10:01", kind="reaction").wait(ALWAYS)
    assert (wait.outcome, wait.settled_at) == ("no_reply", instant("18:00"))


def test_r9_an_answered_call_answers() -> None:
    wait = Talk().customer("10:00").call("10:15", "manager", True, by="A").wait(ALWAYS)
    assert (minutes(wait), wait.reply_kind, wait.reply_manager_id) == (15, "call", "A")


def test_r10_a_late_reply_changes_no_outcome_and_may_answer_another_wait() -> None:
    talk = Talk().customer("Mon 10:00").customer("Tue 16:00").manager("Tue 16:10")
    first, second = talk.judge(on_k()).waits
    assert (first.outcome, first.answered_after_limit_at) == ("no_reply", instant("Tue 16:10"))
    # 180 minutes on Monday before lunch, 240 after, 60 on Tuesday
    assert first.settled_at == first.limit_at == instant("Tue 10:00")
    assert (minutes(second), second.outcome, second.answered_after_limit_at) == (10, "in_target", None)
    # the second begins a day of silence later, so it is first of its own session and 10 minutes are just in time
    assert second.is_first_of_session


def test_the_example_of_no_reply() -> None:
    """Opened Mon 15:00 on K; Tue 15:00 is 480 business minutes later."""
    wait = Talk().customer("15:00").manager("Tue 15:40").wait(on_k())
    assert (wait.outcome, wait.settled_at) == ("no_reply", instant("Tue 15:00"))
    assert wait.answered_after_limit_at == instant("Tue 15:40")
    empty = (wait.wait_seconds, wait.wait_business_seconds, wait.wait_from_last_seconds, wait.answered_at)
    assert (*empty, wait.reply_manager_id, wait.answering_message_id) == (None,) * 6


def test_the_example_of_the_weekend() -> None:
    """Opened Fri 17:50 on K: pending at the Monday digest, settles on Monday at 11:50."""
    talk = Talk().customer("+1 Fri 17:50")
    digest = talk.wait(on_k(), as_of="+2 Mon 08:10")
    assert (digest.outcome, digest.settled_at) == ("pending", None)
    assert digest.pending_seconds == (instant("+2 Mon 08:10") - instant("+1 Fri 17:50")) // SECOND
    settled = talk.wait(on_k(), as_of="+2 Mon 12:00")
    assert (settled.outcome, settled.settled_at) == ("no_reply", instant("+2 Mon 11:50"))
    assert settled.pending_seconds is None


# Limits (section 4.2, rulings 2, 3 and 8)


@pytest.mark.parametrize(
    ("replied", "outcome"),
    [
        ("10:10", "in_target"),
        ("10:10:00.999999", "in_target"),
        ("10:10:01", "slow_reply"),
        ("18:00", "slow_reply"),
        ("18:00:00.5", "slow_reply"),
        ("18:00:01", "no_reply"),
    ],
)
def test_boundaries_in_whole_seconds(replied: str, outcome: str) -> None:
    assert Talk().customer("10:00:00.7").manager(replied).wait(ALWAYS).outcome == outcome


def test_a_reply_after_the_limit_is_late_even_if_no_business_second_has_passed() -> None:
    """480 minutes from Mon 09:00 end at closing time; the next opening is on Tuesday."""
    assert Talk().customer("09:00").manager("18:00").wait(on_k()).outcome == "slow_reply"
    wait = Talk().customer("09:00").manager("20:00").wait(on_k())
    assert (wait.outcome, wait.settled_at) == ("no_reply", instant("18:00"))


def test_an_asking_message_at_the_limit_belongs_to_the_old_wait() -> None:
    talk = Talk().customer("10:00").customer("18:00").customer("18:00:01").manager("18:05")
    first, second = talk.judge(ALWAYS).waits
    assert first.asking_message_ids == ("m01", "m02")
    assert second.asking_message_ids == ("m03",)
    assert first.session_id == second.session_id


def test_a_wait_is_settled_at_as_of_equal_to_its_limit() -> None:
    talk = Talk().customer("10:00").manager("18:00:01")
    assert talk.wait(ALWAYS, as_of="17:59:59").outcome == "pending"
    assert talk.wait(ALWAYS, as_of="18:00").outcome == "no_reply"
    assert talk.wait(ALWAYS, as_of="18:00").answered_after_limit_at is None
    assert talk.wait(ALWAYS, as_of="18:00:01").answered_after_limit_at == instant("18:00:01")


def test_the_late_reply_is_the_first_one_however_late() -> None:
    talk = Talk().customer("10:00").manager("+3 Tue 10:00").manager("+3 Tue 11:00")
    assert talk.wait(ALWAYS).answered_after_limit_at == instant("+3 Tue 10:00")


def test_settings_are_those_valid_when_the_wait_opened() -> None:
    dated = rules(
        defaults=[{}, {"valid_from": "2026-04-28", "first_reply_target_minutes": 5, "no_reply_limit_minutes": 60}]
    )
    before = Talk().customer("Mon 23:59").wait(dated)
    after = Talk().customer("Tue 00:00").wait(dated)
    assert (before.target_seconds, before.limit_seconds, before.limit_at) == (600, 28_800, instant("Tue 07:59"))
    assert (after.target_seconds, after.limit_seconds, after.limit_at) == (300, 3600, instant("Tue 01:00"))


# The hard window


def test_the_hard_window_counts_from_the_last_customer_message_and_shares_count_it_as_unanswered() -> None:
    by_clock = rules(K, organisation={"calendar": "K"}, channels={"telegram": {"hard_window_hours": 10}})
    talk = Talk().customer("17:00").customer("17:30").manager("Tue 09:00")
    wait = talk.wait(by_clock)
    assert (wait.outcome, wait.settled_at, wait.window_seconds) == ("window_expired", instant("Tue 03:30"), 36_000)
    assert wait.answered_after_limit_at == instant("Tue 09:00")
    assert wait.limit_at == instant("Tue 17:00")
    assert talk.wait(by_clock, as_of="Tue 03:29:59").outcome == "pending"


def test_a_reply_at_the_end_of_the_window_answers() -> None:
    short = rules(channels={"telegram": {"hard_window_hours": 1}})
    assert Talk().customer("10:00").manager("11:00").wait(short).outcome == "slow_reply"
    assert Talk().customer("10:00").manager("11:00:01").wait(short).outcome == "window_expired"


def test_window_and_limit_together_are_no_reply() -> None:
    both = rules(channels={"telegram": {"hard_window_hours": 8}})
    assert Talk().customer("10:00").wait(both).outcome == "no_reply"


def test_a_deleted_message_still_holds_the_window() -> None:
    short = rules(channels={"telegram": {"hard_window_hours": 1}})
    wait = Talk().customer("10:00").customer("10:30", deleted="10:31").wait(short)
    assert wait.settled_at == instant("11:30")
    assert wait.last_asking_at == instant("10:00")


# Deletions, edits, versions (sections 1 and 1.2)


def test_a_manager_message_deleted_early_was_never_sent() -> None:
    talk = Talk().customer("10:00").manager("10:05", deleted="10:05:59").manager("10:20")
    assert minutes(talk.wait(ALWAYS)) == 20
    late = Talk().customer("10:00").manager("10:05", deleted="10:06:00")
    assert minutes(late.wait(ALWAYS)) == 5
    # before the deletion nobody knew
    assert minutes(talk.wait(ALWAYS, as_of="10:05:58")) == 5


def test_an_early_deletion_counts_only_before_the_limit() -> None:
    talk = Talk().customer("10:00").manager("17:59:30", deleted="18:00:00")
    assert talk.wait(ALWAYS).outcome == "slow_reply"
    talk = Talk().customer("10:00").manager("17:59:30", deleted="17:59:59")
    assert talk.wait(ALWAYS).outcome == "no_reply"


def test_the_only_asking_message_deleted() -> None:
    wait = Talk().event("09:00", "assigned", "A").customer("10:00", deleted="10:05").manager("10:20").wait(ALWAYS)
    assert (wait.outcome, wait.settled_at, wait.owner_manager_id) == ("not_required", instant("10:05"), "A")
    assert wait.wait_seconds is None
    # after the answer a deletion changes nothing
    assert Talk().customer("10:00", deleted="10:21").manager("10:20").wait(ALWAYS).outcome == "slow_reply"
    # after the limit neither
    assert Talk().customer("10:00", deleted="18:00:01").wait(ALWAYS).outcome == "no_reply"


def test_one_of_several_deleted_moves_the_start() -> None:
    talk = Talk().customer("10:00", deleted="10:40").customer("10:30").manager("10:45")
    wait = talk.wait(ALWAYS)
    assert (minutes(wait), wait.opened_at) == (15, instant("10:30"))
    assert wait.wait_id == "c:m01"
    assert wait.limit_at == instant("18:30")
    assert wait.asking_message_ids == ("m01", "m02")


def test_a_moved_start_keeps_the_targets_of_the_opening() -> None:
    dated = rules(defaults=[{}, {"valid_from": "2026-04-28", "first_reply_target_minutes": 5}])
    talk = Talk().customer("Mon 23:59", deleted="Tue 00:05").customer("Tue 00:01").manager("Tue 00:08")
    wait = talk.wait(dated)
    assert (wait.target_seconds, minutes(wait), wait.outcome) == (600, 7, "in_target")


def test_only_closing_remarks_remain() -> None:
    wait = Talk().customer("10:00", deleted="10:05").customer("10:01", "спасибо").manager("10:20").wait(ALWAYS)
    assert (wait.outcome, wait.settled_at) == ("not_required", instant("10:05"))


def test_versions_are_one_message_with_the_first_time_and_the_last_text() -> None:
    talk = Talk().customer("10:00").manager("10:05")
    talk.customer("10:06", "спасибо", id="x", ingested_at=1).customer(
        "10:07", "спасибо, а цена?", id="x", ingested_at=2
    )
    wait = talk.judge(ALWAYS).waits[1]
    assert (wait.opening_message_id, wait.opened_at) == ("x", instant("10:06"))


def test_versions_with_equal_ingestion_are_told_apart_by_edit_and_text() -> None:
    talk = Talk().customer("10:00").manager("10:05")
    talk.customer("10:07", "а цена?", id="x", ingested_at=1, edited_at=5).customer("10:06", "ок", id="x", ingested_at=1)
    wait = talk.judge(ALWAYS).waits[1]
    assert wait.opened_at == instant("10:06")


# needs_reply (section 1.1)


def test_a_closing_remark_never_closes_an_open_wait() -> None:
    talk = Talk().customer("10:00", "у вас есть 42?").customer("10:01", "спасибо").manager("10:20")
    wait = talk.wait(ALWAYS)
    assert (minutes(wait), wait.asking_message_ids) == (20, ("m01", "m02"))


def test_closing_remarks_follow_closing_remarks() -> None:
    talk = Talk().customer("10:00").manager("10:05").customer("10:06", "спасибо").customer("10:07", "ок")
    assert len(talk.judge(ALWAYS).waits) == 1


def test_what_stands_between_is_skipped() -> None:
    talk = Talk().customer("10:00").manager("10:05").say("autoreply", "10:06").say("campaign", "10:07")
    talk.say("system", "10:08").say("note", "10:08").bot("10:08").customer("10:08", kind="reaction")
    assert len(talk.customer("10:09", "спасибо").judge(ALWAYS).waits) == 1


def test_a_bot_is_outgoing_only_where_it_may_resolve() -> None:
    talk = Talk().customer("10:00").bot("10:01").event("10:02", "no_reply_needed").customer("10:03", "спасибо")
    assert len(talk.judge(ALWAYS).waits) == 2
    assert len(talk.judge(BOTS).waits) == 1


def test_a_closing_remark_as_the_first_word_needs_a_reply() -> None:
    assert Talk().customer("10:00", "спасибо").wait(ALWAYS).outcome == "no_reply"


@pytest.mark.parametrize("kind", ["failed", "answered call"])
def test_failed_sendings_and_answered_calls_are_outgoing(kind: str) -> None:
    talk = Talk()
    if kind == "failed":
        talk.manager("10:00", status="failed")
    else:
        talk.call("10:00", "customer", True)
    assert talk.customer("10:05", "спасибо").judge(ALWAYS).waits == []


def test_an_open_wait_of_the_other_kind_forbids_closing() -> None:
    talk = Talk().customer("09:00").manager("09:01").call("10:00", "customer", False)
    talk.manager("10:01", status="failed").customer("10:02", "спасибо")
    assert [wait.wait_kind for wait in talk.judge(ALWAYS).waits] == ["message", "missed_call", "message"]


def test_a_mark_settles_both_kinds_and_later_marks_change_nothing() -> None:
    talk = Talk().customer("10:00").call("10:01", "customer", False).event("10:05", "no_reply_needed", "A")
    assert [(wait.outcome, wait.settled_at) for wait in talk.judge(ALWAYS).waits] == [
        ("not_required", instant("10:05"))
    ] * 2
    assert Talk().customer("10:00").event("19:00", "no_reply_needed").wait(ALWAYS).outcome == "no_reply"


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
    assert judged == ([], [], [])


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
