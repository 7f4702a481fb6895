"""What was paid for before a repair that did not come: it is booked with its call, and a later run begins with it."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import pytest

from conversations.scoring.shapes import Problems
from resources.llm.caller import Reply
from resources.llm.door import Door
from resources.llm.ledger import Begun, Evaluated, OverBudget
from resources.llm.prices import Prices
from tests.emulators.llm import LlmEmulator
from tests.llm.asking import MODEL, Book, ask, request_of, scoring


def first_paid(gateway: LlmEmulator, mode: str) -> tuple[Book, Begun]:
    """A question whose first answer is none and whose repair does not fit into the budget."""
    whole = Book()
    ask(gateway, [request_of()], book=whole)
    gateway.clear()
    gateway.modes.add(mode, on="first")
    book = Book(cap_microusd=whole.planned[0].worst_microusd)
    (end,) = ask(gateway, [request_of()], book=book)
    assert isinstance(end, OverBudget) and book.ends == [] and len(gateway.calls) == 1
    (begun,) = book.begun
    return book, begun


@pytest.mark.parametrize("mode", ["malformed", "missing_criterion", "out_of_range", "length"])
def test_a_repair_that_the_budget_refused_is_all_that_a_later_run_buys(gateway: LlmEmulator, mode: str) -> None:
    book, begun = first_paid(gateway, mode)
    (first,) = gateway.calls
    assert book.paid["0"].cost_microusd == begun.cost_microusd == first.cost_microusd > 0
    assert (begun.calls, begun.repairs) == (1, 0)
    later = Book()
    gateway.modes.clear()
    (end,) = ask(gateway, [request_of()], book=later, begun=begun)
    assert isinstance(end, Evaluated) and end.answer is not None and end.is_final
    second = gateway.calls[1]
    assert len(gateway.calls) == 2 and later.purposes == ["repair"]
    # a truncated answer is not shown again: the same question, twice the length
    assert (second.is_repair, second.max_tokens) == ((False, 4_000) if mode == "length" else (True, 2_000))
    assert (end.calls, end.cost_microusd) == (2, first.cost_microusd + second.cost_microusd)
    assert end.prompt_tokens == first.prompt_tokens + second.prompt_tokens
    assert end.completion_tokens == first.completion_tokens + second.completion_tokens


def test_repairs_are_counted_over_all_runs(gateway: LlmEmulator) -> None:
    _, begun = first_paid(gateway, "malformed")
    gateway.modes.clear()
    gateway.modes.add("malformed")
    book = Book()
    (end,) = ask(gateway, [request_of()], book=book, begun=begun)
    assert isinstance(end, Evaluated) and (end.answer, end.reason, end.calls) == (None, "not_json", 3)
    assert book.purposes == ["repair", "repair"] and [one.repairs for one in book.begun] == [1]


def test_what_is_taken_for_an_answer_now_costs_nothing(gateway: LlmEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    _, begun = first_paid(gateway, "malformed")
    gateway.modes.clear()
    (whole,) = ask(gateway, [request_of(1)])
    assert isinstance(whole, Evaluated) and whole.answer is not None
    answer = whole.answer

    def reads(text: Any, *_: Any) -> Any:
        assert text == begun.text
        return answer

    monkeypatch.setattr("tests.llm.asking.read_answer", reads)
    before, book = len(gateway.calls), Book()
    (end,) = ask(gateway, [request_of()], book=book, begun=begun)
    assert isinstance(end, Evaluated) and (end.answer, end.is_final, end.calls) == (answer, True, 1)
    assert len(gateway.calls) == before and not book.planned


def test_what_is_beyond_repair_now_is_not_bought_again(gateway: LlmEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    _, begun = first_paid(gateway, "malformed")
    gateway.modes.clear()
    monkeypatch.setattr("tests.llm.asking.read_answer", lambda *_: Problems("refused", "", can_repair=False))
    before, book = len(gateway.calls), Book()
    (end,) = ask(gateway, [request_of()], book=book, begun=begun)
    assert isinstance(end, Evaluated) and (end.answer, end.reason, end.is_final) == (None, "refused", True)
    assert len(gateway.calls) == before and not book.planned


def test_what_cannot_be_stored_is_left_out() -> None:
    """A zero character or half a surrogate pair would undo the whole booking."""

    class Answers:
        async def call(self, *_: Any) -> Reply:
            return Reply("a\x00b\ud800", "stop", None, "m", 10, 5, None, None)

    async def run() -> None:
        policy = scoring()
        prices = Prices([MODEL], policy.prices, policy.max_answer_tokens)
        door = Door(Answers(), [MODEL], policy, prices, book, random=Random(1))  # type: ignore[arg-type]
        await door.ask(request_of(), lambda *_: Problems("not_json", "", True), lambda *_: ())

    book = Book()
    asyncio.run(run())
    assert [one.text for one in book.begun] == ["ab?", "ab?"]
