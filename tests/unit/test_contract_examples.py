"""The worked examples of the metric contract, with the contract's own numbers, for the product and for the oracle.

Here: B1-B7, R1-R10 and the examples of sections 1.1, 4.2 and 7. Not here: cases that only a rule or ruling names
(``test_contract_rulings``), random customers (``test_invariants``), weeks and deltas, which are sums over waits.
"""

from __future__ import annotations

import pytest

from conversations.timeline import SECOND, TimedMessage
from tests.oracle.policy import OraclePolicy
from tests.unit.judging import Judge, at
from tests.unit.telling import (
    ALMATY,
    ON_K,
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

PATIENT = {"limit": 30 * 86400}
"""The calendar examples B1-B7 measure; they do not settle, so N is out of the way."""


@pytest.mark.parametrize(
    ("opened", "answered", "calendar_minutes", "business_minutes"),
    [
        pytest.param("2026-04-27 09:10", "2026-04-27 09:22", 12, 12, id="B1"),
        pytest.param("2026-04-27 12:50", "2026-04-27 14:05", 75, 15, id="B2 lunch"),
        pytest.param("2026-04-30 16:50", "2026-05-02 10:20", 2490, 30, id="B3 short day and holiday"),
        pytest.param("2026-04-27 22:00", "2026-04-27 23:00", 60, 0, id="B4 both at night"),
        pytest.param("2026-04-27 22:00", "2026-04-28 09:07", 667, 7, id="B5 night to morning"),
        pytest.param("2026-05-02 14:50", "2026-05-04 09:20", 2550, 30, id="B6 weekend"),
    ],
)
def test_business_minutes_on_calendar_k(
    judge: Judge, opened: str, answered: str, calendar_minutes: int, business_minutes: int
) -> None:
    wait = only_wait(tell(judge, customer(opened), manager(answered), policy=with_channel(ON_K, **PATIENT)))
    assert wait.wait_seconds == calendar_minutes * 60
    assert wait.wait_business_seconds == business_minutes * 60
    assert (wait.calendar_id, wait.hours_basis) == ("K", "business")


def test_b7_a_zone_that_moves_its_clocks_back(judge: Judge) -> None:
    policy = OraclePolicy(calendars={"A": (ALMATY,)}, organisation_calendars=((None, "A"),))
    rows = (customer("2024-02-29 17:30", zone="Asia/Almaty"), manager("2024-03-01 09:30", zone="Asia/Almaty"))
    wait = only_wait(tell(judge, *rows, policy=policy))
    assert (wait.wait_seconds, wait.wait_business_seconds) == (1020 * 60, 60 * 60)


def test_without_a_calendar_business_values_are_null_and_limits_count_calendar_time(judge: Judge) -> None:
    answered = only_wait(tell(judge, customer("10:00"), manager("10:10"), policy=OraclePolicy()))
    assert (answered.wait_seconds, answered.wait_business_seconds) == (600, None)
    assert (answered.calendar_id, answered.hours_basis, answered.outcome) == (None, "calendar", "in_target")
    left = only_wait(tell(judge, customer("10:00"), policy=OraclePolicy()))
    assert (left.outcome, left.settled_at) == ("no_reply", moment("18:00"))


def test_no_reply_opened_monday_15_settles_tuesday_15_and_a_later_answer_changes_nothing(judge: Judge) -> None:
    rows = (customer("2026-05-04 15:00"), manager("2026-05-05 15:40"))
    wait = only_wait(tell(judge, *rows, policy=ON_K))
    assert (wait.outcome, wait.settled_at) == ("no_reply", at("2026-05-05 15:00"))
    assert wait.answered_after_limit_at == at("2026-05-05 15:40")
    # ruling 7
    assert (wait.answered_at, wait.wait_seconds, wait.wait_business_seconds, wait.reply_manager_id) == (None,) * 4
    in_time = only_wait(tell(judge, rows[0], manager("2026-05-05 15:00"), policy=ON_K))
    assert (in_time.outcome, in_time.wait_business_seconds) == ("slow_reply", 480 * 60)
    late = only_wait(tell(judge, rows[0], manager("2026-05-05 15:00:01"), policy=ON_K))
    assert late.outcome == "no_reply"


def test_boundary_exactly_t_is_in_target(judge: Judge) -> None:
    exact = only_wait(tell(judge, customer("10:00"), manager("10:10")))
    beyond = only_wait(tell(judge, customer("10:00"), manager("10:10:01")))
    assert (exact.outcome, beyond.outcome) == ("in_target", "slow_reply")


def test_a_limit_reached_at_closing_time_is_reached_then(judge: Judge) -> None:
    """Ruling 3: a reply after ``limit_at`` does not answer, even if no business second has passed since."""
    opened = customer("2026-05-04 09:00")
    left = only_wait(tell(judge, opened, manager("2026-05-04 22:00"), policy=with_channel(ON_K, limit=480 * 60)))
    assert (left.outcome, left.settled_at) == ("no_reply", at("2026-05-04 18:00"))


def test_pending_on_friday_evening_settles_on_monday_1150(judge: Judge) -> None:
    opened = customer("2026-05-08 17:50")
    digest = only_wait(tell(judge, opened, policy=ON_K, as_of=at("2026-05-11 08:10")))
    assert (digest.outcome, digest.settled_at, digest.limit_at) == ("pending", None, at("2026-05-11 11:50"))
    assert digest.pending_seconds == (at("2026-05-11 08:10") - at("2026-05-08 17:50")) // SECOND
    settled = only_wait(tell(judge, opened, policy=ON_K, as_of=at("2026-05-11 11:50")))
    assert (settled.outcome, settled.settled_at) == ("no_reply", at("2026-05-11 11:50"))


def test_r1_one_wait_of_40_minutes_10_from_the_last_question(judge: Judge) -> None:
    before = (customer("09:00"), manager("09:05"))
    rows = (customer("10:00"), customer("10:02"), customer("10:30"), manager("10:40"))
    wait = in_order(tell(judge, *before, *rows))[1]
    assert (wait.wait_seconds, wait.wait_from_last_seconds) == (40 * 60, 10 * 60)
    assert (wait.outcome, wait.is_first_of_session, wait.target_seconds) == ("slow_reply", False, 30 * 60)
    assert wait.asking_message_ids == tuple(row.message_id for row in rows[:3])


def test_r2_an_autoreply_answers_nothing(judge: Judge) -> None:
    judged = tell(judge, customer("10:00:00"), row("10:00:05", "autoreply"), manager("10:25:00"))
    wait = only_wait(judged)
    assert (wait.wait_seconds, wait.outcome, wait.target_seconds) == (25 * 60, "slow_reply", 10 * 60)
    assert (wait.first_bot_reply_seconds, wait.is_first_of_session, wait.is_first_reply) == (5, True, True)
    assert [session.initiated_by for session in judged.sessions] == ["customer"]


def test_r3_the_manager_view_begins_at_the_hand_off(judge: Judge) -> None:
    rows = (customer("10:00"), row("10:01", "bot"), event("10:12", "handoff"), manager("10:20"))
    wait = only_wait(tell(judge, *rows))
    assert (wait.wait_seconds, wait.manager_wait_seconds) == (20 * 60, 8 * 60)
    assert (wait.handoff_at, wait.outcome, wait.outcome_manager) == (moment("10:12"), "slow_reply", "in_target")


def test_r4_a_transfer_leaves_the_first_owner_with_left_waiting(judge: Judge) -> None:
    rows = (
        event("10:59", "assigned", "anna"),
        customer("11:00"),
        event("11:35", "assigned", "boris"),
        manager("11:41", "boris"),
    )
    judged = tell(judge, *rows)
    wait = only_wait(judged)
    assert (wait.wait_seconds, wait.outcome) == (41 * 60, "slow_reply")
    assert (wait.owner_manager_id, wait.manager_wait_seconds, wait.outcome_manager) == ("boris", 6 * 60, "in_target")
    assert [(row.manager_id, row.held_seconds) for row in judged.left_waiting] == [("anna", 35 * 60)]
    assert judged.left_waiting[0].replaced_at == moment("11:35")


def test_r4_losing_the_assignment_to_nobody_is_no_replacement(judge: Judge) -> None:
    rows = (event("10:59", "assigned", "anna"), customer("11:00"), event("11:35", "assigned", None))
    judged = tell(judge, *rows, event("11:36", "assigned", "boris"), manager("11:41", "boris"))
    assert judged.left_waiting == []
    assert only_wait(judged).manager_wait_seconds == 41 * 60


@pytest.mark.parametrize(("replaced", "seconds"), [("11:10:00", []), ("11:10:01", [601])])
def test_left_waiting_is_longer_than_t(judge: Judge, replaced: str, seconds: list[int]) -> None:
    rows = (event("10:59", "assigned", "anna"), customer("11:00"), event(replaced, "assigned", "boris"))
    assert [row.held_seconds for row in tell(judge, *rows).left_waiting] == seconds


def test_left_waiting_leaves_out_the_time_before_the_hand_off(judge: Judge) -> None:
    rows = (event("10:59", "assigned", "anna"), customer("11:00"), row("11:01", "bot"), event("11:20", "handoff"))
    judged = tell(judge, *rows, event("11:35", "assigned", "boris"))
    assert [row.held_seconds for row in judged.left_waiting] == [15 * 60]


def test_the_first_assignment_of_an_unassigned_wait_does_not_move_the_manager_view(judge: Judge) -> None:
    wait = only_wait(tell(judge, customer("11:00"), event("11:35", "assigned", "anna"), manager("11:41", "anna")))
    assert wait.manager_wait_seconds == 41 * 60


def test_r5_after_an_outbound_message_there_is_no_first_reply(judge: Judge) -> None:
    judged = tell(judge, manager("09:00"), customer("09:30"), manager("09:33"), manager("09:34"))
    wait = only_wait(judged)
    assert (wait.wait_seconds, wait.is_first_of_session, wait.is_first_reply) == (3 * 60, True, False)
    assert wait.target_seconds == 10 * 60
    assert (len(judged.sessions), judged.sessions[0].initiated_by) == (1, "manager")


def test_r6_a_closing_message_opens_nothing(judge: Judge) -> None:
    wait = only_wait(tell(judge, customer("10:00", "цена?"), manager("10:05"), customer("10:06", "спасибо")))
    assert wait.wait_seconds == 5 * 60


@pytest.mark.parametrize("text", ["Спасибо!", "ок", "Хорошо, договорились.", "👍🏽", "понятно 🙏", None])
def test_closing_messages_after_an_answer(judge: Judge, text: str | None) -> None:
    kind = "sticker" if text is None else "text"
    rows = (customer("10:00"), manager("10:05"), customer("10:06", text, content_kind=kind))
    assert len(tell(judge, *rows).waits) == 1


@pytest.mark.parametrize(
    "text",
    ["ок?", "спасибо 2", "спасибо, жду", "хорошо, спасибо, понятно, ок", "", "...", None],
    ids=["question mark", "digit", "another word", "26 characters or more", "empty", "no token", "no text"],
)
def test_what_looks_like_a_closing_message_and_is_none(judge: Judge, text: str | None) -> None:
    assert len(tell(judge, customer("10:00"), manager("10:05"), customer("10:06", text)).waits) == 2


def test_a_closing_message_never_closes_an_open_wait(judge: Judge) -> None:
    wait = only_wait(tell(judge, customer("10:00", "у вас есть 42?"), customer("10:01", "спасибо")))
    assert (wait.outcome, len(wait.asking_message_ids)) == ("no_reply", 2)


def test_thanks_for_a_campaign_are_asking_and_thanks_for_a_bot_only_where_bots_do_not_resolve(judge: Judge) -> None:
    bot = (customer("10:00"), manager("10:05"), customer("10:07"), row("10:08", "bot"), customer("10:09", "спасибо"))
    assert [len(wait.asking_message_ids) for wait in in_order(tell(judge, *bot))] == [1, 2]
    campaign = (row("10:00", "campaign"), customer("10:01", "спасибо"))
    assert len(tell(judge, *campaign).waits) == 1


def test_r7_a_failed_delivery_does_not_answer(judge: Judge) -> None:
    wait = only_wait(tell(judge, customer("10:00"), manager("10:03", delivery_status="failed"), manager("10:20")))
    assert (wait.wait_seconds, wait.had_failed_reply) == (20 * 60, True)


def test_r8_a_reaction_does_not_answer(judge: Judge) -> None:
    wait = only_wait(tell(judge, customer("10:00"), manager("10:01", content_kind="reaction")))
    assert (wait.outcome, wait.settled_at) == ("no_reply", moment("18:00"))


def test_r9_an_answered_call_answers(judge: Judge) -> None:
    wait = only_wait(tell(judge, customer("10:00"), call("10:15", "anna", answered=True)))
    assert (wait.wait_seconds, wait.reply_kind, wait.reply_manager_id) == (15 * 60, "call", "anna")
    assert only_wait(tell(judge, customer("10:00"), call("10:15", "anna", answered=False))).outcome == "no_reply"
    inbound = call("10:15", "anna", answered=True, sender="customer")
    assert only_wait(tell(judge, customer("10:00"), inbound)).reply_kind == "call"


def test_r10_a_second_wait_after_a_no_reply(judge: Judge) -> None:
    rows = (customer("2026-05-04 10:00"), customer("2026-05-05 16:00"), manager("2026-05-05 16:10"))
    first, second = in_order(tell(judge, *rows, policy=ON_K))
    assert (first.outcome, first.answered_after_limit_at) == ("no_reply", at("2026-05-05 16:10"))
    assert (second.wait_seconds, second.outcome) == (10 * 60, "in_target")


def test_no_reply_is_about_a_wait_not_a_chat(judge: Judge) -> None:
    rows: list[TimedMessage] = []
    for minute in range(0, 40, 2):
        rows += [customer(f"10:{minute:02d}"), manager(f"10:{minute + 1:02d}")]
    judged = tell(judge, *rows, customer("11:00"))
    assert [wait.outcome for wait in in_order(judged)] == ["in_target"] * 20 + ["no_reply"]
