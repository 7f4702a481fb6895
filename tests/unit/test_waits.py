"""Waits: the worked examples of the contract (section 4), limits, windows, deletions and needs_reply."""

from __future__ import annotations

import pytest

from conversations.timeline import SECOND, Wait
from tests.unit.talk import K, Talk, instant, on_k, rules

ALWAYS = rules()
BOTS = rules(channels={"telegram": {"bot_can_resolve": True}})


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
