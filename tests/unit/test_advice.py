"""Advice, rule by rule, on real words: the examples that the rules give of themselves, and where they are silent.

Here: whole conversations through ``evaluate`` with the product's lexicons, and the words of one message. Not here: what
a session's behaviour is (``test_behaviour``), how well the lexicons read (``test_lexicon_measured``).
"""

from __future__ import annotations

import inspect

import pytest

from conversations import advice
from conversations.evaluate import evaluate
from conversations.lexicon import Lexicon, Place, Side
from conversations.timeline import Advice, Evaluation, TimedMessage
from conversations.words import Words
from tests.unit.talk import K, Talk, instant, rules

WORDS = Words(Lexicon.default())
ON_K = rules(K, organisation={"calendar": "K"})


def judged(talk: Talk, as_of: str = "+8 Mon 00:00") -> Evaluation:
    return evaluate(talk.contact, ON_K, instant(as_of), None, WORDS)


def given(talk: Talk, as_of: str = "+8 Mon 00:00") -> dict[str, Advice]:
    """Advice by rule; each rule speaks at most once here."""
    found = judged(talk, as_of).advice
    assert len({one.rule for one in found}) == len(found)
    return {one.rule: one for one in found}


def test_every_rule_has_a_name_a_version_and_an_example() -> None:
    rules_by_name = {**advice.OF_WAITS, **advice.OF_SESSIONS}
    assert set(rules_by_name) == {
        "no_answer", "slow_first_answer", "no_offer", "no_next_step", "no_clarifying_question",
    }  # fmt: skip
    for name, rule in rules_by_name.items():
        assert rule.version == 1
        assert rule.speaks.__name__ == name
        assert "Example: customer" in (inspect.getdoc(rule.speaks) or "")


def test_no_answer_is_about_the_wait_and_goes_to_who_answers_for_it() -> None:
    talk = Talk().event("14:00", "assigned", "B").customer("15:00", "Сколько стоит доставка?")
    assert given(talk, "Tue 14:59") == {}
    one = given(talk)["no_answer"]
    assert one == Advice(
        "c:m01:no_answer", "no_answer", 1, "c", "c:m01", "c:m01", "m01", "B", instant("Tue 15:00")
    )  # fmt: skip


def test_no_answer_speaks_while_the_session_goes_on() -> None:
    talk = Talk().say("manager", "08:50", "Доброе утро", by="A").customer("09:00").customer("17:59")
    found = judged(talk, "19:00")
    assert found.sessions[0].ended_at is None and found.behaviour == []
    assert [(one.rule, one.message_id, one.manager_id) for one in found.advice] == [("no_answer", "m02", "A")]


def test_a_missed_call_that_nobody_returned_is_no_answer_too() -> None:
    one = given(Talk().call("10:00", "customer", answered=False))["no_answer"]
    assert (one.wait_id, one.message_id, one.manager_id) == ("c:m01", "m01", None)


def test_slow_first_answer_is_the_first_of_a_session_in_the_view_of_the_manager() -> None:
    slow = Talk().customer("10:00", "Есть 42 размер?").say("manager", "10:25", "Да, есть, 7990 ₽. Оформляем?", by="A")
    one = given(slow)["slow_first_answer"]
    assert (one.message_id, one.manager_id, one.given_at) == ("m01", "A", instant("10:25"))
    in_time = Talk().customer("10:00").say("manager", "10:10", "Слушаю вас", by="A")
    assert given(in_time) == {}
    later = in_time.customer("11:00").say("manager", "12:00", "Уточню", by="A")
    assert given(later) == {}, "slow, but not the first"
    taken_over = (
        Talk().event("09:00", "assigned", "A").customer("10:00").event("10:20", "assigned", "B")
        .say("manager", "10:25", "Слушаю вас", by="B")
    )  # fmt: skip
    assert given(taken_over) == {}


def shop(*lines: str) -> Talk:
    """Lines a minute apart, the customer's first, sides in turn."""
    talk = Talk()
    for number, line in enumerate(lines):
        sender = "manager" if number % 2 else "customer"
        talk.say(sender, f"10:{number:02}", line, by="A" if sender == "manager" else None)
    return talk


def test_no_offer_is_about_the_last_wish() -> None:
    talk = shop("Сколько стоит куртка?", "Здравствуйте! Посмотрите на сайте", "а доставка есть?", "Не знаю", "спасибо")
    found = given(talk)
    assert set(found) == {"no_offer", "no_clarifying_question"}
    assert (found["no_offer"].message_id, found["no_clarifying_question"].message_id) == ("m03", "m01")
    assert (found["no_offer"].wait_id, found["no_offer"].manager_id) == (None, "A")
    assert found["no_offer"].given_at == instant("Tue 10:04")


def test_a_next_step_in_an_earlier_turn_is_one() -> None:
    lines = ("Оплата при получении возможна?", "Да, после примерки. Оформляем?", "Хорошо", "Хорошего дня")
    (row,) = judged(shop(*lines)).behaviour
    assert (row.has_intent, row.made_offer, row.has_next_step) == (True, False, False)
    assert set(given(shop(*lines))) == {"no_clarifying_question"}


def test_no_next_step_is_about_the_managers_last_message() -> None:
    found = given(shop("Сколько стоит куртка?", "Какой размер вам нужен?", "46", "Куртка 7990 ₽", "спасибо"))
    assert set(found) == {"no_next_step"}
    assert found["no_next_step"].message_id == "m04"


def test_a_sale_that_was_led_gets_no_advice() -> None:
    assert (
        given(shop("Сколько стоит куртка?", "Какой размер вам нужен?", "46", "Куртка 7990 ₽. Оформляем заказ?")) == {}
    )


@pytest.mark.parametrize("last", ["нет, спасибо, не надо", "я оплатила"])
def test_who_refused_or_paid_gets_no_advice_about_offer_or_next_step(last: str) -> None:
    found = given(shop("Сколько стоит куртка?", "Здравствуйте!", last, "Хорошо"))
    assert set(found) == {"no_clarifying_question"}


def test_no_wish_no_advice() -> None:
    assert given(shop("Здравствуйте", "Здравствуйте!", "где мой заказ 70412?", "Уточню")) == {}


def test_after_a_talk_on_the_phone_nobody_is_told_what_was_not_said() -> None:
    talk = shop("Сколько стоит куртка?", "Здравствуйте!")
    assert set(given(talk)) == {"no_offer", "no_clarifying_question"}
    talk.call("10:05", "manager", answered=True, by="A", talk_seconds=120)
    assert given(talk) == {}
    (row,) = judged(talk).behaviour
    assert (row.asked_clarifying, row.made_offer, row.next_step_not_judged) == (False, False, "call")


def test_what_was_deleted_says_nothing_and_what_was_edited_says_what_it_says_now() -> None:
    talk = shop("Сколько стоит куртка?", "Куртка 7990 ₽, оформляем?")
    assert set(given(talk)) == {"no_clarifying_question"}
    late = talk.contact
    late.messages[1] = late.messages[1]._replace(deleted_at=instant("10:30"))
    (row,) = judged(talk).behaviour
    assert (row.made_offer, row.has_next_step, row.human_replies) == (False, False, 1)
    late.messages[1] = late.messages[1]._replace(deleted_at=None)
    edited = late.messages[1]._replace(text="Здравствуйте", edited_at=instant("10:40"), ingested_at=instant("10:41"))
    late.messages.append(edited)
    assert set(given(talk)) == {"no_offer", "no_clarifying_question"}


def test_a_link_to_pay_is_an_offer_and_the_next_step() -> None:
    talk = shop("Сколько стоит куртка?", "Какой размер?", "46")
    talk.say("manager", "10:05", "Ссылка", by="A", kind="payment_link")
    (row,) = judged(talk).behaviour
    assert (row.made_offer, row.has_next_step, row.offer_message_ids) == (True, True, ("m04",))


@pytest.mark.parametrize(
    ("text", "is_refusal"),
    [
        ("не надо", True),
        ("хотел купить, но передумал", True),
        ("не буду брать, сколько стоит доставка?", False),
        ("сколько стоит? не надо", True),
    ],
)
def test_within_a_message_a_wish_behind_a_refusal_takes_it_back(text: str, is_refusal: bool) -> None:
    assert ("refusal" in WORDS.intents(text, "customer")) is is_refusal


def test_managers_are_read_only_where_the_customer_wished_something() -> None:
    class Counting:
        hash = "x"

        def __init__(self) -> None:
            self.read: list[str] = []

        def places(self, text: str | None, side: Side) -> list[Place]:
            self.read.append(side)
            return Lexicon.default().places(text, side)

    def read(*lines: str) -> list[str]:
        reader = Counting()
        Words(reader).said(shop(*lines).messages)
        return reader.read

    assert read("Здравствуйте", "Добрый день, куртка 7990 ₽") == ["customer"]
    assert read("Сколько стоит?", "Куртка 7990 ₽", "Сколько стоит?", "Куртка 7990 ₽") == ["customer", "manager"]
    assert read("Сколько стоит?") == []


def test_a_call_of_which_nobody_knows_whether_it_was_answered_is_not_said() -> None:
    talk = shop("Сколько стоит?", "7990 ₽").call("10:05", "manager", answered=None, by="B")
    rows: list[TimedMessage] = talk.messages
    assert [one.message_id for one in WORDS.said(rows)] == ["m01", "m02"]
