"""The worked examples of the metric contract, with the contract's own numbers, for the product and for the oracle.

Here: B1-B7, R1-R10, the examples of sections 1, 4.2 and 7, and rulings that name a case. Not here: random customers
(``test_invariants``); weeks and deltas, which are sums over waits.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from conversations.timeline import SECOND, Chat, Contact, Evaluation, Instant, TimedEvent, TimedMessage, Wait
from tests.oracle.policy import CalendarVersion, ChannelSettings, OraclePolicy
from tests.unit.judging import JUDGES, Judge, at, message

WEEKDAY = ((540, 780), (840, 1080))
K = CalendarVersion(
    "Europe/Moscow",
    (WEEKDAY, WEEKDAY, WEEKDAY, WEEKDAY, WEEKDAY, ((600, 900),), ()),
    {date(2026, 4, 30): ((540, 780), (840, 1020)), date(2026, 5, 1): ()},
)
ALMATY = CalendarVersion("Asia/Almaty", (((540, 1080),),) * 7)
ROUND_THE_CLOCK = CalendarVersion("Europe/Moscow", (((0, 1440),),) * 7)

ON_K = OraclePolicy(calendars={"K": (K,)}, organisation_calendars=((None, "K"),))
AROUND = OraclePolicy(calendars={"24/7": (ROUND_THE_CLOCK,)}, organisation_calendars=((None, "24/7"),))
"""Calendar minutes equal business minutes, as section 4.5 supposes."""

CHAT = Chat("chat", "account", "whatsapp", False)
QUESTION = "Сколько стоит доставка?"
LATER = at("2026-06-30 12:00")


@pytest.fixture(params=sorted(JUDGES))
def judge(request: pytest.FixtureRequest) -> Judge:
    return JUDGES[request.param]


def customer(when: str, text: str | None = QUESTION, **fields: Any) -> TimedMessage:
    return _row(when, "customer", text=text, **fields)


def manager(when: str, who: str = "anna", **fields: Any) -> TimedMessage:
    return _row(when, "manager", manager_id=who, **fields)


def call(when: str, who: str | None, answered: bool, sender: str = "manager", **fields: Any) -> TimedMessage:
    return _row(when, sender, manager_id=who, content_kind="call", call_answered=answered, text=None, **fields)


def _row(when: str, sender: str, **fields: Any) -> TimedMessage:
    chat = fields.pop("chat", "chat")
    zone = fields.pop("zone", "Europe/Moscow")
    return message(chat, f"{sender} {when}", _moment(when, zone), sender, **fields)


def _moment(when: str, zone: str = "Europe/Moscow") -> Instant:
    """``10:00`` means Monday, 4 May 2026: an ordinary day on every calendar here."""
    return at(when if "-" in when else f"2026-05-04 {when}", zone)


def event(when: str, kind: str, who: str | None = None) -> TimedEvent:
    return TimedEvent("chat", f"{kind} {when} {who}", _moment(when), kind, who)


def tell(
    judge: Judge,
    *rows: TimedMessage | TimedEvent,
    policy: OraclePolicy = AROUND,
    as_of: Instant = LATER,
    chats: tuple[Chat, ...] = (CHAT,),
) -> Evaluation:
    messages = [row for row in rows if isinstance(row, TimedMessage)]
    events = [row for row in rows if isinstance(row, TimedEvent)]
    return judge(Contact(chats, messages, events), policy, as_of)


def only_wait(judged: Evaluation) -> Wait:
    assert len(judged.waits) == 1
    return judged.waits[0]


def in_order(judged: Evaluation) -> list[Wait]:
    return sorted(judged.waits, key=lambda wait: wait.opened_at)


def with_channel(policy: OraclePolicy = AROUND, **settings: Any) -> OraclePolicy:
    return replace(policy, channels={"whatsapp": (ChannelSettings(**settings),)})


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
    assert (left.outcome, left.settled_at) == ("no_reply", _moment("18:00"))


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
    judged = tell(judge, customer("10:00:00"), _row("10:00:05", "autoreply"), manager("10:25:00"))
    wait = only_wait(judged)
    assert (wait.wait_seconds, wait.outcome, wait.target_seconds) == (25 * 60, "slow_reply", 10 * 60)
    assert (wait.first_bot_reply_seconds, wait.is_first_of_session, wait.is_first_reply) == (5, True, True)
    assert [session.initiated_by for session in judged.sessions] == ["customer"]


def test_r3_the_manager_view_begins_at_the_hand_off(judge: Judge) -> None:
    rows = (customer("10:00"), _row("10:01", "bot"), event("10:12", "handoff"), manager("10:20"))
    wait = only_wait(tell(judge, *rows))
    assert (wait.wait_seconds, wait.manager_wait_seconds) == (20 * 60, 8 * 60)
    assert (wait.handoff_at, wait.outcome, wait.outcome_manager) == (_moment("10:12"), "slow_reply", "in_target")


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
    assert judged.left_waiting[0].replaced_at == _moment("11:35")


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
    rows = (event("10:59", "assigned", "anna"), customer("11:00"), _row("11:01", "bot"), event("11:20", "handoff"))
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
    bot = (customer("10:00"), manager("10:05"), customer("10:07"), _row("10:08", "bot"), customer("10:09", "спасибо"))
    assert [len(wait.asking_message_ids) for wait in in_order(tell(judge, *bot))] == [1, 2]
    campaign = (_row("10:00", "campaign"), customer("10:01", "спасибо"))
    assert len(tell(judge, *campaign).waits) == 1


def test_r7_a_failed_delivery_does_not_answer(judge: Judge) -> None:
    wait = only_wait(tell(judge, customer("10:00"), manager("10:03", delivery_status="failed"), manager("10:20")))
    assert (wait.wait_seconds, wait.had_failed_reply) == (20 * 60, True)


def test_r8_a_reaction_does_not_answer(judge: Judge) -> None:
    wait = only_wait(tell(judge, customer("10:00"), manager("10:01", content_kind="reaction")))
    assert (wait.outcome, wait.settled_at) == ("no_reply", _moment("18:00"))


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


@pytest.mark.parametrize(("seconds", "outcome"), [(59, "no_reply"), (60, "in_target")])
def test_a_message_deleted_early_was_never_sent(judge: Judge, seconds: int, outcome: str) -> None:
    reply = manager("10:05", deleted_at=_moment("10:05") + seconds * SECOND)
    assert only_wait(tell(judge, customer("10:00"), reply)).outcome == outcome


def test_early_deletion_counts_only_before_the_limit(judge: Judge) -> None:
    reply = manager("17:59:50", deleted_at=_moment("18:00:00"))
    assert only_wait(tell(judge, customer("10:00"), reply)).outcome == "slow_reply"
    earlier = manager("17:59:50", deleted_at=_moment("17:59:59"))
    assert only_wait(tell(judge, customer("10:00"), earlier)).outcome == "no_reply"


def test_a_deleted_question_needs_no_reply(judge: Judge) -> None:
    wait = only_wait(tell(judge, customer("10:00", deleted_at=_moment("10:20")), manager("10:30")))
    assert (wait.outcome, wait.settled_at) == ("not_required", _moment("10:20"))


def test_a_deleted_first_question_moves_the_start_and_with_it_where_the_wait_equals_n(judge: Judge) -> None:
    first = customer("10:00", deleted_at=_moment("10:25"))
    answered = only_wait(tell(judge, first, customer("10:20"), manager("10:28")))
    assert (answered.opened_at, answered.wait_seconds, answered.outcome) == (_moment("10:20"), 8 * 60, "in_target")
    assert answered.opening_message_id == first.message_id
    left = only_wait(tell(judge, first, customer("10:20")))
    assert (left.outcome, left.settled_at) == ("no_reply", _moment("18:20"))


def test_what_is_left_after_a_deletion_may_need_no_reply(judge: Judge) -> None:
    first = customer("10:00", deleted_at=_moment("10:25"))
    wait = only_wait(tell(judge, first, customer("10:20", "спасибо")))
    assert (wait.outcome, wait.settled_at) == ("not_required", _moment("10:25"))


def test_an_edit_keeps_the_first_time_and_the_last_text(judge: Judge) -> None:
    first = customer("10:06", "спасибо")
    edited = first._replace(text="а цена?", ingested_at=first.ingested_at + SECOND, sent_at=first.sent_at + SECOND)
    second = in_order(tell(judge, customer("10:00"), manager("10:05"), edited, first))[1]
    assert second.opened_at == _moment("10:06")


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
    assert (marked.outcome, marked.settled_at) == ("not_required", _moment("10:20"))
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
    assert (first.ended_at, first.is_new_contact) == (_moment("10:06"), True)
    assert (second.started_at, second.is_new_contact) == (_moment("10:30"), False)
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
    follows = tell(judge, _row("2026-05-04 10:00", "campaign"), customer("2026-05-05 09:59:59"))
    later = tell(judge, _row("2026-05-04 10:00", "campaign"), customer("2026-05-05 10:00:00"))
    assert (follows.sessions[0].initiated_by, only_wait(follows).is_first_reply) == ("campaign", False)
    assert (later.sessions[0].initiated_by, only_wait(later).is_first_reply) == ("customer", True)


def test_a_bot_that_may_resolve_handles_a_wait_when_the_session_ends(judge: Judge) -> None:
    policy = with_channel(bot_can_resolve=True)
    rows = (customer("10:00"), _row("10:00:05", "bot"))
    silent = tell(judge, *rows, policy=policy)
    wait = only_wait(silent)
    assert (wait.outcome, wait.settled_at, wait.owner_manager_id) == (
        "bot_handled",
        at("2026-05-05 10:00:05"),
        None,
    )
    assert (silent.sessions[0].is_bot_only, silent.sessions[0].ended_at) == (True, wait.settled_at)
    closed = only_wait(tell(judge, *rows, event("10:30", "closed"), policy=policy))
    assert (closed.outcome, closed.settled_at, closed.closed_unanswered) == ("bot_handled", _moment("10:30"), False)
    handed = only_wait(tell(judge, *rows, event("10:05", "handoff"), policy=policy))
    assert (handed.outcome, handed.settled_at) == ("no_reply", _moment("18:05"))
    autoreply = only_wait(tell(judge, rows[0], _row("10:00:05", "autoreply"), policy=policy))
    assert autoreply.outcome == "no_reply"


def test_a_request_for_a_person_is_a_hand_off_and_an_event_beats_it(judge: Judge) -> None:
    policy = with_channel(bot_can_resolve=True)
    rows = (customer("10:00"), _row("10:01", "bot"), customer("10:05", "позовите оператора"), _row("10:06", "bot"))
    asked = only_wait(tell(judge, *rows, policy=policy))
    assert (asked.outcome, asked.settled_at, asked.handoff_at) == ("no_reply", _moment("18:05"), _moment("10:05"))
    handed = only_wait(tell(judge, *rows, event("10:10", "handoff"), manager("10:15"), policy=policy))
    assert (handed.handoff_at, handed.manager_wait_seconds) == (_moment("10:10"), 5 * 60)


def test_a_missed_call_waits_for_itself_and_one_reply_closes_both_kinds(judge: Judge) -> None:
    rows = (call("10:00", None, answered=False, sender="customer"), customer("10:05"), manager("10:14"))
    missed, asked = in_order(tell(judge, *rows))
    assert (missed.wait_kind, missed.target_seconds, missed.outcome) == ("missed_call", 15 * 60, "in_target")
    assert (missed.is_first_of_session, missed.wait_seconds) == (False, 14 * 60)
    assert (asked.wait_kind, asked.is_first_of_session, asked.wait_seconds) == ("message", True, 9 * 60)


def test_a_reply_in_another_chat_of_the_account_and_a_call_on_any_channel_answer(judge: Judge) -> None:
    chats = (CHAT, Chat("same", "account", "whatsapp", False), Chat("other", "else", "instagram", False))
    same = tell(judge, customer("10:00"), manager("10:09", chat="same"), chats=chats)
    assert only_wait(same).answered_at == _moment("10:09")
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
    assert flagged == partly == Evaluation([], [], [])


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
