"""Sessions: when they begin, go on and end (contract, section 2, rulings 4, 5, 13 and 14)."""

from __future__ import annotations

import pytest

from tests.unit.talk import Talk, instant, rules

ALWAYS = rules()


def starts(talk: Talk, as_of: str = "+8 Mon 00:00") -> list[str]:
    return [session.first_message_id for session in talk.judge(ALWAYS, as_of).sessions]


def test_a_session_ends_a_day_after_its_last_message() -> None:
    talk = Talk().customer("10:00:00.5").manager("10:05:00.5").customer("Tue 10:04:59", "Ещё вопрос")
    assert starts(talk) == ["m01"]
    talk = Talk().customer("10:00").manager("10:05:00.5").customer("Tue 10:05")
    first, second = talk.judge(ALWAYS).sessions
    assert (first.ended_at, first.last_message_at) == (instant("Tue 10:05"), instant("10:05:00.5"))
    assert (second.session_id, second.started_at) == ("c:m03", instant("Tue 10:05"))


def test_a_session_goes_on_at_as_of() -> None:
    talk = Talk().customer("10:00").manager("10:05")
    assert talk.judge(ALWAYS, as_of="Tue 10:04:59").sessions[0].ended_at is None
    assert talk.judge(ALWAYS, as_of="Tue 10:05").sessions[0].ended_at == instant("Tue 10:05")


def test_while_a_wait_is_open_the_session_stays_the_same() -> None:
    calm = rules("{}", defaults={"no_reply_limit_minutes": 3 * 24 * 60})
    talk = Talk().customer("10:00").customer("Wed 10:00").manager("Thu 09:00")
    (session,) = talk.judge(calm).sessions
    assert session.ended_at == instant("Fri 09:00")
    # it cannot end before its last wait settles
    (alone,) = Talk().customer("10:00").judge(calm).sessions
    assert alone.ended_at == instant("Thu 10:00")


def test_a_close_with_no_wait_open_ends_the_session() -> None:
    talk = Talk().customer("10:00").manager("10:05").event("10:10", "closed").event("10:20", "closed").customer("10:30")
    first, second = talk.judge(ALWAYS).sessions
    assert first.ended_at == instant("10:10")
    assert second.started_at == instant("10:30")


def test_a_close_after_the_idle_time_is_too_late() -> None:
    talk = Talk().customer("10:00").manager("10:05").event("Wed 10:10", "closed")
    assert talk.judge(ALWAYS).sessions[0].ended_at == instant("Tue 10:05")


def test_a_close_while_a_wait_is_open_is_only_noted() -> None:
    judged = Talk().customer("10:00").event("10:02", "closed").manager("10:05").customer("10:06").judge(ALWAYS)
    assert [wait.closed_unanswered for wait in judged.waits] == [True, False]
    assert len(judged.sessions) == 1
    assert judged.waits[0].outcome == "in_target"


@pytest.mark.parametrize("sender", ["bot", "autoreply", "system", "campaign", "note", "reaction", "failed", "deleted"])
def test_what_neither_starts_nor_prolongs(sender: str) -> None:
    talk = Talk()
    for at in ("08:00", "Mon 20:00"):
        if sender == "reaction":
            talk.customer(at, kind="reaction")
        elif sender == "failed":
            talk.manager(at, status="failed")
        elif sender == "deleted":
            talk.manager(at, deleted=at)
        else:
            talk.say(sender, at)
        if at == "08:00":
            assert starts(talk) == []
            talk.customer("10:00").manager("10:05")
    talk.customer("Tue 10:05")
    assert len(starts(talk)) == 2


def test_a_late_first_reply_belongs_to_the_session_of_the_wait() -> None:
    """Settled 18:00; the reply comes after the idle time, within 7 days, and prolongs the session."""
    talk = Talk().customer("10:00").manager("+1 Mon 18:00").customer("+1 Tue 17:59", "Ещё?")
    judged = talk.judge(ALWAYS)
    assert starts(talk) == ["m01"]
    assert judged.sessions[0].ended_at == instant("+1 Wed 17:59")
    assert judged.waits[1].session_id == "c:m01"


def test_a_late_reply_after_7_days_starts_a_session() -> None:
    talk = Talk().customer("10:00").manager("+1 Mon 18:00:01")
    assert starts(talk) == ["m01", "m02"]
    assert talk.wait(ALWAYS).answered_after_limit_at == instant("+1 Mon 18:00:01")


def test_a_second_late_reply_starts_a_session() -> None:
    talk = Talk().customer("10:00").manager("Wed 10:00").manager("Thu 10:00")
    assert starts(talk) == ["m01", "m03"]
    elsewhere = Talk("a").customer("10:00").chat("b").manager("Wed 09:00").chat("a").manager("Wed 10:00")
    assert [session.conversation_id for session in elsewhere.judge(ALWAYS).sessions] == ["a", "a", "b"]


def test_a_late_reply_comes_back_after_a_close() -> None:
    talk = Talk().customer("10:00").event("19:00", "closed").manager("20:00").customer("21:00")
    judged = talk.judge(ALWAYS)
    assert starts(talk) == ["m01"]
    # the close ended the session as long as nothing came
    assert talk.judge(ALWAYS, as_of="19:30").sessions[0].ended_at == instant("19:00")
    assert judged.sessions[0].ended_at == instant("Tue 21:00")


def test_no_late_reply_once_a_later_session_has_begun() -> None:
    talk = Talk().customer("10:00").event("19:00", "closed").customer("20:00").manager("20:05")
    judged = talk.judge(ALWAYS)
    assert starts(talk) == ["m01", "m02"]
    assert judged.waits[0].answered_after_limit_at == instant("20:05")


def test_campaigns_begin_no_session_but_name_it() -> None:
    talk = Talk().say("campaign", "10:00").customer("Tue 09:59:59").manager("Tue 10:01")
    judged = talk.judge(ALWAYS)
    assert judged.sessions[0].initiated_by == "campaign"
    assert (judged.waits[0].is_first_of_session, judged.waits[0].is_first_reply) == (True, False)
    assert Talk().say("campaign", "10:00").customer("Tue 10:00").judge(ALWAYS).sessions[0].initiated_by == "customer"


def test_a_campaign_before_the_last_message_of_the_previous_session_does_not_count() -> None:
    talk = Talk().say("campaign", "10:00").customer("10:30").manager("10:31").event("10:32", "closed").customer("10:40")
    assert [session.initiated_by for session in talk.judge(ALWAYS).sessions] == ["campaign", "customer"]
    talk = Talk().customer("10:30").manager("10:31").say("campaign", "10:32").customer("10:40").event("10:50", "closed")
    assert [session.initiated_by for session in talk.judge(ALWAYS).sessions] == ["customer"]


def test_a_campaign_that_was_not_delivered_did_not_come() -> None:
    talk = Talk().say("campaign", "10:00", status="failed").customer("10:30")
    assert talk.judge(ALWAYS).sessions[0].initiated_by == "customer"


def test_initiated_by_skips_bots() -> None:
    talk = Talk().bot("09:00").say("autoreply", "09:01").manager("09:02").customer("09:03")
    (session,) = talk.judge(ALWAYS).sessions
    assert (session.initiated_by, session.first_message_id) == ("manager", "m03")


def test_counts() -> None:
    talk = Talk().bot("09:00").customer("10:00").bot("10:01").manager("10:02").manager("10:03", status="failed")
    talk.customer("10:04", "спасибо").customer("10:05", kind="reaction").bot("10:06").bot("Wed 10:00")
    (session,) = talk.judge(ALWAYS).sessions
    assert (session.customer_messages, session.manager_messages, session.bot_messages) == (2, 1, 2)


@pytest.mark.parametrize(
    ("second", "is_new"),
    [("+4 Wed 10:00", False), ("+4 Thu 10:00", True), ("+4 Thu 09:59:59", False)],
)
def test_new_contact_after_30_days_without_a_session(second: str, is_new: bool) -> None:
    """The first session ends on Tue 28 April at 10:00; 30 days later is Thu 28 May."""
    talk = Talk("a").customer("09:55").manager("10:00").chat("b", account="other").customer(second)
    assert [session.is_new_contact for session in talk.judge(ALWAYS).sessions] == [True, is_new]


def test_sessions_of_the_same_second_are_both_new() -> None:
    talk = Talk("a").customer("10:00:00.1").chat("b").customer("10:00:00.9")
    assert [session.is_new_contact for session in talk.judge(ALWAYS).sessions] == [True, True]


def test_ends_outgoing() -> None:
    talk = Talk().customer("10:00").manager("10:05").customer("10:06", "спасибо")
    (session,) = talk.judge(ALWAYS).sessions
    assert (session.ends_outgoing, session.last_message_id) == (True, "m03")
    assert not Talk().customer("10:00").judge(ALWAYS).sessions[0].ends_outgoing
