"""How fast and how often: told waits, calls at once, calls and tokens a minute, deadlines."""

from __future__ import annotations

import asyncio
import time

import pytest

from resources.llm.ledger import Evaluated
from resources.llm.limits import Minute
from resources.llm.tokens import about
from tests.emulators.llm import LlmEmulator
from tests.llm.asking import MODEL, Book, ask, request_of, scoring


@pytest.mark.parametrize(
    ("status", "form", "least"), [(429, "seconds", 0.4), (503, "seconds", 0.4), (429, "date", 0.0)]
)
def test_nobody_is_asked_earlier_than_told(gateway: LlmEmulator, status: int, form: str, least: float) -> None:
    gateway.modes.add("status", status=status, retry_after=0.4, form=form, times=1)
    began = time.monotonic()
    # the second and third question wait as well: the gateway told it of the model, not of one question
    ends = ask(gateway, [request_of(n) for n in range(3)], policy=scoring(concurrency=1))
    assert all(isinstance(end, Evaluated) and end.answer for end in ends)
    summary = gateway.summary()
    assert summary["calls"] == 4 and summary["early"] == 0
    # within one question's deadline of 15 seconds: nobody waits for more than he was told
    assert least <= time.monotonic() - began < 12
    assert gateway.calls[1].at - gateway.calls[0].at >= least


def test_a_storm_of_429_is_weathered_without_an_early_call(gateway: LlmEmulator) -> None:
    # one at a time: what is under way when the gateway speaks cannot be called back
    gateway.modes.add("status", status=429, retry_after=0.05, share=0.3)
    book = Book()
    ends = ask(gateway, [request_of(n) for n in range(30)], book=book, policy=scoring(concurrency=1, attempts=8))
    assert all(isinstance(end, Evaluated) and end.answer for end in ends)
    summary = gateway.summary()
    refused = summary["by_status"]["429"]
    assert refused > 3 and summary["calls"] == 30 + refused and summary["early"] == 0
    assert summary["paid"] == summary["paid_questions"] == 30
    assert book.outcomes.count("rate_limited") == refused and book.outcomes.count("ok") == 30


def test_told_to_wait_beyond_the_deadline_the_question_ends_at_once(gateway: LlmEmulator) -> None:
    gateway.modes.add("status", status=429, retry_after=3600)
    began = time.monotonic()
    ends = ask(gateway, [request_of(n) for n in range(5)], policy=scoring(concurrency=1))
    # five deadlines are 75 seconds
    assert time.monotonic() - began < 12
    assert {(end.reason, end.is_final) for end in ends if isinstance(end, Evaluated)} == {("rate_limited", False)}
    assert len(ends) == 5 and len(gateway.calls) == 1


def test_a_question_ends_within_its_deadline_whatever_happens(gateway: LlmEmulator) -> None:
    gateway.modes.add("status", status=500)
    began = time.monotonic()
    (end,) = ask(gateway, [request_of()], policy=scoring(deadline_seconds=4.0, attempts=4), first_pause_seconds=1.6)
    assert isinstance(end, Evaluated) and (end.reason, end.is_final) == ("unavailable", False)
    # pauses of 0.8 to 1.6 and of 1.6 to 3.2 seconds: a third or fourth call would come too late
    # ... and all four need 5.6 at least
    assert time.monotonic() - began < 5.5
    assert 2 <= len(gateway.calls) <= 3


def test_no_more_calls_at_once_than_the_policy_says(gateway: LlmEmulator) -> None:
    gateway.set(delay=0.5)
    ends = ask(gateway, [request_of(n) for n in range(10)], policy=scoring(concurrency=4))
    assert all(isinstance(end, Evaluated) and end.answer for end in ends)
    assert gateway.summary()["most_at_once"] == 4


def test_no_more_calls_a_minute_than_the_policy_says(gateway: LlmEmulator) -> None:
    ask(gateway, [request_of(n) for n in range(7)], policy=scoring(requests_per_minute=3), minute_seconds=1.6)
    at = [call.at for call in gateway.calls]
    assert len(at) == 7
    # any four calls in a row span the minute; a call may travel longer than the one after it
    assert min(later - earlier for earlier, later in zip(at, at[3:], strict=False)) > 0.8


def test_no_more_tokens_a_minute_than_the_policy_says(gateway: LlmEmulator) -> None:
    request = request_of()
    one = about(request.messages, request.schema) + 1_000
    policy = scoring(tokens_per_minute=2 * one + 10, concurrency=1)
    ask(gateway, [request_of(n) for n in range(4)], policy=policy, minute_seconds=3.0)
    at = [call.at - gateway.calls[0].at for call in gateway.calls]
    real = [call.prompt_tokens + call.completion_tokens for call in gateway.calls]
    # what a call really had counts once it is known: a third one fits beside two that were shorter than expected, the
    # fourth waits until the first is a minute old
    assert 2 * max(real) + one <= policy.tokens_per_minute < 3 * min(real) + one
    assert at[2] < 2.5 < at[3]


def test_the_minutes_account_takes_what_calls_really_had() -> None:
    async def told() -> list[float]:
        minute, began = Minute(100, 1_000, seconds=1.0), time.monotonic()
        at = []
        for tokens in (600, 800, 300, 5_000, 1):
            turn = await minute.take(tokens)
            at.append(time.monotonic() - began)
            if tokens == 600:
                minute.correct(turn, 100)
        return at

    first, second, third, fourth, fifth = asyncio.run(told())
    # 600 counts as the 100 that it was, so 800 fits beside it at once; 300 more do not, nor does what is over anyway:
    # it goes alone, and nobody beside it
    assert first <= second < 0.9
    assert 1.0 <= third < 1.9 and third + 0.99 <= fourth < 2.9 and fourth + 0.99 <= fifth < 3.9


def test_questions_of_a_run_share_one_models_price_list(gateway: LlmEmulator) -> None:
    book = Book()
    ask(gateway, [request_of(n) for n in range(3)], book=book)
    assert [call.model for call in book.planned] == [MODEL] * 3
    assert len({call.evaluation_key for call in book.planned}) == 3
